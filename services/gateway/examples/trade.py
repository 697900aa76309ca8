#!/usr/bin/python3
"""Place an order, read it back, cancel it: Python, with nothing but its standard library.

    ./outcry up                                   # in one terminal
    services/gateway/examples/trade.py            # in another
    services/gateway/examples/trade.py http://127.0.0.1:8000 AAPL
"""
import http.client
import json
import sys
import urllib.parse
import uuid


class Refused(Exception):
    """The exchange said no; str() of it says why."""


class Exchange:
    """One connection, kept open. Every answer is a dict."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=10)

    def ask(self, method, path, body=None):
        """body: None for requests that have none."""
        headers = {} if body is None else {"Content-Type": "application/json"}
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, headers)
        answer = self.connection.getresponse()
        said = json.loads(answer.read())
        if "error" in said:  # 202 and 504 too: it may yet be executed; ask again to know
            raise Refused(f"{answer.status} {said['error']}: {said['detail']}")
        return said


def main(url="http://127.0.0.1:8000", symbol="BTC-USD"):
    exchange = Exchange(url)
    rules = next(one for one in exchange.ask("GET", "/api/v1/symbols")["data"]
                 if one["symbol"] == symbol)

    # A name of our own makes it safe to send again after a timeout: the same order is never
    # placed twice. Prices and quantities are strings, so that nothing rounds them. One tick is a
    # price nobody sells at: the order rests.
    order = exchange.ask("POST", "/api/v1/orders", {
        "symbol": symbol, "side": "buy", "type": "limit", "quantity": rules["lot_size"],
        "price": rules["tick_size"], "client_order_id": uuid.uuid4().hex})
    print("placed", order["order_id"], order["status"])

    # min_at: as new as this, whichever gateway is asked.
    at = f"{rules['shard']}.{order['epoch']}.{order['seq']}"
    found = exchange.ask("GET", f"/api/v1/orders/{order['order_id']}?min_at={at}")
    print("found", found["order_id"], found["open_quantity"], "at", found["price"])

    final = exchange.ask("DELETE", f"/api/v1/orders/{order['order_id']}")
    print("cancelled", final["order_id"], final["status"])


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Refused as why:
        sys.exit(f"refused: {why}")
