"""A publisher and a matcher that do what a test tells them to, over real sockets.

They speak through msgpack and catalog.json directly, not through the package they are to test.
Nothing runs by itself: `pump()` takes what came and answers it.
"""
import itertools
import json
import pathlib
import sys
import tempfile
import time

import msgpack
import zmq

PROTO = pathlib.Path(__file__).resolve().parents[3] / "proto"
sys.path.insert(0, str(PROTO / "python"))

CATALOG = json.loads((PROTO / "python/outcry/catalog.json").read_text(encoding="utf-8"))
TYPES = {message["name"]: message["type"] for message in CATALOG["messages"]}
NAMES = {number: name for name, number in TYPES.items()}
FIELDS = {message["name"]: [field["name"] for field in message["fields"]]
          for message in CATALOG["messages"]}
CODES = {reject["name"]: reject["code"] for reject in CATALOG["rejects"]}
VERSION = CATALOG["protocol_version"]
EVENTS, HEARTBEAT, REPLY = 1, 2, 3
MASK = 2**64 - 1
TIME_NS = 1767225600_000000000
sockets = tempfile.TemporaryDirectory()  # gone with the process
numbers = itertools.count(1)


def event(name, **fields):
    assert sorted(fields) == sorted(FIELDS[name]), (name, FIELDS[name])
    return [TYPES[name], *(fields[field] for field in FIELDS[name])]


def frame(topic, frame_type, epoch, prev_seq, seq, book_hash, groups):
    head = [VERSION, frame_type, epoch, prev_seq, seq, TIME_NS + seq, book_hash, groups]
    return topic.encode() + b"\0" + msgpack.packb(head)


def mix(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def l2_hash(levels):
    total = 0
    for (side, price), qty in levels.items():
        z = mix(0x9E3779B97F4A7C15 + side & MASK)
        total += mix(mix(z + price & MASK) + qty & MASK)
    return total & MASK


def addresses(count, transport="inproc"):
    return [f"ipc://{sockets.name}/{next(numbers)}" if transport == "ipc"
            else f"inproc://test-{next(numbers)}" for _ in range(count)]


def until(condition, *pumps, seconds=5.0):
    """Pump until the condition gives something true, which is returned."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for pump in pumps:
            pump()
        found = condition()
        if found:
            return found
    raise AssertionError("it did not happen")


class Topic:
    """An `l2.` topic's history and state."""

    def __init__(self):
        self.last_seq = 0
        self.frames = []  # (prev_seq, seq, bytes)
        self.levels = {}

    @property
    def hash(self):
        return l2_hash(self.levels)


class FakePublisher:
    """Market-data of one shard, which loses what it is told to lose."""

    def __init__(self, context, transport="inproc"):
        self.address, self.requests = addresses(2, transport)
        self.xpub = context.socket(zmq.XPUB)
        self.pull = context.socket(zmq.PULL)
        for option in (self.xpub, self.pull):
            option.setsockopt(zmq.LINGER, 0)
        self.xpub.bind(self.address)
        self.pull.bind(self.requests)
        self.epoch, self.seq, self.shard = 1, 0, 3
        self.topics = {}
        self.subscribed = set()
        self.asked = []  # (name, fields) of every request
        self.asked_at = []  # and when it came
        self.codes = []  # answers to give instead of an answer: names of reject codes
        self.never = set()  # topics that never catch up
        self.states = {}  # topic: the events of its snapshots, for topics without levels
        self.generous = False  # resends begin with the first frame there is
        self.lose_chunks = set()  # numbers of chunks to lose, once each
        self.silent = 0  # requests to leave unanswered
        self.chunk_size = 1000  # events a chunk of an answer

    def close(self):
        self.xpub.close()
        self.pull.close()

    # ---- history ----

    def topic(self, name):
        return self.topics.setdefault(name, Topic())

    def put(self, name, *groups, lose=False, wrong_hash=False, prev_seq=None):
        """A frame of `level` events; each group is a dict {(side, price): qty} or None for a
        command that did not concern the topic."""
        topic = self.topic(name)
        told = []
        for group in groups:
            self.seq += 1
            if group is None:
                continue
            for key, qty in group.items():
                topic.levels.pop(key, None)
                if qty:
                    topic.levels[key] = qty
            told.append([self.seq, [event("level", side=side, price=price, qty=qty)
                                    for (side, price), qty in group.items()]])
        data = frame(name, EVENTS, self.epoch, topic.last_seq if prev_seq is None else prev_seq,
                     told[-1][0], topic.hash ^ wrong_hash, told)
        topic.frames.append((topic.last_seq, told[-1][0], data))
        topic.last_seq = told[-1][0]
        if not lose:
            self.xpub.send(data)
        return data

    def new_epoch(self):
        self.epoch += 1
        self.seq = 0
        self.topics = {name: Topic() for name in self.topics}

    def heartbeat(self, *names, wrong_hash=False, last_seq=None, seq=None):
        """A heartbeat that speaks of these topics."""
        events = [event("heartbeat", shard=self.shard, requests=self.requests, standing=1,
                        journal=1)]
        for name in names:
            topic = self.topic(name)
            events.append(event("position", topic=name, hash=topic.hash ^ wrong_hash,
                                last_seq=topic.last_seq if last_seq is None else last_seq))
        seq = self.seq if seq is None else seq
        self.xpub.send(frame("hb", HEARTBEAT, self.epoch, seq, seq, None, [[seq, events]]))

    # ---- answers ----

    def pump(self):
        while self.xpub.poll(0):
            message = self.xpub.recv()
            if message[0]:
                self.subscribed.add(message[1:])
        while self.pull.poll(1):
            version, number, *values = msgpack.unpackb(self.pull.recv())
            assert version == VERSION
            name = NAMES[number]
            fields = dict(zip(FIELDS[name], values))
            self.asked.append((name, fields))
            self.asked_at.append(time.monotonic())
            if self.silent:
                self.silent -= 1
            else:
                self.answer(name, fields)

    def answer(self, name, fields):
        topic = self.topic(fields["topic"])
        code = self.codes.pop(0) if self.codes else None
        if fields["topic"] in self.never:
            code = "NOT_CAUGHT_UP"
        if code is None and name == "resend" and fields["epoch"] != self.epoch:
            code = "EPOCH_CHANGED"
        if code is not None:
            self.reply(name, fields, 0, 0, None, [], CODES[code])
        elif name == "resend":
            wanted = [data for prev_seq, seq, data in topic.frames
                      if (seq > fields["after_seq"] or self.generous)
                      and prev_seq < fields["through_seq"]]
            self.reply(name, fields, self.epoch, topic.last_seq, None,
                       [event("resent", frame=data) for data in wanted])
        else:
            symbol = fields["topic"].split(".", 1)[1]
            events = [event("book_position", symbol=symbol, book_seq=topic.last_seq, bbo_seq=0,
                            trade_seq=0)]
            events += [event("level", side=side, price=price, qty=qty)
                       for (side, price), qty in topic.levels.items()]
            events += self.states.get(fields["topic"], [])
            self.reply(name, fields, self.epoch, self.seq, topic.hash, events)

    def reply(self, name, fields, epoch, seq, book_hash, events, code=0):
        size = self.chunk_size
        chunks = [events[i:i + size] for i in range(0, len(events), size)] or [[]]
        for number, chunk in enumerate(chunks):
            if number in self.lose_chunks:
                self.lose_chunks.remove(number)
                continue
            head = event("reply", request_id=fields["request_id"], request_type=TYPES[name],
                         code=code, chunk=number, last=number == len(chunks) - 1)
            self.xpub.send(frame(f"re.{fields['reply']}", REPLY, epoch, 0, seq, book_hash,
                                 [[seq, [head, *chunk]]]))


class FakeMatcher:
    """Admits an origin's commands as a matcher does, and loses what it is told to lose."""

    def __init__(self, context, window=4096):
        self.commands, self.private = addresses(2)
        self.pull = context.socket(zmq.PULL)
        self.xpub = context.socket(zmq.XPUB)
        for option in (self.xpub, self.pull):
            option.setsockopt(zmq.LINGER, 0)
        self.pull.bind(self.commands)
        self.xpub.bind(self.private)
        self.window = window
        self.subscribed = set()
        self.seq = 0
        self.next_seq = {}  # (origin, origin_epoch): the origin_seq waited for
        self.acked = {}
        self.done = []  # (origin_seq, name, fields) in the order they were sequenced
        self.results = {}
        self.lose_commands = set()  # numbers of arrivals, counted from 1
        self.lose_results = 0
        self.refuse = None  # name of the code every command is refused with, unsequenced
        self.arrivals = 0

    def close(self):
        self.pull.close()
        self.xpub.close()

    def pump(self):
        while self.xpub.poll(0):
            message = self.xpub.recv()
            if message[0]:
                self.subscribed.add(message[1:])
        while self.pull.poll(1):
            unpacker = msgpack.Unpacker()
            unpacker.feed(self.pull.recv())
            for command in unpacker:
                self.arrivals += 1
                if self.arrivals not in self.lose_commands:
                    self.take(command)

    def take(self, command):
        version, number, origin, epoch, origin_seq, acked, _, *values = command
        assert version == VERSION
        key = (origin, epoch)
        expected = self.next_seq.setdefault(key, 1)
        self.acked[key] = max(self.acked.get(key, 0), acked)
        if self.refuse is not None:
            self.result(origin, epoch, origin_seq, 0, CODES[self.refuse])
        elif origin_seq > expected:
            self.say(origin, event("origin_gap", origin_epoch=epoch, expected_seq=expected))
        elif origin_seq < expected:
            if origin_seq > self.acked[key]:
                self.result(origin, epoch, origin_seq, *self.results[key, origin_seq])
        elif origin_seq - self.acked[key] > self.window:
            self.result(origin, epoch, origin_seq, 0, CODES["ORIGIN_WINDOW_FULL"])
        else:
            self.seq += 1
            self.next_seq[key] += 1
            fields = dict(zip(FIELDS[NAMES[number]], values))
            self.done.append((origin_seq, NAMES[number], fields))
            code = CODES["UNKNOWN_SYMBOL"] if fields.get("symbol") == "NONE" else 0
            self.results[key, origin_seq] = (self.seq, code)
            self.result(origin, epoch, origin_seq, self.seq, code)

    def result(self, origin, epoch, origin_seq, seq, code):
        if self.lose_results:
            self.lose_results -= 1
            return
        self.say(origin, event("result", origin_epoch=epoch, origin_seq=origin_seq, seq=seq,
                               code=code, order_id=seq, duplicate=False, count=0))

    def say(self, origin, told):
        self.xpub.send(frame(f"ack.{origin}", EVENTS, 1, 0, self.seq, None, [[self.seq, [told]]]))
