"""The journal of a matcher: a start makes again what was, from a snapshot or without, by this build
or another; damage is refused in words, or cut with a new epoch, or without effect; and an ordered
life leaves an ordered journal."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time

from cluster import ROOT, Skipped, equal, expect, main, make_parser
from journals import (SMALL, SYMBOLS, Refused, Shard, Started, flip, origin, segments, shard_on,
                      snapshots, told, trade)
from listener import Listener
from rest import Rest



@contextlib.contextmanager
def recorded(test, count, kill=False, in_flight=100, **settings):
    """A Shard with so many commands in its journal, its matcher ended; and its last words."""
    with Shard(test.bin, SYMBOLS, settings={**SMALL, **settings}) as cluster:
        cluster.start_matcher()
        cluster.started()
        with origin(cluster, "recorder") as sender:
            trade(sender, test.random, count, in_flight)
        if kill:
            cluster.matchers[0].kill()
        yield cluster, None if kill else cluster.stop_matcher()


def a_restart_changes_nothing(test):
    with test.cluster(SYMBOLS, settings=SMALL) as cluster:
        epoch = cluster.epoch()
        expect(cluster.recovered() is None, "it recovered something from nothing")
        with origin(cluster, "on") as sender:
            for turn in range(3):
                results = trade(sender, test.random, test.count(500))
                stopped = cluster.stop_matcher()
                equal(stopped["seq"], max(result.seq for result in results), "the last sequence")
                cluster.start_matcher()
                found = cluster.recovered()
                equal((found["seq"], found["state_hash"], found["epoch"], found["commands"]),
                      (stopped["seq"], stopped["state_hash"], epoch, stopped["seq"]),
                      f"seq, state hash, epoch and commands after stop {turn}")
                results = trade(sender, test.random, test.count(500))
                cluster.matchers[0].kill()
                cluster.start_matcher()
                killed = cluster.recovered()
                expect(killed["seq"] >= max(result.seq for result in results),
                       f"acknowledged {results[-1]}, recovered {killed}")
                cluster.matchers[0].kill()
                cluster.start_matcher()
                again = cluster.recovered()
                equal([again[key] for key in ("seq", "state_hash", "epoch")],
                      [killed["seq"], killed["state_hash"], epoch], "the same once more")


def a_snapshot_and_the_tail_are_the_whole(test):
    """Also with the newest snapshot damaged, and with both."""
    with test.cluster(SYMBOLS, settings={**SMALL, "snapshot_commands": 200,
                                         "checkpoint_commands": 150}, followers=True) as cluster:
        journal = cluster.journal()
        epoch = cluster.epoch()
        with origin(cluster, "on") as sender:
            cluster.until(lambda: trade(sender, test.random, 100) and len(snapshots(journal)) == 2,
                          "there are two snapshots")
        cluster.followers[0].stop()
        stopped = cluster.stop_matcher()
        newest, older = (int(path.stem) for path in reversed(snapshots(journal)))

        def started(damage, snapshot_seq, *said):
            with shard_on(test, journal) as shard:
                damage(shard.journal())
                shard.start_matcher()
                found = shard.recovered()
                equal((found["seq"], found["state_hash"], found["epoch"], found["snapshot_seq"],
                       found["commands"]),
                      (stopped["seq"], stopped["state_hash"], epoch, snapshot_seq,
                       stopped["seq"] - snapshot_seq), f"after {damage.__name__}")
                words = shard.matchers[0].words
                for word in said:
                    expect(word in words, f"after {damage.__name__} it did not say {word}: {words}")

        def nothing(journal):
            del journal

        def the_newest_is_damaged(journal):
            damaged(snapshots(journal)[-1])

        def all_are_damaged(journal):
            for path in snapshots(journal):
                damaged(path)

        def all_are_gone(journal):
            for path in snapshots(journal):
                path.unlink()

        def damaged(path):
            flip(path, test.random.randrange(path.stat().st_size), 1 << test.random.randrange(8))
        started(nothing, newest)
        started(the_newest_is_damaged, older, f"{newest:020}.snapshot")
        started(all_are_damaged, 0, f"{older:020}.snapshot")
        started(all_are_gone, 0)


def a_second_matcher_on_a_journal_is_refused(test):
    with test.cluster(SYMBOLS, settings=SMALL, gateways=1) as cluster:
        first = cluster.matchers[0]
        elsewhere = cluster.run_dir / "elsewhere"  # or the run directory would refuse it
        second = cluster.spawn("second", "outcry-matcher", "--shard", "0", "--run-dir", elsewhere,
                               "--journal-dir", cluster.journal().parent)
        second.allowed = {1}
        equal(second.wait(), 1, "its exit status")
        expect(f"process {first.pid} " in second.words and str(cluster.journal()) in second.words,
               f"it did not say which and where: {second.words}")
        rest = Rest(cluster.gateways[0].port)
        equal(rest.place("ETH-USD", "buy", "1", "5").status, 201, "the first serves on")


def a_configuration_that_is_not_the_journals_is_refused(test):
    with recorded(test, 20) as (cluster, _):
        cases = [("tick", lambda: cluster.symbols["BTC-USD"].update(tick_size="0.05"),
                  ("BTC-USD", "0.05", "0.01")),
                 ("lot", lambda: cluster.symbols["ETH-USD"].update(lot_size="0.3"),
                  ("ETH-USD", "0.3", "lot 1")),
                 ("more", lambda: cluster.symbols.update({"NEW": {}}), ("3", "2", "symbols")),
                 ("limit", lambda: cluster.settings.update(finished_per_account=77),
                  ("finished_per_account", "77", str(SMALL["finished_per_account"])))]
        symbols, settings = json.dumps(cluster.symbols), dict(cluster.settings)
        for what, change, words in cases:
            change()
            cluster.write_config()
            found = cluster.attempt()
            expect(isinstance(found, Refused) and all(word in found.words for word in words),
                   f"another {what}: {found}")
            cluster.symbols, cluster.settings = json.loads(symbols), dict(settings)
        cluster.write_config()
        expect(isinstance(cluster.attempt(), Started), "as before")


# ---- damage ----

def flips_are_noticed_or_without_effect(test):
    """Of a journal that ended in order, and of one whose writer was killed."""
    for kill in (False, True):
        with recorded(test, 30, kill=kill, in_flight=3, checkpoint_commands=10,
                      segment_mib=1) as (cluster, _):
            judge_flips(test, cluster, kill)


def judge_flips(test, cluster, killed):
    journal = cluster.journal()
    pristine = {path: path.read_bytes() for path in journal.iterdir() if path.name != "lock"}
    whole = cluster.attempt()
    expect(isinstance(whole, Started) and whole.cut is None, f"undamaged: {whole}")
    path, = segments(journal)
    size = len(pristine[path].rstrip(b"\0"))
    offsets = list(range(size))
    if not test.options.all:
        offsets = test.random.sample(offsets, test.count(40)) + [0, size - 1]
    offsets += [test.random.randrange(size, path.stat().st_size) for _ in range(5)]
    outcomes = {"refused": 0, "cut": 0, "without effect": 0}
    for offset in offsets:
        for stray in set(journal.iterdir()) - set(pristine):
            stray.unlink()
        for file, content in pristine.items():
            file.write_bytes(content)
        mask = 1 << test.random.randrange(8)
        flip(path, offset, mask)
        what = f"byte {offset} ^ {mask:#x}"
        found = cluster.attempt()
        outcomes[judge(found, whole, path, offset, what)] += 1
        if not killed and isinstance(found, Started):
            equal(found.seq, whole.seq, f"{what}: commands of a journal that was closed")
        del cluster.processes[:]
    expect(outcomes["refused"] > 0, f"nothing was refused: {outcomes}")
    print(f"    {'killed' if killed else 'closed'}: {len(offsets)} of {size} bytes: {outcomes}")


def judge(found, whole, path, offset, what):
    """What a flip led to, which must be one of three."""
    if isinstance(found, Refused):
        file, where = told(found.words)
        expect(file == path.name and where is not None and where <= offset,
               f"{what}: refused without its place: {found.words}")
        return "refused"
    if found.cut is not None:
        expect(found.epoch > whole.epoch, f"{what}: cut, and the epoch is the same: {found}")
        file, where = told(json.dumps(found.cut))
        expect(file == path.name and where is not None and where <= offset,
               f"{what}: cut without its place: {found.cut}")
        return "cut"
    equal(found[:3], whole[:3], f"{what}: epoch, seq and state hash of a start without a word")
    return "without effect"


def flips_of_a_snapshot_are_noticed(test):
    """Its own words must be wrong, not only its checksum: every byte of it is covered."""
    with test.cluster(SYMBOLS, settings={**SMALL, "snapshot_commands": 40}, followers=True
                      ) as cluster:
        with origin(cluster, "on") as sender:
            trade(sender, test.random, 60)
        cluster.until(lambda: snapshots(cluster.journal()), "there is a snapshot")
        cluster.followers[0].stop()
        stopped = cluster.stop_matcher()
        with shard_on(test, cluster.journal()) as shard:
            path = snapshots(shard.journal())[-1]
            for older in snapshots(shard.journal())[:-1]:
                older.unlink()
            content = path.read_bytes()
            offsets = list(range(len(content)))
            if not test.options.all:
                offsets = test.random.sample(offsets, test.count(20)) + [0, len(content) - 1]
            for offset in offsets:
                path.write_bytes(content)
                flip(path, offset, 1 << test.random.randrange(8))
                found = shard.attempt()
                expect(isinstance(found, Started), f"byte {offset}: {found}")
                equal((found.state_hash, found.snapshot_seq), (stopped["state_hash"], 0),
                      f"byte {offset}: the state, from the journal and not from the snapshot")
                expect(path.name in found.words, f"byte {offset}: nothing was said: {found.words}")
                del shard.processes[:]
            print(f"    {len(offsets)} of {len(content)} bytes")


# ---- modes ----

def async_keeps_the_epoch_only_over_a_clean_end(test):
    with test.cluster(SYMBOLS, settings={**SMALL, "journal_mode": "async"}) as cluster:
        epochs = [cluster.epoch()]
        with origin(cluster, "one") as sender:
            trade(sender, test.random, 100)
        stopped = cluster.stop_matcher()
        cluster.start_matcher()
        equal((cluster.epoch(), cluster.recovered()["state_hash"]),
              (epochs[0], stopped["state_hash"]), "epoch and state hash after a clean end")
        for turn in range(3):
            with origin(cluster, f"two{turn}") as sender:
                results = trade(sender, test.random, 100)
            cluster.matchers[0].kill()
            cluster.start_matcher()
            epochs.append(cluster.epoch())
            # The machine went on, so nothing was lost; but who can know that.
            expect(cluster.recovered()["seq"] >= max(result.seq for result in results), "seq")
        expect(all(one < two for one, two in zip(epochs, epochs[1:])), f"epochs: {epochs}")
        cluster.until_ready()


def none_keeps_nothing(test):
    with test.cluster(SYMBOLS, settings={**SMALL, "journal_mode": "none"}) as cluster:
        epochs = [cluster.epoch()]
        for _ in range(2):
            with origin(cluster, "one") as sender:
                trade(sender, test.random, 50)
            cluster.matchers[0].stop()
            cluster.start_matcher()
            epochs.append(cluster.epoch())
        expect(epochs[0] < epochs[1] < epochs[2], f"epochs: {epochs}")
        expect(not cluster.journal().exists(), f"there is {cluster.journal()}")
        expect(cluster.recovered() is None, "it recovered something")


# ---- an ordered life ----

def contents(journal):
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes())
            for path in journal.iterdir() if path.name != "lock"}


def a_quiet_shard_writes_nothing(test):
    with test.cluster(SYMBOLS, settings={**SMALL, "segment_mib": 1}, followers=True) as cluster:
        with origin(cluster, "on") as sender:
            trade(sender, test.random, 50)

        cluster.until(lambda: settled(cluster.journal()), "the next segment is prepared")
        before = contents(cluster.journal())
        heard = Listener(cluster.address("private"), b"hb\0")
        cluster.until(lambda: heard.listen()["hb"] > 20, "heartbeats")
        heard.close()
        equal(changed(before, contents(cluster.journal())), [], "files written to in peace")
        cluster.stop_matcher()
        closed = contents(cluster.journal())
        cluster.start_matcher()
        cluster.recovered()
        cluster.stop_matcher()
        again = contents(cluster.journal())
        equal([name for name in closed if name != "next.new"
               and closed[name][1] != again.get(name, (0, b""))[1]], [],
              "files changed by a start and an end without a command")


def settled(journal):
    """Nothing is being written."""
    before = contents(journal)
    time.sleep(0.3)
    return before == contents(journal)


def changed(before, after):
    return sorted(name for name in before.keys() | after.keys()
                  if before.get(name) != after.get(name))


def a_matcher_that_reads_its_journal_ends_at_once(test):
    """Its file of epochs is a pipe here: it reads nothing before we have written that."""
    with test.cluster(SYMBOLS, settings=SMALL) as cluster:
        stopped = cluster.stop_matcher()
        file = cluster.run_dir / "0.epoch"
        epoch = file.read_text(encoding="ascii")
        file.unlink()
        os.mkfifo(file)
        cluster.start_matcher()
        with open(file, "w", encoding="ascii"):  # it reads
            cluster.matchers[0].stop()
        equal(cluster.matchers[0].wait(), 0, "its exit status")
        file.unlink()
        file.write_text(epoch, encoding="ascii")
        cluster.start_matcher()
        found = cluster.recovered()
        equal([found[key] for key in ("seq", "epoch", "state_hash")],
              [stopped[key] for key in ("seq", "epoch", "state_hash")], "what it begins with")


def a_matcher_that_is_told_to_end_finishes_what_it_took(test):
    with test.cluster(SYMBOLS, settings=SMALL, gateways=1) as cluster:
        matcher = cluster.matchers[0]
        results = []
        with origin(cluster, "on") as sender:
            def place():
                sender.send("new_order", symbol="ETH-USD", account="A", side="buy", type="limit",
                            time_in_force="GTC", post_only=False, stp="none", qty=1, price=10,
                            client_order_id="")
            for _ in range(300):
                place()
            results.append(sender.receive(30))  # it is told to end in the middle of its work
            expect(results[0] is not None and results[0].ok, f"the first: {results[0]}")
            matcher.asked_to_end = True
            matcher.send(signal.SIGTERM)
            while matcher.running:
                place()
                result = sender.receive(0.01)
                results += [result] if result else []
            equal(matcher.wait(), 0, "its exit status")
            while True:
                result = sender.receive(0.05)
                if result is None:
                    break
                results.append(result)
            stopped = matcher.facts("stopped")
            equal(len(stopped), 1, "last words")
            expect(re.fullmatch("[0-9a-f]{16}", stopped[0]["state_hash"]), f"{stopped}")
            expect(stopped[0]["seq"] >= max((result.seq for result in results), default=0),
                   f"acknowledged {results[-1]}, stopped at {stopped}")
            cluster.start_matcher()
            found = cluster.recovered()
            equal((found["seq"], found["state_hash"]),
                  (stopped[0]["seq"], stopped[0]["state_hash"]), "what it begins with")
            while sender.unanswered:  # what was not taken is done now, in the same session
                result = sender.receive(30)
                expect(result is not None and result.ok, f"{result}")
                results.append(result)
            equal(len({result.order_id for result in results}), len(results), "orders")


# ---- other builds ----

def another_build(test):
    """Another build's bin directory: of --other; or built by clang, with --clang."""
    if test.options.other and pathlib.Path(test.options.other, "outcry-matcher").exists():
        yield pathlib.Path(test.options.other)
    if test.options.clang:
        with test.directory() as directory:
            build = [["cmake", "-S", ROOT, "-B", directory, "-G", "Ninja",
                      "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_COMPILER=clang"],
                     ["ninja", "-C", directory, "outcry-matcher", "outcry"]]
            for command in build:
                made = subprocess.run([str(part) for part in command], check=False,
                                      capture_output=True, text=True)
                expect(made.returncode == 0, f"{command[0]}: {made.stdout[-3000:]}")
            yield directory / "bin"


def another_build_comes_to_the_same_state(test):
    count = test.count(3000)
    with recorded(test, count, checkpoint_commands=100) as (cluster, stopped):
        builds = 0
        for binaries in another_build(test):
            with shard_on(test, cluster.journal(), binaries, checkpoint_commands=100) as shard:
                found = shard.attempt()
                expect(isinstance(found, Started), f"{binaries}: {found}")
                equal((found.seq, found.state_hash), (stopped["seq"], stopped["state_hash"]),
                      f"seq and state hash by {binaries}")
                verify = shard.outcry("verify", shard.journal())
                expect(stopped["state_hash"] in verify.said, f"verify said: {verify.said}")
            builds += 1
        if builds == 0:
            raise Skipped("neither --other is there nor --clang given")


if __name__ == "__main__":
    parser = make_parser(__doc__)
    parser.add_argument("--all", action="store_true", help="flip every byte")
    parser.add_argument("--other", default="", help="another build's bin directory")
    parser.add_argument("--clang", action="store_true", help="build another with clang")
    main(__doc__, [a_restart_changes_nothing,
                   a_snapshot_and_the_tail_are_the_whole,
                   a_second_matcher_on_a_journal_is_refused,
                   a_configuration_that_is_not_the_journals_is_refused,
                   flips_are_noticed_or_without_effect,
                   flips_of_a_snapshot_are_noticed,
                   async_keeps_the_epoch_only_over_a_clean_end, none_keeps_nothing,
                   a_quiet_shard_writes_nothing,
                   a_matcher_that_reads_its_journal_ends_at_once,
                   a_matcher_that_is_told_to_end_finishes_what_it_took,
                   another_build_comes_to_the_same_state], parser)
