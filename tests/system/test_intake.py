"""Where nothing can be kept, nothing is taken: a full disk, a journal at its limit, a directory
that is gone, a disk that fails, a clock nobody can believe. Intake stops with a clear word, reads
go on, and nothing acknowledged is lost."""
import os
import pathlib
import subprocess
import threading

from cluster import Gateway, Skipped, equal, expect, main, until
from journals import SMALL, SYMBOLS, origin, trade
from rest import Rest
import spaces

ORDERS = "/api/v1/orders"


def until_stopped(cluster, rest, reason):
    """Orders are refused for this reason; the last answer."""
    def stopped():
        answer = rest.place("ETH-USD", "buy", "1", "5")
        return answer if answer.error == "INTAKE_STOPPED" else None
    answer = cluster.until(stopped, "orders are refused")
    equal((answer.status, answer.json["outcome"]), (503, "not_executed"), f"{answer}")
    expect(reason in answer.json["detail"], f"it does not say {reason}: {answer}")
    expect("retry-after" in answer.headers, f"no Retry-After: {answer.headers}")
    equal(standing(rest), reason, "what /health says")
    return answer


def standing(rest):
    return rest.get("/health").json["shards"][0]["standing"]


def goes_on_when_there_is_space(cluster, rest, fill, make_room, test):
    """Commands that came when there was none wait, and are done once there is."""
    with origin(cluster, "heavy") as sender:
        waiting = threading.Event()
        results, faults = [], []

        def push():
            try:
                while not waiting.is_set():
                    results.extend(trade(sender, test.random, 1000, 500))
            except Exception as fault:  # pylint: disable=broad-except
                faults.append(repr(fault))
        fill()
        pusher = threading.Thread(target=push)
        pusher.start()
        try:
            until_stopped(cluster, rest, "no_space")
            before = rest.get("/api/v1/orderbook/ETH-USD?level=3&depth=0")
            equal(before.status, 200, f"reads go on: {before}")
            equal(rest.get(f"{ORDERS}?account=A").status, 200, "reads of orders go on")
            waiting.set()
            make_room()
            cluster.until(lambda: rest.place("ETH-USD", "buy", "1", "5").status == 201,
                          "it goes on by itself")
            equal(standing(rest), "open", "what /health says")
        finally:
            waiting.set()
            pusher.join()
        equal(faults, [], "of the sender that had to wait")
        equal(len({result.origin_seq for result in results}), len(results), "results, once each")
    seqs = [result.seq for result in results]
    cluster.matchers[0].kill()
    cluster.start_matcher()
    found = cluster.recovered()
    expect(found["seq"] >= max(seqs), f"acknowledged {max(seqs)}, recovered {found}")
    stopped = cluster.stop_matcher()
    equal(stopped["state_hash"], found["state_hash"], "the state hash")


def a_full_disk_stops_intake_and_space_lets_it_go_on(test):
    with test.directory() as directory:
        spaces.mount(directory, mib=12)
        try:
            with test.cluster(SYMBOLS, gateways=1, settings={
                    **SMALL, "journal_dir": str(directory), "segment_mib": 1}) as cluster:
                ballast = directory / "ballast"

                def fill():
                    free = os.statvfs(directory).f_bavail * os.statvfs(directory).f_frsize
                    ballast.write_bytes(b"x" * max(0, free - (1 << 20)))
                goes_on_when_there_is_space(cluster, Rest(cluster.gateways[0].port), fill,
                                            ballast.unlink, test)
        finally:
            spaces.unmount(directory)


def a_journal_at_its_limit_stops_intake_until_the_follower_has_passed(test):
    with test.cluster(SYMBOLS, gateways=1, settings={
            **SMALL, "segment_mib": 1, "journal_mib_max": 4,
            "snapshot_commands": 500}) as cluster:
        goes_on_when_there_is_space(cluster, Rest(cluster.gateways[0].port), lambda: None,
                                    cluster.start_follower, test)


def a_journal_at_its_limit_goes_on_when_the_backup_has_passed(test):
    """The follower is there all the time, and has no command of which to make a snapshot. A gateway
    that begins meanwhile serves what can be read."""
    with test.cluster(SYMBOLS, gateways=1, followers=True, settings={
            **SMALL, "segment_mib": 1, "journal_mib_max": 4,
            "snapshot_commands": 500}) as cluster, test.directory() as directory:
        def ship():
            cluster.outcry("journal", "ship", cluster.journal(), directory / "backup")

        def begin_and_ship():
            late = Gateway(cluster, "late")
            late.begin()
            cluster.gateways.append(late)
            until(lambda: late.process.facts("started"), "it starts", watch=late.process.check)
            rest = Rest(late.port)
            cluster.until(lambda: rest.get("/startupz").status == 200, "it has begun")
            ready = rest.get("/readyz")
            equal((ready.status, ready.json["detail"]),
                  (503, "shard 0: there is no room for its journal; it goes on by itself when "
                   "there is"), "whether it is ready")
            equal(rest.get(f"{ORDERS}?account=A").status, 200, "it serves reads")
            ship()
        goes_on_when_there_is_space(cluster, Rest(cluster.gateways[0].port), ship, begin_and_ship,
                                    test)


def a_directory_that_vanishes_stops_intake_for_good(test):
    with test.cluster(SYMBOLS, gateways=1, settings=SMALL) as cluster:
        rest = Rest(cluster.gateways[0].port)
        placed = [rest.place("ETH-USD", "buy", "1", "5") for _ in range(20)]
        away = cluster.journal().with_name("away")
        matcher = cluster.matchers[0]
        matcher.expect_failure()
        cluster.journal().rename(away)
        until(lambda: not matcher.running, "the matcher ends")
        for _ in range(3):
            lost = rest.place("ETH-USD", "buy", "2", "6")
            expect(lost.status in (202, 503, 504), f"an order nobody can keep: {lost}")
        matcher.check()
        equal(matcher.wait(), 1, "its exit status")
        expect(str(cluster.journal()) in matcher.words, f"it does not say which: {matcher.words}")
        away.rename(cluster.journal())
        cluster.start_matcher()
        cluster.until(lambda: rest.place("ETH-USD", "buy", "1", "7").status == 201, "it serves")
        found = {order["order_id"] for order in rest.get(f"{ORDERS}?limit=1000").json["data"]}
        expect({answer.json["order_id"] for answer in placed} <= found, "an order is lost")


def preloaded(directory):
    """The environment of a process with faults to come from this directory."""
    library = directory / "faults.so"
    source = pathlib.Path(__file__).with_name("faults.c")
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    except FileNotFoundError:
        raise Skipped("there is no C compiler") from None
    return {"LD_PRELOAD": str(library), "FAULTS": str(directory),
            "ASAN_OPTIONS": "detect_leaks=1 strict_string_checks=1 verify_asan_link_order=0"}


def no_order_is_acknowledged_once_a_sync_has_failed(test):
    """Though later ones seem to work: what the kernel has thrown away they do not bring back."""
    with test.directory() as directory, test.cluster(SYMBOLS, gateways=1,
                                                     settings=SMALL) as cluster:
        rest = Rest(cluster.gateways[0].port)
        first = rest.place("ETH-USD", "buy", "1", "5").json
        cluster.matchers[0].stop()
        matcher = cluster.start_matcher(environment=preloaded(directory))
        matcher.expect_failure()
        cluster.until(lambda: rest.place("ETH-USD", "buy", "1", "5").status == 201, "it serves")
        (directory / "sync").touch()
        lost = rest.place("ETH-USD", "buy", "2", "6", client_order_id="lost")
        expect(lost.status in (202, 503, 504), f"an order whose sync failed: {lost}")
        expect(not (directory / "sync").exists(), "no sync has failed")
        equal(matcher.wait(), 1, "its exit status")
        matcher.check()
        expect(str(cluster.journal()) in matcher.words and "rror" in matcher.words,
               f"it does not say what: {matcher.words}")
        cluster.start_matcher()
        equal(cluster.epoch(), first["epoch"], "the epoch: what was written is whole")
        again = cluster.until(lambda: taken(rest.place("ETH-USD", "buy", "2", "6",
                                                       client_order_id="lost")), "it serves")
        listed = rest.get(f"{ORDERS}?limit=1000&min_at={again.at}").json["data"]
        equal(sum(order["client_order_id"] == "lost" for order in listed), 1, "of that order")
        expect(first["order_id"] in {order["order_id"] for order in listed}, "the first is lost")


def taken(answer):
    return answer if answer.status in (200, 201) else None


def a_jump_of_the_clock_stops_intake_until_it_is_confirmed(test):
    with test.directory() as directory, test.cluster(
            SYMBOLS, gateways=1, settings={**SMALL, "deadline_ms": 600_000}) as cluster:
        rest = Rest(cluster.gateways[0].port)

        def ahead(seconds):
            (directory / "clock.new").write_text(str(seconds), encoding="ascii")
            (directory / "clock.new").rename(directory / "clock")

        def placed(what):
            return cluster.until(lambda: taken(rest.place("ETH-USD", "buy", "1", "5")), what)
        cluster.matchers[0].stop()
        cluster.start_matcher(environment=preloaded(directory))
        first = placed("it serves")
        ahead(50)
        for _ in range(3):
            placed("a jump that is small is none")
        ahead(50 + 70)
        until_stopped(cluster, rest, "clock_jump")
        equal(rest.get("/api/v1/orderbook/ETH-USD").status, 200, "reads go on")
        ahead(50)  # it comes back by itself
        placed("the clock is right again")
        ahead(50 + 120)
        until_stopped(cluster, rest, "clock_jump")
        cluster.outcry("resume")
        last = placed("it was confirmed")
        equal(standing(rest), "open", "what /health says")
        # As far as the clock now is, not a moment earlier.
        expect(last.json["ts"] > first.json["ts"] + 160e6, f"{first} {last}")
        # Time that passed while it was stopped is no jump.
        cluster.matchers[0].stop()
        ahead(50 + 120 + 300)
        cluster.start_matcher(environment=preloaded(directory))
        placed("it serves after a time")
        ahead(0)
        back = placed("a clock that goes back")
        expect(back.json["ts"] >= last.json["ts"], f"{back}")


if __name__ == "__main__":
    main(__doc__, [a_full_disk_stops_intake_and_space_lets_it_go_on,
                   a_journal_at_its_limit_stops_intake_until_the_follower_has_passed,
                   a_journal_at_its_limit_goes_on_when_the_backup_has_passed,
                   a_directory_that_vanishes_stops_intake_for_good,
                   no_order_is_acknowledged_once_a_sync_has_failed,
                   a_jump_of_the_clock_stops_intake_until_it_is_confirmed])
