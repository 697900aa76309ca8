"""Subscriber: topics of one publisher, from any moment on, without a gap.

It owns the sockets and the clock; what a topic knows and wants is a TopicReader's to say. One
request of theirs is outstanding at a time. An answer to an earlier attempt is as good as one to
the last, so a slow publisher is never starved by our repeating; and as long as an answer is coming
in, nothing is repeated.
"""
import collections
import secrets
import time

import zmq

from . import catalog, endpoint, frames
from .errors import Garbage, OutcryError, RequestRefused
from .keys import LOOK_S as LINK_LOOK_S
from .keys import Keys, Link
from .reader import TopicReader

PATIENCE_S = 0.5  # without an answer, a request is repeated after this, then twice this, ...
PATIENCE_MAX_S = 8.0
NOT_YET_S = 0.05  # asked again after the answer "not yet"
LOOK_S = 0.005  # while messages flow, how often we look for requests to make
QUEUE_MAX = 100_000  # messages; past that ZeroMQ drops, and we ask for them again


class _Request:
    """The request outstanding: whose, what kind, and the answers as they come in, by attempt."""

    def __init__(self, reader, kind):
        self.reader = reader
        self.kind = kind
        self.chunks = {}  # request_id: frames of the answer so far
        self.patience_s = PATIENCE_S
        self.due = 0.0


class Subscriber:
    """Iterate it for Updates, or call receive(). `counts` tells what happened on the way.

    address     of the publisher's PUB socket
    topics      like "l2.BTC-USD"
    timeout     iteration ends after this many seconds without an update; None: never
    others      {topic: function}: topics without a chain (`ack.<origin>`), whose frames go there
    push        a PUSH socket for requests, its owner's; None: one of its own, to where heartbeats
                say
    keys        where the cluster has keys: keys.py
    server      whose publisher it is, for its key: market-data, or matcher

    In a loop of somebody else's: poll `socket`, call updates() when it is readable and when `due`
    says so.
    """

    def __init__(self, address, topics, timeout=None, context=None, others=None, push=None,
                 keys=None, server="market-data"):
        context = context or zmq.Context.instance()
        self._keys = Keys.given(keys, "subscriber")
        self._server = server
        self._links = {}  # by address
        self.timeout = timeout
        self.counts = collections.Counter()
        self.readers = {topic: TopicReader(topic, self.counts) for topic in topics}
        self._reply = secrets.token_hex(catalog.REPLY_SIZE // 2)
        self._others = others or {}
        self._requests_address = None
        self._next_id = 1
        self._request = None
        self._asked = {}  # request_id: the function its answer goes to
        self.due = None  # when updates() is wanted, by time.monotonic(); None: it is not
        self._pause_until = 0.0  # after an answer that did not help
        self._look_after = 0.0
        self._pending = iter(())  # updates of the message taken last
        self._owns_push = push is None
        self._push = context.socket(zmq.PUSH) if push is None else push
        self._sub = context.socket(zmq.SUB)
        for socket in [self._sub, self._push] if self._owns_push else [self._sub]:
            for option, value in [(zmq.LINGER, 0), *endpoint.OPTIONS]:
                socket.setsockopt(option, value)
        self._sub.setsockopt(zmq.RCVHWM, QUEUE_MAX)
        self._sub.setsockopt(zmq.MAXMSGSIZE, endpoint.SIZE_MAX)
        # The reply topic last: who has seen that subscribed has seen them all.
        self._connect(self._sub, address)
        for topic in [*self.readers, *self._others, "hb", f"re.{self._reply}"]:
            self._sub.setsockopt(zmq.SUBSCRIBE, topic.encode() + b"\0")

    def _connect(self, socket, address):
        self._links[address] = Link(socket, address, self._keys, self._server)

    def tend(self):
        """See to the connections; receive() does so by itself, updates() too."""
        for link in self._links.values():
            link.tend()

    @property
    def guarded(self):
        """Whether tend() is wanted every keys.LOOK_S."""
        return any(link.guarded for link in self._links.values())

    def close(self):
        for link in self._links.values():
            link.close()
        self._sub.close()
        if self._owns_push:
            self._push.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def __iter__(self):
        while True:
            update = self.receive(self.timeout)
            if update is None:
                return
            yield update

    @property
    def live(self):
        """Every topic has joined and none is in a gap."""
        return all(reader.live for reader in self.readers.values())

    def receive(self, timeout=None):
        """The next Update, or None after `timeout` seconds without one. Raises what went wrong with
        a topic; call it again to go on."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            update = next(self._pending, None)
            if update is not None:
                return update
            message = self._wait(deadline)
            if message is None:
                return None
            self._pending = self._take(message)

    # ---- in a loop of somebody else's ----

    @property
    def socket(self):
        """Readable when there is something for updates()."""
        return self._sub

    def updates(self):
        """The Updates that are to be had without waiting. Raises what went wrong with a topic; call
        it again to go on."""
        self.tend()
        while True:
            yield from self._pending
            try:
                message = self._sub.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            self._pending = self._take(message)
        self.due = self._ask(time.monotonic())

    def ask(self, message, answer, **fields):
        """Make a request of one's own, once, where a `push` was given. answer(code, events) is
        called with what comes."""
        request_id = self._next_id
        self._next_id += 1
        self._asked[request_id] = answer
        body = catalog.MESSAGES[message].fill(
            {"reply": self._reply, "request_id": request_id, **fields})
        self._push.send(frames.encode_request(body))

    def _wait(self, deadline):
        """The next message, or None at the deadline; asks for what is missing meanwhile."""
        while True:
            now = time.monotonic()
            if now < self._look_after:
                try:
                    return self._sub.recv(zmq.NOBLOCK)
                except zmq.Again:
                    pass
            self._look_after = now + LOOK_S
            self.tend()
            due = self._ask(now)
            limits = [limit - now for limit in (deadline, due) if limit is not None]
            limits += [LINK_LOOK_S] if self.guarded else []
            patience_ms = max(0, int(min(limits) * 1000) + 1) if limits else None
            if self._sub.poll(patience_ms):
                return self._sub.recv()
            if deadline is not None and time.monotonic() >= deadline:
                return None

    # ---- messages ----

    def _take(self, message):
        """The updates of one message."""
        try:
            frame = frames.decode_frame(message)
        except Garbage:
            self.counts["garbage"] += 1
            return
        reader = self.readers.get(frame.topic)
        if frame.type == catalog.FRAME_EVENTS and reader is not None:
            yield from reader.on_frame(frame)
        elif frame.type == catalog.FRAME_HEARTBEAT:
            self._on_heartbeat(frame)
        elif frame.type == catalog.FRAME_REPLY:
            yield from self._on_reply(frame)
        elif frame.topic in self._others:
            self._others[frame.topic](frame)
        else:
            self.counts["unasked"] += 1

    def _on_heartbeat(self, frame):
        faults = []
        for event in (event for group in frame.groups for event in group.events):
            if event.name == "heartbeat":
                self._connect_requests(event.requests)
            elif event.name == "position" and event.topic in self.readers:
                try:
                    self.readers[event.topic].on_position(frame.epoch, frame.seq, event)
                except OutcryError as fault:
                    faults.append(fault)
        if faults:
            raise faults[0]

    def _connect_requests(self, address):
        if address == self._requests_address or not self._owns_push:
            return
        if self._requests_address is not None:
            self._links.pop(self._requests_address).disconnect()
        self._connect(self._push, address)
        self._requests_address = address

    def _on_reply(self, frame):
        """One chunk of an answer."""
        request = self._request
        events = frame.groups[0].events if frame.groups else []
        if not events or events[0].name != "reply":
            self.counts["garbage"] += 1
            return
        reply = events[0]
        if reply.request_id in self._asked:
            self._asked.pop(reply.request_id)(reply.code, events[1:])
            return
        chunks = request.chunks.get(reply.request_id) if request else None
        if chunks is None or reply.chunk != len(chunks):
            self.counts["late_answers"] += 1
        elif reply.code != 0:
            self._on_refusal(request, reply.code)
        else:
            chunks.append(frame)
            request.due = time.monotonic() + request.patience_s
            if reply.last:
                self._request = None
                yield from self._on_answer(request, chunks)

    def _on_refusal(self, request, code):
        reason = catalog.Reason
        self._request = None
        if code == reason.NOT_CAUGHT_UP:
            self._pause_until = time.monotonic() + NOT_YET_S
        elif code == reason.TOO_OLD and request.kind == "resend":
            request.reader.on_too_old()
        elif code == reason.EPOCH_CHANGED:
            request.reader.on_epoch_changed()
        else:
            self._pause_until = time.monotonic() + PATIENCE_S
            name = catalog.text_of("reason", code)
            raise RequestRefused(f"{request.kind} of {request.reader.topic}: {name}", code)

    def _on_answer(self, request, chunks):
        """A whole answer. If it leaves the reader where it was, the next request waits a little."""
        reader, before = request.reader, request.reader.at
        events = [event for frame in chunks for event in frame.groups[0].events
                  if event.name != "reply"]
        try:
            if request.kind == "snapshot":
                yield from reader.on_snapshot(chunks[0], events)
            else:
                yield from reader.on_resent(self._resent(reader.topic, events))
        finally:
            if reader.at == before:
                self._pause_until = time.monotonic() + PATIENCE_S

    def _resent(self, topic, events):
        """The frames in an answer to a resend."""
        for event in events:
            try:
                frame = frames.decode_frame(event.frame) if event.name == "resent" else None
            except Garbage:
                frame = None
            if frame is None or frame.topic != topic or frame.type != catalog.FRAME_EVENTS:
                self.counts["garbage"] += 1
            else:
                yield frame

    # ---- requests ----

    def _ask(self, now):
        """Make the request that is due; when the next one will be, or None."""
        if self._requests_address is None and self._owns_push:
            return None  # a heartbeat will say where to
        request = self._request
        if request is not None and request.reader.wanted() is None:
            request = self._request = None
        if request is None:
            request = self._next_request()
            if request is None or now < self._pause_until:
                return self._pause_until if request else None
            self._request = request
        elif now >= request.due:
            self.counts["repeats"] += 1
            request.patience_s = min(2 * request.patience_s, PATIENCE_MAX_S)
        else:
            return request.due
        self._send(request, now)
        return request.due

    def _next_request(self):
        """For the readers that want something, in turn."""
        for topic, reader in self.readers.items():
            wanted = reader.wanted()
            if wanted is not None:
                self.readers[topic] = self.readers.pop(topic)  # the next time it comes last
                return _Request(reader, wanted[0])
        return None

    def _send(self, request, now):
        kind, fields = request.reader.wanted()
        if kind != request.kind:
            request.kind = kind
            request.chunks.clear()
        request.chunks[self._next_id] = []
        request.due = now + request.patience_s
        body = catalog.MESSAGES[kind].fill(
            {"reply": self._reply, "request_id": self._next_id, **fields})
        self._next_id += 1
        self.counts["requests"] += 1
        try:
            self._push.send(frames.encode_request(body), zmq.NOBLOCK)
        except zmq.Again:
            self.counts["unsent"] += 1  # it is repeated like one without an answer
