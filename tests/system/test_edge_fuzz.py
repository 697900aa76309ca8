"""Nonsense at the edge: thousands of HTTP requests and WebSocket frames, half right and wholly
wrong; the gateway answers each, or ends the connection, and goes on."""
import json
import os
import socket
import struct

from cluster import equal, expect, main, until
from rest import Rest

SYMBOLS = {"BTC-USD": {"tick_size": "0.01", "lot_size": "0.0001"}, "AAPL": {"shard": 1}}
REQUESTS = 6000
FRAMES = 4000  # together the 10,000 of the issue, at --scale 1
STATUS_LINES = {100, 200, 201, 202, 204, 400, 403, 404, 405, 408, 409, 411, 413, 414, 415, 421, 422,
                426,
                429, 431, 500, 501, 503, 504, 505}
WORDS = ["BTC-USD", "AAPL", "buy", "sell", "limit", "market", "fok", "stop", "GTC", "1", "100",
         "0", "-1", "1e3", "NaN", "99999999999999999999", "0.01", "", "x" * 5000, "\u00e4\u20ac",
         "null", "true", "a.b:c-d", "%00", "../..", "<script>", "\r\nX: y"]


def value(random, depth=0):
    kind = random.randrange(8 if depth < 3 else 5)
    if kind == 0:
        return random.choice([None, True, False])
    if kind == 1:
        return random.choice([0, 1, -1, 2**63, 10**30, 1.5, 1e300, -0.0])
    if kind in (2, 3, 4):
        return random.choice(WORDS)
    if kind == 5:
        return [value(random, depth + 1) for _ in range(random.randrange(4))]
    return {random.choice(WORDS): value(random, depth + 1) for _ in range(random.randrange(4))}


def body_of(random):
    """An order, with some of it replaced, cut or flipped."""
    order = {"symbol": "BTC-USD", "side": "buy", "type": "limit", "quantity": "1", "price": "100"}
    fields = [*order, "time_in_force", "post_only", "stp", "client_order_id", "account",
              "valid_until", "stop_price", "nonsense"]
    for _ in range(random.randrange(3)):
        order[random.choice(fields)] = value(random)
    text = json.dumps(order, ensure_ascii=random.random() < 0.5).encode()
    if random.random() < 0.3:
        at = random.randrange(len(text) + 1)
        odd = random.choice([b"", bytes([random.randrange(256)]), b"{", b"\x00", b"e3"])
        text = text[:at] + odd + text[at + random.randrange(3):]
    return text


def path_of(random):
    part = random.choice(["1", "client:a", "281474976710660", "BTC-USD", "NONE", "%ff", "a%2fb", "",
                          "x" * 300])
    path = random.choice(["/api/v1/orders", f"/api/v1/orders/{part}", f"/api/v1/orderbook/{part}",
                          f"/api/v1/trades/{part}", f"/stats/{part}", "/api/v1/time", "/health",
                          "/metrics", f"/ws/{part}", "/ws/trades/BTC-USD", "/", "*", "//", "/%"])
    names = ["account", "symbol", "limit", "cursor", "depth", "level", "min_at", "min_seq", "epoch",
             "side", "status", "zz"]
    query = "&".join(f"{random.choice(names)}={random.choice(WORDS[:20])}"
                     for _ in range(random.randrange(3)))
    query = query.replace(" ", "%20").replace("\r", "%0d").replace("\n", "%0a")
    return path + ("?" + query if query else "")


def request_of(random):
    body = body_of(random)
    method = random.choice(["GET", "POST", "POST", "POST", "PATCH", "DELETE", "PUT", "OPTIONS",
                            "get", "X" * 40])
    headers = ["Host: " + random.choice(["localhost"] * 6 + ["evil", "", "localhost:x"])]
    headers.append("Content-Type: " + random.choice(["application/json"] * 8 + ["text/plain", ""]))
    length = random.choice([str(len(body))] * 8 + ["0", "-1", "x", "5", str(len(body) + 7)])
    headers.append(random.choice([f"Content-Length: {length}"] * 9
                                 + ["Transfer-Encoding: chunked"]))
    path = path_of(random)
    if random.random() < 0.5:  # an order whose body alone is odd
        method, path = "POST", "/api/v1/orders"
        headers = ["Host: localhost", "Content-Type: application/json",
                   f"Content-Length: {len(body)}"]
    if random.random() < 0.1:
        headers.append(random.choice(["Origin: http://evil", "X-Request-Id: \x7f", "Upgrade: h2c",
                                      "Upgrade: websocket", "Expect: 100-continue",
                                      "Connection: close", "X-Forwarded-For: 1.2.3.4, ,",
                                      "A" * 3000 + ": b"]))
    head = f"{method} {path} HTTP/1.{random.choice('1111110')}\r\n"
    request = (head + "\r\n".join(headers) + "\r\n\r\n").encode("utf-8", "replace") + body
    if random.random() < 0.15:
        at = random.randrange(len(request))
        request = request[:at] + bytes([random.randrange(256)]) + request[at + 1:]
    return request


def answers_in(received):
    """The statuses of what came back; None if it is not HTTP."""
    statuses = []
    while received:
        head, separator, rest = received.partition(b"\r\n\r\n")
        if not separator or not head.startswith(b"HTTP/1.1 "):
            return None
        statuses.append(int(head[9:12]))
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line[15:])
        if statuses[-1] == 101:
            return statuses
        received = rest[length:]
    return statuses


def exchange(port, request):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
        peer.sendall(request)
        peer.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while more := peer.recv(65536):
                received += more
        except ConnectionResetError:
            pass
        return received


def any_http_request_is_answered_or_ended(test):
    with test.cluster(SYMBOLS, shards=2, gateways=1, settings={"answer_ms": 300}) as cluster:
        port = cluster.gateways[0].port
        rest = Rest(port)
        seen = {}
        for number in range(test.count(REQUESTS)):
            request = request_of(test.random)
            statuses = answers_in(exchange(port, request))
            expect(statuses is not None, f"an answer that is not HTTP to {request[:300]!r}")
            for status in statuses:
                seen[status] = seen.get(status, 0) + 1
                expect(status in STATUS_LINES or status == 101,
                       f"status {status} to {request[:300]!r}")
                expect(status != 500, f"a failure of the gateway at {request[:300]!r}")
            if number % 500 == 0:
                equal(rest.get("/api/v1/time").status, 200, "the service goes on")
                cluster.check()
        print("    " + " ".join(f"{status}:{count}" for status, count in sorted(seen.items())))
        expect({201, 400, 404, 415, 421, 422} <= set(seen), f"too few kinds of answers: {seen}")
        until(lambda: rest.place("BTC-USD", "buy", "1", "1").status == 201,
              "an order is answered in time, after all that")


def frame_of(random):
    """A client's frame, and what is wrong with it more often than not."""
    size = random.choice([0, 1, 5, 125, 126, 200, 4000, 70000])
    payload = random.choice([os.urandom, lambda n: b"a" * n, lambda n: b"{}" * (n // 2)])(size)
    first = random.choice([0x81, 0x82, 0x80, 0x01, 0x00, 0x88, 0x89, 0x8A, 0x83, 0x8F, 0xC1, 0x91,
                           0x09, 0x08])
    masked = 0x80 if random.random() < 0.9 else 0
    length = len(payload) if random.random() < 0.9 else random.choice([0, 125, 65535, 2**31, 2**63])
    if length < 126:
        head = struct.pack("!BB", first, masked | length)
    elif length < 65536:
        head = struct.pack("!BBH", first, masked | 126, length)
    else:
        head = struct.pack("!BBQ", first, masked | 127, length)
    mask = random.randbytes(4) if masked else b""
    if masked:
        beginning = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload[:4096]))
        payload = beginning + payload[4096:]
    return head + mask + payload


def any_websocket_frame_is_answered_or_ends_it(test):
    with test.cluster(SYMBOLS, shards=2, gateways=1) as cluster:
        port = cluster.gateways[0].port
        rest = Rest(port)
        hello = ("GET /ws/{}/BTC-USD HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        left = test.count(FRAMES)
        while left > 0:
            kind = test.random.choice(["market-data", "trades", "events", "quotes"])
            with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
                peer.sendall(hello.format(kind).encode())
                expect(b" 101 " in peer.recv(16), "an upgrade")
                for _ in range(test.random.randrange(1, 12)):
                    left -= 1
                    try:
                        peer.sendall(frame_of(test.random))
                    except OSError:
                        break
                if test.random.random() < 0.5:
                    try:
                        peer.shutdown(socket.SHUT_WR)
                        while peer.recv(65536):
                            pass
                    except OSError:
                        pass
        equal(rest.get("/api/v1/time").status, 200, "the service goes on")
        cluster.until(lambda: rest.metric("outcry_websockets_open") == 0, "all have ended")
        expect(rest.metric("outcry_websockets_bad_total") > 0, "bad frames were counted")


if __name__ == "__main__":
    main(__doc__, [any_http_request_is_answered_or_ended,
                   any_websocket_frame_is_answered_or_ends_it])
