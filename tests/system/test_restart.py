"""Processes that are killed and started again. With a journal history goes on, and with it readers
and senders, without a restart of their own. Without one (mode none) they find out by themselves,
discard what was, join again, and are right."""
import signal
import time

from cluster import equal, expect, main, updates
import outcry
from outcry.errors import HistoryLost

SYMBOLS = {"BTC-USD": {"tick_size": "0.01"}, "ETH-USD": {"shard": 1}}
NO_JOURNAL = {"journal_mode": "none"}
TOPICS = ["l3.BTC-USD", "l2.BTC-USD", "bbo.BTC-USD", "trade.BTC-USD"]


class Follower:
    """A reader that lives through it all; Subscriber raises if anything is not right."""

    def __init__(self, cluster, topics=TOPICS):
        self.cluster = cluster
        self.reader = cluster.follow(*topics)

    def take(self):
        """Take in what has come."""
        for _ in updates(self.reader):
            pass

    def until(self, condition, what, seconds=60):
        def met():
            self.take()
            return condition()
        self.cluster.until(met, what, seconds)

    def epochs(self):
        return {one.epoch for one in self.reader.readers.values()}

    def orders(self):
        return self.reader.readers["l3.BTC-USD"].book.orders

    def until_level(self, orders):
        """It holds these orders, in both books."""
        def level():
            l2 = self.reader.readers["l2.BTC-USD"].book
            l3 = self.reader.readers["l3.BTC-USD"].book
            return (self.reader.live and set(l3.orders) == orders
                    and l2.bids() == l3.bids() and l2.asks() == l3.asks())
        self.until(level, f"the follower has {len(orders)} orders")


def origin(cluster, name):
    return outcry.Origin(cluster.address("commands"), cluster.address("private"), name)


def place(sender, count, price=1000):
    """Place so many bids, one a price; their ids."""
    return {sender.new_order("BTC-USD", "A", "buy", 5, price=price - number).order_id
            for number in range(count)}


def a_killed_matcher_goes_on_and_nobody_begins_again(test):
    with test.cluster(SYMBOLS, shards=2) as cluster:
        follower = Follower(cluster)
        first = cluster.epoch()
        with origin(cluster, "on") as sender:
            orders = place(sender, 20)
            follower.until_level(orders)
            for number in range(1, max(3, test.count(5))):
                cluster.matchers[0].kill()
                cluster.start_matcher()
                orders |= place(sender, 10, price=1000 + 10 * number)
                follower.until_level(orders)
                equal(cluster.epoch(), first, "the epoch")
                expect(cluster.recovered()["seq"] >= len(orders) - 10, "commands it went on from")
        equal(follower.epochs(), {first}, "the epoch its reader is in")
        equal((follower.reader.counts["snapshots"], follower.reader.counts["mismatches"]),
              (len(TOPICS), 0), "snapshots and wrong hashes of its reader")


def without_a_journal_a_killed_matcher_begins_a_new_epoch_and_all_join_it(test):
    with test.cluster(SYMBOLS, shards=2, settings=NO_JOURNAL) as cluster:
        follower = Follower(cluster)
        other = Follower(cluster, ["l3.ETH-USD"])
        first = cluster.epoch()
        with origin(cluster, "before") as sender:
            follower.until_level(place(sender, 20))
            cluster.matchers[0].kill()
            cluster.start_matcher()
            second = cluster.epoch()
            expect(second > first, f"epoch {second} after {first}")
            follower.until(lambda: follower.epochs() == {second} and follower.reader.live,
                           "the follower joins the new epoch")
            equal(len(follower.orders()), 0, "orders, in a history that has none")
            # The sender's session is not known there: it is told, not left in doubt.
            try:
                place(sender, 1)
            except HistoryLost:
                pass
            else:
                expect(False, "a sender was not told that its history is lost")
        with origin(cluster, "after") as sender:
            follower.until_level(place(sender, 7))
        other.take()
        equal(other.reader.counts["snapshots"], 1, "snapshots of a reader of another shard")
        expect(not cluster.journal().exists(), "there are files of a journal")


def epochs_grow_within_a_second_and_over_a_clock_that_went_back(test):
    with test.cluster(SYMBOLS, shards=2, settings=NO_JOURNAL) as cluster:
        epochs = [cluster.epoch()]
        for _ in range(max(4, test.count(8))):
            cluster.matchers[0].kill()
            cluster.start_matcher()
            epochs.append(cluster.epoch())
        expect(all(one < next_one for one, next_one in zip(epochs, epochs[1:])),
               f"epochs do not grow: {epochs}")
        ahead = int(time.time()) + 1_000_000
        cluster.matchers[0].kill()
        (cluster.run_dir / "0.epoch").write_text(f"{ahead}\n", encoding="ascii")
        cluster.start_matcher()
        equal(cluster.epoch(), ahead + 1, "the epoch after one from the future")
        cluster.until_ready()


def readers_and_a_flow_go_on_over_a_matcher_killed_again_and_again(test):
    with test.cluster(SYMBOLS, shards=2) as cluster:
        follower = Follower(cluster)
        epoch = cluster.epoch()
        flow = cluster.spawn("flow", "outcry", "simulate", "--rate", "2000", "--seed", test.seed)

        def until_it_trades():
            frames = follower.reader.counts["frames"]
            follower.until(lambda: follower.reader.counts["frames"] > frames + 300,
                           "the follower follows the flow")
        for _ in range(max(2, test.count(5))):
            until_it_trades()
            cluster.matchers[0].kill()
            cluster.start_matcher()
        until_it_trades()
        flow.stop()
        equal(follower.epochs(), {epoch}, "epochs")
        equal(follower.reader.counts["mismatches"], 0, "hashes that were wrong")


def without_a_journal_a_flow_is_told_and_readers_follow(test):
    with test.cluster(SYMBOLS, shards=2, settings=NO_JOURNAL) as cluster:
        follower = Follower(cluster)
        flow = cluster.spawn("flow", "outcry", "simulate", "--rate", "5000", "--seed", test.seed)
        flow.allowed = {1}
        frames = follower.reader.counts["frames"]
        follower.until(lambda: follower.reader.counts["frames"] > frames + 1000,
                       "the follower follows the flow")
        cluster.matchers[0].kill()
        cluster.start_matcher()
        epoch = cluster.epoch()
        equal(flow.wait(), 1, "exit status of a flow whose matcher was killed")
        expect("new history" in flow.words, f"the flow said: {flow.words}")
        follower.until(lambda: follower.epochs() == {epoch} and follower.reader.live,
                       "the follower joins the new epoch")
        equal(follower.reader.counts["mismatches"], 0, "hashes that were wrong")


def readers_repair_themselves_when_market_data_is_killed(test):
    with test.cluster(SYMBOLS, shards=2) as cluster:
        follower = Follower(cluster)
        epoch = cluster.epoch()
        with origin(cluster, "on") as sender:
            orders = place(sender, 20, price=5000)
            follower.until_level(orders)
            for number in range(1, max(2, test.count(4))):
                cluster.market_data.kill()
                orders |= place(sender, 10, price=1000 * number)  # what nobody published
                cluster.start_market_data()
                orders |= place(sender, 10, price=1000 * number + 500)
                follower.until_level(orders)
                equal(follower.epochs(), {epoch}, "the epoch, which is the matcher's")
        equal(follower.reader.counts["mismatches"], 0, "hashes that were wrong")


def all_end_well_on_sigterm(test):
    with test.cluster(SYMBOLS, shards=2) as cluster:
        follower = Follower(cluster)
        flow = cluster.spawn("flow", "outcry", "simulate", "--rate", "20000", "--seed", test.seed)
        follower.until(lambda: follower.reader.counts["frames"] > 1000, "it trades")
        processes = [flow, cluster.market_data, *cluster.matchers.values()]
        for process in processes:
            process.send(signal.SIGTERM)
        for process in processes:
            equal(process.wait(20), 0, f"exit status of {process.name}")
        for process in processes[1:]:
            equal(len(process.facts("stopped")), 1, f"last words of {process.name}")


if __name__ == "__main__":
    main(__doc__, [a_killed_matcher_goes_on_and_nobody_begins_again,
                   without_a_journal_a_killed_matcher_begins_a_new_epoch_and_all_join_it,
                   epochs_grow_within_a_second_and_over_a_clock_that_went_back,
                   readers_and_a_flow_go_on_over_a_matcher_killed_again_and_again,
                   without_a_journal_a_flow_is_told_and_readers_follow,
                   readers_repair_themselves_when_market_data_is_killed,
                   all_end_well_on_sigterm])
