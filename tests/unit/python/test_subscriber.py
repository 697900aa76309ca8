"""A Subscriber against a publisher that loses, forgets, lies and starts anew."""
import unittest

import zmq

from fakes import FakePublisher, addresses, event, frame, until

import outcry
from outcry import subscriber as subscriber_module

L2 = "l2.BTC-USD"
BUY, SELL = 1, 2


class SubscriberTest(unittest.TestCase):
    transport = "inproc"

    def setUp(self):
        self.context = zmq.Context()
        self.publisher = FakePublisher(self.context, self.transport)
        self.subscribers = []

    def tearDown(self):
        for subscriber in self.subscribers:
            subscriber.close()
        self.publisher.close()
        self.context.destroy(linger=0)

    def subscribe(self, *topics):
        """A subscriber whose subscriptions the publisher has seen."""
        before = len(self.publisher.subscribed)
        subscriber = outcry.Subscriber(self.publisher.address, topics or [L2],
                                       context=self.context)
        self.subscribers.append(subscriber)
        wanted = len(topics or [L2]) + 1 + (before == 0)  # `hb` is seen once
        until(lambda: len(self.publisher.subscribed) >= before + wanted, self.publisher.pump)
        return subscriber

    def next(self, subscriber):
        """The next update; the publisher answers meanwhile."""
        return until(lambda: subscriber.receive(0.005), self.publisher.pump)

    def next_to(self, subscriber, seq):
        """Updates until the one of this sequence, its last."""
        updates = [self.next(subscriber)]
        while updates[-1].seq < seq:
            updates.append(self.next(subscriber))
        self.assertEqual(updates[-1].seq, seq)
        return updates

    def joined(self):
        """A subscriber that is live at 2, bid 100x5 and ask 103x1."""
        subscriber = self.subscribe()
        self.publisher.put(L2, {(BUY, 100): 5}, {(SELL, 103): 1})
        self.publisher.heartbeat(L2)
        update = self.next(subscriber)
        self.assertEqual((update.kind, update.seq), ("snapshot", 2))
        until(lambda: subscriber.receive(0.005) is None and subscriber.live)
        self.publisher.asked.clear()
        return subscriber

    def quiet(self, subscriber):
        """What comes while nothing is published: nothing."""
        for _ in range(5):
            self.publisher.pump()
            self.assertIsNone(subscriber.receive(0.005))


class Joining(SubscriberTest):
    def test_a_snapshot_as_new_as_what_was_heard_is_asked_for(self):
        self.publisher.put(L2, {(BUY, 100): 5}, {(SELL, 103): 1})
        subscriber = self.subscribe()
        self.publisher.put(L2, {(BUY, 101): 2})
        self.publisher.heartbeat()
        first = self.next(subscriber)
        self.assertEqual((first.kind, first.seq), ("snapshot", 3))
        self.assertEqual(first.book.bids(), [(101, 2), (100, 5)])
        self.assertEqual(self.publisher.asked[0][0], "snapshot")
        self.assertEqual(self.publisher.asked[0][1]["min_seq"], 2)
        self.quiet(subscriber)

    def test_frames_that_came_before_the_snapshot_are_applied_after_it(self):
        subscriber = self.subscribe()
        publisher = self.publisher
        publisher.put(L2, {(BUY, 100): 5})
        publisher.heartbeat()
        publisher.silent = 1
        until(lambda: publisher.asked, publisher.pump, lambda: subscriber.receive(0.005))
        old = publisher.topic(L2)
        levels, seq = dict(old.levels), publisher.seq
        publisher.put(L2, {(BUY, 100): 0}, {(BUY, 99): 4})
        now, old.levels, publisher.seq = old.levels, levels, seq
        publisher.answer(*publisher.asked[0])  # as of before the second frame
        old.levels, publisher.seq = now, 3
        kinds = [(u.kind, u.seq, u.book.bids()) for u in (self.next(subscriber),)]
        self.assertEqual(kinds, [("snapshot", 1, [(100, 5)])])
        updates = self.next_to(subscriber, 3)
        self.assertEqual([(u.kind, u.seq) for u in updates], [("events", 2), ("events", 3)])
        self.assertEqual(updates[-1].book.bids(), [(99, 4)])

    def test_a_frame_that_begins_before_the_snapshot_is_applied_in_part(self):
        subscriber = self.subscribe()
        publisher = self.publisher
        publisher.put(L2, {(BUY, 100): 5})
        publisher.heartbeat()
        publisher.silent = 1
        until(lambda: publisher.asked, publisher.pump, lambda: subscriber.receive(0.005))
        topic = publisher.topic(L2)
        publisher.put(L2, {(BUY, 100): 6}, {(BUY, 99): 4})  # 2 and 3 in one frame
        now, topic.levels, publisher.seq = topic.levels, {(BUY, 100): 6}, 2
        publisher.answer(*publisher.asked[0])  # as of 2
        topic.levels, publisher.seq = now, 3
        updates = self.next_to(subscriber, 3)
        self.assertEqual([(u.kind, u.seq) for u in updates], [("snapshot", 2), ("events", 3)])
        self.assertEqual(updates[-1].book.bids(), [(100, 6), (99, 4)])

    def test_a_silent_topic_is_joined_by_its_place_in_a_heartbeat(self):
        self.publisher.put(L2, {(BUY, 100): 5})
        subscriber = self.subscribe()
        self.quiet(subscriber)
        self.publisher.heartbeat(L2)
        self.assertEqual(self.next(subscriber).book.bids(), [(100, 5)])
        self.assertEqual(self.publisher.asked[0][1]["min_seq"], 1)

    def test_a_topic_without_history_is_joined_empty(self):
        subscriber = self.subscribe()
        self.publisher.heartbeat(L2)
        update = self.next(subscriber)
        self.assertEqual((update.seq, update.book.bids()), (0, []))

    def test_a_snapshot_in_many_chunks_is_one_update(self):
        self.publisher.put(L2, {(BUY, price): price for price in range(1, 300)})
        self.publisher.chunk_size = 7
        subscriber = self.subscribe()
        self.publisher.heartbeat(L2)
        update = self.next(subscriber)
        self.assertEqual(len(update.book.bids()), 299)
        self.assertEqual(update.book.position.symbol, "BTC-USD")

    def test_an_answer_that_lost_a_chunk_is_asked_for_again(self):
        self.publisher.put(L2, {(BUY, price): price for price in range(1, 30)})
        self.publisher.chunk_size = 7
        self.publisher.lose_chunks = {2}
        subscriber = self.subscribe()
        self.publisher.heartbeat(L2)
        self.assertEqual(len(self.next(subscriber).book.bids()), 29)
        self.assertEqual(subscriber.counts["mismatches"], 0)

    def test_a_request_without_an_answer_is_repeated(self):
        self.publisher.put(L2, {(BUY, 100): 5})
        self.publisher.silent = 2
        subscriber = self.subscribe()
        self.publisher.heartbeat(L2)
        self.assertEqual(self.next(subscriber).seq, 1)
        self.assertEqual(len(self.publisher.asked), 3)
        self.assertEqual(subscriber.counts["repeats"], 2)

    def test_an_answer_to_an_earlier_attempt_is_as_good(self):
        self.publisher.put(L2, {(BUY, 100): 5})
        self.publisher.silent = 1000
        subscriber = self.subscribe()
        self.publisher.heartbeat(L2)
        until(lambda: len(self.publisher.asked) == 2, self.publisher.pump,
              lambda: subscriber.receive(0.01))
        self.publisher.answer(*self.publisher.asked[0])
        self.assertEqual(self.next(subscriber).kind, "snapshot")

    def test_not_caught_up_is_asked_again_soon(self):
        self.publisher.codes = ["NOT_CAUGHT_UP", "NOT_CAUGHT_UP"]
        subscriber = self.subscribe()
        self.publisher.heartbeat(L2)
        self.assertEqual(self.next(subscriber).kind, "snapshot")
        self.assertEqual(len(self.publisher.asked), 3)

    def test_an_unknown_topic_is_an_error(self):
        self.publisher.codes = ["UNKNOWN_TOPIC"]
        subscriber = self.subscribe()
        self.publisher.heartbeat(L2)
        with self.assertRaises(outcry.RequestRefused) as caught:
            self.next(subscriber)
        self.assertEqual(caught.exception.code, outcry.Reason.UNKNOWN_TOPIC)

    def test_a_topic_that_never_catches_up_does_not_keep_others_from_joining(self):
        self.publisher.never = {"l2.NEVER"}
        subscriber = self.subscribe("l2.NEVER", L2, "l2.B")
        self.publisher.heartbeat("l2.NEVER", L2, "l2.B")
        self.assertEqual({self.next(subscriber).topic for _ in range(2)}, {L2, "l2.B"})
        self.assertFalse(subscriber.live)

    def test_several_topics_join_one_after_the_other(self):
        topics = [f"l2.S{n}" for n in range(5)]
        for price, topic in enumerate(topics, 1):
            self.publisher.put(topic, {(BUY, price): 1})
        subscriber = self.subscribe(*topics)
        self.publisher.heartbeat(*topics)
        joined = {self.next(subscriber).topic for _ in topics}
        self.assertEqual(joined, set(topics))
        self.assertTrue(subscriber.live)


class JoiningOverIpc(Joining):
    transport = "ipc"


class Reading(SubscriberTest):
    def test_each_group_is_an_update_with_the_book_as_it_then_was(self):
        subscriber = self.joined()
        self.publisher.put(L2, {(BUY, 101): 1}, None, {(BUY, 101): 0, (BUY, 100): 7})
        update = self.next(subscriber)
        self.assertEqual((update.seq, update.book.bids()), (3, [(101, 1), (100, 5)]))
        self.assertEqual(update.time_ns % 1000, 5)  # the frame's
        update = self.next(subscriber)
        self.assertEqual((update.seq, update.book.bids()), (5, [(100, 7)]))
        self.assertEqual([event.name for event in update.events], ["level", "level"])
        self.quiet(subscriber)

    def test_a_frame_twice_is_applied_once(self):
        subscriber = self.joined()
        data = self.publisher.put(L2, {(BUY, 101): 1})
        self.publisher.xpub.send(data)
        self.assertEqual(self.next(subscriber).seq, 3)
        self.quiet(subscriber)

    def test_a_subscriber_to_BTC_USD_never_gets_BTC_USDT(self):
        subscriber = self.joined()
        self.publisher.put("l2.BTC-USDT", {(BUY, 1): 1})
        self.publisher.put("l2.BTC", {(BUY, 1): 1})
        self.publisher.put(L2, {(BUY, 101): 1})
        self.assertEqual(self.next(subscriber).topic, L2)
        self.quiet(subscriber)
        self.assertEqual(subscriber.counts["unasked"], 0)
        self.assertIn(b"l2.BTC-USD\0", self.publisher.subscribed)

    def test_a_topic_without_a_state_has_no_book(self):
        topic = "acct.A"
        subscriber = self.subscribe(topic)
        self.publisher.xpub.send(frame(topic, 1, 1, 0, 1, None, [
            [1, [event("order_cancelled", order_id=1, qty=2, reason=3)]]]))
        self.publisher.heartbeat()
        update = self.next(subscriber)
        self.assertEqual((update.kind, update.seq, update.book), ("snapshot", 0, None))
        update = self.next(subscriber)
        self.assertEqual(update.events[0].qty, 2)
        self.assertIsNone(update.book)

    def test_trades_are_known_from_the_snapshot_and_added_to_as_they_come(self):
        topic = "trade.BTC-USD"
        trade = {"maker_order_id": 2, "taker_order_id": 3, "aggressor": SELL}
        self.publisher.seq = 7
        self.publisher.states[topic] = [
            event("trade_totals", since_ns=5, since_seq=4, trade_count=1002, qty_high=1, qty_low=0,
                  notional_high=-1, notional_low=2**64 - 9, first_price=1, last_price=2,
                  high_price=9, low_price=0),
            event("past_trade", seq=6, time_ns=66, trade_id=9, price=4, qty=5, **trade),
            event("past_trade", seq=7, time_ns=77, trade_id=10, price=2, qty=5, **trade)]
        subscriber = self.subscribe(topic)
        self.publisher.heartbeat(topic)
        update = self.next(subscriber)
        tape = update.book
        self.assertEqual([(t.seq, t.time_ns, t.price) for t in tape.recent],
                         [(6, 66, 4), (7, 77, 2)])
        self.assertEqual(tape.totals, (5, 4, 1002, 2**64, -9, 1, 2, 9, 0))
        self.publisher.xpub.send(frame(topic, 1, 1, 7, 11, None, [
            [8, [event("trade", trade_id=11, price=-1, qty=2, **trade)]],
            [11, [event("trade", trade_id=12, price=10, qty=1, **trade),
                  event("trade", trade_id=13, price=3, qty=1, **trade)]]]))
        self.assertEqual(self.next(subscriber).book.totals,
                         (5, 4, 1003, 2**64 + 2, -11, 1, -1, 9, -1))
        update = self.next(subscriber)
        self.assertIs(update.book, tape)
        self.assertEqual(tape.totals, (5, 4, 1005, 2**64 + 4, 2, 1, 3, 10, -1))
        self.assertEqual([(t.seq, t.time_ns, t.trade_id) for t in list(tape.recent)[2:]],
                         [(8, update.time_ns, 11), (11, update.time_ns, 12),
                          (11, update.time_ns, 13)])

    def test_the_iteration_ends_after_its_timeout(self):
        subscriber = self.joined()
        subscriber.timeout = 0.02
        self.publisher.put(L2, {(BUY, 101): 1}, {(BUY, 102): 1})
        self.assertEqual([update.seq for update in subscriber], [3, 4])
        self.publisher.put(L2, {(BUY, 101): 0})
        self.assertEqual([update.seq for update in subscriber], [5])

    def test_an_iteration_left_in_the_middle_of_a_frame_goes_on_there(self):
        subscriber = self.joined()
        subscriber.timeout = 0.02
        self.publisher.put(L2, {(BUY, 101): 1}, {(BUY, 102): 1})
        for update in subscriber:
            break
        self.assertEqual(update.seq, 3)
        self.assertEqual([update.seq for update in subscriber], [4])

    def test_garbage_is_counted_and_ignored(self):
        subscriber = self.joined()
        self.publisher.xpub.send(L2.encode() + b"\0garbage")
        self.publisher.put(L2, {(BUY, 101): 1})
        self.assertEqual(self.next(subscriber).seq, 3)
        self.assertEqual(subscriber.counts["garbage"], 1)

    def test_another_protocol_version_is_an_error(self):
        subscriber = self.joined()
        self.publisher.xpub.send(L2.encode() + b"\0\x92\x02\x01")
        with self.assertRaises(outcry.ForeignVersion):
            self.next(subscriber)


class Repairing(SubscriberTest):
    def test_a_missing_frame_is_asked_for_again(self):
        subscriber = self.joined()
        self.publisher.put(L2, {(BUY, 101): 1}, lose=True)
        self.publisher.put(L2, {(BUY, 102): 1})
        updates = self.next_to(subscriber, 4)
        self.assertEqual([(u.kind, u.seq) for u in updates], [("events", 3), ("events", 4)])
        name, fields = self.publisher.asked[0]
        self.assertEqual(name, "resend")
        self.assertEqual((fields["after_seq"], fields["through_seq"]), (2, 3))
        self.assertEqual(subscriber.counts["gaps"], 1)
        self.assertTrue(subscriber.live)

    def test_a_missing_last_frame_is_seen_by_the_heartbeat(self):
        subscriber = self.joined()
        self.publisher.put(L2, {(BUY, 101): 1}, lose=True)
        self.quiet(subscriber)
        self.publisher.heartbeat(L2)
        self.assertEqual(self.next(subscriber).seq, 3)
        self.assertEqual(self.publisher.asked[0][1]["through_seq"], 3)

    def test_what_is_too_old_is_replaced_by_a_snapshot(self):
        subscriber = self.joined()
        self.publisher.codes = ["TOO_OLD"]
        self.publisher.put(L2, {(BUY, 101): 1}, lose=True)
        self.publisher.put(L2, {(BUY, 102): 1})
        update = self.next(subscriber)
        self.assertEqual((update.kind, update.seq), ("snapshot", 4))
        self.assertEqual(update.book.bids(1), [(102, 1)])
        self.assertEqual([name for name, _ in self.publisher.asked], ["resend", "snapshot"])
        self.quiet(subscriber)
        self.assertTrue(subscriber.live)

    def test_an_answer_that_does_not_help_is_followed_by_a_snapshot(self):
        subscriber = self.joined()
        self.publisher.put(L2, {(BUY, 101): 1}, lose=True)
        self.publisher.topic(L2).frames.clear()
        self.publisher.put(L2, {(BUY, 102): 1})
        self.assertEqual(self.next(subscriber).kind, "snapshot")

    def test_an_answer_with_more_than_was_asked_for_is_applied_once(self):
        subscriber = self.joined()
        self.publisher.generous = True
        self.publisher.put(L2, {(BUY, 99): 1})
        self.publisher.put(L2, {(BUY, 101): 1}, lose=True)
        self.publisher.put(L2, {(BUY, 102): 1})
        self.assertEqual([u.seq for u in self.next_to(subscriber, 5)], [3, 4, 5])

    def test_a_gap_that_closes_by_itself_is_not_asked_for_any_more(self):
        subscriber = self.joined()
        self.publisher.silent = 1000
        lost = self.publisher.put(L2, {(BUY, 101): 1}, lose=True)
        self.publisher.heartbeat(L2)
        until(lambda: self.publisher.asked, self.publisher.pump, lambda: subscriber.receive(0.005))
        self.publisher.xpub.send(lost)
        self.assertEqual(self.next(subscriber).seq, 3)
        self.assertTrue(subscriber.live)
        self.assertIsNone(subscriber.receive(2 * subscriber_module.PATIENCE_S))
        self.publisher.pump()
        self.assertEqual(len(self.publisher.asked), 1)

    def test_gaps_behind_gaps_are_closed_one_by_one(self):
        subscriber = self.joined()
        for number in range(40):
            self.publisher.put(L2, {(BUY, 101): number + 1}, lose=number % 3 != 0)
        self.publisher.put(L2, {(SELL, 200): 1})
        updates = self.next_to(subscriber, 43)
        self.assertEqual([u.seq for u in updates], list(range(3, 44)))
        self.assertEqual({u.kind for u in updates}, {"events"})

    def test_frames_past_the_number_kept_are_asked_for_again(self):
        subscriber = self.joined()
        kept_max = outcry.reader.KEPT_MAX
        outcry.reader.KEPT_MAX = 10
        try:
            self.publisher.silent = 1
            self.publisher.put(L2, {(BUY, 101): 1}, lose=True)
            for number in range(35):
                self.publisher.put(L2, {(BUY, 101): number + 2})
            self.assertEqual([u.seq for u in self.next_to(subscriber, 38)], list(range(3, 39)))
        finally:
            outcry.reader.KEPT_MAX = kept_max
        self.assertGreater(subscriber.counts["overflows"], 0)


class NewEpochs(SubscriberTest):
    def test_a_frame_of_a_new_epoch_discards_the_state(self):
        subscriber = self.joined()
        self.publisher.new_epoch()
        self.publisher.put(L2, {(BUY, 50): 1})
        update = self.next(subscriber)
        self.assertEqual((update.kind, update.epoch, update.seq), ("snapshot", 2, 1))
        self.assertEqual((update.book.bids(), update.book.asks()), ([(50, 1)], []))
        self.assertEqual(subscriber.counts["epochs"], 1)

    def test_a_heartbeat_of_a_new_epoch_discards_the_state(self):
        subscriber = self.joined()
        self.publisher.new_epoch()
        self.publisher.heartbeat(L2)
        update = self.next(subscriber)
        self.assertEqual((update.kind, update.epoch, update.seq), ("snapshot", 2, 0))

    def test_frames_of_an_old_epoch_are_ignored(self):
        subscriber = self.joined()
        self.publisher.xpub.send(frame(L2, 1, 0, 2, 9, 7, [[9, []]]))
        self.publisher.put(L2, {(BUY, 101): 1})
        self.assertEqual(self.next(subscriber).seq, 3)
        self.assertEqual(subscriber.counts["old_frames"], 1)

    def test_a_resend_refused_for_its_epoch_ends_in_a_snapshot(self):
        subscriber = self.joined()
        self.publisher.put(L2, {(BUY, 101): 1}, lose=True)
        self.publisher.heartbeat(L2)
        self.publisher.new_epoch()
        update = self.next(subscriber)
        self.assertEqual((update.kind, update.epoch), ("snapshot", 2))


class Loudness(SubscriberTest):
    def assert_loud_and_joins_again(self, subscriber, error):
        with self.assertRaises(error):
            self.next(subscriber)
        self.publisher.heartbeat(L2)
        update = self.next(subscriber)
        self.assertEqual(update.kind, "snapshot")
        self.assertEqual(update.seq, self.publisher.seq)
        self.assertTrue(subscriber.live)

    def test_a_frame_whose_hash_differs_is_loud(self):
        subscriber = self.joined()
        self.publisher.put(L2, {(BUY, 101): 1}, wrong_hash=True)
        self.assert_loud_and_joins_again(subscriber, outcry.HashMismatch)
        self.assertEqual(subscriber.counts["mismatches"], 1)

    def test_the_last_group_is_not_handed_out_before_the_hash_is_compared(self):
        subscriber = self.joined()
        self.publisher.put(L2, {(BUY, 101): 1}, {(BUY, 102): 1}, wrong_hash=True)
        self.assertEqual(self.next(subscriber).seq, 3)
        with self.assertRaises(outcry.HashMismatch):
            self.next(subscriber)

    def test_a_heartbeat_whose_hash_differs_is_loud(self):
        subscriber = self.joined()
        self.publisher.heartbeat(L2, wrong_hash=True)
        self.assert_loud_and_joins_again(subscriber, outcry.HashMismatch)

    def test_a_snapshot_whose_hash_differs_is_loud(self):
        subscriber = self.subscribe()
        self.publisher.put(L2, {(BUY, 101): 1})
        topic = self.publisher.topic(L2)
        topic.levels[SELL, 7] = 0  # told, and hashed, but no book holds it
        self.publisher.heartbeat()
        with self.assertRaises(outcry.HashMismatch):
            self.next(subscriber)

    def test_a_frame_without_a_hash_is_loud(self):
        subscriber = self.joined()
        self.publisher.xpub.send(frame(L2, 1, 1, 2, 3, None, [[3, []]]))
        with self.assertRaises(outcry.HashMismatch):
            self.next(subscriber)

    def test_a_sequence_that_went_back_is_loud(self):
        subscriber = self.joined()
        self.publisher.put(L2, {(BUY, 101): 1})
        self.assertEqual(self.next(subscriber).seq, 3)
        self.publisher.heartbeat(L2, last_seq=2)
        self.assert_loud_and_joins_again(subscriber, outcry.SequenceWentBack)

    def test_a_shard_that_went_back_is_loud(self):
        subscriber = self.joined()
        self.publisher.heartbeat(L2, seq=1)
        self.assert_loud_and_joins_again(subscriber, outcry.SequenceWentBack)

    def test_an_order_that_cannot_be_is_loud(self):
        topic = "l3.BTC-USD"
        subscriber = self.subscribe(topic)
        self.publisher.heartbeat(topic)
        self.assertEqual(self.next(subscriber).kind, "snapshot")
        self.publisher.xpub.send(frame(topic, 1, 1, 0, 1, 0, [[1, [[68, 77]]]]))
        with self.assertRaises(outcry.HashMismatch):
            self.next(subscriber)


class Requests(SubscriberTest):
    def test_requests_go_where_the_last_heartbeat_says(self):
        subscriber = self.joined()
        old = self.publisher.pull
        self.publisher.requests, = addresses(1)
        self.publisher.pull = self.context.socket(zmq.PULL)
        self.publisher.pull.bind(self.publisher.requests)
        self.publisher.heartbeat(L2)
        self.publisher.put(L2, {(BUY, 101): 1}, lose=True)
        self.publisher.put(L2, {(BUY, 102): 1})
        self.assertEqual([u.seq for u in self.next_to(subscriber, 4)], [3, 4])
        self.assertFalse(old.poll(10))
        old.close()

    def test_patience_grows_with_every_silence(self):
        self.publisher.silent = 3
        subscriber = self.subscribe()
        self.publisher.heartbeat(L2)
        patience, subscriber_module.PATIENCE_S = subscriber_module.PATIENCE_S, 0.05
        try:
            self.next(subscriber)
        finally:
            subscriber_module.PATIENCE_S = patience
        self.assertGreater(self.publisher.asked_at[3] - self.publisher.asked_at[0],
                           0.2)  # 0.35 that grow, 0.15 that would not


if __name__ == "__main__":
    unittest.main()
