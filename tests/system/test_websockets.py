"""The gateway's WebSockets, with a step that only plays one (websocket_server.c): who does not read
is nobody else's concern, what clients send cannot hurt, and nothing is left when they are gone."""
import asyncio
import json
import selectors
import socket
import time
import urllib.error
import urllib.request

import websockets

from cluster import Process, clean_environment, equal, expect, main, until
from ports import free_port
from websocket_client import (BINARY, CLOSE, FINAL, PING, PONG, TEXT, Client, frame)

QUIET_S = 0.3
STALL_MS = 4000  # held up by one that is slow, others wait for the 5 s it has to go
PAUSE_S = 8  # civetweb's write has lost its patience twice by then: it looks every 2 s
DECLARED = 1 << 30
FLAT_BYTES = 16 << 20
TRADES, QUOTES = 1, 3  # enum channel
BBO = 1  # enum conflation
CLIENTS = 50
GARBAGE_FRAMES = 200


class Server:
    """websocket_server at work."""

    def __init__(self, test, options=(), **settings):
        self.test = test
        self.options = options
        self.settings = settings

    def __enter__(self):
        self.place = self.test.directory()
        directory = self.place.__enter__()
        config = directory / "cluster.cfg"
        config.write_text("symbols\n    BTC-USD\n        tick_size = 0.01\n    REFUSED\n"
                          "        tick_size = 0.01\n", encoding="ascii")
        settings = {f"OUTCRY_{name.upper()}": str(value) for name, value in self.settings.items()}
        self.port = free_port()
        program = self.test.bin / "websocket_server"
        self.process = Process(
            "websocket_server",
            [program, "--address", f"127.0.0.1:{self.port}", *map(str, self.options)], directory,
            clean_environment(OUTCRY_CONFIG=str(config), **settings))
        until(self._answers, "the server answers", watch=self.process.check)
        return self

    def _answers(self):
        try:
            return self.counts()
        except urllib.error.URLError:
            return None

    def __exit__(self, kind, value, trace):
        try:
            self.process.stop()
            self.process.check()
        finally:
            self.place.__exit__(kind, value, trace)

    def tell(self, what, **arguments):
        query = "&".join(f"{name}={value}" for name, value in arguments.items())
        url = f"http://127.0.0.1:{self.port}/{what}?{query}"
        with urllib.request.urlopen(url, timeout=60) as got:
            return json.load(got)

    def counts(self):
        return self.tell("counts")

    def count(self, name):
        return self.counts()[name]

    def open(self, path="/ws/trades/BTC-USD", **options):
        """A client that has its first messages."""
        client = Client(self.port, path, **options)
        equal(client.status, 101, f"status of an upgrade at {path}")
        equal(client.texts(2), [b'{"first":1}', b'{"first":2}'], "the first messages")
        return client

    def expect_flat(self, before, after=None, reserved=0):
        """Memory is what it was, but for what a sanitizer notes: tsan of each thread there was and
        of each byte touched, asan an eighth of all that was reserved, and what was freed lately."""
        program = (self.test.bin / "websocket_server").read_bytes()
        allowed = FLAT_BYTES
        if b"__tsan_init" in program:
            allowed *= 12
        elif b"__asan_init" in program:
            allowed += 2 * FLAT_BYTES + reserved // 8
        grown = (self.process.memory() if after is None else after) - before
        expect(grown < allowed, f"memory grew by {grown} bytes, of {allowed} it may")

    def until_empty(self):
        """Nobody is left, and the step was told of each as often as it was asked."""
        until(lambda: self.count("open") == 0, "all are gone", watch=self.process.check)
        until(lambda: self.count("subscribed") == self.count("unsubscribed"),
              "the step was told that all are gone", watch=self.process.check)


def seq_of(text):
    return json.loads(text)["seq"]


# ---- who does not read ----

def read_all(clients, count, stalls):
    """All of them, to so many messages each, in order; stalls: how long each message took."""
    selector = selectors.DefaultSelector()
    seen = {client: 0 for client in clients}
    for client in clients:
        client.socket.setblocking(True)
        selector.register(client.socket, selectors.EVENT_READ, client)
    deadline = time.monotonic() + 90
    while any(number < count for number in seen.values()):
        expect(time.monotonic() < deadline, lambda: f"not all came: {sorted(seen.values())}")
        for key, _ in selector.select(1):
            client = key.data
            for opcode, payload in client.frames(0):
                expect(opcode == TEXT, lambda: f"opcode {opcode}, code {client.code}")
                message = json.loads(payload)
                equal(message["seq"], seen[client] + 1, "the next sequence")
                seen[client] = message["seq"]
                stalls.append(time.monotonic_ns() - message["ns"])
            expect(not client.ended, "a client that reads was cut off")
    selector.close()


def one_that_stops_reading_holds_up_nobody_and_is_closed_4008(test):
    count = 2000
    with Server(test, websocket_queue_max=1024) as server:
        clients = [server.open() for _ in range(CLIENTS - 1)]
        slow = server.open(receive_buffer=4096)
        before = server.process.memory()
        server.tell("publish", channel=TRADES, count=count, size=2048, rate=500)
        stalls = []
        read_all(clients, count, stalls)
        worst_ms = max(stalls) / 1e6
        expect(worst_ms < STALL_MS, f"a message took {worst_ms:.0f} ms")
        equal(server.count("slow"), 1, "closed for being slow")
        server.expect_flat(before)
        # What it had already is in order and whole; then it is told why it ends.
        expected = 1
        for opcode, payload in slow.frames():
            if opcode == TEXT:
                equal(seq_of(payload), expected, "the next sequence of the slow one")
                expected += 1
        equal(slow.code, 4008, "close code of the slow one")
        expect(1 < expected <= count, f"the slow one had {expected - 1} messages")
        slow.send(frame(FINAL | CLOSE, b"\x03\xe8"))
        slow.until_ended()
        for client in clients:
            client.send(frame(FINAL | CLOSE, b"\x03\xe8"))
            equal(client.until_closed(), 1000, "the answer to a close frame")
        server.until_empty()


def one_that_never_reads_again_is_cut_after_its_grace(test):
    with Server(test, websocket_queue_max=16) as server:
        with server.open(receive_buffer=4096):
            server.tell("publish", channel=TRADES, count=2000, size=4096)
            until(lambda: server.count("slow") == 1, "it is found slow")
            start = time.monotonic()
            server.until_empty()
            took = time.monotonic() - start
            expect(3 < took < 9, f"it was cut after {took:.1f} s")


def one_that_pauses_loses_nothing(test):
    count = 1000
    with Server(test) as server, server.open(receive_buffer=4096) as client:
        server.tell("publish", channel=TRADES, count=count, size=4096)
        until(lambda: server.count("published") == count, "all is published")
        time.sleep(PAUSE_S)
        equal([seq_of(text) for text in client.texts(count)], list(range(1, count + 1)),
              "what was told meanwhile")
        equal((server.count("slow"), server.count("open")), (0, 1), "slow, and open")


def best_bid_and_offer_are_conflated_for_one_that_lags(test):
    count = 20000
    with Server(test, websocket_queue_max=128) as server:
        with server.open("/ws/quotes/BTC-USD", receive_buffer=4096) as client:
            server.tell("publish", channel=QUOTES, count=count, size=1024, conflation=BBO)
            until(lambda: server.count("published") == count, "all is published", 60)
            last, got = 0, 0
            while last < count:
                opcode, payload = client.read()
                equal(opcode, TEXT, "opcode")
                expect(seq_of(payload) > last, "the order of sequences")
                last, got = seq_of(payload), got + 1
            equal(server.count("conflated") + got, count, "conflated and received")
            equal(server.count("slow"), 0, "closed for being slow")


# ---- what clients send ----

BAD = [
    ("binary", frame(FINAL | BINARY, b"x"), 1003),
    ("not UTF-8", frame(FINAL | TEXT, b"a\xff"), 1007),
    ("not UTF-8, in pieces", frame(TEXT, b"a\xe2\x82") + frame(FINAL, b"("), 1007),
    ("a reserved bit", frame(FINAL | 0x40 | TEXT, b"x"), 1002),
    ("a reserved opcode", frame(FINAL | 3, b"x"), 1002),
    ("a reserved control opcode", frame(FINAL | 11, b"x"), 1002),
    ("a ping in pieces", frame(PING, b"x"), 1002),
    ("a ping that is too large", frame(FINAL | PING, b"x" * 126), 1002),
    ("going on from nothing", frame(FINAL, b"x"), 1002),
    ("a message within a message", frame(TEXT, b"x") + frame(FINAL | TEXT, b"x"), 1002),
    ("a close frame of one byte", frame(FINAL | CLOSE, b"\3"), 1002),
    ("a close code that is none", frame(FINAL | CLOSE, b"\x03\xed"), 1002),
    ("not masked", frame(FINAL | TEXT, b"x", mask=None), 1002),
    ("larger than 64 KiB", frame(FINAL | TEXT, b"x" * 65537), 1009),
    ("larger than 64 KiB, in pieces", frame(TEXT, b"x" * 40000) + frame(FINAL, b"x" * 25537), 1009),
    ("larger than 2 GiB, declared", frame(FINAL | TEXT, b"x" * 50, declared=1 << 40), 1009),
]


def what_is_not_rfc_6455_ends_the_connection_with_its_code(test):
    with Server(test) as server:
        for name, data, code in BAD:
            with server.open() as client:
                expect(client.send(data), f"{name}: could not be sent")
                found = [payload for opcode, payload in client.frames() if opcode == TEXT]
                equal(client.code, code, f"close code for {name}")
                expect(all(b"NOT_SUPPORTED" in text for text in found), f"{name}: {found}")
                client.send(frame(FINAL | CLOSE, code.to_bytes(2, "big")))
                client.until_ended()
        equal(server.count("bad"), len(BAD), "counted as bad")
        server.until_empty()


def what_is_rfc_6455_is_answered(test):
    with Server(test) as server, server.open() as client:
        client.send(frame(FINAL | TEXT, b"x" * 65536))
        answer = json.loads(client.texts(1)[0])
        equal((answer["type"], answer["error"]), ("error", "NOT_SUPPORTED"), "answer to a text")
        client.send(frame(TEXT, "\u20ac".encode()[:1]) + frame(FINAL | PING, b"between")
                    + frame(FINAL, "\u20ac".encode()[1:]))
        found = {client.read()[0], client.read()[0]}
        equal(found, {TEXT, PONG}, "answers to a ping within a message, and to the message")
        client.send(frame(FINAL | PING, b"p" * 125))
        equal(client.read(), (PONG, b"p" * 125), "answer to a ping")
        client.send(frame(FINAL | PONG, b"nobody asked"))
        equal(client.read(QUIET_S), None, "answer to a pong")
        for byte in frame(FINAL | TEXT, b"byte by byte"):
            client.send(bytes([byte]))
        equal(json.loads(client.texts(1)[0])["type"], "error", "answer to a slow text")
        client.send(frame(FINAL | CLOSE))
        equal(client.read(), (CLOSE, b""), "answer to a close frame that says nothing")
        client.until_ended()
        equal(server.count("bad"), 0, "counted as bad")


def a_frame_that_declares_a_gigabyte_is_cut_while_it_comes(test):
    with Server(test) as server, server.open() as other:
        before, most = server.process.memory(), 0
        sizes = (200_000, 8 << 20)
        for size in sizes:
            with server.open() as client:
                start = time.monotonic()
                head = frame(FINAL | TEXT, declared=DECLARED)
                client.send(head)
                piece, sent = b"x" * 65536, 0
                while sent < size and client.send(piece):
                    sent += len(piece)
                    most = max(most, server.process.memory())
                if size < 1 << 20:  # more than that may lose the close frame to the reset
                    equal(client.until_closed(), 1009, "close code of a huge frame")
                client.until_ended()
                took = time.monotonic() - start
                expect(took < 3, f"it took {took:.1f} s to end")
        until(lambda: server.count("open") == 1, "both are gone")
        server.expect_flat(before, most, len(sizes) * DECLARED)
        equal(server.count("bad"), 2, "counted as bad")
        server.tell("publish", channel=TRADES)
        equal(seq_of(other.texts(1)[0]), 1, "what another one gets")


def answer_ping(client):
    opcode, payload = client.read()
    equal(opcode, PING, "what a quiet channel sends")
    client.send(frame(FINAL | PONG, payload))


def one_that_never_answers_pings_is_closed(test):
    with Server(test, options=("--ping-ms", 100, "--pong-ms", 3000)) as server:
        with server.open() as silent, server.open() as lively:
            start = time.monotonic()
            while time.monotonic() < start + 1:
                answer_ping(lively)
            until(lambda: answer_ping(lively) or server.count("open") == 1, "one has ended")
            equal(server.count("silent"), 1, "for being silent")
            equal(silent.until_closed(), 1002, "close code of the silent one")
            silent.until_ended()


def clients_that_are_gone_leave_nothing(test):
    with Server(test) as server:
        half = server.open()
        half.socket.shutdown(socket.SHUT_WR)
        half.until_ended()
        middle = server.open()
        middle.send(frame(FINAL | TEXT, b"x" * 1000)[:500])
        middle.socket.close()
        reset = server.open()
        reset.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        reset.socket.close()
        huge = server.open()
        huge.send(frame(FINAL | TEXT, b"x" * 10, declared=1 << 30))
        huge.socket.close()
        for _ in range(test.count(100)):  # before, while and after they are attached
            Client(server.port, "/ws/trades/BTC-USD").socket.close()
        server.until_empty()


def clients_come_and_go_while_all_is_told(test):
    with Server(test) as server, server.open() as faithful:
        rounds, each = test.count(20), 300
        for _ in range(rounds):
            clients = [server.open() for _ in range(12)]
            server.tell("publish", channel=TRADES, count=each, size=200, rate=3000)
            for client in clients:
                test.random.choice((lambda one: one.socket.close(),
                                    lambda one: one.socket.shutdown(socket.SHUT_WR),
                                    lambda one: one.send(frame(FINAL | CLOSE)),
                                    lambda one: one.send(frame(FINAL | BINARY, b"x")),
                                    lambda one: one.texts(20)))(client)
                time.sleep(test.random.random() * 0.01)
            for client in clients:
                client.socket.close()
        equal([seq_of(text) for text in faithful.texts(rounds * each)],
              list(range(1, rounds * each + 1)), "what one that stays is told")
        faithful.send(frame(FINAL | CLOSE))
        server.until_empty()


def garbage_frames_end_at_most_their_own_connection(test):
    with Server(test) as server, server.open() as other:
        before = server.process.memory()
        for _ in range(GARBAGE_FRAMES):
            with server.open() as client:
                client.send(test.random.randbytes(test.random.choice((1, 2, 7, 20, 200, 3000))))
                if test.random.random() < 0.5:
                    client.read(0.01)
        server.expect_flat(before)
        until(lambda: server.count("open") == 1, "all but one are gone", 30)
        server.tell("publish", channel=TRADES)
        equal(seq_of(other.texts(1)[0]), 1, "what another one gets")


def a_flood_of_pings_and_texts_from_one_that_does_not_read_ends_it(test):
    with Server(test, websocket_queue_max=64) as server:
        before = server.process.memory()
        with server.open(receive_buffer=4096) as client:
            client.socket.settimeout(1)
            block = frame(FINAL | TEXT, b"x") * 500 + frame(FINAL | PING, b"y") * 500
            deadline = time.monotonic() + 60
            while server.count("slow") == 0:
                expect(time.monotonic() < deadline, "it went on for 60 s")
                client.send(block)
            server.expect_flat(before)
            server.until_empty()


# ---- upgrades ----

def paths_and_keys_are_checked(test):
    with Server(test) as server:
        for path, status in (("/ws/market-data/BTC-USD", 101), ("/ws/trades/BTC-USD", 101),
                             ("/ws/events/BTC-USD", 101), ("/ws/quotes/BTC-USD", 101),
                             ("/ws/trades/BTC-USD?x=1", 101), ("/ws/trades/ETH-USD", 404),
                             ("/ws/trades/", 404), ("/ws/trades", 404), ("/ws/trade/BTC-USD", 404),
                             ("/ws/tradesx/BTC-USD", 404), ("/ws/trades/BTC-USD/", 404),
                             ("/ws/trades/btc-usd", 404), ("/ws/", 404), ("/ws", 404),
                             ("/ws//BTC-USD", 404), ("/ws/trades/BTC-USD/x", 404)):
            with Client(server.port, path) as client:
                equal(client.status, status, f"status of {path}")
        for key in ("", "short", "x" * 23, "x" * 25, "x" * 5000):
            with Client(server.port, "/ws/trades/BTC-USD",
                        headers={"Sec-WebSocket-Key": key}) as client:
                equal(client.status, 400, f"status with a key of {len(key)}")
        with Client(server.port, "/ws/trades/BTC-USD",
                    headers={"Sec-WebSocket-Protocol": "other, outcry.v1"}) as client:
            expect(b"Sec-WebSocket-Protocol: outcry.v1" in client.head, "the protocol is not taken")
        with Client(server.port, "/ws/trades/BTC-USD",
                    headers={"Sec-WebSocket-Protocol": "other"}) as client:
            expect(b"Sec-WebSocket-Protocol" not in client.head, "any protocol is taken")
        with Client(server.port, "/ws/trades/REFUSED") as client:
            equal(client.until_closed(), 1013, "close code of what the step refuses")
        server.until_empty()


def as_many_are_served_as_are_set_up_for(test):
    with Server(test, websockets_max=4) as server:
        clients = [server.open() for _ in range(3)]
        clients.append(server.open())
        equal(server.count("open"), 4, "open")
        for _ in range(3):
            with Client(server.port, "/ws/trades/BTC-USD") as more:
                equal(more.status, 503, "status of one too many")
        equal(server.count("refused"), 3, "refused")
        clients.pop().socket.close()
        until(lambda: server.count("open") == 3, "one is gone")
        clients.append(server.open())
        server.tell("publish", channel=TRADES)
        for client in clients:
            equal(seq_of(client.texts(1)[0]), 1, "what each of them gets")
        with Client(server.port, "/ws/trades/BTC-USD") as more:
            equal(more.status, 503, "status of one too many, again")


def a_full_desk_loses_no_goodbye(test):
    with Server(test, options=("--desk-size", 65536)) as server:
        early = [server.open() for _ in range(8)]
        server.tell("hold", on=1)
        codes, waiting = [], []
        for _ in range(60):
            client = Client(server.port, "/ws/trades/BTC-USD")
            codes.append(client.read(0.05))
            waiting.append(client)
        expect(any(one is not None and one[0] == CLOSE and one[1][:2] == b"\x03\xf5"
                   for one in codes), "none was told to try again later")
        for client in early + waiting:
            client.socket.close()
        until(lambda: server.count("open") == 0, "all are gone")
        expect(server.count("subscribed") > server.count("unsubscribed"), "the step took them")
        server.tell("hold", on=0)
        server.until_empty()


def a_drain_says_1001_after_all_that_waits(test):
    with Server(test) as server:
        clients = [server.open() for _ in range(5)]
        server.tell("publish", channel=TRADES, count=100)
        until(lambda: server.count("published") == 100, "all is published")
        silent = clients[-1]
        start = time.monotonic()
        server.tell("drain", ms=700)
        took = time.monotonic() - start
        expect(0.6 < took < 2, f"the drain took {took:.2f} s, with one that does not answer")
        for client in clients:
            texts = [seq_of(payload) for opcode, payload in client.frames() if opcode == TEXT]
            equal(texts, list(range(1, 101)), "what came before the end")
            equal(client.code, 1001, "close code")
        silent.until_ended()
        with Client(server.port, "/ws/trades/BTC-USD") as late:
            equal(late.status, 503, "status of one that comes then")
        server.until_empty()


# ---- a client as people use them ----

async def use(server):
    url = f"ws://127.0.0.1:{server.port}/ws/trades/BTC-USD"
    async with websockets.connect(url, subprotocols=["outcry.v1"], ping_interval=0.2) as client:
        equal(client.subprotocol, "outcry.v1", "the protocol agreed on")
        equal([await client.recv(), await client.recv()], ['{"first":1}', '{"first":2}'], "first")
        await asyncio.get_running_loop().run_in_executor(
            None, lambda: server.tell("publish", channel=TRADES, count=1000, size=300))
        for seq in range(1, 1001):
            equal(seq_of(await asyncio.wait_for(client.recv(), 20)), seq, "the next sequence")
        await client.send("hello")
        equal(json.loads(await client.recv())["type"], "error", "answer to a text")
        await (await client.ping("are you there"))
        await asyncio.sleep(0.5)
    equal(client.close_code, 1000, "close code")


def a_common_client_is_served_well(test):
    with Server(test, options=("--ping-ms", 100, "--pong-ms", 3000)) as server:
        asyncio.run(use(server))
        server.until_empty()
        equal((server.count("bad"), server.count("silent")), (0, 0), "bad, silent")


if __name__ == "__main__":
    main(__doc__, [one_that_stops_reading_holds_up_nobody_and_is_closed_4008,
                   one_that_never_reads_again_is_cut_after_its_grace,
                   one_that_pauses_loses_nothing,
                   best_bid_and_offer_are_conflated_for_one_that_lags,
                   what_is_not_rfc_6455_ends_the_connection_with_its_code,
                   what_is_rfc_6455_is_answered,
                   a_frame_that_declares_a_gigabyte_is_cut_while_it_comes,
                   one_that_never_answers_pings_is_closed,
                   clients_that_are_gone_leave_nothing,
                   clients_come_and_go_while_all_is_told,
                   garbage_frames_end_at_most_their_own_connection,
                   a_flood_of_pings_and_texts_from_one_that_does_not_read_ends_it,
                   paths_and_keys_are_checked,
                   as_many_are_served_as_are_set_up_for,
                   a_full_desk_loses_no_goodbye,
                   a_drain_says_1001_after_all_that_waits,
                   a_common_client_is_served_well])
