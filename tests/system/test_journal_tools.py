"""The tools for journals: verify, also against recorded frames; dump, and match of what it wrote;
ship and restore."""
import collections
import csv
import hashlib
import io
import json
import re
import shutil
import struct

from cluster import equal, expect, main, updates
from journals import (RECORD_HEADER, SEGMENT_HEADER, SMALL, SYMBOLS, checked_bytes, flip, origin,
                      segments, shard_on, snapshots, told, trade)
from outcry import Side

TOPICS = [f"{kind}.{name}" for name in SYMBOLS for kind in ("l3", "l2", "bbo", "trade")]
SMALLEST = {**SMALL, "segment_mib": 1, "checkpoint_commands": 500}


def run(cluster, *arguments, status=0):
    """A tool to its end: its Process."""
    return cluster.outcry(*arguments, status=status)


def report(said):
    """What verify prints, by the word before it."""
    return dict(re.findall(r"^(\w+(?: hash)?) +(.*)$", said, re.MULTILINE))


def verified(cluster, directory, *arguments):
    process = run(cluster, "verify", directory, *arguments)
    equal(process.said.splitlines()[-1], "sound", "its last word")
    return report(process.said)


def frames_of(facts):
    """(compared, recorded, differ) of a report."""
    return tuple(int(number) for number in re.findall(r"\d+", facts["frames"])[:3])


def content(directory):
    """Digests of its files, but for the one that says who has it."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in directory.iterdir() if path.name != "lock"}


class Tape:
    """A recorder of all topics, of market-data and of the matcher itself."""

    def __init__(self, cluster, path):
        self.path = path
        self.process = cluster.spawn("tape", "outcry", "tape", *TOPICS, "--matcher", "0", "--raw",
                                     path)
        cluster.until(lambda: self.process.said.count(" complete at ") >= len(TOPICS),
                      "every topic is recorded")

    def end(self):
        self.process.stop()
        self.process.check()


def simulate(cluster, test, count):
    cluster.outcry("simulate", "--count", test.count(count), "--rate", 20000, "--seed",
                   test.seed % 1000 + 1)


# ---- verify ----

def a_day_is_sound_while_it_runs_and_after(test):
    with test.cluster(SYMBOLS, settings={**SMALLEST, "snapshot_commands": 400},
                      followers=True) as cluster:
        journal = cluster.journal()
        tape = Tape(cluster, cluster.run_dir / "day.frames")
        flow = cluster.spawn("flow", "outcry", "simulate", "--rate", 2000)
        cluster.until(lambda: len(snapshots(journal)) == 2, "there are snapshots")
        running = verified(cluster, journal)
        expect(int(running["commands"].split()[0]) >= 400, f"it ran {running['commands']}")
        flow.stop()
        tape.end()
        cluster.followers[0].stop()
        stopped = cluster.stop_matcher()
        before = content(journal)
        facts = verified(cluster, journal, "--frames", tape.path)
        equal(content(journal), before, "the journal after it was verified")
        equal((int(facts["seq"]), facts["state hash"]), (stopped["seq"], stopped["state_hash"]),
              "sequence and state hash")
        equal(facts["snapshots"], "2 compared", "snapshots")
        expect(int(facts["checkpoints"].split()[0]) >= 1, f"checkpoints: {facts}")
        compared, recorded, differ = frames_of(facts)
        expect(compared > 100 and differ == 0, f"frames: {facts['frames']}")
        counts = collections.Counter(topic for topic, _ in messages(tape.path))
        others = sum(count for topic, count in counts.items() if topic not in TOPICS)
        equal((compared, recorded), (sum(counts.values()) - others, sum(counts.values())),
              "frames compared, and recorded")
        expect(min(counts[topic] for topic in TOPICS) > 0, f"recorded: {counts}")


def messages(path):
    """(topic, message) of a recording."""
    data = path.read_bytes()
    equal(data[:8], b"OCFR" + struct.pack("<I", 1), "magic and version")
    at, found = 8, []
    while at < len(data):
        size, = struct.unpack_from("<I", data, at)
        message = data[at + 4:at + 4 + size]
        equal(len(message), size, "bytes of a message")
        found.append((message.split(b"\0", 1)[0].decode(), message))
        at += 4 + size
    return found


def frames_of_several_epochs_are_compared(test):
    """A matcher killed in mode async begins a new epoch; a market-data killed joins anew."""
    with test.cluster(SYMBOLS, settings={**SMALLEST, "journal_mode": "async"}) as cluster:
        tape = Tape(cluster, cluster.run_dir / "day.frames")
        simulate(cluster, test, 1000)
        epochs = {cluster.epoch()}
        for _ in range(2):
            cluster.matchers[0].kill()
            cluster.start_matcher()
            epochs.add(cluster.epoch())
            cluster.until_ready()
            simulate(cluster, test, 1000)
            cluster.kill(["market-data"])
            cluster.restart(["market-data"])
            cluster.until_ready()
            simulate(cluster, test, 1000)
        tape.end()
        stopped = cluster.stop_matcher()
        facts = verified(cluster, cluster.journal(), "--frames", tape.path)
        equal(len(epochs), 3, "epochs")
        equal(facts["epochs"], f"3, the last {stopped['epoch']}", "epochs it tells")
        compared, _, differ = frames_of(facts)
        expect(compared > 100 and differ == 0, f"frames: {facts['frames']}")


def frames_of_two_shards_are_told_apart(test):
    with test.cluster({"BTC-USD": {"shard": 1}, "ETH-USD": {}}, shards=2,
                      settings=SMALLEST) as cluster:
        tape = Tape(cluster, cluster.run_dir / "day.frames")
        simulate(cluster, test, 1000)
        tape.end()
        counts = collections.Counter(topic.split(".", 1)[-1] for topic, _ in messages(tape.path))
        for shard, name in [(0, "ETH-USD"), (1, "BTC-USD")]:
            cluster.stop_matcher(shard)
            facts = verified(cluster, cluster.journal(shard), "--frames", tape.path)
            equal((frames_of(facts)[0], frames_of(facts)[2]), (counts[name], 0),
                  f"frames of shard {shard} compared, and different")


def a_frame_that_was_not_published_so_is_told(test):
    with test.cluster(SYMBOLS, settings=SMALL) as cluster:
        tape = Tape(cluster, cluster.run_dir / "day.frames")
        simulate(cluster, test, 500)
        tape.end()
        cluster.stop_matcher()
        bad = cluster.run_dir / "bad.frames"
        recorded = messages(tape.path)
        place = max(i for i, (topic, _) in enumerate(recorded) if topic == "l2.BTC-USD")

        def write(changed):
            bad.write_bytes(b"OCFR" + struct.pack("<I", 1) + b"".join(
                struct.pack("<I", len(message)) + message for message in changed))
        lie = bytearray(recorded[place][1])
        lie[-1] ^= 1  # a quantity
        write([bytes(lie)])
        wrong = run(cluster, "verify", cluster.journal(), "--frames", bad, status=1)
        expect("a frame of l2.BTC-USD differs" in wrong.words
               and "made again from the journal:" in wrong.words, f"it said: {wrong.words}")
        equal(frames_of(report(wrong.said)), (1, 1, 1), "compared, recorded, differ")
        # An l3 frame by another topic's name is one that was never published.
        l3 = next(message for topic, message in reversed(recorded) if topic == "l3.BTC-USD")
        write([b"trade.BTC-USD\0" + l3.split(b"\0", 1)[1]])
        wrong = run(cluster, "verify", cluster.journal(), "--frames", bad, status=1)
        expect("differs" in wrong.words or "the journal makes no such frame" in wrong.words,
               f"it said: {wrong.words}")
        # Of another shard's symbol, and cut short: told, and not wrong.
        write([b"l3.OTHER\0" + l3.split(b"\0", 1)[1], b"l3"])
        bad.write_bytes(bad.read_bytes()[:-1])
        fine = run(cluster, "verify", cluster.journal(), "--frames", bad)
        expect("1 of other shards" in fine.said and "1 recordings end within" in fine.said,
               f"it said: {fine.said}")
        for data, words in [(b"OCF", "found 3 bytes"), (b"nothing of the kind", "magic number"),
                            (b"OCFR" + struct.pack("<I", 9), "found version 9")]:
            bad.write_bytes(data)
            wrong = run(cluster, "verify", cluster.journal(), "--frames", bad, status=1)
            expect(words in wrong.words, f"it said: {wrong.words}")


def damage_is_named_and_judged_as_a_start_does(test):
    with test.cluster(SYMBOLS, settings=SMALLEST) as cluster:
        with origin(cluster, "on") as sender:
            trade(sender, test.random, 60, in_flight=3)
        cluster.matchers[0].kill()
        journal = cluster.run_dir / "copy"
        outcomes = collections.Counter()
        offsets = checked_bytes(segments(cluster.journal())[0])
        expect(len(offsets) > SEGMENT_HEADER + 60 * RECORD_HEADER // 3, "there are records")
        flips = test.random.choices(offsets, k=test.count(15)) + [4, offsets[-1]]
        for offset in flips:
            shutil.rmtree(journal, ignore_errors=True)
            shutil.copytree(cluster.journal(), journal)
            flip(segments(journal)[0], offset, 1 << test.random.randrange(8))
            damaged = content(journal)
            words = run(cluster, "verify", journal, status=1).words
            equal(content(journal), damaged, "what was verified")
            file, where = told(words)
            expect(file == segments(journal)[0].name and where is not None and where <= offset,
                   f"byte {offset}: it said {words}")
            verdict = "a start cuts off" if "a start cuts off" in words else "a start refuses"
            expect(verdict in words, f"byte {offset}: it said {words}")
            outcomes[verdict] += 1
            with shard_on(test, journal, **SMALLEST) as shard:
                found = shard.attempt()
                expect(hasattr(found, "seq") == (verdict == "a start cuts off"),
                       f"byte {offset}: {verdict}: {words} {found}")
        print(f"    {dict(outcomes)}")


def a_snapshot_is_judged_by_itself_and_by_the_records(test):
    with test.cluster(SYMBOLS, settings={**SMALL, "snapshot_commands": 100},
                      followers=True) as cluster:
        journal = cluster.journal()
        with origin(cluster, "on") as sender:
            cluster.until(lambda: trade(sender, test.random, 50) and len(snapshots(journal)) == 2,
                          "there are two snapshots")
        cluster.followers[0].stop()
        cluster.stop_matcher()
        older, newer = snapshots(journal)
        pristine = newer.read_bytes()
        flip(newer, test.random.randrange(newer.stat().st_size), 1)
        wrong = run(cluster, "verify", journal, status=1)
        expect(newer.name in wrong.words, f"it said: {wrong.words}")
        equal(report(wrong.said)["snapshots"], "1 compared", "snapshots")
        # Sound by itself, and of another moment.
        newer.write_bytes(pristine)
        end = int(newer.stem)
        with shard_on(test, journal, snapshot_commands=10**6) as shard:
            for path in snapshots(shard.journal()):
                path.unlink()
            shard.start_matcher()
            with origin(shard, "other") as sender:
                trade(sender, test.random, 10)
            shard.stop_matcher()
            shutil.copy(newer, shard.journal() / newer.name)
            verified(shard, shard.journal())
            shutil.copy(newer, shard.journal() / f"{end + 1:020}.snapshot")
            wrong = run(shard, "verify", shard.journal(), status=1)
            expect(f"{end + 1:020}.snapshot" in wrong.words, f"it said: {wrong.words}")
        expect(older.exists(), "the older one is gone")


def what_is_no_journal_is_told(test):
    with test.cluster(SYMBOLS, settings=SMALL) as cluster:
        nothing = cluster.run_dir / "nothing"
        nothing.mkdir()
        file = cluster.run_dir / "file"
        file.write_text("no directory", encoding="ascii")
        foreign = cluster.run_dir / "foreign"
        foreign.mkdir()
        (foreign / f"{1:020}.segment").write_bytes(b"something else" * 500)
        tools = [("verify",), ("journal", "dump"), ("journal", "ship"), ("journal", "restore")]
        for tool in tools:
            for where, words in [(nothing, "*.segment"), (cluster.run_dir / "no", "No such file"),
                                 (file, "Not a directory"), (foreign, "magic number"),
                                 (cluster.run_dir / "journal", "*.segment")]:
                target = cluster.run_dir / f"target of {tool[-1]} {where.name}"
                more = [target] if tool[-1] in ("ship", "restore") else []
                said = run(cluster, *tool, where, *more, status=1).words
                expect(words in said and where.name in said, f"{tool} of {where} said: {said}")
        for arguments in [("verify",), ("verify", "a", "b"), ("verify", "--frames"),
                          ("journal",), ("journal", "fly"), ("journal", "dump"),
                          ("journal", "dump", "a", "--from", "x"), ("journal", "ship", "a"),
                          ("journal", "ship", "a", "b", "--watch", "0"),
                          ("journal", "restore", "a"), ("tape", "--matcher", "0"),
                          ("tape", "l2.BTC-USD", "--raw")]:
            expect("expected" in run(cluster, *arguments, status=2).words,
                   f"{arguments} did not say what it expected")
        for arguments in [("verify",), ("journal",), *tools[1:]]:
            expect(run(cluster, *arguments, "--help").said.startswith("usage: outcry "),
                   f"{arguments} --help")


# ---- dump ----

def session(sender, chance, count):
    """Commands of every kind, in both symbols; their results."""
    results, orders = [], []
    for _ in range(count):
        symbol, account = chance.choice(list(SYMBOLS)), chance.choice("ABC")
        what = chance.random()
        name = chance.choice(orders[-20:]) if orders else None
        by_name = chance.random() < 0.5
        if name is not None:
            order = {"order_id": 0, "client_order_id": name[2]} if by_name or not name[3] else {
                "order_id": name[3], "client_order_id": ""}
            order["symbol"] = name[0] if order["order_id"] == 0 else ""
        if name is not None and what < 0.15:
            result = sender.call("cancel_order", account=name[1], **order)
        elif name is not None and what < 0.40:
            result = sender.call("amend_order", account=name[1], **order,
                                 qty_is=chance.choice(("open", "total", "reduce_by")),
                                 qty=chance.randint(1, 12),
                                 price=chance.choice((None, 1000 + chance.randint(-5, 5))))
        elif what < 0.42:
            result = sender.call("mass_cancel", symbol=chance.choice((symbol, "")),
                                 account=account, side=chance.choice((0, "buy", "sell")))
        else:
            again = orders and chance.random() < 0.05
            label = orders[-1][2] if again else f"x{len(results)}"
            market = chance.random() < 0.1
            result = sender.call(
                "new_order", symbol=symbol, account=account, client_order_id=label,
                side=chance.choice(("buy", "sell")), type="market" if market else "limit",
                time_in_force="IOC" if market else chance.choice(("GTC", "GTC", "GTC", "IOC",
                                                                  "FOK")),
                post_only=not market and chance.random() < 0.1,
                stp=chance.choice(("none", "reject")), qty=chance.randint(0, 20),
                price=None if market else 1000 + chance.randint(-4, 4))
            orders.append((symbol, account, label, result.order_id))
        results.append(result)
    return results


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def a_dump_matched_gives_the_same_trades_and_book(test):
    settings = {**SMALL, "events_max": 3, "finished_per_account": 5, "accounts_max": 8}
    with test.cluster(SYMBOLS, settings=settings) as cluster:
        topics = [f"{kind}.{name}" for name in SYMBOLS for kind in ("trade", "l3")]
        reader = cluster.follow(*topics)
        trades = {name: [] for name in SYMBOLS}

        def read():
            for update in updates(reader):
                if update.kind == "events" and update.topic.startswith("trade."):
                    trades[update.topic[6:]] += update.events
        with origin(cluster, "on") as sender:
            results = []
            for _ in range(10):
                results += session(sender, test.random, test.count(100))
                read()
            for price in range(1, 6):  # more than events_max, so that their cancel goes on
                results.append(sender.new_order("BTC-USD", "D", "buy", qty=1, price=price))
            results.append(sender.mass_cancel("D"))
            equal(results[-1].count, 5, "orders a mass cancel took off")
            ends = {}
            for name in SYMBOLS:  # a last trade, so that it is known when all has been read
                sender.new_order(name, "Y", "buy", qty=10**6, price=2000)
                ends[name] = sender.new_order(name, "Z", "sell", qty=1, price=1).seq

        def all_read():
            read()
            return all(reader.readers[f"{kind}.{name}"].at == end
                       for name, end in ends.items() for kind in ("l3", "trade"))
        cluster.until(all_read, "all trades have been read")
        books = {name: reader.readers[f"l3.{name}"].book for name in SYMBOLS}
        cluster.stop_matcher()
        for name in SYMBOLS:
            dump = cluster.run_dir / f"{name}.csv"
            dump.write_text(run(cluster, "journal", "dump", cluster.journal(), "--symbol",
                                name).said, encoding="ascii")
            queues = cluster.run_dir / "queues.csv"
            events = run(cluster, "match", dump, "--queues", queues, "--events-max", 7).said
            equal([event for event in rows(events) if event["event"] == "rejected"], [],
                  f"rejects in the dump of {name}")
            matched = [tuple(int(row[key]) for key in ("maker_id", "taker_id", "price", "qty"))
                       for row in rows(events) if row["event"] == "trade"]
            published = [(t.maker_order_id, t.taker_order_id, t.price, t.qty)
                         for t in trades[name]]
            expect(len(published) > 5, f"only {len(published)} trades")
            equal(matched, published, f"trades of {name}")
            left = [(row["side"], int(row["price"]), int(row["id"]), int(row["open_qty"]))
                    for row in rows(queues.read_text(encoding="ascii"))]
            equal(sorted(left, key=lambda order: order[:2]), open_orders(books[name]),
                  f"the book of {name}")
        missing = run(cluster, "journal", "dump", cluster.journal(), status=1).words
        expect("BTC-USD ETH-USD" in missing, f"it said: {missing}")
        missing = run(cluster, "journal", "dump", cluster.journal(), "--symbol", "X",
                      status=1).words
        expect("BTC-USD ETH-USD" in missing, f"it said: {missing}")
        dumped_lines_tell_every_result(cluster, results)


def open_orders(book):
    """(side, price, order_id, quantity), by level, the oldest first in each."""
    names = {Side.BUY: "buy", Side.SELL: "sell"}
    levels = sorted({(names[order.side], order.price, order.side)
                     for order in book.orders.values()})
    return [(name, price, order.order_id, order.qty)
            for name, price, side in levels for order in book.queue(side, price)]


def dumped_lines_tell_every_result(cluster, results):
    lines = [json.loads(line) for line in
             run(cluster, "journal", "dump", cluster.journal(), "--json").said.splitlines()]
    notes = [line for line in lines if line["type"] in ("epoch", "checkpoint", "close")]
    commands = [line for line in lines if line not in notes]
    equal([line["seq"] for line in commands], list(range(1, len(commands) + 1)), "sequences")
    equal([line["type"] for line in notes][0], "epoch", "the first note")
    equal(notes[-1]["type"], "close", "the last note")
    told_results = {line["result"]["seq"]: line["result"] for line in commands if line["result"]}
    for result in results:
        line = told_results[result.seq]
        equal((int(line["order_id"]), line["duplicate"], line["count"]),
              (result.order_id, result.duplicate, result.count), f"the result of {result.seq}")
        equal(line["code"] == "OK", result.ok, f"the code of {result.seq}: {line} {result}")
    goes_on = [line for line in commands if line["type"] == "continue_work" and line["result"]]
    expect(goes_on, "no mass cancel went on")
    some = run(cluster, "journal", "dump", cluster.journal(), "--json", "--from", "50", "--to",
               "60").said.splitlines()
    equal([json.loads(line)["seq"] for line in some], list(range(50, 61)), "from 50 to 60")


# ---- ship and restore ----

def a_backup_is_a_cluster_again_in_a_new_epoch(test):
    with test.cluster(SYMBOLS, settings=SMALLEST) as cluster, test.directory() as directory:
        backup = directory / "backup" / "0"
        flow = cluster.spawn("flow", "outcry", "simulate", "--rate", 2000)
        seqs = []
        for _ in range(3):
            cluster.until(lambda: shipped(cluster, backup) > (seqs[-1] if seqs else 100),
                          "more is in the backup")
            seqs.append(shipped(cluster, backup))
        facts = verified(cluster, backup)
        expect(int(facts["seq"]) >= seqs[-1], f"{facts['seq']} after {seqs}")
        flow.stop()
        shipped(cluster, backup)
        stopped = cluster.stop_matcher()
        equal(shipped(cluster, backup), stopped["seq"], "the last sequence in the backup")
        before = content(backup)
        again = run(cluster, "journal", "ship", cluster.journal(), backup)
        expect(": 0 records and 0 snapshots copied" in again.said, f"it said: {again.said}")
        equal(content(backup), before, "the backup after it was shipped once more")
        cursor = int((cluster.journal() / "backup.cursor").read_text(encoding="ascii").split()[0])
        equal(cursor, stopped["seq"] - 1, "the cursor")
        run(cluster, "journal", "restore", backup, directory / "new" / "0")
        equal(content(backup), before, "the backup after it was restored from")
        with shard_on(test, directory / "new" / "0", **SMALLEST) as shard:
            shard.start_matcher()
            found = shard.recovered()
            equal((found["seq"], found["state_hash"]), (stopped["seq"], stopped["state_hash"]),
                  "sequence and state hash of the restored one")
            expect(found["epoch"] > stopped["epoch"], f"epoch {found['epoch']} is no new one")
            with origin(shard, "on") as sender:
                trade(sender, test.random, 20)
            last = shard.stop_matcher()
            equal(last["epoch"], found["epoch"], "the epoch after a stop")
            verified(shard, shard.journal())
            # What went on elsewhere is no longer of the backup's history.
            other = run(shard, "journal", "ship", cluster.journal(), shard.journal(), status=1)
            expect("not of the history of" in other.words, f"it said: {other.words}")
        # Even without restore, what starts from a copy of the backup begins a new epoch.
        with shard_on(test, backup, **SMALLEST) as shard:
            shard.start_matcher()
            expect(shard.epoch() > stopped["epoch"], "the same epoch from a copy of the backup")
            shard.stop_matcher()


def shipped(cluster, backup):
    """Ship once; the last sequence in the backup."""
    said = run(cluster, "journal", "ship", cluster.journal(), backup).said
    return int(re.search(r"commands up to (\d+)", said).group(1))


def a_restore_is_refused_where_it_would_do_harm(test):
    with test.cluster(SYMBOLS, settings=SMALL) as cluster, test.directory() as directory:
        simulate(cluster, test, 200)
        backup, target = directory / "backup", directory / "target"
        shipped(cluster, backup)
        target.mkdir()
        (target / "somebody's").write_text("data", encoding="ascii")
        before = content(target)
        said = run(cluster, "journal", "restore", backup, target, status=1).words
        expect("somebody's" in said and "expected an empty directory" in said, f"it said: {said}")
        equal(content(target), before, "what was not empty")
        said = run(cluster, "journal", "restore", cluster.journal(), directory / "new",
                   status=1).words
        expect(str(cluster.matchers[0].pid) in said, f"it said: {said}")
        expect(not (directory / "new").exists(), "it made a directory")
        used = run(cluster, "journal", "ship", backup, cluster.journal(), status=1).words
        expect(str(cluster.matchers[0].pid) in used, f"it said: {used}")
        flip(segments(backup)[0], 4096 + 100, 1)
        said = run(cluster, "journal", "restore", backup, directory / "new", status=1).words
        expect(segments(backup)[0].name in said, f"it said: {said}")
        equal(content(directory / "new"), {}, "what a restore that failed leaves")


def nothing_a_backup_lacks_is_removed(test):
    """With small segments, many of which are removed; and ships that are killed."""
    settings = {**SMALLEST, "snapshot_commands": 2000, "batch_commands_max": 16}
    with test.cluster(SYMBOLS, settings=settings, followers=True) as cluster, \
            test.directory() as directory:
        backup, journal = directory / "backup", cluster.journal()
        shipped(cluster, backup)
        flow = cluster.spawn("flow", "outcry", "simulate", "--rate", 50000)
        cluster.until(lambda: len(segments(journal)) >= 3 and len(snapshots(journal)) == 2,
                      "there are segments that could go", 120)
        equal(segments(journal)[0].name, f"{1:020}.segment", "the oldest segment kept")
        for turn in range(3):
            ship = cluster.spawn("ship", "outcry", "journal", "ship", journal, backup, "--watch",
                                 "1")
            size = sum(path.stat().st_blocks for path in segments(backup))
            cluster.until(lambda: ship.said or sum(path.stat().st_blocks for path in
                                                   segments(backup)) > size, "it copies")
            if turn < 2:
                ship.kill()
            else:
                ship.stop()
        cluster.until(lambda: shipped(cluster, backup)
                      and segments(journal)[0].name != f"{1:020}.segment",
                      "what the backup has may go", 120)
        flow.stop()
        cluster.followers[0].stop()
        stopped = cluster.stop_matcher()
        equal(shipped(cluster, backup), stopped["seq"], "the last sequence in the backup")
        whole, later = verified(cluster, backup), verified(cluster, journal)
        equal(whole["state hash"], stopped["state_hash"], "the state hash of the backup")
        equal(later["state hash"], stopped["state_hash"], "the state hash of what is left")
        expect("begun" not in whole and "oldest snapshot" in later["begun"],
               f"began with {whole.get('begun')} and {later.get('begun')}")
        equal(len(snapshots(backup)), 2, "snapshots in the backup")
        empty = directory / "late"
        run(cluster, "journal", "ship", journal, empty, "--consumer", "second")
        equal(verified(cluster, empty)["state hash"], stopped["state_hash"], "a late backup")
        run(cluster, "journal", "restore", empty, directory / "new")
        equal(verified(cluster, directory / "new")["state hash"], stopped["state_hash"],
              "what a late backup is restored to")


def a_backup_goes_on_in_a_new_directory(test):
    """The old one is moved away while it is shipped to; the next ship begins anew in its place."""
    settings = {**SMALLEST, "snapshot_commands": 2000, "batch_commands_max": 16}
    with test.cluster(SYMBOLS, settings=settings, followers=True) as cluster, \
            test.directory() as directory:
        backup, old, journal = directory / "backup", directory / "old", cluster.journal()
        cluster.spawn("flow", "outcry", "simulate", "--rate", 20000)
        watch = ("outcry", "journal", "ship", journal, backup, "--watch", "1")
        first = cluster.spawn("first", *watch)
        cluster.until(lambda: segments(backup) and segments(journal)[0].name != f"{1:020}.segment",
                      "what the backup has goes", 120)
        backup.rename(old)
        first.stop()
        again = cluster.spawn("again", *watch)
        cluster.until(lambda: again.said, "it copies")
        again.stop()
        kept, new = verified(cluster, old), verified(cluster, backup)
        expect("begun" not in kept and "oldest snapshot" in new["begun"],
               f"began with {kept.get('begun')} and {new.get('begun')}")
        expect(int(new["seq"]) > int(kept["seq"]), f"the new one ends at {new}, the old at {kept}")


if __name__ == "__main__":
    main(__doc__, [a_day_is_sound_while_it_runs_and_after, frames_of_several_epochs_are_compared,
                   frames_of_two_shards_are_told_apart, a_frame_that_was_not_published_so_is_told,
                   damage_is_named_and_judged_as_a_start_does,
                   a_snapshot_is_judged_by_itself_and_by_the_records,
                   what_is_no_journal_is_told, a_dump_matched_gives_the_same_trades_and_book,
                   a_backup_is_a_cluster_again_in_a_new_epoch,
                   a_restore_is_refused_where_it_would_do_harm,
                   nothing_a_backup_lacks_is_removed, a_backup_goes_on_in_a_new_directory])
