"""The tables of the protocol, from catalog.json, which `outcry-catalog --json` writes from the same
tables the C code is made of.

Every message is a namedtuple class, with its name in the table as `name`:

    >>> MESSAGES["level"].make(side=1, price=10000, qty=5)
    Level(side=1, price=10000, qty=5)

Every set is an IntEnum: Side.BUY, TimeInForce.GTC, Reason.POST_ONLY (reject codes included).
"""
import collections
import enum
import json
import pathlib

from .errors import Garbage

_TABLES = json.loads((pathlib.Path(__file__).parent / "catalog.json").read_text(encoding="utf-8"))

PROTOCOL_VERSION = _TABLES["protocol_version"]
FRAME_EVENTS = _TABLES["frame_types"]["events"]
FRAME_HEARTBEAT = _TABLES["frame_types"]["heartbeat"]
FRAME_REPLY = _TABLES["frame_types"]["reply"]
FRAME_SIZE_MAX = _TABLES["frame_size_max"]
TOPIC_SIZE_MAX = _TABLES["topic_size_max"]
REPLY_SIZE = _TABLES["reply_size"]

U64_MAX = 2**64 - 1


def _camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def _sets():
    for table in _TABLES["sets"]:
        numbers = {value["name"]: value["number"] for value in table["values"]}
        if table["name"] == "reason":
            numbers.update({reject["name"]: reject["code"] for reject in _TABLES["rejects"]})
        yield table["name"], enum.IntEnum(_camel(table["name"]), numbers)


SETS = dict(_sets())
Side = SETS["side"]
OrderType = SETS["order_type"]
TimeInForce = SETS["time_in_force"]
Stp = SETS["stp"]
QtyIs = SETS["qty_is"]
OrderStatus = SETS["order_status"]
Reason = SETS["reason"]

_NUMBERS = {table["name"]: {value["text"]: value["number"] for value in table["values"]}
            for table in _TABLES["sets"]}
_NUMBERS["reason"].update({reject["name"]: reject["code"] for reject in _TABLES["rejects"]})
_TEXTS = {name: {number: text for text, number in numbers.items()}
          for name, numbers in _NUMBERS.items()}


def text_of(set_name, number):
    """"buy" for ("side", 1); the number as text where the set has no such value."""
    return _TEXTS[set_name].get(number, str(number))


def number_of(set_name, value):
    """1 for ("side", "buy"); numbers are handed through."""
    if isinstance(value, str):
        if value not in _NUMBERS[set_name]:
            raise ValueError(f"{set_name} has no value {value!r}, but {sorted(_NUMBERS[set_name])}")
        return _NUMBERS[set_name][value]
    return int(value)


def _check_of(kind, limit):
    """A function that says whether a value is of the kind."""
    def is_u64(value):
        return type(value) is int and 0 <= value <= (limit or U64_MAX)

    def is_i64(value):
        return type(value) is int and -2**63 <= value < 2**63

    checks = {
        "u64": is_u64,
        "i64": is_i64,
        "flag": lambda value: value is True or value is False,
        "text": lambda value: (isinstance(value, str)
                               and len(value.encode("utf-8", "surrogateescape")) <= limit),
        "bytes": lambda value: isinstance(value, bytes) and len(value) <= limit,
        "i64_or_nil": lambda value: value is None or is_i64(value),
        "u64_or_nil": lambda value: value is None or is_u64(value),
    }
    return checks.get(kind, is_u64)  # what is not in the list is a set


class Message:
    """One line of the message table (or the envelope), and its fields."""

    def __init__(self, table):
        fields = table["fields"]
        self.name = table["name"]
        self.type = table["type"]
        self.class_name = table["class"]
        self.kinds = {field["name"]: field["kind"] for field in fields}
        self.count = len(fields)
        self._checks = [_check_of(field["kind"], field["limit"]) for field in fields]
        base = collections.namedtuple(_camel(self.name), self.kinds)
        assert not hasattr(base, "name")  # no field may hide it
        self.make = type(_camel(self.name), (base,),
                         {"__slots__": (), "name": self.name, "type_number": self.type})

    def take(self, values):
        """A message from the values of its fields as they stood on the wire; those a later version
        appended are passed over."""
        if len(values) < self.count:
            raise Garbage(f"{self.name} has {len(values)} fields of {self.count}")
        for check, value in zip(self._checks, values):
            if not check(value):
                raise Garbage(f"{self.name} holds {value!r} where it cannot")
        return self.make._make(values[:self.count])

    def fill(self, fields):
        """A message from named values; values of sets may be given as texts."""
        for name, kind in self.kinds.items():
            if kind in SETS and name in fields:
                fields = {**fields, name: number_of(kind, fields[name])}
        message = self.make(**fields)
        for name, check in zip(self.kinds, self._checks):
            if not check(getattr(message, name)):
                raise ValueError(f"{self.name}.{name} cannot be {getattr(message, name)!r}")
        return message


ENVELOPE = Message({"name": "envelope", "type": 0, "class": "COMMAND", **_TABLES["envelope"]})
MESSAGES = {table["name"]: Message(table) for table in _TABLES["messages"]}
MESSAGES_BY_TYPE = {message.type: message for message in MESSAGES.values()}
