#!/usr/bin/python3
"""Make the test vectors: messages as bytes, beside what they say. README.md describes the files.

    make.py            write them
    make.py --check    say which differ from what is checked in, exit status 1

It packs with Debian's python3-msgpack and knows the messages from catalog.json only, so it shares
no code with the C codec that is tested against its output. The seed is fixed: the same tables give
the same vectors.
"""
import argparse
import json
import pathlib
import random
import sys

import msgpack

HERE = pathlib.Path(__file__).resolve().parent
CATALOG = json.loads((HERE / "../python/outcry/catalog.json").read_text(encoding="utf-8"))
VERSION = CATALOG["protocol_version"]
ENVELOPE = CATALOG["envelope"]["fields"]
MESSAGES = {message["name"]: message for message in CATALOG["messages"]}
SETS = {item["name"]: [value["number"] for value in item["values"]] for item in CATALOG["sets"]}
FRAME_TYPES = CATALOG["frame_types"]
SEED = 20120621
U64_MAX = 2**64 - 1
I64_MIN, I64_MAX = -2**63, 2**63 - 1
MASK = U64_MAX

# Both sides of each place where msgpack's shortest form changes.
UNSIGNED_EDGES = [0, 1, 127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, I64_MAX]
SIGNED_EDGES = [I64_MIN, -2**31 - 1, -2**31, -2**15 - 1, -2**15, -129, -128, -33, -32, -1]
SIGNED_EDGES += UNSIGNED_EDGES


# ---- values of each kind ----

def text_of_size(size):
    return "abcdefghijklmnopqrstuvwxyz0123456789"[:size].ljust(size, "Z")


def least(field):
    kind = field["kind"]
    if field["name"] == "origin":
        return "o"
    return {"text": "", "bytes": b"", "flag": False, "i64": I64_MIN,
            "i64_or_nil": None, "u64_or_nil": None}.get(kind, 0)


def most(field):
    kind, limit = field["kind"], field["limit"]
    if kind == "text":
        return text_of_size(limit)
    if kind == "bytes":
        return bytes(range(256)) + bytes(44)  # its limit is a whole frame; 300 need a bin 16
    if kind == "flag":
        return True
    if kind in ("i64", "i64_or_nil"):
        return I64_MAX
    return limit or U64_MAX


def small(field, number):
    kind = field["kind"]
    if kind == "text":
        return f"{field['name']}"[:field["limit"]]
    if kind == "bytes":
        return bytes([number])
    if kind == "flag":
        return number % 2 == 1
    if kind in SETS:
        return SETS[kind][number % len(SETS[kind])]
    return number + 1


def some(field, rng):
    kind, limit = field["kind"], field["limit"]
    if field["name"] == "origin":
        letters = "ABCabc012_-"
        return "".join(rng.choice(letters) for _ in range(rng.randint(1, limit)))
    if kind == "text":
        text = "".join(rng.choice("aZ9-_.:é€𝄞 \n\"\\") for _ in range(rng.randint(0, limit)))
        return text.encode()[:limit].decode(errors="ignore")
    if kind == "bytes":
        return rng.randbytes(rng.randint(0, 40))
    if kind == "flag":
        return rng.random() < 0.5
    if kind in SETS:
        return rng.choice(SETS[kind])
    if kind.endswith("_or_nil") and rng.random() < 0.3:
        return None
    value = rng.getrandbits(rng.randint(1, 63 if kind.startswith("i64") else 64))
    if kind.startswith("i64"):
        return value if rng.random() < 0.5 else -value
    return value % (limit + 1) if limit else value


def filled(fields, choose):
    return {field["name"]: choose(field, index) for index, field in enumerate(fields)}


def choices(rng):
    """(name, how to choose a field's value) of each vector a message has."""
    yield "small", small
    yield "least", lambda field, _: least(field)
    yield "most", lambda field, _: most(field)
    for number in range(3):
        yield f"random_{number + 1}", lambda field, _: some(field, rng)


# ---- packing ----

def packed(value):
    return msgpack.packb(value, use_bin_type=True)


def event(name, **fields):
    assert list(fields) == [field["name"] for field in MESSAGES[name]["fields"]], name
    return {"message": name, "fields": fields}


def event_array(value):
    return [MESSAGES[value["message"]]["type"], *value["fields"].values()]


def command_bytes(commands):
    return b"".join(
        packed([VERSION, MESSAGES[c["message"]]["type"], *c["envelope"].values(),
                *c["fields"].values()])
        for c in commands)


def request_bytes(request):
    return packed([VERSION, *event_array(request)])


def frame_array(frame):
    groups = [[group["seq"], [event_array(e) for e in group["events"]]]
              for group in frame["groups"]]
    return [VERSION, frame["type"], frame["epoch"], frame["prev_seq"], frame["seq"],
            frame["time_ns"], frame["hash"], groups]


def frame_bytes(frame):
    return frame["topic"].encode() + b"\0" + packed(frame_array(frame))


def jsonable(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [jsonable(item) for item in value]
    return value


def vector(name, kind, data, value):
    return {"name": name, "kind": kind, "hex": data.hex(), "value": jsonable(value)}


# ---- book hashes, as PROTOCOL.md defines them ----

def mix(z):
    z ^= z >> 30
    z = z * 0xBF58476D1CE4E5B9 & MASK
    z ^= z >> 27
    z = z * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def term(side, *numbers):
    z = mix(0x9E3779B97F4A7C15 + side & MASK)
    for number in numbers:
        z = mix(z + number & MASK)
    return z


def l2_hash(levels):
    return sum(term(side, price, qty) for side, price, qty in levels) & MASK


def l3_hash(orders):
    return sum(term(*order) for order in orders) & MASK


def hash_vectors():
    levels = [[1, 10000, 5], [1, 9999, 7], [2, 10002, 3]]
    queue = [[1, 10000, 11, 901, 2], [1, 10000, 12, 902, 3]]
    swapped = [[1, 10000, 12, 901, 2], [1, 10000, 11, 902, 3]]
    wide = [[1, I64_MIN, 1], [1, -1, I64_MAX], [2, 0, 1], [2, I64_MAX, I64_MAX]]
    for name, kind, rows, published in [
            ("empty", "l2_hash", [], "0000000000000000"),
            ("one_bid", "l2_hash", levels[:1], "dc115410d8eaa04c"),
            ("two_bids_and_an_ask", "l2_hash", levels, "cf79097d93089527"),
            ("an_ask_below_zero", "l2_hash", [[2, -5, 1]], "9090934a8374f6c6"),
            ("widest_prices", "l2_hash", wide, None),
            ("no_orders", "l3_hash", [], "0000000000000000"),
            ("a_queue_of_two", "l3_hash", queue, "ce89ca283906a8be"),
            ("priorities_swapped", "l3_hash", swapped, "8d3aa88995a9c0a8")]:
        data = (l2_hash if kind == "l2_hash" else l3_hash)(rows).to_bytes(8, "big")
        assert published in (None, data.hex()), name
        yield vector(name, kind, data, rows)


# ---- messages one by one ----

def command_vectors(rng):
    names = [m["name"] for m in CATALOG["messages"] if m["class"] in ("COMMAND", "INTERNAL")]
    everything = []
    for name in names:
        for choice, choose in choices(rng):
            command = {"message": name, "envelope": filled(ENVELOPE, choose),
                       "fields": filled(MESSAGES[name]["fields"], choose)}
            everything.append(command)
            yield vector(f"{name}_{choice}", "command", command_bytes([command]), [command])
    ours = {"message": "continue_work", "envelope": filled(ENVELOPE, lambda f, _: least(f)),
            "fields": {"waiting": 1}}
    ours["envelope"]["origin"] = ""
    yield vector("without_an_origin", "command", command_bytes([ours]), [ours])
    for count in (2, 3, 7):
        several = rng.sample(everything, count)
        yield vector(f"{count}_back_to_back", "command", command_bytes(several), several)


def request_vectors(rng):
    for message in CATALOG["messages"]:
        if message["class"] != "REQUEST":
            continue
        for choice, choose in choices(rng):
            request = {"message": message["name"], "fields": filled(message["fields"], choose)}
            yield vector(f"{message['name']}_{choice}", "request", request_bytes(request), request)


def event_vectors(rng):
    for message in CATALOG["messages"]:
        if message["class"] not in ("PUBLIC", "PRIVATE", "SERVICE"):
            continue
        for choice, choose in choices(rng):
            value = {"message": message["name"], "fields": filled(message["fields"], choose)}
            data = packed(event_array(value))
            yield vector(f"{message['name']}_{choice}", "event", data, value)
    for number in SIGNED_EDGES:
        value = event("level", side=1, price=number, qty=1)
        yield vector(f"integer_{number}", "event", packed(event_array(value)), value)
    value = event("bbo", bid_price=I64_MIN, bid_qty=1, ask_price=None, ask_qty=0)
    yield vector("lowest_price", "event", packed(event_array(value)), value)


# ---- frames ----

REPLY = "0123456789abcdef" * 2


def frame(topic, kind, prev_seq, seq, book_hash, groups):
    return {"topic": topic, "type": FRAME_TYPES[kind], "epoch": 1767225600, "prev_seq": prev_seq,
            "seq": seq, "time_ns": 1767225600_000000001, "hash": book_hash,
            "groups": [{"seq": group_seq, "events": events} for group_seq, events in groups]}


def reply_event(request, code=0, chunk=0, last=True):
    return event("reply", request_id=7, request_type=MESSAGES[request]["type"], code=code,
                 chunk=chunk, last=last)


def level(side, price, qty):
    return event("level", side=side, price=price, qty=qty)


def added(side, price, priority, order_id, qty):
    return event("add", order_id=order_id, side=side, price=price, qty=qty, priority=priority)


def history_frames():
    """A short history of one symbol, as `l3.`, `l2.`, `bbo.` and `trade.` tell it."""
    first = [1, 10000, 11, 901, 2]
    second = [1, 10000, 12, 902, 3]
    trade = event("trade", trade_id=31, maker_order_id=901, taker_order_id=903, price=10000,
                  qty=1, aggressor=2)
    rest = [1, 10000, 11, 901, 1]
    yield "l3_two_groups", frame("l3.BTC-USD", "events", 0, 4, l3_hash([first, second]), [
        (3, [added(*first)]), (4, [added(*second)])])
    yield "l3_a_trade", frame("l3.BTC-USD", "events", 4, 6, l3_hash([rest, second]), [
        (6, [trade, event("execute", order_id=901, qty=1)])])
    yield "l3_reduce_and_delete", frame("l3.BTC-USD", "events", 6, 9, l3_hash([[*second[:4], 2]]), [
        (8, [event("delete", order_id=901)]), (9, [event("reduce", order_id=902, qty=1)])])
    yield "l2_three_groups", frame("l2.BTC-USD", "events", 0, 6, l2_hash([[1, 10000, 4]]), [
        (3, [level(1, 10000, 2)]), (4, [level(1, 10000, 5)]), (6, [level(1, 10000, 4)])])
    yield "l2_two_groups", frame("l2.BTC-USD", "events", 6, 9, l2_hash([[1, 10000, 2]]), [
        (8, [level(1, 10000, 3)]), (9, [level(1, 10000, 2)])])
    yield "l2_the_book_empties", frame("l2.BTC-USD", "events", 9, 11, 0, [
        (11, [level(1, 10000, 0)])])
    bbo = event("bbo", bid_price=10000, bid_qty=5, ask_price=None, ask_qty=0)
    yield "bbo", frame("bbo.BTC-USD", "events", 3, 4, None, [(4, [bbo])])
    yield "trade", frame("trade.BTC-USD", "events", 0, 6, None, [(6, [trade])])


def service_frames():
    heartbeat = event("heartbeat", shard=3, requests="tcp://127.0.0.1:7003", standing=1, journal=1)
    yield "heartbeat_alone", frame("hb", "heartbeat", 5, 9, None, [(9, [heartbeat])])
    positions = [event("position", topic=topic, last_seq=seq, hash=book_hash)
                 for topic, seq, book_hash in [("l3.BTC-USD", 9, 0x8d3aa88995a9c0a8),
                                               ("trade.BTC-USD", 6, None),
                                               ("l2.ETH-USD", 0, 0)]]
    yield "heartbeat", frame("hb", "heartbeat", 5, 9, None, [(9, [heartbeat, *positions])])
    queue = [[1, 10000, 11, 901, 2], [1, 10000, 12, 902, 3]]
    marks = event("book_position", symbol="BTC-USD", book_seq=4, bbo_seq=3, trade_seq=0)
    yield "snapshot_l3", frame(f"re.{REPLY}", "reply", 0, 4, l3_hash(queue), [
        (4, [reply_event("snapshot"), marks, *(added(*order) for order in queue)])])
    yield "snapshot_l2_first_chunk", frame(f"re.{REPLY}", "reply", 0, 4, l2_hash([[1, 10000, 5]]), [
        (4, [reply_event("snapshot", last=False), marks])])
    yield "snapshot_l2_second_chunk", frame(
        f"re.{REPLY}", "reply", 0, 4, l2_hash([[1, 10000, 5]]),
        [(4, [reply_event("snapshot", chunk=1), level(1, 10000, 5)])])
    marks = event("book_position", symbol="BTC-USD", book_seq=6, bbo_seq=3, trade_seq=6)
    totals = event("trade_totals", since_ns=0, since_seq=1, trade_count=1, qty_high=0, qty_low=1,
                   notional_high=0, notional_low=10000, first_price=10000, last_price=10000,
                   high_price=10000, low_price=10000)
    past = event("past_trade", seq=6, time_ns=1767225600_000000001, trade_id=31,
                 maker_order_id=901, taker_order_id=903, price=10000, qty=1, aggressor=2)
    yield "snapshot_trade", frame(f"re.{REPLY}", "reply", 0, 6, None, [
        (6, [reply_event("snapshot"), marks, totals, past])])
    none = event("trade_totals", since_ns=1767225600_000000001, since_seq=7, trade_count=0,
                 qty_high=0, qty_low=0, notional_high=0, notional_low=0, first_price=None,
                 last_price=None, high_price=None, low_price=None)
    yield "snapshot_trade_none_seen", frame(f"re.{REPLY}", "reply", 0, 6, None, [
        (6, [reply_event("snapshot"), marks, none])])
    frames = [value for name, value in history_frames() if name.startswith("l2_")]
    yield "resend", frame(f"re.{REPLY}", "reply", 0, 11, None, [
        (11, [reply_event("resend"),
              *(event("resent", frame=frame_bytes(value)) for value in frames)])])
    yield "resend_too_old", frame(f"re.{REPLY}", "reply", 0, 0, None, [
        (0, [reply_event("resend", code=1005)])])
    result = event("result", origin_epoch=1, origin_seq=2, seq=12, code=4004, order_id=0,
                   duplicate=False, count=0)
    yield "ack", frame("ack.gateway-1", "events", 0, 12, None, [(12, [result])])
    yield "no_groups", frame("hb", "heartbeat", 0, 0, None, [])


def frame_vectors(rng):
    events = [message for message in CATALOG["messages"]
              if message["class"] in ("PUBLIC", "PRIVATE", "SERVICE")]

    def any_event(choose):
        message = rng.choice(events)
        return {"message": message["name"], "fields": filled(message["fields"], choose)}

    yield from history_frames()
    yield from service_frames()
    many = [(seq, [level(1, seq, 1)]) for seq in range(1, 21)]
    yield "20_groups", frame("l2.A", "events", 0, 20, l2_hash([[1, n, 1] for n in range(1, 21)]),
                             many)
    yield "20_events", frame("l2.A", "events", 0, 1, l2_hash([[1, n, 1] for n in range(1, 21)]),
                             [(1, [group[1][0] for group in many])])
    biggest = frame(text_of_size(63), "events", U64_MAX, U64_MAX, U64_MAX, [
        (U64_MAX, [any_event(lambda field, _: most(field))])])
    biggest.update(type=U64_MAX, epoch=U64_MAX, time_ns=U64_MAX)
    yield "greatest_values", biggest
    for number in range(3):
        sequences = sorted(rng.sample(range(100, 2**32), 4))
        yield f"random_{number + 1}", frame(
            "acct.A", "events", 99, sequences[-1], rng.getrandbits(64),
            [(seq, [any_event(lambda field, _: some(field, rng))
                    for _ in range(rng.randint(0, 4))]) for seq in sequences])


# ---- what a later version may add, and what must be refused ----

def later_vectors():
    """Decoded as their value says; what is new is passed over."""
    nested = {"new": [1, {"deep": [None, 2.5, msgpack.ExtType(5, b"x")]}]}
    command = {"message": "cancel_order", "envelope": filled(ENVELOPE, small),
               "fields": filled(MESSAGES["cancel_order"]["fields"], small)}
    array = [VERSION, 2, *command["envelope"].values(), *command["fields"].values()]
    yield vector("command_with_more_fields", "command",
                 packed([*array, nested, "x"]) + packed(array), [command, command])
    request = {"message": "snapshot", "fields": filled(MESSAGES["snapshot"]["fields"], small)}
    yield vector("request_with_more_fields", "request",
                 packed([VERSION, *event_array(request), nested]), request)
    value = level(1, 10000, 5)
    known = event_array(value)
    yield vector("event_with_more_fields", "event", packed([*known, nested]), value)

    said = frame("l2.A", "events", 0, 2, l2_hash([[1, 10000, 5]]), [(1, [value]), (2, [value])])
    array = frame_array(said)
    array[-1] = [[1, [[*known, nested]], nested], [2, [[9999, nested, 1], known], 5]]
    yield vector("frame_with_more_of_everything", "frame",
                 b"l2.A\0" + packed([*array, nested]), said)
    wide = b"\xdd\0\0\0\4\xcd\0\x45\xd3\0\0\0\0\0\0\0\1\xcf\0\0\0\0\0\0\x27\x10\xd0\5"
    yield vector("integers_in_longer_forms", "event", wide, value)


def refused_vectors():
    """Value: `garbage` (not readable) or `version` (of another protocol version)."""
    envelope = list(filled(ENVELOPE, small).values())
    cancel = list(filled(MESSAGES["cancel_order"]["fields"], small).values())
    foreign = VERSION + 1
    yield vector("foreign_command", "command", packed([foreign, 2, "what", "ever"]), "version")
    yield vector("foreign_request", "request", packed([foreign, 32, {}]), "version")
    yield vector("foreign_frame", "frame", b"hb\0" + packed([foreign, {"all": "else"}]), "version")
    for kind, data in [("command", b""), ("request", b""), ("frame", b"")]:
        yield vector(f"empty_{kind}", kind, data, "garbage")
    yield vector("command_is_a_map", "command", packed({1: 2}), "garbage")
    yield vector("command_without_an_envelope", "command", packed([VERSION, 2]), "garbage")
    yield vector("origin_with_a_space", "command",
                 packed([VERSION, 2, "a b", *envelope[1:], *cancel]), "garbage")
    yield vector("client_command_without_an_origin", "command",
                 packed([VERSION, 2, "", *envelope[1:], *cancel]), "garbage")
    yield vector("unknown_request", "request", packed([VERSION, 9999]), "garbage")
    head = [VERSION, 1, 1, 0, 1, 1, None]
    yield vector("frame_without_a_topic", "frame", b"\0" + packed([*head, []]), "garbage")
    yield vector("frame_without_a_nul", "frame", b"l2.A", "garbage")
    yield vector("frame_with_a_long_topic", "frame", b"a" * 64 + b"\0" + packed([*head, []]),
                 "garbage")
    yield vector("frame_with_bytes_behind", "frame", b"a\0" + packed([*head, []]) + b"\0",
                 "garbage")
    yield vector("frame_going_backwards", "frame",
                 b"a\0" + packed([VERSION, 1, 1, 2, 1, 1, None, []]), "garbage")
    yield vector("event_with_too_few_fields", "frame",
                 b"a\0" + packed([*head, [[1, [[69, 1, 10000]]]]]), "garbage")
    yield vector("event_without_a_type", "frame", b"a\0" + packed([*head, [[1, [[]]]]]), "garbage")
    yield vector("event_of_the_wrong_kind", "frame",
                 b"a\0" + packed([*head, [[1, [[69, 1, "10000", 5]]]]]), "garbage")
    yield vector("nested_too_deep", "frame",
                 b"a\0\x99" + packed(head)[1:] + b"\x90" + b"\x91" * 5000 + b"\x90", "garbage")
    yield vector("an_array_of_4_billion", "frame",
                 b"a\0\x98" + packed(head)[1:] + b"\xdd\xff\xff\xff\xff", "garbage")


def files():
    rng = random.Random(SEED)
    yield "commands.jsonl", command_vectors(rng)
    yield "requests.jsonl", request_vectors(rng)
    yield "events.jsonl", event_vectors(rng)
    yield "frames.jsonl", (vector(name, "frame", frame_bytes(value), value)
                           for name, value in frame_vectors(rng))
    yield "later.jsonl", later_vectors()
    yield "refused.jsonl", refused_vectors()
    yield "book_hashes.jsonl", hash_vectors()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="change nothing, compare")
    options = parser.parse_args()
    stale = 0
    for name, vectors in files():
        path = HERE / name
        text = "".join(json.dumps(item) + "\n" for item in vectors)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if options.check:
            print(f"{path} is not what make.py makes")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{path} written: {text.count(chr(10))} vectors")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
