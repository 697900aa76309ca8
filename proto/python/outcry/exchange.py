"""Exchange: orders over REST, through whichever gateway answers.

A gateway that stops, cannot be reached, is not ready or does not know what became of an order is no
concern of the caller's: what was asked is asked again, of the next gateway, until it is certain or
its time is over. That is safe, because

  * every order has a client_order_id, under which it is placed once, however often it is sent,
  * an amend says what the order is to be, not by how much it is to change,
  * nothing asked here is executed after its time is over (`valid_until`), cancels excepted,
  * reads are as new as what was last answered here (`min_at`).

Only the standard library is needed. Thread: one.
"""
import collections
import http.client
import json
import socket
import struct
import time
import urllib.parse
import uuid

from .errors import OutcryError

TIMEOUT_S = 30.0
ATTEMPT_S = 3.0  # for one answer; a gateway says within its answer_ms (2 s) what it knows
PAUSE_S = 0.02  # before it is asked again, then twice this, ...
PAUSE_MAX_S = 0.5
ORDERS = "/api/v1/orders"
_FAULTS = (OSError, http.client.HTTPException)


class Refused(OutcryError):
    """The exchange said no, and will again. `status`, `error` (the code's name), `problem` (all it
    said)."""

    def __init__(self, status, problem):
        super().__init__(f"{status} {problem.get('error')}: {problem.get('detail')}")
        self.status = status
        self.error = problem.get("error")
        self.problem = problem


class Unknown(OutcryError):
    """No gateway said in time what became of it. An order that is not there by now never will be;
    a cancel may yet be executed. `client_order_id` is the order's, or empty."""

    def __init__(self, words, client_order_id):
        super().__init__(words)
        self.client_order_id = client_order_id


class Exchange:
    """Trades and reads for one account.

        exchange = Exchange(["http://127.0.0.1:8000", "http://127.0.0.1:8010"], account="alice")
        order = exchange.place("BTC-USD", "buy", "0.5", "100.25")
        exchange.amend(order, quantity="0.3")
        exchange.cancel(order)

    urls        of gateways; the first is asked until it fails, then the next, and so on
    timeout     seconds a call may take, all its attempts together
    counts      attempts, and repeats by reason: codes' names, `unreachable`

    Answers are dicts, as openapi.json says. Raises Refused and Unknown."""

    def __init__(self, urls, account="demo", timeout=TIMEOUT_S, attempt=ATTEMPT_S):
        self.account = account
        self.timeout = timeout
        self.attempt = attempt
        self.counts = collections.Counter()
        self._urls = collections.deque([urls] if isinstance(urls, str) else urls)
        self._connection = None
        self._at = {}  # shard: (epoch, seq) of the newest answer

    def close(self):
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    # ---- what can be asked ----

    def place(self, symbol, side, quantity, price=None, client_order_id=None, **more):
        """The order: a market order where price is None. more: fields of the body."""
        name = client_order_id or uuid.uuid4().hex
        body = {"symbol": symbol, "side": side, "quantity": quantity, "account": self.account,
                "type": "market" if price is None else "limit", "client_order_id": name, **more}
        if price is not None:
            body["price"] = price
        return self._call("POST", ORDERS, body, name)

    def amend(self, order, quantity=None, price=None):
        """The order as it is now. quantity: its new total, filled or not."""
        body = {key: value for key, value in (("quantity", quantity), ("price", price))
                if value is not None}
        return self._call("PATCH", self._path(order), body, order["client_order_id"])

    def cancel(self, order):
        """The order in its final state, as it was cancelled or, if it was finished, before."""
        try:
            return self._call("DELETE", self._path(order), None, order["client_order_id"])
        except Refused as refusal:
            if refusal.error == "ORDER_FINISHED" and "order" in refusal.problem:
                return refusal.problem["order"]
            raise

    def order(self, order):
        """It, as it is now."""
        return self.get(self._path(order))

    def get(self, path):
        """Read anything; at least as new as every answer so far."""
        if self._at:
            positions = ",".join(f"{shard}.{epoch}.{seq}"
                                 for shard, (epoch, seq) in sorted(self._at.items()))
            path += ("&" if "?" in path else "?") + f"min_at={positions}"
        return self._call("GET", path)

    # ---- the parts ----

    def _path(self, order):
        return (f"{ORDERS}/{order['order_id']}?"
                + urllib.parse.urlencode({"account": self.account}))

    def _call(self, method, path, body=None, client_order_id=""):
        """Ask until it is certain."""
        pause, why = PAUSE_S, "no gateway"
        end = time.monotonic() + self.timeout
        if body is not None:
            body = {**body, "valid_until": int((time.time() + self.timeout) * 1e6)}
        while time.monotonic() < end:
            self.counts["attempts"] += 1
            try:
                status, said = self._attempt(method, path, body, end - time.monotonic())
            except _FAULTS as fault:
                why = f"{self._urls[0]}: {fault!r}"
                self._repeat("unreachable")
            else:
                if status in (200, 201):
                    return said
                if not (said.get("retryable") or said.get("outcome") == "unknown"):
                    raise Refused(status, said)
                why = f"{self._urls[0]}: {status} {said['error']}: {said['detail']}"
                self._repeat(said["error"])
            time.sleep(max(0.0, min(pause, end - time.monotonic())))
            pause = min(2 * pause, PAUSE_MAX_S)
        raise Unknown(f"nothing certain within {self.timeout} s; at last: {why}", client_order_id)

    def _repeat(self, reason):
        self.counts[reason] += 1
        self._abort()
        self._urls.rotate(-1)

    def _attempt(self, method, path, body, seconds):
        if self._connection is None:
            self._connection = _connect(self._urls[0])
        self._connection.timeout = min(self.attempt, seconds)
        if self._connection.sock is not None:
            self._connection.sock.settimeout(self._connection.timeout)
        headers = {} if body is None else {"Content-Type": "application/json"}
        text = None if body is None else json.dumps(body)
        self._connection.request(method, path, text, headers)
        answer = self._connection.getresponse()
        said = json.loads(answer.read())
        self._note(answer.getheader("X-At") or "")
        if answer.getheader("Connection") == "close":
            self.close()
        return answer.status, said

    def _note(self, at):
        """X-At: `shard.epoch.seq`, with commas between them."""
        for position in filter(None, at.split(",")):
            shard, epoch, seq = map(int, position.split("."))
            self._at[shard] = max(self._at.get(shard, (0, 0)), (epoch, seq))

    def _abort(self):
        """Close it so that nothing asked on it is still on its way when it is asked elsewhere."""
        if self._connection is not None and self._connection.sock is not None:
            self._connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                             struct.pack("ii", 1, 0))
        self.close()


def _connect(url):
    parts = urllib.parse.urlsplit(url)
    kind = (http.client.HTTPSConnection if parts.scheme == "https"
            else http.client.HTTPConnection)
    return kind(parts.netloc)
