"""A Strategy and its Host without an exchange, and its runner in a back-test that is faked."""
import os
import threading
import unittest
from unittest import mock

import msgpack
import zmq

from fakes import EVENTS, FIELDS, NAMES, REPLY, TYPES, addresses, event, frame

import outcry
from outcry import books, catalog, strategy_host
from outcry.origin import Result
from outcry.reader import Update
from outcry.strategy_host import Host
from outcry.strategy_runner import Runner

SECOND = 1_000_000_000
MESSAGES = catalog.MESSAGES


class Recorder(outcry.Strategy):
    """Notes all it is told."""

    symbol = "AAPL"
    name = "rec"
    qty = 5
    speed = 1.5
    loud = False
    label = "none"

    def __init__(self, **values):
        super().__init__(**values)
        self.told = []
        self.reactions = {}  # callback: function

    def _note(self, callback, *what):
        self.told.append((callback, *what))
        if callback in self.reactions:
            self.reactions[callback](*what)

    def on_start(self):
        self._note("start")

    def on_market_data(self, update):
        self._note("market", update)

    def on_order(self, order):
        self._note("order", order)

    def on_fill(self, fill):
        self._note("fill", fill)

    def on_timer(self):
        self._note("timer", self.now_ns)


class Desk:
    """A Host, and the exchange's side of it, by hand."""

    def __init__(self, strategy=None, **values):
        self.strategy = strategy or Recorder(**values)
        self.sent = []  # (message, fields)
        self.book = books.L3Book()
        self.host = Host(self.strategy, self._command, lambda: self.book, session=36)
        self.strategy._host = self.host
        self.time = SECOND
        self.host.start(self.time)

    def _command(self, message, deadline_ns, **fields):
        MESSAGES[message].fill(fields)  # it can be sent
        self.sent.append((message, fields))
        return len(self.sent)

    def told(self, callback):
        return [what[0] for name, *what in self.strategy.told if name == callback]

    def tell(self, name, **fields):
        self.host.account(self.time, MESSAGES[name].make(**fields))

    def accept(self, number, order_id):
        fields = self.sent[number - 1][1]
        self.tell("order_accepted", order_id=order_id,
                  **{name: fields[name] for name in FIELDS["order_accepted"][1:]})

    def fill(self, order_id, qty, open_qty, price=100):
        self.tell("order_filled", order_id=order_id, trade_id=9, price=price, qty=qty,
                  open_qty=open_qty, maker=True)

    def result(self, command, code=""):
        self.host.result(self.time, Result(not code, code, command, 7, 0, False, 0))

    def market(self, *events):
        for one in events:
            self.book.apply(one)
        self.host.market(self.time, Update("l3.AAPL", "events", 1, 9, self.time, list(events),
                                           self.book))

    def quote(self, bid, ask):
        for side, price in ((1, bid), (2, ask)):
            order_id = len(self.book.orders) + 1
            self.market(MESSAGES["add"].make(order_id, side, price, 10, order_id))


class ParameterTest(unittest.TestCase):
    def test_values_come_by_keyword_and_by_word_with_the_type_of_the_default(self):
        one = Recorder(qty="7", speed="2.5", loud="yes", label="x", position_max="10",
                       loss_max="3.5")
        self.assertEqual((one.qty, one.speed, one.loud, one.label, one.position_max, one.loss_max),
                         (7, 2.5, True, "x", 10, 3.5))
        self.assertEqual(Recorder(qty=8).qty, 8)
        self.assertEqual(Recorder.qty, 5)

    def test_mistakes_are_told_in_words(self):
        for values, words in (({"qty": "many"}, "qty: found 'many', expected a whole number"),
                              ({"loud": "perhaps"}, "loud: found 'perhaps', expected true or fals"),
                              ({"pace": 1}, "pace: there is no such parameter, but account"),
                              ({"name": "n" * 17}, "expected 1 to 16 of")):
            with self.assertRaisesRegex(ValueError, words):
                Recorder(**values)

    def test_a_type_must_be_given(self):
        class Needs(outcry.Strategy):
            size = int
        with self.assertRaisesRegex(ValueError, "size: it must be given"):
            Needs()
        self.assertEqual(Needs(size="3").size, 3)

    def test_name_and_account_follow_from_the_class(self):
        self.assertEqual((Recorder().name, Recorder().account), ("rec", "rec"))

        class AVeryLongNameOfAStrategy(outcry.Strategy):
            pass
        self.assertEqual(AVeryLongNameOfAStrategy().name, "averylongnameofa")


class OrderTest(unittest.TestCase):
    def test_an_order_lives_from_sent_to_done(self):
        desk = Desk()
        desk.strategy.reactions["market"] = lambda _: desk.strategy.limit("buy", 100, 5)
        desk.quote(100, 102)
        self.assertEqual([kind for kind, _ in desk.sent], ["new_order", "new_order"])
        fields = desk.sent[0][1]
        self.assertEqual((fields["client_order_id"], fields["stp"], fields["time_in_force"]),
                         ("rec-10-1", "reject", catalog.TimeInForce.GTC))
        desk.accept(1, 77)
        desk.fill(77, 2, 3)
        desk.fill(77, 3, 0)
        self.assertEqual([(order.state, order.open_qty) for order in desk.told("order")],
                         [("working", 5), ("working", 3), ("done", 0)])
        self.assertEqual([name for name, *_ in desk.strategy.told[-4:]],
                         ["order", "fill", "order", "fill"])
        self.assertEqual(desk.strategy.position, 5)
        self.assertIsNone(desk.strategy.order(1))
        self.assertEqual(desk.strategy.order(2).state, "sent")

    def test_a_market_order_has_no_price(self):
        desk = Desk()
        desk.strategy.place("sell", 4)
        desk.host._send()
        self.assertEqual((desk.sent[0][1]["type"], desk.sent[0][1]["price"]),
                         (catalog.OrderType.MARKET, None))

    def test_a_refusal_without_an_event_comes_with_the_result(self):
        desk = Desk()
        desk.strategy.limit("buy", 100, 5)
        desk.host._send()
        desk.result(1, "UNKNOWN_SYMBOL")
        order, = desk.told("order")
        self.assertEqual((order.state, order.reason), ("done", "UNKNOWN_SYMBOL"))

    def test_a_refusal_with_an_event_is_told_once(self):
        desk = Desk()
        desk.strategy.place("buy", 5, 100, post_only=True)
        desk.host._send()
        fields = {name: desk.sent[0][1].get(name) for name in FIELDS["order_rejected"]}
        desk.tell("order_rejected", **{**fields, "order_id": 5,
                                       "code": catalog.Reason.POST_ONLY})
        desk.result(1, "POST_ONLY")
        self.assertEqual([order.reason for order in desk.told("order")], ["POST_ONLY"])

    def test_an_amend_asks_for_the_total_and_a_refused_one_leaves_the_order(self):
        desk = Desk()
        desk.strategy.limit("buy", 100, 5)
        desk.host._send()
        self.assertFalse(desk.strategy.amend(1, 101, 5))  # not accepted yet
        desk.accept(1, 77)
        desk.fill(77, 2, 3)
        self.assertTrue(desk.strategy.amend(1, 101, 4))
        self.assertFalse(desk.strategy.amend(1, 102, 4))  # one is on its way
        desk.host._send()
        self.assertEqual((desk.sent[1][1]["qty"], desk.sent[1][1]["qty_is"]), (6, "total"))
        desk.result(2, "INVALID_PRICE")
        order = desk.told("order")[-1]
        self.assertEqual((order.state, order.reason, order.amending), ("working", "INVALID_PRICE",
                                                                       False))
        desk.strategy.amend(1, 101, 4)
        desk.tell("order_amended", order_id=77, price=101, qty=6, open_qty=4,
                  reason=catalog.Reason.REQUEUED)
        self.assertEqual((order.price, desk.strategy.order(1).price), (100, 101))

    def test_a_cancel_of_what_is_not_accepted_leaves_when_it_is(self):
        desk = Desk()
        desk.strategy.limit("buy", 100, 5)
        self.assertTrue(desk.strategy.cancel(1))
        self.assertFalse(desk.strategy.cancel(1))
        desk.host._send()
        self.assertEqual(len(desk.sent), 1)
        desk.accept(1, 77)
        self.assertEqual(desk.sent[1][0], "cancel_order")
        desk.result(2, "UNKNOWN_ORDER")
        self.assertTrue(desk.strategy.cancel(1))  # that one was refused

    def test_events_of_others_orders_are_passed_over(self):
        desk = Desk()
        desk.strategy.limit("buy", 100, 5)
        desk.host._send()
        desk.tell("order_accepted", order_id=4, symbol="AAPL", account="rec",
                  client_order_id="rec-11-1", side=1, type=1, time_in_force=1, post_only=False,
                  stp=1, price=100, qty=5)
        desk.fill(4, 5, 0)
        self.assertEqual((desk.told("order"), desk.strategy.position), ([], 0))


class LimitTest(unittest.TestCase):
    def refusals(self, desk):
        desk.host._deliver()
        return [order.refusal for order in desk.told("order")]

    def test_position_max_counts_what_works(self):
        desk = Desk(position_max=10, inventory=2)
        for qty in (5, 4, 3):  # 2 + 5 + 4 > 10
            desk.strategy.limit("buy", 100, qty)
        desk.strategy.limit("sell", 100, 12)
        desk.strategy.limit("sell", 100, 1)  # -2 + 12 + 1 > 10
        self.assertEqual(self.refusals(desk), ["POSITION", "POSITION"])
        self.assertEqual([order.qty for order in desk.strategy.orders], [5, 3, 12])

    def test_order_max_is_the_most(self):
        desk = Desk(order_max=5)
        for qty in (4, 5, 6):
            desk.strategy.limit("buy", 100, qty)
        self.assertEqual(self.refusals(desk), ["ORDER_SIZE"])

    def test_messages_per_second_is_a_sliding_second(self):
        desk = Desk(messages_per_second=2)
        for _ in range(3):
            desk.strategy.limit("buy", 100, 1)
        desk.host.time(desk.time + SECOND - 1)
        desk.strategy.limit("buy", 100, 1)
        self.assertEqual(self.refusals(desk), ["RATE", "RATE"])
        desk.host.time(desk.time + SECOND + SECOND // 10)
        desk.strategy.limit("buy", 100, 1)
        self.assertEqual(len(self.refusals(desk)), 2)

    def test_so_many_work_at_once_and_no_more(self):
        desk = Desk()
        for _ in range(strategy_host.WORKING_MAX + 1):
            desk.strategy.limit("buy", 100, 1)
            desk.host._send()
        self.assertEqual(self.refusals(desk), ["WORKING"])

    def test_every_order_keeps_room_for_its_cancel(self):
        desk = Desk()
        for number in range(1, strategy_host.UNANSWERED_MAX // 2 + 1):  # none of them is answered
            desk.strategy.place("buy", 1, 100, time_in_force="IOC")
            desk.host._send()
            desk.accept(number, number)
            desk.tell("order_cancelled", order_id=number, qty=1,
                      reason=catalog.Reason.IOC_REMAINDER)
        self.assertEqual(len(desk.strategy.orders), 0)
        for _ in range(strategy_host.UNANSWERED_MAX // 4 + 1):
            desk.strategy.limit("buy", 100, 1)
            desk.host._send()
        self.assertEqual([word for word in self.refusals(desk) if word], ["RATE"])
        desk.host.cancel_all()
        self.assertTrue(all(order.cancelling for order in desk.strategy.orders))

    def test_no_order_without_a_book(self):
        desk = Desk()
        desk.book = None
        desk.strategy.limit("buy", 100, 1)
        self.assertEqual(self.refusals(desk), ["BOOK"])
        self.assertIsNone(desk.strategy.best("buy"))

    def test_a_loss_stops_it(self):
        desk = Desk(loss_max=10)
        desk.quote(100, 102)
        desk.strategy.limit("buy", 101, 5)
        desk.host._send()
        desk.accept(1, 77)
        desk.fill(77, 5, 0, price=101)
        desk.market(MESSAGES["delete"].make(1))
        desk.market(MESSAGES["add"].make(7, 1, 96, 10, 7))  # mid 99: 10 lost
        self.assertFalse(desk.host.stopping)
        desk.market(MESSAGES["add"].make(8, 2, 101, 10, 8))  # mid 98.5
        self.assertTrue(desk.host.ended, desk.host.why)
        self.assertIn("passed loss_max 10", desk.host.why)


class CallbackTest(unittest.TestCase):
    def test_timers_fire_once_when_they_are_due(self):
        desk = Desk()
        desk.strategy.wake(desk.time + 5)
        desk.host.time(desk.time + 4)
        desk.host.time(desk.time + 5)
        desk.host.time(desk.time + 6)
        self.assertEqual(desk.told("timer"), [desk.time + 5])
        desk.strategy.wake(desk.time)  # it is past
        desk.strategy.wake(desk.time + 100)  # the last word counts
        desk.host.time(desk.time + 99)
        self.assertEqual(len(desk.told("timer")), 1)

    def test_commands_leave_when_the_callback_has_returned(self):
        desk = Desk()
        seen = []
        desk.strategy.reactions["timer"] = lambda _: (desk.strategy.limit("buy", 1, 1),
                                                      seen.append(len(desk.sent)))
        desk.strategy.wake(desk.time)
        desk.host.time(desk.time)
        self.assertEqual((seen, len(desk.sent)), ([0], 1))

    def test_one_that_answers_itself_is_stopped(self):
        desk = Desk(order_max=1)
        desk.strategy.reactions["order"] = lambda _: desk.strategy.limit("buy", 1, 2)
        desk.strategy.limit("buy", 1, 2)
        desk.host.time(desk.time)
        self.assertTrue(desk.host.ended)
        self.assertIn("answers itself", desk.host.why)

    def test_done_is_final_and_cancels_what_works(self):
        desk = Desk()
        desk.strategy.limit("buy", 100, 5)
        desk.host._send()
        desk.accept(1, 77)
        desk.strategy.is_done = lambda: True
        desk.quote(100, 102)
        self.assertEqual(desk.sent[-1][0], "cancel_order")
        self.assertFalse(desk.host.ended)
        desk.strategy.limit("buy", 100, 5)
        desk.tell("order_cancelled", order_id=77, qty=5, reason=catalog.Reason.USER)
        self.assertTrue(desk.host.ended)
        self.assertEqual([order.refusal or order.reason for order in desk.told("order")[-2:]],
                         ["STOPPING", "USER"])
        desk.market(MESSAGES["add"].make(9, 1, 99, 10, 9))
        self.assertEqual(len(desk.told("market")), 2)  # those before

    def test_trades_of_an_update_are_told(self):
        desk = Desk()
        desk.quote(100, 102)
        trade = MESSAGES["trade"].make(8, 1, 99, 100, 4, 2)
        desk.market(trade, MESSAGES["execute"].make(1, 4))
        update = desk.told("market")[-1]
        self.assertEqual((update.trades, update.book_changed), ([trade], True))
        self.assertEqual(desk.strategy.best("buy"), (100, 6, 1))

    def test_ahead_is_what_stands_before_it(self):
        desk = Desk()
        for order_id, qty in ((1, 10), (2, 7), (77, 5), (3, 2)):
            desk.market(MESSAGES["add"].make(order_id, 1, 100, qty, order_id))
        desk.strategy.limit("buy", 100, 5)
        self.assertIsNone(desk.strategy.ahead(1))
        desk.host._send()
        desk.accept(1, 77)
        self.assertEqual(desk.strategy.ahead(1), 17)
        self.assertEqual(desk.strategy.qty_at("buy", 100), 24)


class FakeBacktest(threading.Thread):
    """What `outcry backtest --serve` is to a client: one PULL, one XPUB, a clock that goes on when
    it is asked to. `history`: (time_ns, [event, ...]) of the book; each order of the client's is
    accepted, and filled by the next event of the history."""

    def __init__(self, context, history):
        super().__init__(daemon=True)
        self.pull_address, self.pub_address = addresses(2)
        self.pull, self.xpub = context.socket(zmq.PULL), context.socket(zmq.XPUB)
        for one, address in ((self.pull, self.pull_address), (self.xpub, self.pub_address)):
            one.setsockopt(zmq.LINGER, 0)
            one.setsockopt(zmq.XPUB_VERBOSE, 1) if one is self.xpub else None
            one.bind(address)
        self.history = list(history)
        self.now_ns, self.seq = SECOND, 1
        self.book = books.L3Book()
        self.last = {}  # topic: seq of its last frame
        self.commands = []  # (time, name, fields)
        self.wakes = []
        self.subscribed = []
        self.open = []  # order ids
        self.heard = False
        self.ending = threading.Event()

    def run(self):
        while not self.ending.is_set():
            while self.xpub.poll(0):
                self.subscribed.append(self.xpub.recv())
            if not self.pull.poll(10):
                continue
            version, number, *values = msgpack.unpackb(self.pull.recv())
            assert version == catalog.PROTOCOL_VERSION
            name = NAMES[number]
            if name in ("advance", "snapshot"):
                getattr(self, name)(dict(zip(FIELDS[name], values)))
            else:
                self.command(name, values[2], dict(zip(FIELDS[name], values[5:])))
        self.pull.close()
        self.xpub.close()

    def until_subscribed(self, fields):
        while b"\1re." + fields["reply"].encode() + b"\0" not in self.subscribed:
            self.subscribed.append(self.xpub.recv())

    def say(self, topic, frame_type, events, book_hash=None):
        prev = 0 if frame_type == REPLY else self.last.get(topic, 0)
        data = frame(topic, frame_type, 1, prev, self.seq, book_hash, [[self.seq, events]])
        body = msgpack.unpackb(data[len(topic) + 1:])
        body[5] = self.now_ns
        self.xpub.send(topic.encode() + b"\0" + msgpack.packb(body))
        if frame_type == EVENTS:
            self.last[topic] = self.seq
            self.heard = True

    def reply(self, name, fields, events, book_hash=None):
        head = event("reply", request_id=fields["request_id"], request_type=TYPES[name], code=0,
                     chunk=0, last=True)
        self.say(f"re.{fields['reply']}", REPLY, [head, *events], book_hash)

    def snapshot(self, fields):
        self.until_subscribed(fields)
        book = fields["topic"].startswith("l3.")
        orders = [event("add", **order._asdict()) for order in self.book.orders.values()]
        self.reply("snapshot", fields, orders if book else [], self.book.hash if book else None)

    def command(self, name, origin_seq, fields):
        self.commands.append((self.now_ns, name, fields))
        self.seq += 1
        order_id = fields.get("order_id") or 1000 + self.seq
        if name == "new_order":
            self.say("acct.rec", EVENTS, [event("order_accepted", order_id=order_id,
                                                **{field: fields[field] for field
                                                   in FIELDS["order_accepted"][1:]})])
            self.open.append((order_id, fields["price"], fields["qty"]))
        else:
            self.say("acct.rec", EVENTS, [event("order_cancelled", order_id=order_id, qty=1,
                                                reason=1)])
            self.open = [one for one in self.open if one[0] != order_id]
        self.say("ack.rec", EVENTS, [event("result", origin_epoch=self.epoch,
                                           origin_seq=origin_seq, seq=self.seq, code=0,
                                           order_id=order_id, duplicate=False, count=0)])

    def advance(self, fields):
        self.until_subscribed(fields)
        self.wakes.append(fields["wake_ns"])
        if not self.heard and self.history:
            time_ns, events = self.history[0]
            if 0 < fields["wake_ns"] < time_ns:
                self.now_ns = fields["wake_ns"]
            else:
                self.history.pop(0)
                self.now_ns = time_ns
                self.happen(events)
        self.heard = False
        self.reply("advance", fields, [event("advanced", time_ns=self.now_ns,
                                             over=not self.history)])

    def happen(self, events):
        self.seq += 1
        for one in events:
            self.book.apply(MESSAGES[NAMES[one[0]]].take(tuple(one[1:])))
        self.say("l3.AAPL", EVENTS, events, self.book.hash)
        for order_id, price, qty in self.open:
            self.say("acct.rec", EVENTS, [event("order_filled", order_id=order_id, trade_id=1,
                                                price=price, qty=qty, open_qty=0, maker=True)])
        self.open = []


def add(order_id, side, price):
    return event("add", order_id=order_id, side=side, price=price, qty=10, priority=order_id)


class RunnerTest(unittest.TestCase):
    HISTORY = [(number * SECOND, [add(number, 1 + number % 2, 100 + number % 2)])
               for number in range(2, 8)]

    def play(self, strategy):
        context = zmq.Context()
        backtest = FakeBacktest(context, self.HISTORY)
        runner = Runner(strategy, backtest.pull_address, backtest.pull_address,
                        backtest.pub_address, backtest.pub_address, virtual=True, context=context)
        backtest.epoch = runner._epoch
        backtest.start()
        try:
            self.assertEqual(runner.run(), 0)
        finally:
            backtest.ending.set()
            backtest.join()
            context.destroy(linger=0)
        return backtest

    def strategy(self):
        one = Recorder()
        one.log = lambda words: None
        one.reactions["start"] = lambda: one.wake(one.now_ns + 3 * SECOND // 2)
        one.reactions["timer"] = lambda now: (one.limit("buy", 100, 1), one.wake(now + SECOND))
        return one

    def test_time_is_what_the_backtest_says(self):
        one = self.strategy()
        backtest = self.play(one)
        times = [what[0].time_ns for name, *what in one.told if name == "market"]
        self.assertEqual(times, [number * SECOND for number in range(2, 8)])
        timers = [what[0] for name, *what in one.told if name == "timer"]
        self.assertEqual(timers, [5 * SECOND // 2 + number * SECOND for number in range(5)])
        self.assertEqual([time_ns for time_ns, name, _ in backtest.commands if name == "new_order"],
                         timers)
        self.assertEqual(one.position, 5)
        self.assertEqual(backtest.wakes[0], 5 * SECOND // 2)

    def test_two_runs_are_the_same(self):
        runs = []
        for _ in range(2):
            one = self.strategy()
            backtest = self.play(one)
            for _, _, fields in backtest.commands:
                fields.pop("client_order_id")
            runs.append((backtest.commands, [repr(told) for told in one.told]))
        self.assertEqual(runs[0], runs[1])

    def test_what_works_at_the_end_is_cancelled(self):
        one = self.strategy()
        one.reactions["market"] = lambda update: (one.limit("buy", 100, 1)
                                                  if update.time_ns == 7 * SECOND else None)
        backtest = self.play(one)
        self.assertEqual(backtest.commands[-1][1], "cancel_order")
        self.assertEqual(backtest.open, [])
        orders = [what[0] for name, *what in one.told if name == "order"]
        self.assertEqual(orders[-1].reason, "USER")

    def test_addresses_come_from_flags_then_the_environment_then_the_run_directory(self):
        found = []
        environment = {"OUTCRY_RUN_DIR": "/there", "OUTCRY_SYMBOL": "X", "OUTCRY_VIRTUAL_TIME": "1",
                       "OUTCRY_PRIVATE_ADDRESS": "ipc://{run_dir}/{shard}.p"}

        def note(strategy, virtual, **known):
            found.append((strategy.symbol, strategy.qty, virtual, known))
            return mock.Mock(run=lambda: 0)
        with mock.patch.dict(os.environ, environment), \
                mock.patch("outcry.strategy_runner.Runner", note), self.assertRaises(SystemExit):
            class Free(outcry.Strategy):
                qty = 1
            Free.run(["--shard", "2", "--public-address", "tcp://h:1", "qty=3"])
        self.assertEqual(found, [("X", 3, True, {
            "keys": None,
            "commands": "ipc:///there/2.commands", "requests": "ipc:///there/2.requests",
            "private": "ipc:///there/2.p", "public": "tcp://h:1"})])


if __name__ == "__main__":
    unittest.main()
