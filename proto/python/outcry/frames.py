"""The codec: frames, commands and requests from bytes, commands and requests to bytes.

Decoders raise Garbage or ForeignVersion and nothing else, whatever the bytes. What a later version
appends, and events nobody knows, are passed over. A message takes memory in proportion to its
size and to how deep it nests (msgpack's own limit), so bound the size: ZMQ_MAXMSGSIZE.
"""
import collections
import re

import msgpack

from . import catalog
from .errors import ForeignVersion, Garbage

Group = collections.namedtuple("Group", "seq events")
Frame = collections.namedtuple("Frame", "topic type epoch prev_seq seq time_ns hash groups")
Command = collections.namedtuple("Command", "envelope body")

_OPTIONS = {"use_list": False, "strict_map_key": False, "unicode_errors": "surrogateescape"}
_ORIGIN = re.compile("[A-Za-z0-9_-]*")
_FAULTS = (ValueError, TypeError, OverflowError, msgpack.UnpackException)


def _unpack(data):
    try:
        return msgpack.unpackb(data, **_OPTIONS)
    except _FAULTS as fault:
        raise Garbage(f"not msgpack: {fault}") from None


def _is_u64(value):
    return type(value) is int and 0 <= value <= catalog.U64_MAX


def _array(value, count_min, what):
    if not isinstance(value, tuple) or len(value) < count_min:
        raise Garbage(f"{what} is not an array of {count_min} or more")
    return value


def _check_version(parts):
    if not _is_u64(parts[0]):
        raise Garbage("no protocol version")
    if parts[0] != catalog.PROTOCOL_VERSION:
        raise ForeignVersion(f"protocol version {parts[0]}, not {catalog.PROTOCOL_VERSION}")


# ---- frames ----

def _event(value):
    values = _array(value, 1, "an event")
    if not _is_u64(values[0]):
        raise Garbage("an event without a type")
    message = catalog.MESSAGES_BY_TYPE.get(values[0])
    return None if message is None else message.take(values[1:])


def decode_event(value):
    """An event from bytes of its own; None if its type is not known."""
    return _event(_unpack(value))


def _group(value):
    parts = _array(value, 2, "a group")
    if not _is_u64(parts[0]):
        raise Garbage("a group without a sequence")
    events = (_event(event) for event in _array(parts[1], 0, "a group's events"))
    return Group(parts[0], [event for event in events if event is not None])


def topic_of(message):
    """The topic of a published message."""
    end = message.find(b"\0", 0, catalog.TOPIC_SIZE_MAX + 1)
    if end < 1:
        raise Garbage("a message without a topic")
    return message[:end].decode("utf-8", "surrogateescape")


def decode_frame(message):
    """A Frame from a published message: topic, NUL, payload."""
    topic = topic_of(message)
    if len(message) > catalog.FRAME_SIZE_MAX:
        raise Garbage(f"a frame of {len(message)} bytes")
    parts = _array(_unpack(memoryview(message)[message.index(b"\0") + 1:]), 1, "a frame")
    _check_version(parts)
    _array(parts, 8, "a frame")
    book_hash = parts[6]
    if not all(map(_is_u64, parts[1:6])) or not (book_hash is None or _is_u64(book_hash)):
        raise Garbage("a frame's head holds what it cannot")
    if parts[4] < parts[3]:
        raise Garbage("a frame that goes back")
    groups = [_group(group) for group in _array(parts[7], 0, "a frame's groups")]
    return Frame(topic, *parts[1:7], groups)


# ---- commands and requests ----

def _several(message):
    """The arrays that stand back to back in a message."""
    if not message:
        raise Garbage("an empty message")
    unpacker = msgpack.Unpacker(**_OPTIONS, max_buffer_size=len(message))
    unpacker.feed(message)
    try:
        while unpacker.tell() < len(message):
            yield unpacker.unpack()
    except _FAULTS as fault:
        raise Garbage(f"not msgpack: {fault}") from None


def _head(value):
    """The type, and what stands behind it."""
    parts = _array(value, 1, "a command")
    _check_version(parts)
    _array(parts, 2, "a command")
    if not _is_u64(parts[1]):
        raise Garbage("a command without a type")
    return catalog.MESSAGES_BY_TYPE.get(parts[1]), parts[2:]


def decode_commands(message):
    """All Commands of a message. Those a matcher would answer with MALFORMED or UNKNOWN_COMMAND are
    Garbage here."""
    commands = []
    for value in _several(message):
        kind, rest = _head(value)
        if kind is None or kind.class_name not in ("COMMAND", "INTERNAL"):
            raise Garbage("a command of an unknown type")
        envelope = catalog.ENVELOPE.take(rest)
        # Only what a matcher sequences for itself has no origin.
        if not (envelope.origin or kind.class_name == "INTERNAL"):
            raise Garbage("a command without an origin")
        if not _ORIGIN.fullmatch(envelope.origin):
            raise Garbage(f"no origin is {envelope.origin!r}")
        commands.append(Command(envelope, kind.take(rest[catalog.ENVELOPE.count:])))
    return commands


def decode_request(message):
    """The request a message holds."""
    kind, rest = _head(_unpack(message))
    if kind is None or kind.class_name != "REQUEST":
        raise Garbage("a request of an unknown type")
    return kind.take(rest)


def encode_command(envelope, body):
    """The bytes of a command: an ENVELOPE and a message, both as their namedtuples."""
    parts = [catalog.PROTOCOL_VERSION, body.type_number, *envelope, *body]
    return msgpack.packb(parts, use_bin_type=True, unicode_errors="surrogateescape")


def encode_request(body):
    """The bytes of a request."""
    parts = [catalog.PROTOCOL_VERSION, body.type_number, *body]
    return msgpack.packb(parts, use_bin_type=True, unicode_errors="surrogateescape")
