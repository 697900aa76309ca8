"""An Origin against a matcher that loses commands and results."""
import time
import unittest

import zmq

from fakes import FakeMatcher, until

import outcry
from outcry import origin as origin_module


class OriginTest(unittest.TestCase):
    def setUp(self):
        self.context = zmq.Context()
        self.matcher = FakeMatcher(self.context)
        self.origin = self.new_origin()
        self.patience = origin_module.PATIENCE_S, origin_module.WINDOW

    def tearDown(self):
        origin_module.PATIENCE_S, origin_module.WINDOW = self.patience
        self.origin.close()
        self.matcher.close()
        self.context.destroy(linger=0)

    def new_origin(self, epoch=7, name="me"):
        origin = outcry.Origin(self.matcher.commands, self.matcher.private, name, epoch=epoch,
                               context=self.context)
        until(lambda: f"ack.{name}\0".encode() in self.matcher.subscribed, self.matcher.pump)
        return origin

    def send(self, count):
        return [self.origin.send("cancel_order", symbol="A", account="acct", order_id=number + 1,
                                 client_order_id="") for number in range(count)]

    def results(self, count):
        """That many results; the matcher works meanwhile."""
        found = []

        def take():
            self.matcher.pump()
            result = self.origin.receive(0.005)
            if result is not None:
                found.append(result)
            return len(found) == count
        until(take)
        return found

    def assert_each_done_once(self, count):
        self.assertEqual([done[0] for done in self.matcher.done], list(range(1, count + 1)))
        self.assertEqual(self.origin.unanswered, 0)

    def test_commands_are_done_in_order_and_answered(self):
        sent = self.send(20)
        results = self.results(20)
        self.assertEqual([result.origin_seq for result in results], sent)
        self.assertTrue(all(result.ok and result.reason == "" for result in results))
        self.assertEqual(self.origin.counts["repeats"], 0)
        self.assert_each_done_once(20)

    def test_a_refusal_says_why(self):
        self.origin.send("cancel_order", symbol="NONE", account="A", order_id=1,
                         client_order_id="")
        result, = self.results(1)
        self.assertEqual((result.ok, result.reason), (False, "UNKNOWN_SYMBOL"))

    def test_lost_commands_are_sent_again_when_the_matcher_finds_the_gap(self):
        self.matcher.lose_commands = {3, 4, 9}
        origin_module.PATIENCE_S = 60  # nothing is sent again for silence
        self.send(20)
        results = self.results(20)
        self.assertEqual([result.origin_seq for result in results], list(range(1, 21)))
        self.assert_each_done_once(20)
        # The matcher told of the gap once for each command behind it; each was sent but once more,
        # and once more yet for the second loss.
        self.assertLess(self.origin.counts["repeats"], 60)

    def test_a_lost_last_command_is_sent_again_after_a_silence(self):
        self.matcher.lose_commands = {20}
        self.send(20)
        self.results(20)
        self.assertEqual(self.origin.counts["repeats"], 1)
        self.assert_each_done_once(20)

    def test_lost_results_are_asked_for_by_sending_again(self):
        self.matcher.lose_results = 5
        self.send(10)
        results = self.results(10)
        self.assertEqual({result.origin_seq for result in results}, set(range(1, 11)))
        self.assert_each_done_once(10)

    def test_later_results_do_not_put_off_asking_for_a_lost_one(self):
        origin_module.PATIENCE_S = 0.05
        self.matcher.lose_results = 1
        self.send(1)
        self.origin.receive(0.001)
        seen = []

        def goes_on():
            self.send(1)
            self.matcher.pump()
            result = self.origin.receive(0.002)
            while result is not None:
                seen.append(result.origin_seq)
                result = self.origin.receive(0.001)
            return 1 in seen
        until(goes_on)
        self.assertIn(seen.index(1), range(500))

    def test_results_taken_are_acknowledged(self):
        self.send(5)
        self.results(5)
        self.send(1)
        self.results(1)
        self.assertEqual(self.matcher.acked["me", 7], 5)

    def test_a_full_window_at_the_matcher_only_delays(self):
        self.matcher.window = 4
        origin_module.PATIENCE_S = 0.05
        self.send(10)
        self.assertEqual(len(self.results(10)), 10)
        self.assert_each_done_once(10)

    def test_no_more_than_the_window_is_sent_without_results(self):
        origin_module.WINDOW = 8
        self.send(8)
        self.assertEqual(self.origin.unanswered, 8)
        until(lambda: len(self.matcher.done) == 8, self.matcher.pump)
        self.send(1)
        self.assertLessEqual(self.origin.unanswered, 8)

    def test_an_old_session_is_refused_loudly(self):
        self.matcher.refuse = "OLD_ORIGIN_EPOCH"
        self.send(1)
        with self.assertRaises(outcry.OriginRefused) as caught:
            self.results(1)
        self.assertEqual(caught.exception.code, outcry.Reason.OLD_ORIGIN_EPOCH)

    def test_a_matcher_that_lost_its_history_is_told_loudly(self):
        self.send(3)
        self.results(3)
        self.matcher.next_seq.clear()
        self.send(1)
        with self.assertRaises(outcry.HistoryLost):
            self.results(1)

    def test_another_sessions_results_are_not_ours(self):
        self.matcher.lose_commands = {1}
        self.send(1)
        until(lambda: self.matcher.arrivals == 1, self.matcher.pump)
        older = self.new_origin(epoch=6)
        older.send("mass_cancel", symbol="", account="A", side=0)
        until(lambda: self.matcher.done, self.matcher.pump)
        self.assertIsNone(self.origin.receive(0.02))
        self.assertEqual(self.results(1)[0].seq, 2)
        older.close()

    def test_a_result_told_twice_is_handed_out_once(self):
        origin_module.PATIENCE_S = 0.02
        self.send(3)
        until(lambda: len(self.matcher.done) == 3, self.matcher.pump)
        time.sleep(0.05)
        self.assertEqual(len(self.results(3)), 3)
        self.assertGreaterEqual(self.origin.counts["repeats"], 3)
        until(lambda: self.matcher.arrivals >= 6, self.matcher.pump)
        self.send(1)
        self.assertEqual([result.origin_seq for result in self.results(1)], [4])

    def test_a_call_without_a_result_is_a_timeout(self):
        self.matcher.lose_commands = set(range(1, 100))
        with self.assertRaises(TimeoutError):
            self.origin.cancel_order("A", "acct", order_id=1, timeout=0.05)
        self.assertEqual(self.origin.unanswered, 1)

    def test_an_order_has_the_usual_terms_unless_told(self):
        for options in ({"price": 100}, {}, {"price": 5, "time_in_force": "IOC", "stp": "reject"}):
            with self.assertRaises(TimeoutError):
                self.origin.new_order("A", "acct", "sell", 3, timeout=0.001, **options)
        until(lambda: len(self.matcher.done) == 3, self.matcher.pump)
        orders = [fields for _, _, fields in self.matcher.done]
        self.assertEqual([order["type"] for order in orders], [1, 2, 1])
        self.assertEqual([order["price"] for order in orders], [100, None, 5])
        self.assertEqual([order["time_in_force"] for order in orders], [1, 1, 2])
        self.assertEqual([order["stp"] for order in orders], [1, 1, 2])
        self.assertEqual({order["side"] for order in orders}, {2})

    def test_values_that_cannot_be_are_not_sent(self):
        for fields in ({"side": "up"}, {"qty": 2**63}, {"symbol": "S" * 17}, {"price": 1.5}):
            with self.assertRaises(ValueError):
                self.origin.new_order(**{"symbol": "A", "account": "B", "side": "buy", "qty": 1,
                                         **fields})
        self.assertEqual(self.origin.unanswered, 0)


if __name__ == "__main__":
    unittest.main()
