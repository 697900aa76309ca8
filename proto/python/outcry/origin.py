"""Origin: commands to one shard, each done once and in order, with its result.

PROTOCOL.md's "Exactly once", from the sender's side: commands are numbered 1, 2, 3, ... within a
session (the origin_epoch); what is not answered in time, or is missing at the matcher, is sent
again under its number, and the matcher answers a repeat with the first result. So a result is
certain, however often the command had to be sent.

A Session is that half without sockets; an Origin has two and waits for results.
"""
import collections
import time

import zmq

from . import catalog, endpoint, frames
from .errors import Garbage, HistoryLost, OriginRefused
from .keys import LOOK_S, Keys, Link

PATIENCE_S = 0.5  # without an answer, commands are sent again after this, then twice this, ...
PATIENCE_MAX_S = 8.0
GAP_PAUSE_S = 0.05  # a gap is told once for every command behind it, and closed once
WINDOW = 1000  # commands without a result at once; less than the shard's origin_window

Result = collections.namedtuple("Result", "ok reason origin_seq seq order_id duplicate count")


class Session:
    """The commands of one origin_epoch: numbered, kept until their result is there, sent again.

    send(message)   pushes bytes; False if that cannot be done now: they are repeated later
    counts          a Counter

    Its owner gives it the frames of `ack.<name>` and calls tick() when `due` says so."""

    def __init__(self, name, epoch, send, counts):
        self.name = name
        self.epoch = epoch
        self.counts = counts
        self.due = 0.0  # by time.monotonic(), while something is unanswered
        self._send = send
        self._sent_seq = 0
        self._unanswered = {}  # origin_seq: (body, deadline_ns), oldest first
        self._patience_s = PATIENCE_S
        self._gap_seq = None
        self._gap_until = 0.0

    def __len__(self):
        """How many commands have no result yet."""
        return len(self._unanswered)

    def __contains__(self, origin_seq):
        return origin_seq in self._unanswered

    def command(self, message, deadline_ns=0, **fields):
        """Send a command; its origin_seq, which its Result will carry."""
        body = catalog.MESSAGES[message].fill(fields)
        self._sent_seq += 1
        if not self._unanswered:
            self._progress()
        self._unanswered[self._sent_seq] = (body, deadline_ns)
        self._push(self._sent_seq)
        return self._sent_seq

    def tick(self):
        """Send again what has waited too long."""
        now = time.monotonic()
        if self._unanswered and now >= self.due:
            self._send_again(0)
            self._patience_s = min(2 * self._patience_s, PATIENCE_MAX_S)
            self.due = now + self._patience_s

    def take(self, frame):
        """The Results of a frame, in order. Raises OriginRefused or HistoryLost: the session is
        over."""
        for event in (event for group in frame.groups for event in group.events):
            if event.name == "result" and event.origin_epoch == self.epoch:
                yield from self._on_result(event)
            elif event.name == "origin_gap" and event.origin_epoch == self.epoch:
                self._on_gap(event.expected_seq)

    # ---- the parts ----

    @property
    def _first_unanswered(self):
        return next(iter(self._unanswered))

    def _progress(self):
        self._patience_s = PATIENCE_S
        self.due = time.monotonic() + self._patience_s

    def _push(self, origin_seq):
        body, deadline_ns = self._unanswered[origin_seq]
        acked_through = self._first_unanswered - 1
        envelope = catalog.ENVELOPE.make(self.name, self.epoch, origin_seq, acked_through,
                                         deadline_ns)
        if not self._send(frames.encode_command(envelope, body)):
            self.counts["unsent"] += 1  # it is sent again like one without an answer

    def _send_again(self, from_seq):
        for origin_seq in [seq for seq in self._unanswered if seq >= from_seq]:
            self.counts["repeats"] += 1
            self._push(origin_seq)

    def _on_result(self, event):
        if event.origin_seq not in self._unanswered:
            return  # a repeat of one we have
        name = catalog.text_of("reason", event.code) if event.code else ""
        if event.seq == 0:  # it was not sequenced, and is still to be done
            if event.code != catalog.Reason.ORIGIN_WINDOW_FULL:
                raise OriginRefused(f"{self.name}: {name}", event.code)
            return
        # Where the oldest result is lost, later ones must not put off asking for it again.
        if event.origin_seq == self._first_unanswered:
            self._progress()
        del self._unanswered[event.origin_seq]
        yield Result(event.code == 0, name, event.origin_seq, event.seq, event.order_id,
                     event.duplicate, event.count)

    def _on_gap(self, expected_seq):
        """The matcher waits for this one: what it needs is sent again, or lost for good."""
        now = time.monotonic()
        if not self._unanswered or expected_seq > self._sent_seq:
            return
        if expected_seq < self._first_unanswered:
            raise HistoryLost(f"the matcher expects {expected_seq} of {self.name}, "
                              f"which has results up to {self._first_unanswered - 1}")
        if expected_seq == self._gap_seq and now < self._gap_until:
            return
        self._gap_seq = expected_seq
        self._gap_until = now + GAP_PAUSE_S
        self._send_again(expected_seq)


class Origin:
    """Sends commands to a matcher under a name of its own.

        with Origin(commands, private, "me") as origin:
            result = origin.new_order(symbol="BTC-USD", account="A", side="buy", price=100, qty=5)
            print(result.ok, result.order_id, result.reason)

    commands_address    of the matcher's PULL for commands
    private_address     of its private PUB, where the results come
    name                1 to 32 of A-Z a-z 0-9 _ -, nobody else's
    epoch               of this session, more than that of any before; default: the time
    keys                where the cluster has keys: keys.py. Its name, or that and a dash, is then
                        what `name` begins with
    """

    def __init__(self, commands_address, private_address, name, epoch=None, context=None,
                 keys=None):
        context = context or zmq.Context.instance()
        keys = Keys.given(keys, "strategy")
        if keys is not None and not keys.owns(name):
            raise ValueError(f"name: found {name!r}, expected {keys.name!r} or "
                             f"'{keys.name}-...': commands are taken under no other with this key")
        self.name = name
        self.epoch = time.time_ns() if epoch is None else epoch
        self.counts = collections.Counter()
        self._session = Session(name, self.epoch, self._send, self.counts)
        self._results = collections.deque()
        self._push = context.socket(zmq.PUSH)
        self._sub = context.socket(zmq.SUB)
        for option, value in [(zmq.LINGER, 0), *endpoint.OPTIONS]:
            self._push.setsockopt(option, value)
            self._sub.setsockopt(option, value)
        self._push.setsockopt(zmq.SNDHWM, 2 * WINDOW)
        self._sub.setsockopt(zmq.RCVHWM, 0)
        self._sub.setsockopt(zmq.MAXMSGSIZE, endpoint.SIZE_MAX)
        self._sub.setsockopt(zmq.SUBSCRIBE, f"ack.{name}\0".encode())
        self._links = [Link(self._sub, private_address, keys, "matcher"),
                       Link(self._push, commands_address, keys, "matcher")]

    def close(self):
        for link in self._links:
            link.close()
        self._push.close()
        self._sub.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    # ---- one command and its result ----

    def new_order(self, symbol, account, side, qty, price=None, **options):
        """Place an order: a market order where price is None. Options: client_order_id, type,
        time_in_force, post_only, stp; and timeout, deadline_ns."""
        terms = {"client_order_id": "", "type": "limit" if price is not None else "market",
                 "time_in_force": "GTC", "post_only": False, "stp": "none", **options}
        return self.call("new_order", symbol=symbol, account=account, side=side, price=price,
                         qty=qty, **terms)

    def cancel_order(self, symbol, account, order_id=0, client_order_id="", **options):
        return self.call("cancel_order", symbol=symbol, account=account, order_id=order_id,
                         client_order_id=client_order_id, **options)

    def amend_order(self, symbol, account, order_id=0, client_order_id="", qty_is="open", qty=None,
                    price=None, **options):
        return self.call("amend_order", symbol=symbol, account=account, order_id=order_id,
                         client_order_id=client_order_id, qty_is=qty_is, qty=qty, price=price,
                         **options)

    def mass_cancel(self, account, symbol="", side=0, **options):
        return self.call("mass_cancel", symbol=symbol, account=account, side=side, **options)

    def call(self, message, timeout=30.0, **fields):
        """Send a command and wait for its result. TimeoutError says that it is unknown whether it
        was done: it is still being sent again while this Origin is used."""
        origin_seq = self.send(message, **fields)
        deadline = time.monotonic() + timeout
        while origin_seq in self._session:
            if not self._turn(deadline):
                raise TimeoutError(f"no result of command {origin_seq} within {timeout} s")
        index = next(i for i, result in enumerate(self._results)
                     if result.origin_seq == origin_seq)
        result = self._results[index]
        del self._results[index]
        return result

    # ---- many commands ----

    def send(self, message, deadline_ns=0, **fields):
        """Send a command; its origin_seq, which its Result will carry. Waits only while WINDOW
        commands are without a result."""
        while len(self._session) >= WINDOW:
            self._turn(None)
        return self._session.command(message, deadline_ns, **fields)

    def receive(self, timeout=None):
        """The next Result, in the order they came, or None after `timeout` seconds or when nothing
        is left to wait for."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._results and len(self._session) > 0:
            if not self._turn(deadline):
                return None
        return self._results.popleft() if self._results else None

    @property
    def unanswered(self):
        """How many commands have no result yet."""
        return len(self._session)

    # ---- the parts ----

    def _send(self, message):
        try:
            self._push.send(message, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def _turn(self, deadline):
        """Take one message or let time pass; False at the deadline."""
        self._session.tick()
        now = time.monotonic()
        due = self._session.due if len(self._session) > 0 else now + PATIENCE_MAX_S
        until = due if deadline is None else min(due, deadline)
        for link in self._links:
            link.tend()
            until = min(until, now + LOOK_S) if link.guarded else until
        if self._sub.poll(max(0, int((until - now) * 1000) + 1)):
            self._take(self._sub.recv())
            return True
        return deadline is None or time.monotonic() < deadline

    def _take(self, message):
        try:
            frame = frames.decode_frame(message)
        except Garbage:
            self.counts["garbage"] += 1
            return
        self._results.extend(self._session.take(frame))
