"""The Python codec and books against the vectors, and against damage."""
import json
import random
import unittest

from fakes import PROTO

import outcry
from outcry import books, catalog, frames

FAULTS = (outcry.Garbage, outcry.ForeignVersion)


def vectors(*files):
    for file in files:
        path = PROTO / f"vectors/{file}.jsonl"
        for line in path.read_text(encoding="utf-8").splitlines():
            vector = json.loads(line)
            yield vector, bytes.fromhex(vector["hex"])


def told(message):
    """A message as the vectors tell it."""
    fields = {name: value.hex() if isinstance(value, bytes) else value
              for name, value in message._asdict().items()}
    return {"message": message.name, "fields": fields}


def decode(kind, data):
    """What the bytes say, as the vectors tell it."""
    if kind == "command":
        return [{"message": command.body.name, "envelope": command.envelope._asdict(),
                 "fields": told(command.body)["fields"]}
                for command in frames.decode_commands(data)]
    if kind == "request":
        return told(frames.decode_request(data))
    if kind == "event":
        return told(frames.decode_event(data))
    frame = frames.decode_frame(data)
    groups = [{"seq": group.seq, "events": [told(event) for event in group.events]}
              for group in frame.groups]
    return {**frame._asdict(), "groups": groups}


class Vectors(unittest.TestCase):
    def test_every_vector_says_what_its_value_says(self):
        for vector, data in vectors("commands", "requests", "events", "frames", "later"):
            with self.subTest(vector["name"]):
                self.assertEqual(decode(vector["kind"], data), vector["value"])

    def test_every_command_and_request_is_written_as_it_was_read(self):
        for vector, data in vectors("commands"):
            with self.subTest(vector["name"]):
                commands = frames.decode_commands(data)
                self.assertEqual(data, b"".join(frames.encode_command(*c) for c in commands))
        for vector, data in vectors("requests"):
            with self.subTest(vector["name"]):
                self.assertEqual(data, frames.encode_request(frames.decode_request(data)))

    def test_every_refused_vector_is_refused_as_it_says(self):
        errors = {"garbage": outcry.Garbage, "version": outcry.ForeignVersion}
        for vector, data in vectors("refused"):
            with self.subTest(vector["name"]), self.assertRaises(errors[vector["value"]]):
                decode(vector["kind"], data)

    def test_every_truncation_and_a_flip_of_every_byte_raises_nothing_else(self):
        rng = random.Random(1)
        for vector, data in vectors("commands", "requests", "events", "frames", "later"):
            damaged = [data[:size] for size in range(len(data))]
            for place in range(len(data)):
                flipped = bytearray(data)
                flipped[place] ^= rng.randint(1, 255)
                damaged.append(bytes(flipped))
            for bytes_now in damaged:
                try:
                    decode(vector["kind"], bytes_now)
                except FAULTS:
                    pass
                except AttributeError:  # an event nobody knows, which told() cannot tell
                    self.assertEqual(vector["kind"], "event")

    def test_frames_that_follow_each_other_lead_to_the_hashes_they_carry(self):
        for name in ("l3", "l2"):
            book = books.book_for(name)
            for vector, data in vectors("frames"):
                if not vector["name"].startswith(f"{name}_"):
                    continue
                frame = frames.decode_frame(data)
                for group in frame.groups:
                    for event in group.events:
                        book.apply(event)
                self.assertEqual(book.hash, frame.hash, vector["name"])
                total = sum(qty for _, qty in book.bids() + book.asks())
                self.assertEqual(total == 0, book.hash == 0)


def event(name, **fields):
    return catalog.MESSAGES[name].make(**fields)


class Books(unittest.TestCase):
    def test_books_hash_as_the_vectors_say(self):
        for vector, data in vectors("book_hashes"):
            rows = vector["value"]
            terms = sum(books.hash_term(*row) for row in rows) & catalog.U64_MAX
            self.assertEqual(terms.to_bytes(8, "big"), data, vector["name"])
            if vector["kind"] == "l2_hash":
                book = books.L2Book()
                for side, price, qty in rows:
                    book.apply(event("level", side=side, price=price, qty=qty))
            else:
                book = books.L3Book()
                for side, price, priority, order_id, qty in rows:
                    book.apply(event("add", order_id=order_id, side=side, price=price, qty=qty,
                                     priority=priority))
            self.assertEqual(book.hash, terms, vector["name"])

    def test_an_l3_book_kept_order_by_order_is_an_l2_book(self):
        rng = random.Random(2)
        l3, l2, open_orders = books.L3Book(), books.L2Book(), {}
        for number in range(1, 3000):
            if open_orders and rng.random() < 0.6:
                order_id = rng.choice(list(open_orders))
                side, price, qty = open_orders[order_id]
                name = rng.choice(["execute", "reduce", "delete"])
                taken = qty if name == "delete" else rng.randint(1, qty)
                fields = {} if name == "delete" else {"qty": taken}
                l3.apply(event(name, order_id=order_id, **fields))
                open_orders[order_id] = (side, price, qty - taken)
                if qty == taken:
                    del open_orders[order_id]
            else:
                side = rng.choice([1, 2])
                price, qty = rng.randint(-5, 5) + 20 * side, rng.randint(1, 9)
                l3.apply(event("add", order_id=number, side=side, price=price, qty=qty,
                               priority=number))
                open_orders[number] = (side, price, qty)
            level = sum(q for s, p, q in open_orders.values() if (s, p) == (side, price))
            l2.apply(event("level", side=side, price=price, qty=level))
            self.assertEqual((l3.bids(3), l3.asks()), (l2.bids(3), l2.asks()))
        again = sum(books.hash_term(s, p, q) for s, levels in ((1, l2.bids()), (2, l2.asks()))
                    for p, q in levels)
        self.assertEqual(l2.hash, again & catalog.U64_MAX)
        for order_id in list(open_orders):
            l3.apply(event("delete", order_id=order_id))
        self.assertEqual((l3.hash, l3.orders, l3.bids(), l3.asks()), (0, {}, [], []))

    def test_a_view_of_best_bid_and_offer_is_a_book_one_level_deep(self):
        view = books.book_for("bbo.A")
        self.assertEqual((view.bids(), view.asks()), ([], []))
        view.apply(event("bbo", bid_price=-3, bid_qty=2, ask_price=None, ask_qty=0))
        self.assertEqual((view.bids(1), view.asks(5)), ([(-3, 2)], []))
        view.apply(event("bbo", bid_price=None, bid_qty=0, ask_price=0, ask_qty=4))
        self.assertEqual((view.bids(), view.asks()), ([], [(0, 4)]))

    def test_a_tape_keeps_the_last_thousand_trades_and_counts_all(self):
        tape = books.book_for("trade.A")
        self.assertEqual((tape.hash, len(tape.recent), tape.totals), (None, 0, None))
        self.assertEqual((tape.bids(), tape.asks(1)), ([], []))
        tape.apply(event("trade_totals", since_ns=0, since_seq=1, trade_count=0, qty_high=0,
                         qty_low=0, notional_high=0, notional_low=0, first_price=None,
                         last_price=None, high_price=None, low_price=None))
        for seq in range(1, 1002):
            tape.apply(event("trade", trade_id=seq, maker_order_id=1, taker_order_id=2,
                             price=-seq, qty=2, aggressor=0), seq, 1000 + seq)
            self.assertEqual(len(tape.recent), min(seq, 1000))
        self.assertEqual((tape.recent[0].seq, tape.recent[0].time_ns), (2, 1002))
        self.assertEqual(tape.recent[-1].trade_id, 1001)
        self.assertEqual(tape.totals, (0, 1, 1001, 2002, -1001 * 1002, -1, -1001, -1, -1001))

    def test_a_queue_lists_its_orders_oldest_first(self):
        book = books.L3Book()
        for order_id in (5, 3, 9):
            book.apply(event("add", order_id=order_id, side=1, price=10, qty=2, priority=order_id))
        book.apply(event("execute", order_id=5, qty=1))
        self.assertEqual([(o.order_id, o.qty) for o in book.queue(1, 10)], [(5, 1), (3, 2), (9, 2)])

    def test_what_cannot_be_is_refused(self):
        added = {"side": 1, "price": 10, "priority": 1}
        book = books.L3Book()
        book.apply(event("add", order_id=1, qty=5, **added))
        for name, fields in [("execute", {"order_id": 1, "qty": 6}),
                             ("reduce", {"order_id": 1, "qty": 0}),
                             ("execute", {"order_id": 2, "qty": 1}),
                             ("delete", {"order_id": 2}),
                             ("add", {"order_id": 1, "qty": 5, **added}),
                             ("add", {"order_id": 3, "qty": 0, **added}),
                             ("add", {"order_id": 3, "qty": 1, **added, "side": 3})]:
            with self.subTest(name, **fields), self.assertRaises(outcry.BookError):
                book.apply(event(name, **fields))
        for side, qty in [(1, -1), (0, 1), (3, 1)]:
            with self.assertRaises(outcry.BookError):
                books.L2Book().apply(event("level", side=side, price=1, qty=qty))


class Catalog(unittest.TestCase):
    def test_values_have_names_and_texts(self):
        self.assertEqual(catalog.number_of("side", "sell"), outcry.Side.SELL)
        self.assertEqual(catalog.text_of("time_in_force", outcry.TimeInForce.IOC), "IOC")
        self.assertEqual(catalog.text_of("reason", 4003), "POST_ONLY")
        self.assertEqual(catalog.text_of("side", 9), "9")
        with self.assertRaises(ValueError):
            catalog.number_of("side", "SELL")


if __name__ == "__main__":
    unittest.main()
