"""`outcry-strategy` against a real cluster with simulated flow: it trades within its limits, leaves
nothing behind however it ends, begins anew after whatever kills it or its matcher, tells every
mistake in its configuration by line, and `outcry backtest --inputs` makes the run again."""
import signal
import struct

import msgpack

from cluster import equal, expect, main, until
from rest import Rest
import test_up

SYMBOLS = {"BTC-USD": {"tick_size": "0.01", "lot_size": "0.0001"},
           "AAPL": {"tick_size": "0.01", "shard": 1}}
SETTINGS = {"heartbeat_ms": 100}
POSITION_MAX = 0.0030  # of BTC-USD; less than the maker itself would keep to
LOT = 0.0001
TWAP_QUANTITY = 60
NEW_ORDER, PRICE = 1, 15  # type and place of a command's elements (PROTOCOL.md)
MAKER = {"type": "maker", "symbol": "BTC-USD", "position_max": f"{POSITION_MAX:.4f}",
         "order_max": "0.0010", "messages_per_second": "50", "mode": "symmetric",
         "half_spread": "1", "quantity": "0.0010", "inventory_max": "0.0100"}
TWAP = {"type": "twap", "symbol": "AAPL", "side": "buy", "quantity": TWAP_QUANTITY,
        "duration": 5, "slices": 5, "style": "aggressive", "pace": "0.05"}


class Desk:
    """outcry-strategy in a cluster: its configuration, its lives, and its accounts from outside."""

    def __init__(self, cluster, strategies):
        self.cluster = cluster
        self.strategies = strategies
        self.file = cluster.run_dir / "desk.cfg"
        lines = [cluster.config.read_text(encoding="ascii"), "strategies"]
        for name, settings in strategies.items():
            lines += [f"    {name}", *(f"        {key} = {value}"
                                       for key, value in settings.items())]
        self.file.write_text("\n".join(lines) + "\n", encoding="ascii")
        self.rest = Rest(cluster.gateways[0].port)
        self.process = None

    def start(self, *flags):
        self.process = self.cluster.spawn("strategy", "outcry-strategy", "--config", self.file,
                                          *flags)
        return self.process

    def until_begun(self):
        self.cluster.until(lambda: len(self.process.facts("begun")) == len(self.strategies)
                           or not self.process.running, "every strategy has begun")
        expect(self.process.running, lambda: f"it ended: {self.process.tail()}")

    def orders(self, account):
        """All its orders that are remembered, by id."""
        orders, cursor = {}, ""
        while True:
            answer = self.rest.get(f"/api/v1/orders?account={account}&limit=1000{cursor}")
            equal(answer.status, 200, f"status of the orders of {account}: {answer}")
            orders.update((order["order_id"], order) for order in answer.json["data"])
            if not answer.json["has_more"]:
                return orders
            cursor = f"&cursor={answer.json['next_cursor']}"

    def open_orders(self, account):
        return {number for number, order in self.orders(account).items()
                if order["status"] in ("new", "partially_filled")}

    def position(self, account):
        """What it has, by the orders' own word."""
        return sum((1 if order["side"] == "buy" else -1) * float(order["filled_quantity"])
                   for order in self.orders(account).values())

    def fills(self, strategy):
        return [fact for fact in self.process.facts("fill") if fact["strategy"] == strategy]

    def ended(self):
        """What each strategy said at its end."""
        return {fact["strategy"]: fact for fact in self.process.facts("ended")}

    def expect_nothing_left(self):
        for name in self.strategies:
            self.cluster.until(lambda name=name: not self.open_orders(name),
                               f"nothing of {name} works")

    def recording(self):
        """The file of the newest life."""
        files = sorted((self.cluster.run_dir / "strategy").glob("*.inputs"))
        expect(files, "nothing was recorded")
        return files[-1]


def flow(cluster, rate=400):
    """Orders from the simulator, for as long as the cluster lives."""
    return cluster.spawn("simulate", "outcry", "simulate", "--rate", rate, "--seed", 5)


def venue(test, **settings):
    return test.cluster(SYMBOLS, shards=2, gateways=1, settings={**SETTINGS, **settings})


def stop_well(desk):
    """SIGTERM; all of its strategies have ended, and nothing of theirs is left."""
    desk.process.stop()
    desk.process.check()
    equal(set(desk.ended()), set(desk.strategies), "those that ended")
    equal([fact["clean"] for fact in desk.process.facts("stopped")], [True], "clean ends")
    desk.expect_nothing_left()


def strategies_trade_within_their_limits_and_leave_nothing(test):
    with venue(test) as cluster:
        flow(cluster)
        desk = Desk(cluster, {"maker-1": MAKER, "twap-1": TWAP})
        desk.start()
        desk.until_begun()
        beyond = []

        def traded():
            position = desk.position("maker-1")
            if abs(position) > POSITION_MAX + LOT / 2:
                beyond.append(position)
            return len(desk.fills("maker-1")) >= test.count(30) and "twap-1" in desk.ended()
        cluster.until(traded, "the maker trades, and the twap is done")
        equal(beyond, [], "positions beyond the limit")
        cluster.until(lambda: desk.position("twap-1") == TWAP_QUANTITY,
                      f"the gateway knows what the twap bought, {desk.ended()}")
        stop_well(desk)
        equal(round(desk.position("maker-1"), 4), float(desk.ended()["maker-1"]["position"]),
              "the position it ended with, and what its orders say")
        plays_again(cluster, desk)


# ---- back-test equals live ----

def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


RECORD_COMMAND = 12


def with_another_price(data):
    """A recording in which one new order, of those in its middle, has another price."""
    equal(data[:4], b"OCIN", "the first bytes of a recording")
    at, orders = 8, []
    while at < len(data):
        size, crc = struct.unpack_from("<II", data, at)
        body = data[at + 8:at + 8 + size]
        record = msgpack.unpackb(body)
        if record[0] == RECORD_COMMAND and msgpack.unpackb(record[4])[1] == NEW_ORDER:
            equal(crc, crc32c(body), f"the checksum of the record at {at}")
            orders.append((at, size, record))
        at += 8 + size
    at, size, record = orders[len(orders) // 2]
    command = msgpack.unpackb(record[4])
    command[PRICE] += 1
    record[4] = msgpack.packb(command)
    body = msgpack.packb(record)
    return data[:at] + struct.pack("<II", len(body), crc32c(body)) + body + data[at + 8 + size:]


def plays_again(cluster, desk):
    """The recorded run gives the same orders; a recording of other orders is found out."""
    file = desk.recording()
    same = cluster.outcry("backtest", "--inputs", file)
    commands = sum(fact[kind] for fact in desk.ended().values()
                   for kind in ("orders", "amends", "cancels"))
    words = f"commands {commands}, every one the same to the byte\n"
    expect(words in same.said, lambda: f"it does not say {words!r}: {same.said}")
    changed = file.with_name("changed.inputs")
    changed.write_bytes(with_another_price(file.read_bytes()))
    differs = cluster.outcry("backtest", "--inputs", changed, status=1)
    expect("expected" in differs.words + differs.said,
           lambda: f"what it says of another command: {differs.words}")


def end_of_life(desk, account):
    """Orders of it work, and it is killed; their ids."""
    desk.cluster.until(lambda: desk.open_orders(account), f"something of {account} works")
    desk.process.kill()
    return desk.open_orders(account)


def what_a_killed_life_left_is_cancelled_by_the_next(test):
    with venue(test) as cluster:
        flow(cluster)
        desk = Desk(cluster, {"maker-1": MAKER})
        for _ in range(3):
            desk.start()
            desk.until_begun()
            left = end_of_life(desk, "maker-1")
            desk.start()
            desk.until_begun()
            cluster.until(lambda left=left: not left & desk.open_orders("maker-1"),
                          "what was left is cancelled")
            stop_well(desk)
        equal(len({path.name for path in (cluster.run_dir / "strategy").iterdir()}), 6,
              "recordings, one a life")


def a_killed_matcher_that_comes_back_is_traded_with_again(test):
    with venue(test) as cluster:
        flow(cluster)
        desk = Desk(cluster, {"maker-1": MAKER})
        desk.start()
        desk.until_begun()
        for _ in range(3):
            fills = len(desk.fills("maker-1"))
            cluster.until(lambda fills=fills: len(desk.fills("maker-1")) >= fills + 5,
                          "it trades")
            cluster.matchers[0].kill()
            cluster.start_matcher()
        fills = len(desk.fills("maker-1"))
        cluster.until(lambda: len(desk.fills("maker-1")) >= fills + 5, "it trades again")
        stop_well(desk)


def in_a_new_history_strategies_stop_and_say_why(test):
    with venue(test, journal_mode="none") as cluster:
        flow(cluster).expect_failure()  # it does not go on in a new history, either
        desk = Desk(cluster, {"maker-1": MAKER})
        desk.start()
        desk.until_begun()
        cluster.until(lambda: len(desk.fills("maker-1")) >= 5, "it trades")
        cluster.matchers[0].kill()
        cluster.start_matcher()
        desk.process.wait()
        desk.process.check()
        expect(desk.ended()["maker-1"]["why"], "it does not say why it stopped")
        equal(len(desk.process.facts("matcher_forgot_us")), 1, "times it says that it is unknown")
        desk.expect_nothing_left()


def two_hosts_of_one_name_do_not_run_in_one_place(test):
    with venue(test) as cluster:
        desk = Desk(cluster, {"maker-1": MAKER})
        first = desk.start()
        desk.until_begun()
        second = desk.start()
        second.expect_failure()
        equal(second.wait(), 1, "the status of the second")
        expect("another strategy-strategy already runs" in second.words, second.words)
        first.stop()
        first.check()


# ---- mistakes ----

def refused(cluster, text, *flags):
    """What it says of a section `strategies`, which it must refuse."""
    file = cluster.run_dir / "mistake.cfg"
    file.write_text(cluster.config.read_text(encoding="ascii") + text, encoding="ascii")
    process = cluster.spawn("mistake", "outcry-strategy", "--config", file, *flags)
    process.allowed = {2}
    equal(process.wait(), 2, f"the status of {text!r}: {process.words}")
    process.check()
    return process.words.replace(str(file), "FILE")


def section(name="m", **settings):
    """A section, and the settings of MAKER but for these; None takes one out."""
    settings = {**MAKER, **settings}
    return "\n".join(["strategies", f"    {name}", *(
        f"        {key} = {value}" for key, value in settings.items()
        if value is not None)]) + "\n"


def every_mistake_is_told_with_its_line(test):
    with venue(test) as cluster:
        first = len(cluster.config.read_text(encoding="ascii").splitlines()) + 1
        for text, line, words in [
                (section(type="wish"), 2, 'found "wish"'),
                (section(type=None), 1, "type"),
                (section(symbol="NONE"), 3, 'found "NONE"'),
                (section(symbol=None), 1, "symbol"),
                (section(position_max="0.00001"), 4, 'found "0.00001"'),
                (section(position_max="-1"), 4, 'found "-1"'),
                (section(messages_per_second="many"), 6, 'found "many"'),
                (section(speed="9"), 11, "speed"),
                (section(account="a b"), 11, 'found "a b"'),
                (section(name="a-name-of-17-long"), 1, "1 to 16"),
                (section() + section("n", account="m").partition("\n")[2], 11, "account")]:
            said = refused(cluster, text)
            expect(f"FILE:{first + line}: " in said and words in said,
                   f"{text} at line {first + line}, {words!r}: it says {said}")
        for text, flags, words in [("", (), "found no strategies"),
                                   (section(), ("--only", "n"), 'found "n"'),
                                   (section(), ("--name", "a b"), '--name: found "a b"'),
                                   (section(), ("--name",), "expected a name after it"),
                                   (section(), ("--speed",), 'found "--speed"')]:
            said = refused(cluster, text, *flags)
            expect(words in said, f"{flags} of {text!r}: it says {said}")


# ---- outcry up ----

@test_up.with_place
def up_runs_the_strategies_that_are_configured(test, place):
    del test
    config = place.directory / "up.cfg"
    demo = test_up.DEMO.read_text(encoding="utf-8")
    config.write_text(f"{demo}\n{section('maker-1')}", encoding="utf-8")
    up = place.up("--rate", "200", config=config)
    children = place.until_up(up)
    equal(len(children), len(test_up.CHILDREN) + 1, "children")
    expect("strategies      1 " in up.said, f"it said: {up.said}")
    until(lambda: len(place.facts("strategy", "fill")) >= 5, "it trades")
    up.send(signal.SIGINT)
    equal(test_up.finish(up), "", "what it said on stderr")
    equal([fact["clean"] for fact in place.facts("strategy", "stopped")], [True], "clean ends")
    place.expect_nothing_left(children)


@test_up.with_place
def up_does_not_begin_with_a_mistake_in_a_strategy(test, place):
    del test
    config = place.directory / "up.cfg"
    demo = test_up.DEMO.read_text(encoding="utf-8")
    config.write_text(f"{demo}\n{section(position_max='much')}", encoding="utf-8")
    words = test_up.finish(place.up(status=2, config=config))
    line = len(demo.splitlines()) + 1 + 4
    expect(f"{config}:{line + 1}: " in words, f"it says: {words}")


@test_up.with_place
def up_lets_strategies_end(test, place):
    del test
    config = place.directory / "up.cfg"
    demo = test_up.DEMO.read_text(encoding="utf-8")
    lines = "\n".join(f"        {key} = {value}" for key, value in {**TWAP, "quantity": 5}.items())
    config.write_text(f"{demo}\nstrategies\n    twap-1\n{lines}\n", encoding="utf-8")
    up = place.up("--rate", "200", config=config)
    children = place.until_up(up)
    until(lambda: "has done what it was to do" in up.words, "it says that the strategy is done")
    expect("started again" not in up.words, f"it was started again: {up.words}")
    words = up.words
    up.send(signal.SIGINT)
    equal(test_up.finish(up), words, "what it says while it stops")
    place.expect_nothing_left(children)


if __name__ == "__main__":
    main(__doc__, [
        strategies_trade_within_their_limits_and_leave_nothing,
        what_a_killed_life_left_is_cancelled_by_the_next,
        a_killed_matcher_that_comes_back_is_traded_with_again,
        in_a_new_history_strategies_stop_and_say_why,
        two_hosts_of_one_name_do_not_run_in_one_place,
        every_mistake_is_told_with_its_line,
        up_runs_the_strategies_that_are_configured,
        up_does_not_begin_with_a_mistake_in_a_strategy,
        up_lets_strategies_end])
