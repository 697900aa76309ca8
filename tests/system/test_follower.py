"""The follower of a matcher: it says what its matcher says, byte for byte, writes the snapshots
that let old files go, answers for what its matcher has forgotten, and is not needed for anything
else."""
import threading
import time

from cluster import equal, expect, main
from journals import SMALL, SYMBOLS, flip, origin, segments, snapshots, trade
from listener import Listener, ask
from load import Watcher
from ports import free_port

FREQUENT = {**SMALL, "snapshot_commands": 500, "checkpoint_commands": 300, "segment_mib": 1}
MARKET_KINDS = ("l2", "l3", "bbo", "trade")
FORGOTTEN = 160_000  # commands: more frames than a matcher with kept_mib 1 keeps
LOOKED_S = 6  # it looks every 5 s
PATIENT_MS = 250  # an ack while something large is looked up takes less


def venue(test, followers=True, **settings):
    return test.cluster(SYMBOLS, followers=followers, settings={**FREQUENT, **settings})


def until_followed(cluster, shard=0):
    """The follower publishes what its matcher does: heartbeats of both say the same."""
    follower = Listener(cluster.address("follower_public", shard), b"l3.", keep=True)
    with origin(cluster, f"probe-{time.monotonic_ns() % 10**9}") as sender:
        def heard():
            sender.new_order("ETH-USD", "probe", "buy", 1, price=1)
            return follower.frames("l3")
        cluster.until(heard, "the follower publishes")
    follower.close()


def compare(cluster, ours, theirs, kind, what):
    """Every frame of this kind that one has heard the other has, from when both were heard."""
    cluster.until(lambda: ours.frames(kind) and max(seqs(ours, kind)) == max(seqs(theirs, kind)),
                  f"{kind} of {what} comes up to the first's")
    first, second = ours.frames(kind), theirs.frames(kind)
    equal({key: message.hex() for key, message in second.items() if first.get(key) != message}, {},
          f"{kind} frames of {what} that differ")
    equal(set(first) - set(second), set(), f"{kind} frames missing of {what}")
    return len(first)


def seqs(listener, kind):
    return [seq for _, _, seq in listener.frames(kind)] or [0]


def a_follower_publishes_what_its_matcher_does(test):
    with venue(test) as cluster:
        until_followed(cluster)
        pairs = [[Listener(cluster.address(f"{who}{feed}"), *topics, keep=True)
                  for who in ("", "follower_")]
                 for feed, topics in (("public", (b"l3.",)), ("private", (b"acct.", b"ack.")))]
        until_heard(cluster, [one for pair in pairs for one in pair])
        with origin(cluster, "on") as sender:
            trade(sender, test.random, test.count(3000), in_flight=10)
            last = sender.new_order("BTC-USD", "on", "buy", 1, price=1)
            until_through(cluster, last.seq, [one for pair in pairs for one in pair])
            counts = [compare(cluster, *pair, kind, "the follower") for pair, kinds in
                      zip(pairs, (("l3",), ("acct", "ack"))) for kind in kinds]
        print(f"    {counts} frames of l3, acct and ack are the same")
        for pair in pairs:
            for one in pair:
                one.close()


def until_heard(cluster, listeners):
    """Each has heard something, and what was under way has come."""
    with origin(cluster, "hello") as sender:
        newest = 0

        def heard():
            nonlocal newest
            sender.new_order("ETH-USD", "hello", "buy", 1, price=1)
            newest = sender.new_order("BTC-USD", "hello", "buy", 1, price=1).seq
            return all(listener.listen() for listener in listeners)
        cluster.until(heard, "every listener hears something")

        until_through(cluster, newest, listeners)
        for listener in listeners:
            listener.above = newest


def until_through(cluster, seq, listeners):
    """Each has heard everything up to there."""
    def level():
        for listener in listeners:
            listener.listen()
        return all(max(heard for _, _, heard in listener.kept) >= seq for listener in listeners)
    cluster.until(level, "every listener has heard the last of it")


def replicas_of_market_data_publish_the_same(test):
    """One more at the matcher, and one at its follower."""
    with venue(test) as cluster:
        until_followed(cluster)
        addresses = [cluster.address("market_data")]
        for name, source, asked in (("second", "public", "requests"),
                                    ("third", "follower_public", "follower")):
            addresses.append(f"tcp://127.0.0.1:{free_port()}")
            cluster.spawn(f"market-data-{name}", "outcry-market-data", "--run-dir",
                          cluster.run_dir / name, "--public-address", cluster.address(source),
                          "--requests-address", cluster.address(asked),
                          "--market-data-address", addresses[-1],
                          "--market-data-requests-address", f"tcp://127.0.0.1:{free_port()}")
        listeners = [Listener(address, *(f"{kind}.".encode() for kind in MARKET_KINDS), keep=True)
                     for address in addresses]
        until_heard(cluster, listeners)
        with origin(cluster, "on") as sender:
            trade(sender, test.random, test.count(2000), in_flight=10)
            last = sender.new_order("BTC-USD", "on", "buy", 1, price=1)
        until_through(cluster, last.seq, listeners)
        counts = {kind: [compare(cluster, listeners[0], other, kind, name)
                         for name, other in zip(("the second", "the third"), listeners[1:])]
                  for kind in MARKET_KINDS}
        print(f"    frames that are the same: {counts}")
        for listener in listeners:
            listener.close()


def without_a_snapshot_it_can_read_nothing_goes(test):
    """All have passed the oldest files but for who reads them: matcher and follower, from the
    beginning."""
    with venue(test) as cluster, test.directory() as directory:
        journal = cluster.journal()

        def ship():
            cluster.outcry("journal", "ship", journal, directory / "backup")
        ship()
        with origin(cluster, "on") as sender:
            cluster.until(lambda: trade(sender, test.random, 1000) and len(segments(journal)) > 2
                          and len(snapshots(journal)) == 2, "there are files that could go")
        cluster.followers[0].stop()
        stopped = cluster.stop_matcher()
        ship()
        for snapshot in snapshots(journal):
            flip(snapshot, snapshot.stat().st_size // 2, 1)
        first = segments(journal)[0]
        cluster.settings["snapshot_commands"] = 10**9
        cluster.start_matcher()
        equal(cluster.recovered()["state_hash"], stopped["state_hash"], "recovered, from nothing")
        cluster.start_follower()
        until_followed(cluster)
        end = time.monotonic() + LOOKED_S
        cluster.until(lambda: time.monotonic() > end, "it has looked for what may go")
        expect(first.exists(), f"what is left: {segments(journal)}")


def snapshots_let_old_segments_go(test):
    with venue(test) as cluster:
        journal = cluster.journal()
        first = segments(journal)[0]
        with origin(cluster, "on") as sender:
            def released():
                trade(sender, test.random, 1000)
                return not first.exists()
            cluster.until(released, "the first segment is removed")
        cluster.followers[0].stop()
        kept = snapshots(journal)
        equal(len(kept), 2, f"snapshots kept: {kept}")
        expect(int(segments(journal)[0].stem) <= int(kept[0].stem) + 1,
               f"what follows the older snapshot is there: {segments(journal)} {kept}")
        stopped = cluster.stop_matcher()
        cluster.start_matcher()
        found = cluster.recovered()
        equal((found["state_hash"], found["snapshot_seq"]),
              (stopped["state_hash"], int(kept[-1].stem)), "recovered from the newest snapshot")
        verify = cluster.outcry("verify", journal)
        expect(stopped["state_hash"] in verify.said, f"verify said: {verify.said}")


def old_frames_are_answered_beside_trading(test):
    """Older than what the matcher keeps; whoever trades meanwhile does not notice."""
    with venue(test, kept_mib=1, segment_mib=32) as cluster:
        until_followed(cluster)
        heard = Listener(cluster.address("public"), b"l3.BTC-USD\0", keep=True)
        with origin(cluster, "on") as sender:
            trade(sender, test.random, 100)
            cluster.until(heard.listen, "frames are heard")
            cluster.outcry("simulate", "--rate", 50_000, "--count", FORGOTTEN, "--seed", test.seed)
            wanted = sorted(heard.frames("l3").items(), key=lambda item: item[0][2])
            size = sum(len(message) for _, message in wanted)
            expect(size > 1 << 20, f"only {size} bytes were published")
            through = wanted[len(wanted) // 4][0][2]
            slowest = 0
            for _ in range(3):
                begin = time.monotonic()
                events = resend(cluster, wanted[0][0], through, sender, test)
                slowest = max(slowest, events[1])
                found = {event.frame for event in events[0] if event.name == "resent"}
                missing = {message for (_, _, seq), message in wanted[1:] if seq <= through} - found
                equal(len(missing), 0, "frames that did not come again as they were")
                print(f"    {len(found)} old frames in {time.monotonic() - begin:.3f} s, the "
                      f"slowest ack beside it {1000 * slowest:.1f} ms")
            if test.options.scale >= 1:
                expect(1000 * slowest < PATIENT_MS, f"an ack took {slowest:.3f} s")
        heard.close()
        cluster.followers[0].stop()
        expect(cluster.followers[0].facts("stopped")[0]["deep_resends"] >= 3,
               "the follower did not answer")


def resend(cluster, key, through, sender, test):
    """Ask for what follows this frame, and trade until it has come: the events, and the slowest
    ack in seconds."""
    watcher = Worker(lambda: ask(cluster.address("public"), cluster.address("requests"), "resend",
                                 topic=key[0], epoch=key[1], after_seq=key[2],
                                 through_seq=through))
    slowest = 0
    while watcher.thread.is_alive():
        begin = time.monotonic()
        trade(sender, test.random, 1)
        slowest = max(slowest, time.monotonic() - begin)
    return watcher.result(), slowest


class Worker:
    """A call on a thread of its own."""

    def __init__(self, call):
        self.values, self.faults = [], []

        def run():
            try:
                self.values.append(call())
            except Exception as fault:  # pylint: disable=broad-except
                self.faults.append(fault)
        self.thread = threading.Thread(target=run)
        self.thread.start()

    def result(self):
        self.thread.join()
        if self.faults:
            raise self.faults[0]
        return self.values[0]


def without_its_follower_a_matcher_serves_and_it_catches_up(test):
    with venue(test) as cluster:
        until_followed(cluster)
        watcher = Watcher("public", cluster.address("market_data"),
                          ["l3.BTC-USD", "l2.BTC-USD", "trade.BTC-USD"]).start()
        with origin(cluster, "on") as sender:
            trade(sender, test.random, 300)
            cluster.followers[0].kill()
            results = trade(sender, test.random, 600)
            with cluster.follow("l3.BTC-USD", "bbo.ETH-USD", "l2.ETH-USD") as reader:
                expect(reader.live, "nobody can join")
            direct = Watcher("direct", cluster.address("public"), ["l3.BTC-USD"]).start()
            trade(sender, test.random, 300)
            direct.finish()
            direct.close()
            before = [int(path.stem) for path in snapshots(cluster.journal())]
            cluster.start_follower()
            until_followed(cluster)

            def caught_up():
                trade(sender, test.random, 100)
                after = [int(path.stem) for path in snapshots(cluster.journal())]
                return after and after[-1] > max(before + [results[-1].seq])
            cluster.until(caught_up, "a snapshot of what happened meanwhile")
            stopped = stop_follower(cluster)
            expect(stopped["restarts"] == 0, f"it began anew: {stopped}")
        watcher.finish()
        watcher.close()


def stop_follower(cluster):
    cluster.followers[0].stop()
    return cluster.followers[0].facts("stopped")[0]


def a_follower_alone_waits_for_its_matcher(test):
    """Whoever starts first; and it outlives its matcher, and follows it again."""
    with venue(test, followers=False) as cluster:
        with origin(cluster, "on") as sender:
            trade(sender, test.random, 200)
            for _ in range(3):
                cluster.matchers[0].kill()
                if not cluster.followers:
                    cluster.start_follower()
                cluster.start_matcher()
                cluster.started()
                until_followed(cluster)
                trade(sender, test.random, 200)
        stopped = stop_follower(cluster)
        matcher = cluster.stop_matcher()
        equal(stopped["epoch"], matcher["epoch"], "the epoch it stopped in")


if __name__ == "__main__":
    main(__doc__, [a_follower_publishes_what_its_matcher_does,
                   replicas_of_market_data_publish_the_same,
                   snapshots_let_old_segments_go, without_a_snapshot_it_can_read_nothing_goes,
                   old_frames_are_answered_beside_trading,
                   without_its_follower_a_matcher_serves_and_it_catches_up,
                   a_follower_alone_waits_for_its_matcher])
