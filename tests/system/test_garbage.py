"""Whatever is pushed into a PULL, the process counts it and goes on: random bytes, commands and
requests cut short, other protocol versions, several parts, messages of a megabyte."""
import time

import msgpack
import zmq

from cluster import equal, expect, main
import outcry
from outcry import catalog, frames
from outcry.errors import ForeignVersion, Garbage

SYMBOL = "BTC-USD"
MEGABYTE = 1 << 20  # catalog.FRAME_SIZE_MAX: the largest message that is taken in
COMMAND_MAX = 64 << 10
RANDOM_COUNT = 5000
BIG_COUNT = 20


class Pusher:
    """A PUSH that loses nothing: it waits for room."""

    def __init__(self, address):
        self.socket = zmq.Context.instance().socket(zmq.PUSH)
        self.socket.setsockopt(zmq.LINGER, 10_000)
        self.socket.setsockopt(zmq.SNDTIMEO, 30_000)
        self.socket.connect(address)
        self.sent = 0

    def push(self, *parts):
        self.socket.send_multipart(parts)
        self.sent += 1

    def close(self):
        self.socket.close()


def valid_command(number=1):
    envelope = catalog.ENVELOPE.make("garbage", 1, number, 0, 0)
    return frames.encode_command(envelope, catalog.MESSAGES["new_order"].fill(
        {"symbol": SYMBOL, "account": "A", "client_order_id": f"g{number}", "side": "buy",
         "type": "limit", "time_in_force": "GTC", "post_only": False, "stp": "none",
         "price": 100, "qty": 5}))


def valid_requests():
    common = {"reply": "0123456789abcdef" * 2, "request_id": 1, "topic": f"l3.{SYMBOL}"}
    yield frames.encode_request(catalog.MESSAGES["snapshot"].fill({**common, "min_seq": 0}))
    yield frames.encode_request(catalog.MESSAGES["resend"].fill(
        {**common, "epoch": 1, "after_seq": 0, "through_seq": 9}))


def a_followers_word():
    """What it says to its matcher: that it lives, and how far it has read."""
    return frames.encode_request(catalog.MESSAGES["following"].fill(
        dict.fromkeys(["epoch", "seq", "snapshot_seq"], 1)))


def garbage(test, decode):
    """Random messages the Python decoder does not accept either."""
    while True:
        size = test.random.choice([1, 2, 3, 8, 40, 200, 3000])
        message = bytearray(test.random.randbytes(size))
        if test.random.random() < 0.5:  # looks more like a message
            message[0] = test.random.choice([0x92, 0x97, 0x9f, 0xdc])
        if size > 1 and test.random.random() < 0.5:
            message[1] = catalog.PROTOCOL_VERSION
        try:
            decode(bytes(message))
        except (ForeignVersion, Garbage):
            yield bytes(message)


def foreign(test, message):
    """The message in another version of the protocol."""
    values = list(msgpack.unpackb(message, use_list=False))
    values[0] = test.random.choice([0, 2, 3, 127, 128, 65536, 2**64 - 1])
    return msgpack.packb(values)


def random_flips(test, message):
    """What this gives may be read or not: it only must not hurt."""
    flipped = bytearray(message)
    for _ in range(test.random.randrange(1, 4)):
        flipped[test.random.randrange(len(flipped))] = test.random.randrange(256)
    return bytes(flipped)


def big(test):
    """A megabyte: noise, nothing, arrays in arrays, one array that says it is long."""
    yield test.random.randbytes(MEGABYTE)
    yield bytes(MEGABYTE)
    yield b"\x91" * MEGABYTE
    yield b"\xdd\xff\xff\xff\xff" + b"\x01" * (MEGABYTE - 5)
    yield b"\xc6\xff\xff\xff\xff" + bytes(MEGABYTE - 5)


def flood(test, address, messages, decode):
    """Push everything bad at an address; how many messages, and how many of them are foreign for
    certain: noise may happen to be."""
    pusher = Pusher(address)
    noise = garbage(test, decode)
    for _ in range(test.count(RANDOM_COUNT)):
        pusher.push(next(noise))
    for message in messages:
        for size in range(len(message)):
            pusher.push(message[:size])
        for parts in ([message, b""], [b"", message], [message, message], [b"a"] * 100):
            pusher.push(*parts)
    for _ in range(max(1, test.count(BIG_COUNT) // 5)):
        for message in big(test):
            pusher.push(message)
    foreign_count = test.count(500)
    for _ in range(foreign_count):
        pusher.push(foreign(test, test.random.choice(messages)))
    pusher.close()
    return pusher.sent, foreign_count


def orders_are_answered(origin, count=20):
    for _ in range(count):
        result = origin.new_order(SYMBOL, "A", "buy", price=100, qty=1)
        expect(result.ok, f"a valid command was answered {result}")


def book_is_answered(cluster):
    """A reader joins, by requests to market-data."""
    with cluster.follow(f"l3.{SYMBOL}") as reader:
        return len(reader.readers[f"l3.{SYMBOL}"].book.orders)


def private_snapshot_is_answered(cluster):
    with outcry.Subscriber(cluster.address("private"), ["acct.A"]) as reader:
        return cluster.until(lambda: reader.receive(0.02), "the private snapshot comes")


def unreadable_commands_are_counted_and_passed_over(test):
    with test.cluster({SYMBOL: {}}) as cluster:
        matcher = cluster.matchers[0]
        with outcry.Origin(cluster.address("commands"), cluster.address("private"), "me") as origin:
            orders_are_answered(origin)
            sent, foreign_count = flood(test, cluster.address("commands"), [valid_command()],
                                        frames.decode_commands)
            orders_are_answered(origin)
        equal(book_is_answered(cluster), 40, "orders in the book")
        cluster.until(lambda: counted(matcher, "garbage", "foreign") == sent,
                      "all of it is counted in the log")
        matcher.stop()
        last = matcher.facts("stopped")[-1]
        equal(last["garbage"] + last["foreign"], sent, "messages counted in the last log line")
        expect(foreign_count <= last["foreign"] < foreign_count + sent // 20,
               f"{foreign_count} foreign messages were sent: {last}")
        equal(last["seq"], 2 + 40, "commands sequenced: configure, add_symbol and the orders")


def counted(process, *names):
    """The sum of these counts, in the newest log line that has them."""
    lines = process.facts("unreadable_commands") + process.facts("unreadable_requests")
    return sum(lines[-1][name] for name in names) if lines else 0


def unreadable_requests_are_counted_and_passed_over(test):
    with test.cluster({SYMBOL: {}}) as cluster:
        requests = list(valid_requests())
        with outcry.Origin(cluster.address("commands"), cluster.address("private"), "me") as origin:
            orders_are_answered(origin)
            told = []
            for address in (cluster.address("requests"), cluster.address("market_data_requests")):
                pusher = Pusher(address)
                for request in (*requests, a_followers_word()):
                    pusher.push(request + b"\0")  # one a message, and nothing behind it
                pusher.close()
                told.append(pusher.sent +
                            flood(test, address, requests, frames.decode_request)[0])
            orders_are_answered(origin)
        equal(book_is_answered(cluster), 40, "orders in the book")
        equal(len(private_snapshot_is_answered(cluster).events), 40, "orders in the snapshot")
        processes = (cluster.matchers[0], cluster.market_data)
        for process, count in zip(processes, told):
            cluster.until(lambda: counted(process, "garbage") == count,
                          f"{process.name} counts its {count} unreadable requests in its log")
        for process, count in zip(reversed(processes), reversed(told)):
            process.stop()
            equal(process.facts("stopped")[-1]["requests_garbage"], count,
                  f"unreadable requests in the last line of {process.name}")


def commands_and_requests_with_flipped_bytes_do_no_harm(test):
    with test.cluster({SYMBOL: {}}) as cluster:
        with outcry.Origin(cluster.address("commands"), cluster.address("private"), "me") as origin:
            orders_are_answered(origin)
            for address, messages in [
                    (cluster.address("commands"), [valid_command(1), valid_command(2)]),
                    (cluster.address("requests"), list(valid_requests())),
                    (cluster.address("market_data_requests"), list(valid_requests()))]:
                pusher = Pusher(address)
                for _ in range(test.count(RANDOM_COUNT)):
                    pusher.push(random_flips(test, test.random.choice(messages)))
                pusher.close()
            orders_are_answered(origin)
        expect(book_is_answered(cluster) >= 40, "the orders are not in the book")


def a_message_beyond_the_limit_is_not_taken_in(test):
    """Its sender is cut off before memory is asked for; others do not notice."""
    with test.cluster({SYMBOL: {}}) as cluster:
        with outcry.Origin(cluster.address("commands"), cluster.address("private"), "me") as origin:
            orders_are_answered(origin)
            for what in ("commands", "requests", "market_data_requests"):
                pusher = Pusher(cluster.address(what))
                pusher.push(bytes(4 * MEGABYTE))
                pusher.push(b"\x91" * (MEGABYTE + 1))
                pusher.socket.setsockopt(zmq.LINGER, 0)
                deadline = time.monotonic() + 0.5  # it connects, is cut off, and so on
                while time.monotonic() < deadline:
                    orders_are_answered(origin, 1)
                pusher.close()
            orders_are_answered(origin)
        expect(book_is_answered(cluster) > 40, "the orders are not in the book")
        cluster.matchers[0].stop()
        equal(cluster.matchers[0].facts("stopped")[-1]["garbage"], 0, "garbage taken in")


if __name__ == "__main__":
    main(__doc__, [unreadable_commands_are_counted_and_passed_over,
                   unreadable_requests_are_counted_and_passed_over,
                   commands_and_requests_with_flipped_bytes_do_no_harm,
                   a_message_beyond_the_limit_is_not_taken_in])
