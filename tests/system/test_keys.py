#!/usr/bin/env python3
"""CURVE keys: a cluster that speaks over tcp lets nobody in who has no key, or whose key is not for
that; it says so; and its keys are changed while it works.

    test_keys.py --bin DIR [--seed N] [--scale N]
"""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import zmq

from cluster import WAIT_S, equal, expect, main
from keyed import (MAY, OF_MARKET_DATA, OF_MATCHER, ROLES, SOCKETS, KeyedCluster, Stranger,
                   a_command, keys_tool, kind_of, pair_of, read_by_all, seconds_of, sequence,
                   server_of)
from load import RestTrader, Watcher, WireTrader, equal_books, settle
import outcry  # pylint: disable=wrong-import-order
from outcry import catalog, frames
from outcry.keys import Keys, Link

SYMBOLS = {"AAA": {}, "BBB": {"shard": 1}}
SILENCE_S = 1.5  # heartbeats come every second


def a_cluster_with_keys_works(test):
    with KeyedCluster(test, SYMBOLS, shards=2, gateways=2, followers=True) as cluster:
        names = [RestTrader(cluster, "rest", test.seed), WireTrader(cluster, "wire", 0, test.seed)]
        watcher = Watcher("watcher", cluster.address("market_data"), ["l2.AAA", "l3.BBB"],
                          cluster.keys)
        workers = [worker.start() for worker in [*names, watcher]]
        cluster.outcry("simulate", "--count", test.count(500), "--rate", "500")
        tape = cluster.outcry("tape", "trade.AAA", "--count", 3)
        expect("trade.AAA complete" in tape.said, f"a tape: {tape.said}")
        raw = cluster.run_dir / "raw.frames"
        cluster.outcry("tape", "--matcher", 1, "--raw", raw, "--quiet", "--count", 5, "l3.BBB")
        expect(raw.stat().st_size > 100, "the matcher's own words were recorded")
        cluster.outcry("resume")
        cluster.outcry("order", "buy", "1", "AAA", "50")
        cluster.outcry("status")
        python_strategy(cluster)
        our_strategies(cluster)
        for worker in workers[:-1]:
            worker.stop()
        watcher.finish()
        equal_books(cluster, [watcher])
        counts = settle(cluster, names, others=simulated(cluster))
        expect(counts["there"] > test.count(50), f"orders: {counts}")
        watcher.close()
        for what in SOCKETS:
            equal(cluster.count_refused(what), 0, f"refused at {what}")


def simulated(cluster):
    """The accounts of `outcry simulate`, by a snapshot of all accounts of both shards."""
    found = set()
    for shard in range(cluster.shards):
        with Stranger(cluster, pair_of(cluster, "operator")) as operator:
            operator_keys = Keys(cluster.keys_path, "operator")
            sub = operator.context.socket(zmq.SUB)
            push = operator.context.socket(zmq.PUSH)
            reply = os.urandom(16).hex()
            sub.setsockopt(zmq.SUBSCRIBE, f"re.{reply}\0".encode())
            links = [Link(sub, cluster.address("private", shard), operator_keys, "matcher"),
                     Link(push, cluster.address("requests", shard), operator_keys, "matcher")]
            push.send(frames.encode_request(catalog.MESSAGES["snapshot"].fill(
                {"reply": reply, "request_id": 1, "topic": "acct.", "min_seq": 0})))
            last = False
            while not last:
                expect(sub.poll(WAIT_S * 1000), "a snapshot of all accounts comes")
                events = frames.decode_frame(sub.recv()).groups[0].events
                last = events[0].last
                found |= {event.account for event in events if event.name == "order_state"}
            for link in links:
                link.close()
    return sorted(found - {"rest", "wire"})


def our_strategies(cluster):
    """A maker of outcry-strategy joins, clears its account, and ends well."""
    file = cluster.run_dir / "maker.cfg"
    file.write_text(cluster.config.read_text(encoding="ascii") + """strategies
    maker-1
        type = maker
        symbol = AAA
        account = maker-1
        quantity = 1
        inventory_max = 5
        window = 1
        position_max = 10
        order_max = 1
""", encoding="ascii")
    process = cluster.spawn("strategy", "outcry-strategy", "--config", file)
    cluster.until(lambda: process.facts("begun"), "its account is cleared, and it trades")
    process.stop()
    process.check()


def python_strategy(cluster):
    """One trades in a process of its own, by its class and our arguments only."""
    class Once(outcry.Strategy):
        symbol = "AAA"
        account = "once"
        position_max = 5
        done = None

        def on_start(self):
            self.limit("buy", 1, 1)

        def on_order(self, order):
            self.done = order.state
            if order.state == "working":
                os.kill(os.getpid(), signal.SIGTERM)

    strategy = Once()
    result = outcry.run(strategy, keys=cluster.keys, **{
        name: cluster.address(name) for name in ("commands", "requests", "private", "public")})
    equal(result, 0, "the strategy's end")
    expect(strategy.done is not None, "the strategy's order was answered")


def nobody_without_the_right_key_gets_in(test):
    """Of every kind of stranger, on every socket: not a byte comes out, nothing that goes in is
    heard; and each is counted and logged."""
    with KeyedCluster(test, {"AAA": {}}, followers=True) as cluster:
        foreign = zmq.curve_keypair()
        kinds = [("no key", None, None), ("a foreign key", foreign, None),
                 ("our key and a wrong server's", pair_of(cluster, "operator"), foreign[0])]
        kinds += [(role, pair_of(cluster, role), None) for role in ROLES]
        before = sequence(cluster)
        for name, pair, server_key in kinds:
            closed = [what for what in SOCKETS if name not in MAY[what]]
            counts = {what: cluster.count_refused(what) for what in closed}
            knocks(cluster, name, pair, server_key, closed)
            for what in closed:
                cluster.until(lambda what=what: cluster.count_refused(what) > counts[what],
                              f"{name} at {what} is counted")
        equal(sequence(cluster), before, "commands sequenced")
        for what in ("private", "follower_public", "market_data"):
            server = server_of(what)
            for words, pair, server_key in [
                    ("without CURVE", None, None), ("unknown key", foreign, None),
                    ("by another key", pair_of(cluster, "operator"), foreign[0]),
                    ("a matcher may not connect to", pair_of(cluster, "matcher"), None)]:
                cluster.until(lambda: tells(cluster, what, words, pair, server_key),
                              f"{server} says {words!r}")
            peers = {fact["peer"] for fact in cluster.refusals(server)}
            expect({"127.0.0.1"} <= peers <= {"127.0.0.1", "unknown"},
                   f"peers of {server}: {peers}")
            told = [fact for fact in cluster.refusals(server) if fact["peer"] == "127.0.0.1"]
            times = [seconds_of(fact["time"]) for fact in told]
            expect(all(after - before > 0.9 for before, after in zip(times, times[1:])),
                   f"{server} tells of an address once a second: {times}")


def tells(cluster, what, words, pair, server_key):
    """Whether the log speaks of such a stranger; it does so at most once a second."""
    with Stranger(cluster, pair, server_key) as stranger:
        stranger.open(zmq.SUB, what).poll(300)
    return any(words in fact["why"] for fact in cluster.refusals(server_of(what)))


def knocks(cluster, name, pair, server_key, closed):
    """At all these sockets at once, for as long as a heartbeat takes."""
    with Stranger(cluster, pair, server_key) as stranger:
        subs = {what: stranger.open(zmq.SUB, what) for what in closed if kind_of(what) == "PUB"}
        pushes = {what: stranger.open(zmq.PUSH, what) for what in closed if kind_of(what) == "PULL"}
        deadline = time.monotonic() + SILENCE_S
        while time.monotonic() < deadline:
            for what, push in pushes.items():
                with contextlib.suppress(zmq.Again):
                    push.send(a_command("operator" if pair else "x"), zmq.NOBLOCK)
                    raise AssertionError(f"{name}: {what} takes a message")
            for what, sub in subs.items():
                expect(not sub.poll(0), f"{name}: {what} speaks")
            time.sleep(0.02)


def the_table_lets_in_whom_it_names(test):
    """The claim above would hold of a cluster that lets in nobody."""
    with KeyedCluster(test, {"AAA": {}}, followers=True) as cluster:
        for what in SOCKETS:
            for role in sorted(MAY[what]):
                with Stranger(cluster, pair_of(cluster, role)) as one:
                    if kind_of(what) == "PUB":
                        expect(one.open(zmq.SUB, what).poll(WAIT_S * 1000), f"{role} hears {what}")
                    else:
                        expect(one.open(zmq.PUSH, what).poll(WAIT_S * 1000, zmq.POLLOUT),
                               f"{role} is let in at {what}")


def a_sender_speaks_for_itself_only(test):
    """Another's origin, another's account, a question only operators may ask: passed over."""
    with KeyedCluster(test, {"AAA": {}}, gateways=1) as cluster:
        keys_tool(test, "make", cluster.keys_path, "desk2", "--role", "strategy", "--accounts",
                  "alice,bob")
        matcher = cluster.matchers[0]
        read_by_all(cluster)
        before = sequence(cluster)
        for name, origin, account, taken in [
                ("strategy", "gateway", "eve", False), ("strategy", "gateway-0", "eve", False),
                ("strategy", "strategyx", "eve", False), ("strategy", "strategy", "eve", True),
                ("strategy", "strategy-9", "eve", True), ("desk2", "strategy-9", "bob", False),
                ("desk2", "desk2", "eve", False), ("desk2", "desk2-1", "bob", False),
                ("desk2", "desk2", "bob", True),
                ("operator", "operator-x", "alice", True)]:
            refused = foreign(cluster)
            with Stranger(cluster, pair_of(cluster, name)) as sender:
                push = sender.open(zmq.PUSH, "commands")
                push.send(a_command(origin, account, client_order_id=f"{origin}.{account}"))
                what = f"{name} as {origin} for {account}"
                if taken:
                    before += 1
                    cluster.until(lambda: sequence(cluster) == before, f"{what} is taken")
                else:
                    cluster.until(lambda: foreign(cluster) == refused + 1, f"{what} is refused")
                    equal(sequence(cluster), before, f"the sequence behind {what}")
        mixed_message(cluster)
        wrong_requests(cluster)
        told = matcher.facts("message_refused")
        expect(told and {fact["sender"] for fact in told} <= {"strategy", "desk2", "gateway",
                                                             "market-data"},
               f"it is logged: {told}")


def foreign(cluster, what="commands"):
    found = re.search(rf'^outcry_curve_foreign_total{{socket="{what}"}} (\d+)$',
                      cluster.metrics("matcher-0"), re.M)
    return int(found[1])


def mixed_message(cluster):
    """One command of a message is another's: none of it is taken."""
    before, refused = sequence(cluster), foreign(cluster)
    with Stranger(cluster, pair_of(cluster, "desk2")) as sender:
        sender.open(zmq.PUSH, "commands").send(
            a_command("desk2-m", "alice", 1, "m1") + a_command("desk2-m", "eve", 2, "m2"))
        cluster.until(lambda: foreign(cluster) == refused + 1, "a mixed message is refused")
    equal(sequence(cluster), before, "the sequence behind a mixed message")


def wrong_requests(cluster):
    reply = "0" * 32
    snapshot = {"reply": reply, "request_id": 1, "topic": "acct.bob", "min_seq": 0}
    for name, kind, fields in [
            ("desk2", "snapshot", snapshot), ("market-data", "snapshot", snapshot),
            ("gateway", "resume", {"reply": reply, "request_id": 1}),
            ("gateway", "following", {"epoch": 1, "seq": 1, "snapshot_seq": 0})]:
        refused = foreign(cluster, "requests")
        with Stranger(cluster, pair_of(cluster, name)) as sender:
            sender.open(zmq.PUSH, "requests").send(
                frames.encode_request(catalog.MESSAGES[kind].fill(fields)))
            cluster.until(lambda: foreign(cluster, "requests") == refused + 1,
                          f"{name} asking {kind} is refused")


def one_for_some_accounts_does_not_read_private(test):
    with KeyedCluster(test, {"AAA": {}}) as cluster:
        keys_tool(test, "make", cluster.keys_path, "desk2", "--role", "strategy", "--accounts", "a")
        read_by_all(cluster)
        pair = pair_of(cluster, "desk2")
        with Stranger(cluster, pair) as sender:
            private, public = (sender.open(zmq.SUB, what) for what in ("private", "public"))
            expect(public.poll(WAIT_S * 1000), "it hears the public stream")
            cluster.until(lambda: cluster.count_refused("private") > 0, "it is refused at private")
            expect(not private.poll(0), "it hears nothing of the private stream")


def keys_are_changed_under_load(test):
    """Every role's, one after the other: rotate, promote, restart, retire. Nothing is lost, and the
    retired key opens nothing any more."""
    settings = {"accounts_max": 100, "finished_per_account": 60_000}
    with KeyedCluster(test, SYMBOLS, shards=2, gateways=2, followers=True,
                      settings=settings) as cluster:
        traders = [RestTrader(cluster, "rest", test.seed),
                   WireTrader(cluster, "wire", 0, test.seed)]
        watcher = Watcher("watcher", cluster.address("market_data"), ["l2.AAA", "l3.BBB"],
                          cluster.keys)
        workers = [worker.start() for worker in [*traders, watcher]]
        for role in ROLES:
            old = pair_of(cluster, role)
            for action in ("rotate", "promote"):
                cluster.change(action, role)
                read_by_all(cluster)
            restart_one_by_one(cluster, role)
            if role not in cluster.services():
                read_by_all(cluster)
            for worker in workers:
                worker.check()
            cluster.change("retire", role)
            read_by_all(cluster)
            refused_now(cluster, role, old)
            keeps_acknowledging(cluster, traders, watcher, f"after {role}'s change")
        for worker in workers[:-1]:
            worker.stop()
        watcher.finish()
        counts = settle(cluster, traders)
        equal_books(cluster, [watcher])
        expect(counts["there"] > test.count(50), f"orders: {counts}")
        watcher.close()


def restart_one_by_one(cluster, role):
    names = {"matcher": [f"matcher-{shard}" for shard in cluster.matchers],
             "follower": [f"follower-{shard}" for shard in cluster.followers],
             "market-data": ["market-data"],
             "gateway": [gateway.name for gateway in cluster.gateways]}.get(role, [])
    for name in names:
        cluster.parts()[name][0].stop()
        cluster.restart([name])
        cluster.until(lambda name=name: cluster.parts()[name][0].facts("started"), f"{name} starts")
        for gateway in cluster.gateways:
            gateway.until_ready()


def refused_now(cluster, role, old):
    what = next(what for what in SOCKETS if role in MAY[what])
    count = cluster.count_refused(what)
    with Stranger(cluster, old) as stranger:
        opened = stranger.open(zmq.SUB if kind_of(what) == "PUB" else zmq.PUSH, what)
        cluster.until(lambda: cluster.count_refused(what) > count, f"{role}'s old key is refused")
        expect(not opened.poll(0, zmq.POLLIN if kind_of(what) == "PUB" else zmq.POLLOUT),
               f"{role}'s old key opens {what}")


def keeps_acknowledging(cluster, traders, watcher, when):
    at = {topic: reader.at for topic, reader in watcher.reader.readers.items()}
    cluster.until(lambda: watcher.check() or all(watcher.reader.readers[topic].at > before
                                                 for topic, before in at.items()),
                  f"the watcher reads on {when}")
    for trader in traders:
        before = sum(trader.acks.values())
        cluster.until(lambda trader=trader, before=before: trader.check() or
                      sum(trader.acks.values()) > before + 5, f"{trader.name} trades {when}")


def a_retired_key_is_cut_off(test):
    """Also whoever is connected by it already; others come back at once."""
    with KeyedCluster(test, {"AAA": {}}) as cluster:
        old = pair_of(cluster, "subscriber")
        other = pair_of(cluster, "operator")
        with Stranger(cluster, old) as stranger, Stranger(cluster, other) as friend:
            subs = [one.open(zmq.SUB, "market_data") for one in (stranger, friend)]
            for sub in subs:
                expect(sub.poll(WAIT_S * 1000), "both hear it")
            for action in ("rotate", "promote"):
                cluster.change(action, "subscriber")
                read_by_all(cluster)
            with Stranger(cluster, old) as late:
                expect(late.open(zmq.SUB, "market_data").poll(WAIT_S * 1000),
                       "the old key lets in until it is retired")
            cluster.change("retire", "subscriber")
            cluster.until(lambda: cluster.count_refused("market_data") > 0,
                          "it is cut, and refused")
            drain(subs)
            expect(subs[1].poll(WAIT_S * 1000), "the other hears it again")
            expect(not subs[0].poll(int(SILENCE_S * 1000)), "the retired one hears no more")


def drain(subs):
    for sub in subs:
        with contextlib.suppress(zmq.Again):
            while True:
                sub.recv(zmq.NOBLOCK)


def garbage_does_no_harm(test):
    with KeyedCluster(test, {"AAA": {}}, gateways=1) as cluster:
        greeting = b"\xff" + b"\0" * 8 + b"\x7f\x03\0CURVE" + b"\0" * 47
        before = sequence(cluster)
        for _ in range(test.count(100)):
            what = test.random.choice(OF_MATCHER + OF_MARKET_DATA)
            host, port = cluster.address(what)[len("tcp://"):].split(":")
            head = test.random.choice([b"", b"\xff", greeting, greeting + b"\x04\xc8\x05HELLO"])
            with contextlib.suppress(OSError), socket.create_connection((host, port), 5) as raw:
                raw.sendall(head + test.random.randbytes(test.random.randrange(400)))
                if test.random.random() < 0.5:
                    raw.settimeout(0.05)
                    raw.recv(4096)
        equal(sequence(cluster), before, "the sequence behind garbage")
        cluster.outcry("order", "buy", "1", "AAA", "50")
        cluster.until(lambda: sum(map(cluster.count_refused, OF_MATCHER)) > test.count(100) // 10,
                      "it is counted")


def mistakes_are_told_in_words(test):
    with test.directory() as path:
        keys = path / "keys"
        config = path / "one.cfg"
        config.write_text("symbols\n    AAA\n", encoding="ascii")

        def refused(words, *flags, program="outcry-market-data", directory=keys):
            done = subprocess.run(
                [test.bin / program, "--config", config, "--run-dir", path / "run", "--keys-dir",
                 directory, "--service-admin-address", "none", *flags], check=False,
                capture_output=True, text=True, timeout=WAIT_S)
            expect(done.returncode in (1, 2) and words in done.stderr, f"{words!r}: {done}")

        refused("cannot read the directory of keys")
        keys_tool(test, "make", keys)
        equal(oct(keys.stat().st_mode & 0o777), "0o700", "the directory's mode")
        equal(oct((keys / "matcher.secret").stat().st_mode & 0o777), "0o600", "a secret's mode")
        expect("left as it is" in keys_tool(test, "make", keys), "nothing is written over")
        secret, public = keys / "market-data.secret", keys / "market-data.public"
        kept = secret.read_bytes()

        secret.chmod(0o644)
        refused("others may read")
        expect("everybody may read" in keys_tool(test, "list", keys, status=1), "list warns")
        secret.chmod(0o600)
        public.chmod(0o664)
        expect("market-data.public: others may change" in keys_tool(test, "list", keys, status=1),
               "list warns of a public key others may change")
        public.chmod(0o644)
        secret.chmod(0o440)  # as Kubernetes mounts it
        expect("market-data" in keys_tool(test, "list", keys), "a group may read")
        secret.unlink()
        refused("cannot read our own secret key")
        secret.write_text("nonsense\n", encoding="ascii")
        secret.chmod(0o600)
        refused("not a certificate")
        secret.write_bytes((keys / "gateway.secret").read_bytes())
        refused("in no public file of that name")
        secret.write_bytes(kept)

        shutil.copy(keys / "gateway.public", keys / "else.public")
        refused("it is another's")
        (keys / "else.public").write_text(
            (keys / "gateway.public").read_text(encoding="utf-8")
            .replace('name = "gateway"', 'name = "else"'), encoding="utf-8")
        refused("found one public key for both")
        (keys / "else.public").write_bytes(public.read_bytes()[:-20])
        refused("not a certificate")
        (keys / "else.public").unlink()
        (keys / "matcher.public").rename(path / "matcher.public")
        refused("found no matcher.public", "--public-address", "tcp://127.0.0.1:1")
        (path / "matcher.public").rename(keys / "matcher.public")
        refused("expected gateway, or gateway- and more", "--gateway-name", "second",
                program="outcry-gateway")
        refused_by_tool(test, keys)


def refused_by_tool(test, keys):
    for words, arguments in [
            ("expected make, list", ["frob"]), ("the directory of keys", ["list"]),
            ("--role", ["make", keys, "desk2"]), ("--role", ["make", keys, "desk2", "--role", "x"]),
            ("NAME", ["make", keys, "des-k", "--role", "strategy"]),
            ("--accounts", ["make", keys, "d", "--role", "strategy", "--accounts", "a,,b"]),
            ("expected a strategy", ["make", keys, "d", "--role", "gateway", "--accounts", "a"]),
            ("is a role", ["make", keys, "gateway", "--accounts", "a"]),
            ("nothing more", ["list", keys, "gateway"]), ("the NAME", ["rotate", keys])]:
        expect(words in keys_tool(test, *arguments, status=2), f"{arguments}: {words}")
    for words, arguments in [
            ("has a key already", ["make", keys, "gateway"]),
            ("no next key", ["promote", keys, "gateway"]),
            ("no old key", ["retire", keys, "gateway"]), ("nobody", ["rotate", keys, "nobody"])]:
        expect(words in keys_tool(test, *arguments, status=1), f"{arguments}: {words}")
    keys_tool(test, "rotate", keys, "gateway")
    expect("promote it first" in keys_tool(test, "rotate", keys, "gateway", status=1),
           "rotate twice")
    keys_tool(test, "promote", keys, "gateway")
    expect("retire it first" in keys_tool(test, "rotate", keys, "gateway", status=1),
           "rotate early")
    listed = keys_tool(test, "list", keys)
    expect(re.search(r"gateway +gateway +current +secret public", listed) and
           re.search(r"gateway +gateway +old +public", listed), f"a list: {listed}")
    keys_tool(test, "retire", keys, "gateway")


if __name__ == "__main__":
    main(__doc__, [a_cluster_with_keys_works, nobody_without_the_right_key_gets_in,
                   the_table_lets_in_whom_it_names, a_sender_speaks_for_itself_only,
                   one_for_some_accounts_does_not_read_private, keys_are_changed_under_load,
                   a_retired_key_is_cut_off, garbage_does_no_harm, mistakes_are_told_in_words])
