"""Runs a Strategy: its Host, sockets and a clock, in one loop.

Live, the clock is the wall's: the loop waits for what comes, or for the timer. In a back-test
(`outcry backtest --serve`) it is virtual: instead of waiting, the loop asks it to go on
(`advance`), and what happens comes with the time it happened at. All else is the same.

    live                                        in a back-test
    SUB private   acct. ack.                    one SUB   l3. acct. ack., in the order of things
    SUB public    l3.
    PUSH commands, PUSH requests                one PUSH for both, in the order of ours
"""
import collections
import contextlib
import signal
import socket
import threading
import time

import zmq

from . import endpoint
from .catalog import Reason
from . import keys as _keys
from .errors import HistoryLost, OriginRefused, OutcryError
from .origin import WINDOW, Session
from .strategy_host import Host
from .subscriber import Subscriber

STOP_S = 5.0  # what works must be known to be cancelled by then
SLOW_S = 5.0  # after this long without its book, it says what it waits for


class _Stop(Exception):
    """Told to end before there was anything to cancel."""


class Runner:
    """One strategy, from its first message to its last."""

    def __init__(self, strategy, commands, requests, private, public, virtual=False, context=None,
                 keys=None):
        self.strategy = strategy
        self._keys = _keys.Keys.given(keys, "strategy")
        self._origin = f"{self._keys.name}-{strategy.name}" if self._keys else strategy.name
        self.virtual = virtual
        self._context = context or zmq.Context.instance()
        self._addresses = {"commands": commands, "private": private, "public": public}
        self._epoch = time.time_ns()
        self._virtual_ns = 0
        self._over = self._asked = self._heard = False
        self._book_topic = f"l3.{strategy.symbol}"
        self._account_topic = f"acct.{strategy.account}"
        self._results = collections.deque()  # Results that wait for the account's events
        self._clearing = None  # origin_seq of our own mass cancel
        self._lost = self._closed = False
        self._signals = None
        self.host = Host(strategy, self._command, self._book, self._epoch // 1_000_000)
        strategy._host = self.host

    # ---- its sockets ----

    def _open(self):
        self._push = self._context.socket(zmq.PUSH)
        for option, value in [(zmq.LINGER, 200), *endpoint.OPTIONS]:
            self._push.setsockopt(option, value)
        self._push.setsockopt(zmq.SNDHWM, 2 * WINDOW)
        self._link = _keys.Link(self._push, self._addresses["commands"], self._keys, "matcher")
        counts = collections.Counter()
        self._session = Session(self._origin, self._epoch, self._send, counts)
        results = {f"ack.{self._origin}": self._on_ack}
        book = [self._book_topic] if self.strategy.follow_book else []
        if self.virtual:
            self._subscribers = [self._subscriber("private", [*book, self._account_topic],
                                                  others=results, push=self._push)]
        else:
            self._subscribers = [self._subscriber("private", [self._account_topic],
                                                  others=results)]
            if book:
                self._subscribers.append(self._subscriber("public", book))
        self._readers = {topic: reader for subscriber in self._subscribers
                         for topic, reader in subscriber.readers.items()}
        for reader in self._readers.values():
            reader.begin()
        self._poller = zmq.Poller()
        for subscriber in self._subscribers:
            self._poller.register(subscriber.socket, zmq.POLLIN)
        self._poller.register(self._signals, zmq.POLLIN)

    def _subscriber(self, address, topics, **options):
        return Subscriber(self._addresses[address], topics, context=self._context,
                          keys=self._keys, server="matcher", **options)

    def _close(self):
        for subscriber in self._subscribers:
            subscriber.close()
        self._link.close()
        self._push.close()

    def _send(self, message):
        try:
            self._push.send(message, 0 if self.virtual else zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def _command(self, message, deadline_ns, **fields):
        return self._session.command(message, deadline_ns, **fields)

    def _book(self):
        """The book, unless it is not known to be right; one with a gap is late, not wrong."""
        reader = self._readers.get(self._book_topic)
        return reader.book if reader is not None and reader.at is not None else None

    # ---- time ----

    def now(self):
        return self._virtual_ns if self.virtual else time.time_ns()

    def _heard_at(self, time_ns):
        self._virtual_ns = max(self._virtual_ns, time_ns)
        self._heard = True

    def _advance(self):
        """Let the virtual clock go on; the answer comes behind all that happens until then."""
        self._asked = True
        self._subscribers[0].ask("advance", self._on_advanced, wake_ns=self.host.wake_ns or 0)

    def _on_advanced(self, code, events):
        if code != 0 or not events:
            raise OutcryError(f"the back-test refused to go on: {Reason(code).name}")
        self._asked = False
        silent = self._over and not self._heard
        self._heard_at(events[0].time_ns)
        self._heard = False
        self._over = events[0].over
        self.host.time(self.now())
        if self._over:
            self.host.stop(self.now(), "the recording is over")
        if silent and not self.host.ended:
            raise OutcryError("the recording is over, and nothing more is heard of "
                              f"{len(self.host.working)} orders")

    def _due(self):
        """Milliseconds until there is something to do even if nothing comes."""
        dues = [subscriber.due for subscriber in self._subscribers]
        if len(self._session) > 0 and not self.virtual:
            dues.append(self._session.due)
        now = time.monotonic()
        if self.host.wake_ns is not None and not self.virtual:
            dues.append(now + (self.host.wake_ns - time.time_ns()) / 1e9)
        waits = [due - now for due in dues if due is not None]
        waits += [_keys.LOOK_S] if self._link.guarded else []
        return max(0, min([*waits, 1.0])) * 1000

    # ---- what comes ----

    def _on_update(self, update):
        self._heard_at(update.time_ns)
        if update.topic == self._book_topic:
            self.host.market(self.now(), update)
        elif update.kind == "snapshot":
            # At the start, an earlier life's orders, which are cancelled. Later: what happened in
            # between was not heard.
            if self.host.started:
                self._lose("events of its account were lost")
        else:
            for event in update.events:
                self.host.account(self.now(), event)

    def _on_ack(self, frame):
        if frame.time_ns:
            self._heard_at(frame.time_ns)
        try:
            self._results.extend(self._session.take(frame))
        except (OriginRefused, HistoryLost) as fault:
            self._closed = isinstance(fault, OriginRefused)
            self._lose(str(fault))
        self._tell_results()

    def _tell_results(self):
        """In order, each behind the events of the account that it follows from."""
        account = self._readers[self._account_topic]
        while self._results:
            result = self._results[0]
            if self.host.waits_for_event(result) and (account.at or 0) < result.seq:
                return
            self._results.popleft()
            if result.origin_seq == self._clearing:
                self._clearing = None
            else:
                self.host.result(self.now(), result)

    def _take_all(self):
        """All that is to be had without waiting."""
        self._link.tend()
        for subscriber in self._subscribers:
            try:
                for update in subscriber.updates():
                    self._on_update(update)
                    self._tell_results()
            except OutcryError as fault:
                if self.virtual:
                    raise
                self.strategy.log(str(fault))  # it joins again by itself

    def _take(self):
        """Whatever is there; then the clock, or what is due."""
        self._take_all()
        if not self.virtual:
            self._session.tick()
            self.host.time(self.now())
        elif self.host.started and not self.host.ended and not self._asked:
            self._advance()

    def _wait(self):
        for ready, _ in self._poller.poll(self._due()):
            if ready == self._signals.fileno():
                self._signals.recv(64)
                self._interrupt()

    def _until(self, done, seconds=None):
        """Go on until done(); False: not within so many seconds."""
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            self._take()
            if done():
                return True
            if end is not None and time.monotonic() >= end:
                return False
            self._wait()

    # ---- what ends it ----

    def _interrupt(self):
        if self.virtual or not self.host.started:
            raise _Stop()
        self.host.stop(self.now(), "it was told to stop")

    def _lose(self, words):
        """Nothing is known for sure any more. What it may have working is cancelled, unless another
        goes by our name now."""
        if self._lost:
            return
        self._lost = True
        self.strategy.log(words)
        self._results.clear()
        if not self._closed:
            self._epoch = max(time.time_ns(), self._epoch + 1)
            self._session = Session(self._origin, self._epoch, self._send, self._session.counts)
        self.host.lost(self.now())
        if not self._closed:
            self._clear()

    def _clear(self):
        """Cancel whatever works in the account, of an earlier life or of ours."""
        self._clearing = self._session.command("mass_cancel", symbol=self.strategy.symbol,
                                               account=self.strategy.account, side=0)

    # ---- its life ----

    def _join(self):
        """The book is there, and nothing of an earlier life works."""
        def joined():
            return all(reader.at is not None for reader in self._readers.values())
        if not self._until(joined, SLOW_S):
            self.strategy.log(f"it waits for {' and '.join(self._readers)} at "
                              f"{self._addresses['private']} and {self._addresses['public']}")
            self._until(joined)
        if not self.virtual:
            self._clear()
            self._until(lambda: self._clearing is None or self._closed)

    def _live(self):
        self._join()
        if not self._closed:
            self.host.start(self.now())
            self._until(lambda: self.host.ended or self.host.stopping)
            self._end()

    def _end(self):
        """Everything that works is cancelled."""
        if self.virtual:
            self._until(lambda: self.host.ended)
            return
        self.host.stop(self.now(), "")
        if not self._until(lambda: self.host.ended, STOP_S):
            self.strategy.log(f"{len(self.host.working)} orders are not known to be cancelled")
            self._lost = True
        elif not self._until(lambda: self._clearing is None, STOP_S):
            self.strategy.log(f"orders of {self.strategy.account} may still be working")

    def run(self):
        """Until it is done, or told to stop: 0, or 1 if something may be left working."""
        with self._handled_signals():
            self._open()
            try:
                self._live()
            except _Stop:
                return 1 if self.virtual else 0
            except BaseException:
                if not self.virtual and self.host.started and not self.host.ended:
                    self._end()
                raise
            finally:
                self._close()
        if self.host.why:
            self.strategy.log(self.host.why)
        return 1 if self._lost or self._closed else 0

    @contextlib.contextmanager
    def _handled_signals(self):
        """SIGINT and SIGTERM wake the loop, which looks for them when nothing else is being done.
        Only the main thread hears them."""
        self._signals, wakes = socket.socketpair()
        with self._signals, wakes:
            if threading.current_thread() is not threading.main_thread():
                yield
                return
            wakes.setblocking(False)
            before = signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
            handlers = {number: signal.signal(number, lambda *_: None)
                        for number in (signal.SIGINT, signal.SIGTERM)}
            try:
                yield
            finally:
                for number, handler in handlers.items():
                    signal.signal(number, handler)
                signal.set_wakeup_fd(before)
