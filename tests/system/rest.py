"""A plain HTTP client of a gateway under test: what goes out is what the test says, byte for byte
if it wants, and what comes back is checked to be an answer at all."""
import http.client
import json
import socket
import struct

from cluster import expect

JSON = {"Content-Type": "application/json"}


class Answer:
    """Status, headers (lower case) and body; `json` of it, `error` if it is a problem."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body
        self.type = self.headers.get("content-type", "")
        self.json = json.loads(body) if "json" in self.type and body else None

    @property
    def error(self):
        return self.json.get("error") if isinstance(self.json, dict) else None

    @property
    def at(self):
        return self.headers.get("x-at", "")

    def __repr__(self):
        return f"{self.status} {self.body[:400]!r}"


class Rest:
    """One keep-alive connection to a port of this machine, or of a host of hosts.py."""

    def __init__(self, port, seconds=30, host="127.0.0.1"):
        self.host = host
        self.port = port
        self.seconds = seconds
        self.connection = None
        self.tries = 2  # the second where the keep-alive time was over

    def connect(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=self.seconds)

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def abort(self):
        """Close it so that nothing asked and not yet on its way will be (RST, not FIN)."""
        if self.connection is not None and self.connection.sock is not None:
            self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                            struct.pack("ii", 1, 0))
        self.close()

    def ask(self, method, path, body=None, headers=None):
        """body: bytes as they are, or what json.dumps makes of it; None: no body at all."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if headers is None:
            headers = JSON if body is not None else {}
        for attempt in range(1, self.tries + 1):
            if self.connection is None:
                self.connection = self.connect()
            try:
                self.connection.request(method, path, body, headers)
                answer = self.connection.getresponse()
                break
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.close()
                if attempt == self.tries:
                    raise
        result = Answer(answer.status, answer.getheaders(), answer.read())
        if answer.getheader("Connection") == "close":
            self.close()
        if method == "HEAD":
            expect(result.body == b"", f"a body in answer to HEAD: {result}")
            result.json = None
        elif result.status >= 400 and result.type == "application/problem+json":
            check_problem(result)
        return result

    def get(self, path, **options):
        return self.ask("GET", path, **options)

    def post(self, path, body, **options):
        return self.ask("POST", path, body, **options)

    def patch(self, path, body, **options):
        return self.ask("PATCH", path, body, **options)

    def delete(self, path, **options):
        return self.ask("DELETE", path, **options)

    def place(self, symbol, side, quantity, price=None, **more):
        body = {"symbol": symbol, "side": side, "quantity": quantity,
                "type": "market" if price is None else "limit", **more}
        if price is not None:
            body["price"] = price
        return self.post("/api/v1/orders", body)

    def metric(self, name, **labels):
        """A counter's or gauge's value now; 0 if it is not there yet."""
        text = self.get("/metrics").body.decode()
        wanted = name
        if labels:
            wanted += "{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}"
        for line in text.splitlines():
            if line.startswith(wanted + " "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0


def check_problem(answer):
    """Every refusal is a problem of RFC 9457, with the members api.md names."""
    body = answer.json
    for member, kind in (("type", str), ("title", str), ("status", int), ("detail", str),
                         ("error", str), ("code", int), ("outcome", str), ("retryable", bool),
                         ("request_id", str)):
        expect(isinstance(body.get(member), kind), f"{member} of {answer}")
    expect(body["status"] == answer.status, f"the status in {answer}")
    expect(body["type"] == f"urn:outcry:error:{body['error']}", f"the type in {answer}")
    expect(body["request_id"] == answer.headers["x-request-id"], f"the request id in {answer}")
    for place in body.get("errors", []):
        expect(isinstance(place["loc"], list) and place["msg"] and place["type"],
               f"errors of {answer}")
    text = answer.body.decode()
    expect("/work" not in text and "/tmp" not in text and ".c:" not in text,
           f"nothing of the inside in {answer}")


def raw(port, request, seconds=10, half_close=False):
    """Send bytes as they are; everything that comes back until the other side closes, or the time
    is over."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as peer:
        try:
            peer.sendall(request)
            if half_close:
                peer.shutdown(socket.SHUT_WR)
            while True:
                more = peer.recv(65536)
                if not more:
                    return received
                received += more
        except OSError:  # the time is over, or the other side has ended it
            return received
