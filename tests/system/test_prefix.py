"""A subscription is the topic plus its NUL, so no topic matches one it is a prefix of."""
from cluster import equal, expect, main
from listener import Listener

SYMBOLS = {"BTC-USD": {"tick_size": "0.01"}, "BTC-USDT": {"tick_size": "0.01"}}
COUNT = 4000  # orders


def a_subscriber_to_btc_usd_never_receives_btc_usdt(test):
    with test.cluster(SYMBOLS) as cluster:
        public = cluster.address("market_data")
        kinds = ("l2", "l3", "bbo", "trade")
        only = {kind: Listener(public, f"{kind}.BTC-USD\0".encode()) for kind in kinds}
        only["matcher"] = Listener(cluster.address("public"), b"l3.BTC-USD\0")
        # What tells a reader that all has come, and that the other symbol was published too.
        both = Listener(public, b"l2.BTC-USDT\0", b"trade.BTC-USDT\0", b"hb\0")
        prefix = Listener(public, b"l2.BTC-USD")
        listeners = [*only.values(), both, prefix]

        def all_connected():
            for listener in listeners:
                listener.listen()
            return both.topics.get("hb", 0) >= 2
        cluster.until(all_connected, "heartbeats are heard")
        cluster.outcry("simulate", "--count", test.count(COUNT), "--rate", 5000,
                       "--seed", test.seed)
        beats = both.listen()["hb"]
        cluster.until(lambda: both.listen()["hb"] >= beats + 3, "everything has been published")
        for listener in listeners:
            listener.listen()

        for kind, listener in only.items():
            topic = f"{'l3' if kind == 'matcher' else kind}.BTC-USD"
            equal(set(listener.topics), {topic}, f"topics of the subscriber to {topic}\\0")
            expect(listener.topics[topic] > 0, f"nothing came of {topic}")
        equal(set(both.topics), {"hb", "l2.BTC-USDT", "trade.BTC-USDT"}, "topics of BTC-USDT")
        # The same without the NUL hears both: the test can fail.
        equal(set(prefix.topics), {"l2.BTC-USD", "l2.BTC-USDT"}, "topics of l2.BTC-USD*")


if __name__ == "__main__":
    main(__doc__, [a_subscriber_to_btc_usd_never_receives_btc_usdt])
