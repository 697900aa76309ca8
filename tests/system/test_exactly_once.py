"""Each command once and in order, whatever happens to the messages that carry it; seen from a
sender that writes its envelopes itself, and from the Python client's Origin."""
import secrets
import time

import zmq

from cluster import equal, expect, main, until
from listener import ask
import outcry
from outcry import Reason, catalog, frames

SYMBOL = "BTC-USD"
OTHER = "ETH-USD"
SYMBOLS = {SYMBOL: {}, OTHER: {}}
WAIT_S = 20


class Wire:
    """A sender that decides everything itself: a PUSH, and the answers on ack.<origin>."""

    def __init__(self, cluster, origin, epoch=1):
        self.cluster = cluster
        self.origin = origin
        self.epoch = epoch
        self.push = zmq.Context.instance().socket(zmq.PUSH)
        self.sub = zmq.Context.instance().socket(zmq.SUB)
        for socket in (self.push, self.sub):
            socket.setsockopt(zmq.LINGER, 0)
        self.sub.setsockopt(zmq.SUBSCRIBE, f"ack.{origin}\0".encode())
        self.sub.setsockopt(zmq.SUBSCRIBE, b"hb\0")
        self.sub.connect(cluster.address("private"))
        self.push.connect(cluster.address("commands"))
        cluster.until(lambda: self.sub.poll(0), "a heartbeat is heard")  # answers will be, too

    def command(self, seq, body, epoch=None, acked=0, deadline_ns=0):
        """The bytes of a command."""
        envelope = catalog.ENVELOPE.make(self.origin, epoch or self.epoch, seq, acked, deadline_ns)
        return frames.encode_command(envelope, body)

    def send(self, *commands):
        """Several commands in one message."""
        self.push.send(b"".join(commands))

    def answers(self, count):
        """The next answers: `result` and `origin_gap` events."""
        found = []
        deadline = time.monotonic() + WAIT_S
        while len(found) < count:
            expect(self.sub.poll(max(0, int(1000 * (deadline - time.monotonic())))),
                   f"{len(found)} answers came, not {count}: {found}")
            frame = frames.decode_frame(self.sub.recv())
            if frame.topic != "hb":
                equal(frame.topic, f"ack.{self.origin}", "topic")
                found += [event for group in frame.groups for event in group.events]
        return found

    def ask(self, *arguments, **named):
        """Send one command; its answer."""
        self.send(self.command(*arguments, **named))
        return self.answers(1)[0]

    def rejoin(self):
        """The matcher has begun again: hear it before anything is asked."""
        since = time.time_ns()

        def heard():
            return (self.sub.poll(0)
                    and frames.decode_frame(self.sub.recv()).time_ns > since)
        self.cluster.until(heard, "a heartbeat is heard again")

    def expect_nothing(self):
        """No more answers: a command sent now is answered next."""
        marker = Wire(self.cluster, f"marker-{secrets.token_hex(4)}")
        marker.ask(1, cancel(1))
        marker.close()
        while self.sub.poll(100):
            frame = frames.decode_frame(self.sub.recv())
            equal(frame.topic, "hb", "topic of what came unasked")

    def close(self):
        self.push.close()
        self.sub.close()


def order(name="", side="buy", price=100, qty=5, account="A", symbol=SYMBOL, **more):
    return catalog.MESSAGES["new_order"].fill(
        {"symbol": symbol, "account": account, "client_order_id": name, "side": side,
         "type": "limit", "time_in_force": "GTC", "post_only": False, "stp": "none",
         "price": price, "qty": qty, **more})


def cancel(order_id, account="A"):
    return catalog.MESSAGES["cancel_order"].fill(
        {"symbol": SYMBOL, "account": account, "order_id": order_id, "client_order_id": ""})


def open_quantity(cluster):
    """Of all orders of the symbol, as a reader that joins now is told; and how many there are."""
    with cluster.follow(f"l3.{SYMBOL}") as reader:
        orders = reader.readers[f"l3.{SYMBOL}"].book.orders.values()
        return sum(each.qty for each in orders), len(orders)


def a_repeated_command_is_done_once_and_answered_with_its_first_result(test):
    with test.cluster(SYMBOLS) as cluster:
        wire = Wire(cluster, "twice")
        first = wire.ask(1, order("x"))
        equal((first.code, first.origin_seq), (0, 1), "code and origin_seq")
        for _ in range(10):
            equal(wire.ask(1, order("x")), first, "the answer to a repeat")
        # A repeat is told by its number; whatever else it now says is not looked at.
        equal(wire.ask(1, order("y", qty=9)), first, "the answer to a changed repeat")
        # Duplicates of messages, several commands in each, one of them new.
        message = [wire.command(1, order("x")), wire.command(2, order("z")),
                   wire.command(3, order(qty=0))]
        wire.send(*message)
        answers = wire.answers(3)
        wire.send(*message)
        answers += wire.answers(3)
        answers.sort(key=lambda answer: answer.origin_seq)
        equal([answer.origin_seq for answer in answers], [1, 1, 2, 2, 3, 3], "origin_seq")
        equal(answers[0::2], answers[1::2], "answers to the first message and to the second")
        equal(answers[0], first, "the repeat")
        equal(answers[4].code, Reason.INVALID_QUANTITY, "a refusal is a first result, too")
        expect(answers[4].seq > answers[2].seq, "a refused command is part of history")
        equal(open_quantity(cluster), (10, 2), "open quantity and orders")
        # The matcher may forget what we say we have.
        equal(wire.ask(4, order("w"), acked=3).code, 0, "code")
        forgotten = wire.ask(2, order("z"), acked=3)
        equal((forgotten.code, forgotten.seq), (Reason.TOO_OLD, 0), "a repeat of what is forgotten")
        wire.expect_nothing()
        equal(open_quantity(cluster), (15, 3), "open quantity and orders")


def commands_are_done_in_order_and_gaps_are_asked_for(test):
    with test.cluster(SYMBOLS) as cluster:
        wire = Wire(cluster, "gaps")
        gap = wire.ask(2, order("b"))
        equal((gap.name, gap.expected_seq), ("origin_gap", 1), "the answer to a first command 2")
        equal(wire.ask(1, order("a")).code, 0, "code of 1")
        gap = wire.ask(5, order("e"))
        equal((gap.name, gap.expected_seq), ("origin_gap", 2), "the answer to 5 after 1")
        # One message out of order: 3 is early, so the rest of its message waits, too.
        wire.send(wire.command(3, order("c")), wire.command(2, order("b")))
        gap = wire.answers(1)[0]
        equal((gap.name, gap.expected_seq), ("origin_gap", 2), "the answer to 3 before 2")
        wire.send(*(wire.command(seq, order(name)) for seq, name in zip((2, 3, 4, 5), "bcde")))
        results = wire.answers(4)
        equal([(result.origin_seq, result.code) for result in results],
              [(2, 0), (3, 0), (4, 0), (5, 0)], "results in order")
        expect(results[0].seq < results[1].seq < results[2].seq < results[3].seq,
               "they were sequenced in order")
        wire.expect_nothing()
        equal(open_quantity(cluster), (25, 5), "open quantity and orders")


def a_storm_of_lost_and_reordered_messages_leaves_each_command_done_once(test):
    with test.cluster(SYMBOLS) as cluster:
        wire = Wire(cluster, "storm")
        count = test.count(300)
        bodies = {seq: order(f"s{seq}", price=100 + seq % 7) for seq in range(1, count + 1)}
        results = {}
        deadline = time.monotonic() + 60
        while len(results) < count:
            expect(time.monotonic() < deadline, f"{len(results)} of {count} results")
            wanted = [seq for seq in bodies if seq not in results][:20]
            batch = test.random.choices(wanted, k=8) + sorted(wanted)[:test.random.randrange(4)]
            for seq in batch:  # some twice, most too early, some lost
                if test.random.random() < 0.8:
                    wire.send(wire.command(seq, bodies[seq]))
            while wire.sub.poll(2):
                frame = frames.decode_frame(wire.sub.recv())
                for event in (event for group in frame.groups for event in group.events):
                    if event.name == "result":
                        equal(results.setdefault(event.origin_seq, event), event, "a result")
        equal({result.code for result in results.values()}, {0}, "codes")
        order_seqs = [results[seq].seq for seq in bodies]
        equal(order_seqs, sorted(order_seqs), "the order of sequencing")
        equal(open_quantity(cluster), (5 * count, count), "open quantity and orders")


def a_session_ends_all_before_it(test):
    with test.cluster(SYMBOLS) as cluster:
        wire = Wire(cluster, "sessions", epoch=10)
        equal(wire.ask(1, order("a")).code, 0, "code in session 10")
        equal(wire.ask(1, order("b"), epoch=11).code, 0, "code in session 11")
        old = wire.ask(2, order("c"), epoch=10)
        equal((old.code, old.seq, old.origin_epoch), (Reason.OLD_ORIGIN_EPOCH, 0, 10),
              "the answer to session 10 after 11")
        new = wire.ask(2, order("d"), epoch=12)
        equal((new.name, new.expected_seq), ("origin_gap", 1), "a new session begins at 1")
        equal(wire.ask(2, order("e"), epoch=11).code, 0, "and has not begun before that")
        wire.expect_nothing()
        equal(open_quantity(cluster), (15, 3), "open quantity and orders")


def a_command_past_its_deadline_is_refused_but_a_cancel_never(test):
    with test.cluster(SYMBOLS) as cluster:
        wire = Wire(cluster, "late")
        now = time.time_ns()
        placed = wire.ask(1, order("a"), deadline_ns=now + 60 * 10**9)
        equal(placed.code, 0, "code before the deadline")
        late = wire.ask(2, order("b"), deadline_ns=now - 1)
        equal(late.code, Reason.TOO_LATE, "code past the deadline")
        expect(late.seq > 0, "too late is a result, and final")
        equal(wire.ask(2, order("b"), deadline_ns=now + 60 * 10**9), late,
              "the answer to the same command with more time")
        # The label was not used up, so the order may be sent as a new command.
        equal(wire.ask(3, order("b")).code, 0, "the same label in a new command")
        amend = catalog.MESSAGES["amend_order"].fill(
            {"symbol": SYMBOL, "account": "A", "order_id": placed.order_id,
             "client_order_id": "", "qty_is": "open", "qty": 1, "price": None})
        equal(wire.ask(4, amend, deadline_ns=1).code, Reason.TOO_LATE, "a late amend")
        equal(open_quantity(cluster), (10, 2), "open quantity and orders")
        equal(wire.ask(5, cancel(placed.order_id), deadline_ns=1).code, 0, "a late cancel")
        mass = catalog.MESSAGES["mass_cancel"].fill({"symbol": "", "account": "A", "side": 0})
        result = wire.ask(6, mass, deadline_ns=1)
        equal((result.code, result.count), (0, 1), "a late mass cancel")
        equal(open_quantity(cluster), (0, 0), "open quantity and orders")


def a_client_order_id_names_one_order(test):
    with test.cluster(SYMBOLS) as cluster:
        with outcry.Origin(cluster.address("commands"), cluster.address("private"),
                           "labels") as origin:
            def place(name, qty=5, account="A", side="buy", **more):
                return origin.new_order(SYMBOL, account, side, qty, price=100,
                                        client_order_id=name, **more)
            first = place("x")
            expect(first.ok and not first.duplicate, f"first: {first}")
            again = place("x")
            equal((again.ok, again.duplicate, again.order_id), (True, True, first.order_id),
                  "the same label and body")
            other = place("x", qty=6)
            equal((other.ok, other.reason, other.duplicate), (False, "DUPLICATE_ORDER", False),
                  "the same label with another body")
            expect(place("x", account="B").order_id != first.order_id,
                   "labels are an account's own")
            # A refusal is remembered, too.
            refused = place("y", qty=0)
            equal((refused.reason, refused.duplicate), ("INVALID_QUANTITY", False), "refused")
            again = place("y", qty=0)
            equal((again.reason, again.duplicate, again.order_id),
                  ("INVALID_QUANTITY", True, refused.order_id), "refused again")
            # And so is an order that is gone.
            expect(origin.cancel_order(SYMBOL, "A", client_order_id="x").ok, "cancel by label")
            again = place("x")
            equal((again.ok, again.duplicate, again.order_id), (True, True, first.order_id),
                  "the label of a cancelled order")
            # What was refused before that, for its shape, leaves nothing.
            equal(place("z", account="no good!").reason, "INVALID_ACCOUNT", "account")
            equal(origin.new_order("NO-SUCH", "A", "buy", 5, price=100,
                                   client_order_id="z").reason, "UNKNOWN_SYMBOL", "symbol")
            expect(not place("z").duplicate, "z was not used up")
        equal(open_quantity(cluster), (10, 2), "open quantity and orders")


def finished_client_order_ids_are_forgotten_by_count_never_by_time(test):
    with test.cluster(SYMBOLS, settings={"finished_per_account": 3}) as cluster:
        with outcry.Origin(cluster.address("commands"), cluster.address("private"),
                           "window") as origin:
            def refused(name):
                return origin.new_order(SYMBOL, "A", "buy", 0, price=100, client_order_id=name)
            for name in "abc":
                expect(not refused(name).duplicate, f"{name} is new")
            expect(refused("a").duplicate, "a is the third last, and remembered")
            expect(not refused("d").duplicate, "d is new")
            expect(not refused("a").duplicate, "a is forgotten")
            expect(refused("d").duplicate and refused("c").duplicate, "c and d are remembered")


def private_states(cluster, topic):
    """The order_state events of a private snapshot, and its seq."""
    with outcry.Subscriber(cluster.address("private"), [topic]) as reader:
        update = until(lambda: reader.receive(0.02), f"the snapshot of {topic}")
    equal(update.kind, "snapshot", "the first update")
    return [event for event in update.events if event.name == "order_state"], update.seq


def ask_raw_snapshot(cluster, topic):
    """The same by hand, for a topic nothing is published under: `acct.`, everybody's."""
    events = ask(cluster.address("private"), cluster.address("requests"), "snapshot", topic=topic,
                 min_seq=0)
    return [event for event in events if event.name == "order_state"]


def a_private_snapshot_tells_open_and_finished_orders(test):
    with test.cluster(SYMBOLS) as cluster:
        with outcry.Origin(cluster.address("commands"), cluster.address("private"),
                           "states") as origin:
            def place(account, name, side, qty, price, **more):
                return origin.new_order(SYMBOL, account, side, qty, price=price,
                                        client_order_id=name, **more).order_id
            rests = place("A", "rests", "buy", 5, 100)
            gone = place("A", "gone", "buy", 5, 99)
            origin.cancel_order(SYMBOL, "A", order_id=gone)
            part = place("A", "part", "sell", 10, 110)
            taker = place("B", "taker", "buy", 4, 111, time_in_force="IOC")
            refused = place("A", "refused", "sell", 1, 100, post_only=True)
            last = origin.new_order(OTHER, "B", "sell", 3, price=7)

        states, seq = private_states(cluster, "acct.A")
        expect(seq >= last.seq, f"the snapshot is as of {seq}, before {last.seq}")
        found = {state.client_order_id: state for state in states}
        equal(list(found), ["gone", "refused", "rests", "part"],
              "finished orders in the order they finished, then open ones in theirs")
        status, reason = outcry.OrderStatus, Reason
        equal([(found[name].order_id, found[name].status, found[name].reason,
                found[name].open_qty, found[name].filled_qty, found[name].qty)
               for name in found],
              [(gone, status.CANCELLED, reason.USER, 0, 0, 5),
               (refused, status.REJECTED, reason.POST_ONLY, 0, 0, 1),
               (rests, status.NEW, 0, 5, 0, 5),
               (part, status.PARTIALLY_FILLED, 0, 6, 4, 10)], "the orders of A")
        equal((found["part"].notional_high, found["part"].notional_low), (0, 4 * 110), "notional")
        others, _ = private_states(cluster, "acct.B")
        equal([(state.client_order_id, state.status, state.symbol) for state in others],
              [("taker", status.FILLED, SYMBOL), ("", status.NEW, OTHER)], "the orders of B")
        equal(others[0].order_id, taker, "order_id of the taker")
        equal(ask_raw_snapshot(cluster, "acct."), states + others, "everybody's orders")
        equal(ask_raw_snapshot(cluster, "acct.nobody"), [], "the orders of an unknown account")


def a_private_reader_follows_its_account(test):
    """What happens after the snapshot comes on acct.<account>, and nothing of others."""
    with test.cluster(SYMBOLS) as cluster, outcry.Origin(
            cluster.address("commands"), cluster.address("private"), "both") as origin:
        origin.new_order(SYMBOL, "A", "buy", 5, price=100)
        with outcry.Subscriber(cluster.address("private"), ["acct.A"]) as reader:
            until(lambda: reader.receive(0.02), "the snapshot")
            origin.new_order(SYMBOL, "B", "buy", 5, price=90)
            origin.new_order(SYMBOL, "B", "sell", 2, price=100)
            origin.mass_cancel("A")
            events = []

            def all_came():
                update = reader.receive(0.02)
                events.extend(update.events if update else [])
                return events and events[-1].name == "order_cancelled"
            until(all_came, "the account's events")
        equal([event.name for event in events], ["order_filled", "order_cancelled"], "events of A")
        equal((events[0].qty, events[0].open_qty, events[0].maker), (2, 3, True), "the fill")
        equal((events[1].qty, events[1].reason), (3, Reason.MASS), "the cancel")


def what_was_answered_before_a_kill_is_answered_the_same_after_it(test):
    """Origins, their windows and sessions, labels and first results are part of the history."""
    with test.cluster(SYMBOLS, settings={"finished_per_account": 3}) as cluster:
        wire, old = Wire(cluster, "lives", epoch=7), Wire(cluster, "old", epoch=10)
        now = time.time_ns()
        commands = [order("a"), order("b", qty=0), order("c"), order("a"), order("a", qty=6),
                    order(side="sell", qty=3, account="B")]
        first = [wire.ask(seq, body, acked=min(seq - 1, 1))
                 for seq, body in enumerate(commands, 1)]
        late = wire.ask(7, order("late"), acked=1, deadline_ns=now - 1)
        equal((late.code, first[3].duplicate), (Reason.TOO_LATE, True), "late, and a repeat")
        old.ask(1, order("x"))
        old.ask(1, order("y"), epoch=11)
        for number in range(2):
            cluster.matchers[0].kill()
            cluster.start_matcher()
            wire.rejoin()
            old.rejoin()
            for seq, body in list(enumerate(commands, 1))[1:]:
                equal(wire.ask(seq, body, acked=1), first[seq - 1], f"the answer to {seq} again")
            equal(wire.ask(7, order("late"), acked=1, deadline_ns=now + 60 * 10**9), late,
                  "the answer to what was late")
            equal(wire.ask(1, order("a"), acked=1).code, Reason.TOO_OLD, "what was forgotten")
            equal(old.ask(2, order("z"), epoch=10).code, Reason.OLD_ORIGIN_EPOCH, "an old session")
            gap = old.ask(3 + number, order("z"), epoch=11)
            equal((gap.name, gap.expected_seq), ("origin_gap", 2), "the next of its session")
            again = Wire(cluster, f"other{number}").ask(1, order("c"))
            equal((again.duplicate, again.order_id), (True, first[2].order_id), "a label")
        equal(wire.ask(8, order("d"), acked=1).code, 0, "and it goes on")
        equal(open_quantity(cluster), (2 + 5 + 5 + 5 + 5, 5), "open quantity and orders")


if __name__ == "__main__":
    main(__doc__, [a_repeated_command_is_done_once_and_answered_with_its_first_result,
                   commands_are_done_in_order_and_gaps_are_asked_for,
                   a_storm_of_lost_and_reordered_messages_leaves_each_command_done_once,
                   a_session_ends_all_before_it,
                   a_command_past_its_deadline_is_refused_but_a_cancel_never,
                   a_client_order_id_names_one_order,
                   finished_client_order_ids_are_forgotten_by_count_never_by_time,
                   a_private_snapshot_tells_open_and_finished_orders,
                   a_private_reader_follows_its_account,
                   what_was_answered_before_a_kill_is_answered_the_same_after_it])
