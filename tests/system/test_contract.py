"""Every path of the gateway with valid, boundary and invalid requests: each with its documented
answer, the service going on, and a metric counting what was refused."""
import json
import re
import socket
import threading
import time

from cluster import equal, expect, main, until
from rest import JSON, Rest, raw

SYMBOLS = {"BTC-USD": {"tick_size": "0.01", "lot_size": "0.0001"},
           "AAPL": {"tick_size": "0.01", "lot_size": "1", "shard": 1},
           "SPREAD": {"tick_size": "0.05", "lot_size": "1", "any_price": 1}}
ORDERS = "/api/v1/orders"
ORDER_MEMBERS = {"order_id", "client_order_id", "account", "symbol", "side", "type",
                 "time_in_force", "price", "quantity", "filled_quantity", "open_quantity",
                 "avg_price", "status", "reason", "queue_ahead", "timestamp", "ts", "epoch", "seq",
                 "duplicate"}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")


def venue(test, **options):
    settings = {"request_ms": 1500, "answer_ms": 2000, "rest_connections_max": 24,
                "websockets_max": 8, **options.pop("settings", {})}
    return test.cluster(SYMBOLS, shards=2, gateways=options.pop("gateways", 1), settings=settings,
                        **options)


def refused(rest, answer, status, error):
    equal((answer.status, answer.error), (status, error), f"{answer}")
    return answer


def limit(**more):
    return {"symbol": "BTC-USD", "side": "buy", "type": "limit", "quantity": "1", "price": "100",
            **more}


# ---- orders ----

def a_resting_order_is_answered_whole(test):
    with venue(test) as cluster:
        rest = Rest(cluster.gateways[0].port)
        answer = rest.post(ORDERS, limit(client_order_id="a1", account="alice", stp="reject",
                                         post_only=True))
        equal(answer.status, 201, f"{answer}")
        order = answer.json
        expect(set(order) >= ORDER_MEMBERS, f"members of {order}")
        equal({key: order[key] for key in ("client_order_id", "account", "symbol", "side", "type",
                                           "time_in_force", "price", "quantity", "filled_quantity",
                                           "open_quantity", "avg_price", "status", "reason",
                                           "post_only", "stp", "duplicate")},
              {"client_order_id": "a1", "account": "alice", "symbol": "BTC-USD", "side": "buy",
               "type": "limit", "time_in_force": "GTC", "price": "100.00", "quantity": "1.0000",
               "filled_quantity": "0.0000", "open_quantity": "1.0000", "avg_price": None,
               "status": "new", "reason": None, "post_only": True, "stp": "reject",
               "duplicate": False}, "the order")
        expect(TIMESTAMP.match(order["timestamp"]), order["timestamp"])
        expect(isinstance(order["order_id"], str) and order["order_id"].isdigit(), order)
        equal(answer.at, f"0.{order['epoch']}.{order['seq']}", "X-At")
        expect("total;dur=" in answer.headers["server-timing"], answer.headers)
        again = rest.get(f"{ORDERS}/{order['order_id']}?account=alice&min_at={answer.at}")
        equal(again.status, 200, f"{again}")
        equal({**again.json, "queue_ahead": None}, {**order, "queue_ahead": None}, "read back")
        named = rest.get(f"{ORDERS}/client:a1?account=alice&symbol=BTC-USD")
        equal(named.json["order_id"], order["order_id"], "by its client order id")


def orders_trade_and_say_so(test):
    with venue(test) as cluster:
        rest = Rest(cluster.gateways[0].port)
        rest.place("BTC-USD", "sell", "0.5", "100.00", account="maker")
        rest.place("BTC-USD", "sell", "0.5", "100.01", account="maker")
        taker = rest.place("BTC-USD", "buy", "0.8", "100.01", account="taker")
        equal((taker.status, taker.json["status"], taker.json["filled_quantity"],
               taker.json["avg_price"]), (201, "filled", "0.8000", "100.00375"), f"{taker}")
        market = rest.place("BTC-USD", "buy", "1", account="taker")
        equal((market.status, market.json["status"], market.json["reason"],
               market.json["filled_quantity"], market.json["price"]),
              (201, "cancelled", "INSUFFICIENT_LIQUIDITY", "0.2000", None), f"{market}")
        ioc = rest.post(ORDERS, limit(type="ioc"))
        equal((ioc.status, ioc.json["status"], ioc.json["reason"], ioc.json["time_in_force"]),
              (201, "cancelled", "IOC_REMAINDER", "IOC"), f"{ioc}")
        refused(rest, rest.post(ORDERS, limit(type="FOK")), 400, "FOK_NOT_FILLED")
        rest.place("BTC-USD", "sell", "1", "90", account="maker")
        refused(rest, rest.post(ORDERS, limit(post_only=True)), 400, "POST_ONLY")
        refused(rest, rest.post(ORDERS, limit(account="maker", stp="reject")), 400, "STP")
        trades = rest.get(f"/api/v1/trades/BTC-USD?min_at={market.at}").json["data"]
        equal([(t["price"], t["quantity"], t["aggressor_side"]) for t in trades],
              [("100.01", "0.2000", "buy"), ("100.01", "0.3000", "buy"),
               ("100.00", "0.5000", "buy")], "trades, newest first")


def cancel_and_amend_answer_the_order(test):
    with venue(test) as cluster:
        rest = Rest(cluster.gateways[0].port)
        order = rest.post(ORDERS, limit()).json["order_id"]
        down = rest.patch(f"{ORDERS}/{order}", {"reduce_by": "0.25"})
        equal((down.status, down.json["open_quantity"]), (200, "0.7500"), f"{down}")
        total = rest.patch(f"{ORDERS}/{order}?symbol=BTC-USD", {"quantity": 2, "price": 99.5})
        equal((total.json["quantity"], total.json["price"]), ("2.0000", "99.50"), f"{total}")
        opened = rest.patch(f"{ORDERS}/{order}", {"open_quantity": "1"})
        equal(opened.json["open_quantity"], "1.0000", f"{opened}")
        refused(rest, rest.patch(f"{ORDERS}/{order}", {"quantity": "0"}), 400, "INVALID_QUANTITY")
        refused(rest, rest.patch(f"{ORDERS}/{order}", {"price": "-1"}), 400, "INVALID_PRICE")
        refused(rest, rest.patch(f"{ORDERS}/{order}", {"price": "99.505"}), 400,
                "PRICE_NOT_ON_TICK")
        refused(rest, rest.patch(f"{ORDERS}/{order}", {}), 422, "MISSING_FIELD")
        refused(rest, rest.patch(f"{ORDERS}/{order}", {"quantity": "1", "reduce_by": "1"}), 400,
                "INVALID_COMBINATION")
        refused(rest, rest.patch(f"{ORDERS}/{order}", {"side": "sell"}), 422, "UNKNOWN_FIELD")
        refused(rest, rest.patch(f"{ORDERS}/{order}?account=other", {"quantity": "1"}), 404,
                "UNKNOWN_ORDER")
        refused(rest, rest.patch(f"{ORDERS}/281474976799999", {"quantity": "1"}), 404,
                "UNKNOWN_ORDER")
        refused(rest, rest.delete(f"{ORDERS}/{order}?account=other"), 404, "UNKNOWN_ORDER")
        gone = rest.delete(f"{ORDERS}/{order}")
        equal((gone.status, gone.json["status"], gone.json["reason"]), (200, "cancelled", "USER"),
              f"{gone}")
        final = refused(rest, rest.delete(f"{ORDERS}/{order}"), 409, "ORDER_FINISHED")
        equal(final.json["order"]["status"], "cancelled", "the final order")
        refused(rest, rest.patch(f"{ORDERS}/{order}", {"reduce_by": "0.1"}), 409, "ORDER_FINISHED")
        rest.post(ORDERS, limit(client_order_id="mine"))
        by_name = rest.delete(f"{ORDERS}/client:mine?symbol=BTC-USD")
        equal(by_name.json["status"], "cancelled", f"{by_name}")
        refused(rest, rest.delete(f"{ORDERS}/client:mine"), 422, "MISSING_FIELD")
        refused(rest, rest.delete(f"{ORDERS}/client:never?symbol=BTC-USD"), 404, "UNKNOWN_ORDER")


def a_client_order_id_is_used_once_through_any_gateway(test):
    with venue(test, gateways=2) as cluster:
        one, two = (Rest(gateway.port) for gateway in cluster.gateways)
        first = one.post(ORDERS, limit(client_order_id="x"))
        again = two.post(ORDERS, limit(client_order_id="x"))
        equal((first.status, again.status, again.json["duplicate"], again.json["order_id"]),
              (201, 200, True, first.json["order_id"]), f"{again}")
        refused(two, two.post(ORDERS, limit(client_order_id="x", quantity="2")), 409,
                "DUPLICATE_ORDER")
        body = limit(client_order_id="y", price="0")
        refused(one, one.post(ORDERS, body), 400, "INVALID_PRICE")
        refused(two, two.post(ORDERS, body), 400, "INVALID_PRICE")
        refused(one, one.post(ORDERS, limit(client_order_id="y")), 409, "DUPLICATE_ORDER")
        body = limit(client_order_id="z", type="fok")
        refused(two, two.post(ORDERS, body), 400, "FOK_NOT_FILLED")
        one.place("BTC-USD", "sell", "1", "100")
        refused(one, one.post(ORDERS, body), 400, "FOK_NOT_FILLED")


def a_mass_cancel_tells_each_shard(test):
    with venue(test) as cluster:
        rest = Rest(cluster.gateways[0].port)
        for price in ("90", "91"):
            rest.place("BTC-USD", "buy", "1", price, account="a")
            rest.place("AAPL", "buy", "1", price, account="a")
        rest.place("AAPL", "sell", "1", "110", account="a")
        kept = rest.place("AAPL", "buy", "1", "92", account="b").json["order_id"]
        some = rest.delete(f"{ORDERS}?account=a&symbol=AAPL&side=sell")
        equal((some.status, some.json["complete"], [(s["shard"], s["cancelled"], s["outcome"])
                                                    for s in some.json["shards"]]),
              (200, True, [(1, 1, "done")]), f"{some}")
        rest_of_it = rest.delete(f"{ORDERS}?account=a")
        equal([(s["shard"], s["cancelled"]) for s in rest_of_it.json["shards"]], [(0, 2), (1, 2)],
              f"{rest_of_it}")
        equal(rest_of_it.at, ",".join(s["at"] for s in rest_of_it.json["shards"]), "X-At")
        equal(rest.get(f"{ORDERS}/{kept}?account=b").json["status"], "new", "another's")
        refused(rest, rest.delete(f"{ORDERS}?side=both"), 422, "INVALID_FIELD")
        refused(rest, rest.delete(f"{ORDERS}?symbol=NONE"), 404, "UNKNOWN_SYMBOL")


def lists_page_newest_first(test):
    with venue(test) as cluster:
        rest = Rest(cluster.gateways[0].port)
        placed = []
        for number in range(25):
            symbol = "AAPL" if number % 2 else "BTC-USD"
            answer = rest.place(symbol, "buy", "1", str(50 + number), account="p")
            placed.append(answer.json["order_id"])
        gone = rest.delete(f"{ORDERS}/{placed[0]}?account=p&symbol=BTC-USD")
        at = f"{gone.at},{answer.at if answer.at.startswith('1.') else ''}".rstrip(",")
        found, cursor = [], ""
        while True:
            page = rest.get(f"{ORDERS}?account=p&limit=10&cursor={cursor}&min_at={at}").json
            found += [order["order_id"] for order in page["data"]]
            expect(len(page["data"]) <= 10, page)
            if not page["has_more"]:
                break
            cursor = page["next_cursor"]
        equal(found, placed[::-1], "all, newest first, each once")
        opened = rest.get(f"{ORDERS}?account=p&status=open&symbol=BTC-USD").json
        equal([order["order_id"] for order in opened["data"]], placed[::-1][0::2][:-1], "open ones")
        done = rest.get(f"{ORDERS}?account=p&status=finished").json["data"]
        equal([order["order_id"] for order in done], [placed[0]], "finished ones")
        equal(rest.get(f"{ORDERS}?account=nobody").json,
              {"data": [], "next_cursor": "", "has_more": False}, "nobody's")
        for query, in (("limit=0",), ("limit=1001",), ("limit=x",), ("cursor=zz",),
                       ("status=new",), ("what=1",), ("limit=1&limit=2",), ("account=%zz",),
                       ("min_at=1.2",), ("min_at=0.1.2,",), ("min_at=99.1.1",)):
            refused(rest, rest.get(f"{ORDERS}?{query}"), 422, "INVALID_PARAMETER")
        for query in ("limit=1", "limit=1000"):
            equal(rest.get(f"{ORDERS}?{query}").status, 200, query)
        refused(rest, rest.get(f"{ORDERS}?account=a%20b"), 422, "INVALID_ACCOUNT")


# ---- bad bodies ----

def a_body_that_is_not_right_is_told_what_is_wrong(test):
    with venue(test) as cluster:
        rest = Rest(cluster.gateways[0].port)
        wrong = [
            (b"", 400, "BAD_JSON"), (b"{", 400, "BAD_JSON"), (b"nonsense", 400, "BAD_JSON"),
            (b'{"price": NaN}', 400, "BAD_JSON"), (b'{"price": Infinity}', 400, "BAD_JSON"),
            (b'{"price": 01}', 400, "BAD_JSON"), (b"{'a': 1}", 400, "BAD_JSON"),
            (b'{"a": 1,}', 400, "BAD_JSON"), (b'{"a": 1} x', 400, "BAD_JSON"),
            (b'{"a": "\xff"}', 400, "BAD_JSON"), (b"\x00" * 100, 400, "BAD_JSON"),
            (b"[]", 422, "WRONG_TYPE"), (b"[1, 2]", 422, "WRONG_TYPE"), (b'"x"', 422, "WRONG_TYPE"),
            (b"null", 422, "WRONG_TYPE"), (b"{}", 422, "MISSING_FIELD"),
            (b'{"a":' * 200 + b"1" + b"}" * 200, 422, "WRONG_TYPE"),
            (b'{"symbol":"BTC-USD","symbol":"AAPL"}', 422, "REPEATED_FIELD"),
        ]
        for body, status, error in wrong:
            before = rest.metric("outcry_http_refused_total", error=error)
            refused(rest, rest.post(ORDERS, body), status, error)
            equal(rest.metric("outcry_http_refused_total", error=error), before + 1,
                  f"the metric of {error} after {body[:40]!r}")
        for key in ("symbol", "side", "type", "quantity", "price"):
            body = limit()
            del body[key]
            answer = refused(rest, rest.post(ORDERS, body), 422, "MISSING_FIELD")
            equal(answer.json["errors"][0]["loc"], ["body", key], "where")
        for change, status, error in [
                ({"colour": "red"}, 422, "UNKNOWN_FIELD"),
                ({"side": "hold"}, 422, "INVALID_FIELD"), ({"side": 1}, 422, "WRONG_TYPE"),
                ({"type": "iceberg"}, 422, "INVALID_FIELD"), ({"type": True}, 422, "WRONG_TYPE"),
                ({"time_in_force": "GFD"}, 422, "INVALID_FIELD"),
                ({"type": "ioc", "time_in_force": "FOK"}, 400, "INVALID_COMBINATION"),
                ({"post_only": "yes"}, 422, "WRONG_TYPE"), ({"post_only": 1}, 422, "WRONG_TYPE"),
                ({"post_only": True, "time_in_force": "IOC"}, 400, "INVALID_COMBINATION"),
                ({"stp": "always"}, 422, "INVALID_FIELD"),
                ({"symbol": "btc-usd"}, 422, "INVALID_FIELD"),
                ({"symbol": "X" * 17}, 422, "INVALID_FIELD"),
                ({"symbol": ""}, 422, "INVALID_FIELD"),
                ({"symbol": 5}, 422, "WRONG_TYPE"), ({"symbol": "NONE"}, 404, "UNKNOWN_SYMBOL"),
                ({"client_order_id": ""}, 422, "INVALID_CLIENT_ORDER_ID"),
                ({"client_order_id": "x" * 37}, 422, "INVALID_CLIENT_ORDER_ID"),
                ({"client_order_id": "a b"}, 422, "INVALID_CLIENT_ORDER_ID"),
                ({"client_order_id": 7}, 422, "WRONG_TYPE"),
                ({"account": ""}, 422, "INVALID_ACCOUNT"),
                ({"account": "x" * 33}, 422, "INVALID_ACCOUNT"),
                ({"account": "ä"}, 422, "INVALID_ACCOUNT"),
                ({"valid_until": "soon"}, 422, "INVALID_FIELD"),
                ({"valid_until": True}, 422, "WRONG_TYPE"),
                ({"valid_until": "2020-01-01T00:00:00Z"}, 503, "TOO_LATE"),
                ({"valid_until": 0}, 503, "TOO_LATE"), ({"valid_until": 1}, 503, "TOO_LATE"),
                ({"quantity": None}, 422, "MISSING_FIELD"), ({"price": []}, 422, "WRONG_TYPE"),
                ({"quantity": {"a": 1}}, 422, "WRONG_TYPE")]:
            answer = rest.post(ORDERS, limit(**change))
            refused(rest, answer, status, error)
        for key, value in (("client_order_id", "x" * 36), ("client_order_id", "A_b.1:-"),
                           ("account", "a" * 32), ("side", "BUY"), ("type", "Limit"),
                           ("time_in_force", "gtc"), ("stp", "NONE"), ("stp", None),
                           ("valid_until", "2100-01-01T00:00:00.25Z")):
            answer = rest.post(ORDERS, limit(**{key: value}))
            equal(answer.status, 201, f"{key} {value}: {answer}")
        # still at work
        equal(rest.post(ORDERS, limit()).status, 201, "an order after all that")


def decimals_are_exact_or_refused(test):
    with venue(test) as cluster:
        rest = Rest(cluster.gateways[0].port)

        def price(text, status, error=None, symbol="BTC-USD"):
            for form in (b'"%s"', b"%s"):
                body = (b'{"symbol":"%s","side":"buy","type":"limit","quantity":"1","price":%s}'
                        % (symbol.encode(), form % text.encode()))
                answer = rest.post(ORDERS, body)
                equal((answer.status, answer.error), (status, error), f"price {text}: {answer}")
            return answer.json

        for text in ("1e3", "1E3", "-0", "-0.00", "1" * 30, "0." + "1" * 19, "1" * 19):
            price(text, 422, "INVALID_FIELD")
        for text in ("NaN", "+1", ".5", "5.", "00.5", "0x10", "1,5", " 1", ""):
            answer = rest.post(ORDERS, limit(price=text))
            equal((answer.status, answer.error), (422, "INVALID_FIELD"), f"price {text!r}")
        price("-1", 400, "INVALID_PRICE")
        price("0", 400, "INVALID_PRICE")
        price("100.001", 400, "PRICE_NOT_ON_TICK")
        price("0.001", 400, "PRICE_NOT_ON_TICK")
        price("999999999999999999", 400, "PRICE_OUT_OF_RANGE")
        price("92233720368547758.08", 400, "PRICE_OUT_OF_RANGE")
        equal(price("92233720368547758.07", 201)["price"], "92233720368547758.07", "the largest")
        equal(price("0.01", 201)["price"], "0.01", "the smallest")
        equal(price("100", 201)["price"], "100.00", "at the symbol's scale")
        equal(price("-0.05", 201, symbol="SPREAD")["price"], "-0.05", "below zero")
        equal(price("0", 201, symbol="SPREAD")["price"], "0.00", "zero")
        price("0.01", 400, "PRICE_NOT_ON_TICK", symbol="SPREAD")
        for quantity, status, error in (("0", 400, "INVALID_QUANTITY"),
                                        ("-1", 400, "INVALID_QUANTITY"),
                                        ("0.00001", 400, "QUANTITY_NOT_ON_LOT"),
                                        ("999999999999999999", 400, "QUANTITY_OUT_OF_RANGE"),
                                        ("1e3", 422, "INVALID_FIELD"),
                                        ("922337203685477.5808", 400, "QUANTITY_OUT_OF_RANGE"),
                                        ("0.0001", 201, None)):
            answer = rest.post(ORDERS, limit(quantity=quantity, price="1"))
            equal((answer.status, answer.error), (status, error), f"quantity {quantity}: {answer}")


def what_this_release_cannot_do_is_said(test):
    with venue(test) as cluster:
        rest = Rest(cluster.gateways[0].port)
        for change in ({"type": "stop", "stop_price": "90"}, {"type": "STOP_LIMIT"},
                       {"stop_price": "90"}, {"display_quantity": "0.5"}, {"quote_quantity": "5"},
                       {"time_in_force": "DAY"}, {"time_in_force": "gtd"},
                       {"expire_at": "2100-01-01T00:00:00Z"}, {"type": "market"},
                       {"stp": "cancel_taker"}, {"stp": "cancel_maker"}, {"stp": "cancel_both"}):
            refused(rest, rest.post(ORDERS, limit(**change)), 400, "NOT_SUPPORTED")
        refused(rest, rest.get("/api/v1/orderbook/BTC-USD?seq=5&epoch=1&min_seq=1"), 400,
                "NOT_SUPPORTED")
        for change in ({"stop_price": "x"}, {"display_quantity": "1e3"}, {"expire_at": "never"},
                       {"quote_quantity": "1" * 30}):
            refused(rest, rest.post(ORDERS, limit(**change)), 422, "INVALID_FIELD")
        document = json.dumps(rest.get("/openapi.json").json)
        for word in ("stop_price", "display_quantity", "quote_quantity", "expire_at", "GTD",
                     "cancel_taker"):
            expect(word not in document, f"{word} is in /openapi.json")


# ---- reads ----

def books_trades_and_statistics_are_read(test):
    with venue(test) as cluster:
        rest = Rest(cluster.gateways[0].port)
        empty = rest.get("/api/v1/orderbook/BTC-USD").json
        equal((empty["bids"], empty["asks"], empty["hash"]), ([], [], "0" * 16), "an empty book")
        stats = rest.get("/stats/BTC-USD").json
        equal((stats["trade_count"], stats["volume"], stats["vwap"], stats["last"]),
              (0, "0.0000", None, None), f"{stats}")
        for number in range(12):
            rest.place("BTC-USD", "buy", "1", str(80 + number), account="m")
            answer = rest.place("BTC-USD", "sell", "2", str(100 + number), account="m")
        book = rest.get(f"/api/v1/orderbook/BTC-USD?min_at={answer.at}").json
        equal((len(book["bids"]), book["bids"][0], book["asks"][0]),
              (10, ["91.00", "1.0000"], ["100.00", "2.0000"]), f"{book}")
        equal([len(rest.get(f"/api/v1/orderbook/BTC-USD?depth={depth}").json["bids"])
               for depth in (0, 1, 11, 12, 13)], [12, 1, 11, 12, 12], "by depth")
        deep = rest.get("/api/v1/orderbook/BTC-USD?level=3&depth=1").json
        expect(len(deep["asks"][0]) == 4 and deep["asks"][0][2].isdigit(), f"level 3: {deep}")
        taken = rest.place("BTC-USD", "buy", "3", "101", account="t")
        stats = rest.get(f"/stats/BTC-USD?min_at={taken.at}").json
        equal({key: stats[key] for key in ("trade_count", "volume", "high", "low", "last",
                                           "best_bid", "best_ask", "spread")},
              {"trade_count": 2, "volume": "3.0000", "high": "101.00", "low": "100.00",
               "last": "101.00", "best_bid": "91.00", "best_ask": "101.00", "spread": "10.00"},
              "statistics")
        equal(stats["vwap"], "100.33333333" + stats["vwap"][12:], "vwap")
        first = rest.get("/api/v1/trades/BTC-USD?limit=1").json
        expect(first["has_more"] and len(first["data"]) == 1, f"{first}")
        rest_of_it = rest.get(f"/api/v1/trades/BTC-USD?cursor={first['next_cursor']}").json
        equal(([t["price"] for t in rest_of_it["data"]], rest_of_it["has_more"]),
              (["100.00"], False), f"{rest_of_it}")
        symbols = rest.get("/api/v1/symbols").json["data"]
        equal({s["symbol"]: (s["tick_size"], s["lot_size"], s["shard"]) for s in symbols},
              {"BTC-USD": ("0.01", "0.0001", 0), "AAPL": ("0.01", "1", 1),
               "SPREAD": ("0.05", "1", 0)}, "symbols")
        clock = rest.get("/api/v1/time").json
        expect(abs(clock["ts"] / 1e6 - time.time()) < 30 and TIMESTAMP.match(clock["timestamp"]),
               f"{clock}")
        for path in ("orderbook/NONE", "orderbook/btc-usd", "trades/NONE", "orderbook/%00",
                     "trades/" + "X" * 300):
            answer = rest.get(f"/api/v1/{path}")
            equal(answer.status, 404, f"{path}: {answer}")
        refused(rest, rest.get("/stats/NONE"), 404, "UNKNOWN_SYMBOL")
        for query in ("depth=-1", "depth=x", "depth=4294967296", "level=1", "level=4", "min_seq=x",
                      "epoch=1", "limit=3"):
            refused(rest, rest.get(f"/api/v1/orderbook/BTC-USD?{query}"), 422, "INVALID_PARAMETER")
        equal(rest.get("/api/v1/orderbook/BTC-USD?depth=4294967295").status, 200, "any depth")


def a_position_is_waited_for_and_not_for_ever(test):
    with venue(test, settings={"answer_ms": 500, "heartbeat_ms": 50}) as cluster:
        rest = Rest(cluster.gateways[0].port)
        order = rest.post(ORDERS, limit()).json
        epoch, seq = order["epoch"], order["seq"]
        for path in (f"{ORDERS}/{order['order_id']}?", "/api/v1/orderbook/BTC-USD?",
                     "/api/v1/trades/BTC-USD?", "/stats/BTC-USD?", f"{ORDERS}?"):
            equal(rest.get(f"{path}min_at=0.{epoch}.{seq}").status, 200, path)
            late = refused(rest, rest.get(f"{path}min_at=0.{epoch}.{seq + 1000}"), 503,
                           "NOT_CAUGHT_UP")
            expect(late.headers.get("retry-after") and late.json["retryable"], f"{late}")
            refused(rest, rest.get(f"{path}min_at=0.{epoch - 1}.1"), 409, "EPOCH_CHANGED")
        book = "/api/v1/orderbook/BTC-USD?"
        equal(rest.get(f"{book}min_seq={seq}&epoch={epoch}").status, 200, "min_seq")
        refused(rest, rest.get(f"{book}min_seq={seq + 1000}&epoch={epoch}"), 503, "NOT_CAUGHT_UP")
        refused(rest, rest.get(f"{book}min_seq=1&epoch={epoch - 1}"), 409, "EPOCH_CHANGED")
        # nothing of this account happened there, but a heartbeat says how far the shard is
        refusal = rest.post(ORDERS, limit(quantity="0", account="b"))
        equal(rest.get(f"{ORDERS}?account=c&min_at={refusal.at}").status, 200, f"{refusal}")


# ---- HTTP ----

def paths_methods_and_types_are_known_or_refused(test):
    with venue(test) as cluster:
        rest = Rest(cluster.gateways[0].port)
        for method, path in (("GET", "/"), ("GET", "/api"), ("GET", "/api/v1/order"),
                             ("POST", "/api/v1/orderbook"), ("GET", "/api/v1/orders/1/explain"),
                             ("GET", "/ws"), ("GET", "/etc/passwd"), ("GET", "/../../etc/passwd"),
                             ("GET", "/api/v1/candles/BTC-USD"), ("GET", "/stats/"),
                             ("GET", "/api/v1/orders%2f1")):
            refused(rest, rest.ask(method, path), 404, "UNKNOWN_PATH")
        for method, path, allow in (("PUT", ORDERS, "POST, GET, DELETE"),
                                    ("POST", f"{ORDERS}/5", "GET, DELETE, PATCH"),
                                    ("POST", "/stats/BTC-USD", "GET"), ("HEAD", ORDERS + "x", None),
                                    ("BREW", "/api/v1/time", "GET"),
                                    ("DELETE", "/api/v1/orderbook/BTC-USD", "GET")):
            answer = rest.ask(method, path)
            if allow is None:
                equal(answer.status, 404, f"{method} {path}")
                continue
            expect(answer.status in (405, 400 if method == "BREW" else 405), f"{answer}")
            if answer.status == 405:
                equal(answer.headers["allow"], allow, f"Allow of {path}")
        equal(rest.ask("HEAD", "/health").status, 200, "HEAD")
        for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/jsonx"},
                        {"Content-Type": "application/x-www-form-urlencoded"}):
            refused(rest, rest.post(ORDERS, limit(), headers=headers), 415,
                    "UNSUPPORTED_MEDIA_TYPE")
            refused(rest, rest.patch(f"{ORDERS}/5", {}, headers=headers), 415,
                    "UNSUPPORTED_MEDIA_TYPE")
        equal(rest.post(ORDERS, limit(),
                        headers={"Content-Type": "Application/JSON; charset=utf-8"}).status, 201,
              "with a charset")
        for identity in ("0", "x", "01", "-1", "1.5", "18446744073709551616", "client:",
                         "client:a%20b", "batch"):
            answer = rest.delete(f"{ORDERS}/{identity}?symbol=BTC-USD")
            equal(answer.status, 422, f"{identity}: {answer}")
        for identity in ("18446744073709551615", "1", str(9 << 48)):
            refused(rest, rest.get(f"{ORDERS}/{identity}"), 404, "UNKNOWN_ORDER")
            refused(rest, rest.delete(f"{ORDERS}/{identity}"), 404, "UNKNOWN_ORDER")
        refused(rest, rest.post(f"{ORDERS}?x=1", limit()), 422, "INVALID_PARAMETER")
        refused(rest, rest.get("/api/v1/time?x"), 422, "INVALID_PARAMETER")
        for headers in ({}, {"Upgrade": "websocket"}, {"Upgrade": "h2c", "Connection": "Upgrade"}):
            refused(rest, rest.get("/ws/trades/BTC-USD", headers=headers), 426, "UPGRADE_REQUIRED")
        mine = rest.get("/api/v1/time", headers={"X-Request-Id": "my-1"})
        equal(mine.headers["x-request-id"], "my-1", "the request id")
        odd = rest.get("/api/v1/time", headers={"X-Request-Id": "my 1"})
        expect(odd.headers["x-request-id"] != "my 1", "a request id that is none")


def bodies_have_a_size_and_a_time(test):
    with venue(test) as cluster:
        port = cluster.gateways[0].port
        rest = Rest(port)
        fill = b'{"symbol":"' + b"x" * 65536
        for size, status, error in ((65535, 400, "BAD_JSON"), (65536, 400, "BAD_JSON"),
                                    (65537, 413, "BODY_TOO_LARGE"),
                                    (1_500_000, 413, "BODY_TOO_LARGE")):
            body = (fill + b"x" * size)[:size]
            try:
                answer = rest.post(ORDERS, body)
            except (BrokenPipeError, ConnectionResetError):
                rest.close()
                head = (b"POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                        b"application/json\r\nContent-Length: %d\r\n\r\n" % size)
                expect(b" 413 " in raw(port, head)[:20], f"{size} bytes")
                continue
            refused(rest, answer, status, error)
        chunked = (b"POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                   b"application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        body = json.dumps(limit()).encode()
        fine = chunked + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        expect(b" 201 " in raw(port, fine, 3)[:20], "a chunked body")
        start = time.monotonic()
        slow = (b"POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                b"application/json\r\nContent-Length: 100\r\n\r\n{")
        answer = raw(port, slow, 10)
        expect(b"BODY_INCOMPLETE" in answer, f"a body that does not come: {answer[:300]}")
        expect(time.monotonic() - start < 8, "it was waited for too long")
        cut = raw(port, slow, 5, half_close=True)
        expect(b"BODY_INCOMPLETE" in cut, f"a body cut short: {cut[:300]}")
        equal(rest.post(ORDERS, limit()).status, 201, "an order after all that")


def drip(port, request, seconds):
    """Send a request byte by byte; whether the other side ended it."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
        end = time.monotonic() + seconds
        for byte in request:
            if time.monotonic() > end:
                return False
            try:
                peer.sendall(bytes([byte]))
                peer.settimeout(0.1)
                if not peer.recv(4096):
                    return True
                return True
            except TimeoutError:
                continue
            except OSError:
                return True
    return False


def slow_clients_are_cut(test):
    with venue(test) as cluster:
        port = cluster.gateways[0].port
        rest = Rest(port)
        header = b"GET /api/v1/time HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"x" * 400
        body = (b"POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                b"application/json\r\nContent-Length: 400\r\n\r\n" + b" " * 400)
        ended = []
        threads = [threading.Thread(target=lambda request=request: ended.append(
            drip(port, request, 30))) for request in (header, body) * 3]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            start = time.monotonic()
            equal(rest.get("/api/v1/time").status, 200, "others")
            expect(time.monotonic() - start < 2, "others wait for slow clients")
            time.sleep(0.05)
        equal(ended, [True] * 6, "slow clients were cut")
        request = b"GET /api/v1/time HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        half = raw(port, request, 5, half_close=True)
        expect(b" 200 " in half[:20], f"a half-closed socket: {half[:200]}")
        for garbage in (b"\x00" * 50 + b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00" * 20,
                        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
                        b"GET /api/v1/time HTTP/1.1\r\nHost: localhost\r\nBig: " + b"x" * 20000
                        + b"\r\n\r\n"):
            raw(port, garbage, 3, half_close=True)
        equal(rest.get("/api/v1/time").status, 200, "after garbage")


def foreign_hosts_and_origins_are_refused_everywhere(test):
    settings = {"hosts": "exchange.example", "origins": "http://app.example"}
    with venue(test, settings=settings) as cluster:
        port = cluster.gateways[0].port
        rest = Rest(port)
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        sockets = [f"/ws/{kind}/BTC-USD" for kind in ("market-data", "trades", "events", "quotes")]
        for path, more in [("/api/v1/time", {}), ("/health", {}), ("/metrics", {}),
                           *((path, upgrade) for path in sockets)]:
            for host in ("evil.example", "localhost.evil.example", "exchange.example.evil", ""):
                refused(rest, rest.get(path, headers={"Host": host, **more}), 421, "FOREIGN_HOST")
            for origin in ("http://evil.example", "null", "http://app.example.evil",
                           "https://app.example", f"http://localhost:{port + 1}"):
                refused(rest, rest.get(path, headers={"Origin": origin, **more}), 403,
                        "FOREIGN_ORIGIN")
        refused(rest, rest.post(ORDERS, limit(), headers={**JSON, "Origin": "http://evil.example"}),
                403, "FOREIGN_ORIGIN")
        own = rest.get("/api/v1/time", headers={"Origin": f"http://127.0.0.1:{port}"})
        expect(own.status == 200 and "access-control-allow-origin" not in own.headers, f"{own}")
        for host in (f"localhost:{port}", "[::1]:9", "exchange.example", "EXCHANGE.example:80"):
            equal(rest.get("/api/v1/time", headers={"Host": host}).status, 200, host)
        app = rest.get("/api/v1/time", headers={"Origin": "http://app.example"})
        equal(app.headers.get("access-control-allow-origin"), "http://app.example", "CORS")
        asked = rest.ask("OPTIONS", ORDERS, headers={"Origin": "http://app.example",
                                                     "Access-Control-Request-Method": "POST"})
        expect(asked.status == 204 and "POST" in asked.headers["access-control-allow-methods"],
               f"{asked.headers}")
        refused(rest, rest.ask("OPTIONS", ORDERS, headers={"Origin": "http://evil.example"}), 403,
                "FOREIGN_ORIGIN")


def it_listens_off_loopback_only_if_told(test):
    with venue(test) as cluster:
        for address in ("0.0.0.0:0", "10.1.2.3:8000"):
            process = cluster.spawn("open", "outcry-gateway", "--gateway-address", address)
            process.allowed = {2}
            equal(process.wait(), 2, "its status")
            expect("open_anywhere" in process.words, process.words)
        for address in ("8000", "localhost", ""):
            process = cluster.spawn("bad", "outcry-gateway", "--gateway-address", address)
            process.allowed = {2}
            equal(process.wait(), 2, f"its status with {address}")
        again = cluster.spawn("again", "outcry-gateway", "--gateway-name", "again",
                              "--gateway-address", f"127.0.0.1:{cluster.gateways[0].port}",
                              "--admin-address", "127.0.0.1:1")
        again.allowed = {1}
        equal(again.wait(), 1, "a port in use")
        expect("in use" in again.words, again.words)


def an_address_has_a_limit_if_it_is_set(test):
    settings = {"rate_loopback": 1, "rate_orders": 5, "rate_reads": 1000}
    with venue(test, settings=settings) as cluster:
        rest = Rest(cluster.gateways[0].port)
        answers = [rest.post(ORDERS, limit(price=str(50 + n))) for n in range(40)]
        fine = [answer for answer in answers if answer.status == 201]
        expect(5 <= len(fine) < 40, f"{len(fine)} orders passed")
        equal(fine[0].headers["ratelimit-policy"], '"orders";q=5;w=1', "the policy")
        expect(fine[0].headers["ratelimit"].startswith('"orders";r='), f"{fine[0].headers}")
        limited = next(answer for answer in answers if answer.status != 201)
        refused(rest, limited, 429, "RATE_LIMITED")
        expect(limited.headers["retry-after"] and limited.json["retryable"], f"{limited.headers}")
        cancels = [rest.delete(f"{ORDERS}/{answer.json['order_id']}?symbol=BTC-USD")
                   for answer in fine[:5]]
        equal([answer.status for answer in cancels], [200] * 5, "cancels go on")
        expect(rest.metric("outcry_http_refused_total", error="RATE_LIMITED") >= 1, "its metric")


def connections_beyond_the_budget_are_told(test):
    with venue(test, settings={"rest_connections_max": 4, "request_ms": 5000}) as cluster:
        gateway = cluster.gateways[0]
        until(lambda: Rest(gateway.port).get("/api/v1/time").status == 200, "room")
        rests = [Rest(gateway.port) for _ in range(8)]
        answers = [rest.get("/api/v1/time") for rest in rests]
        statuses = [answer.status for answer in answers]
        expect(statuses.count(200) >= 3 and 503 in statuses, f"{statuses}")
        odd = [Rest(gateway.port).get("/nowhere").status for _ in range(3)]
        expect(503 in odd, f"nobody is beyond the budget for asking nonsense: {odd}")
        refused(rests[0], next(answer for answer in answers if answer.status == 503), 503,
                "TOO_MANY_CONNECTIONS")
        admin = Rest(gateway.admin_port)
        for path in ("/livez", "/readyz", "/startupz", "/health", "/metrics"):
            equal(admin.get(path).status, 200, path)
        refused(admin, admin.get("/api/v1/time"), 404, "UNKNOWN_PATH")
        for rest in rests:
            rest.close()
        until(lambda: Rest(gateway.port).get("/api/v1/time").status == 200, "room again")


# ---- when the rest of the cluster is away ----

def a_matcher_that_is_away_is_said_to_be(test):
    settings = {"answer_ms": 400, "deadline_ms": 800, "heartbeat_ms": 100}
    with venue(test, settings=settings) as cluster:
        rest = Rest(cluster.gateways[0].port)
        known = rest.place("AAPL", "buy", "1", "50").json["order_id"]
        rest.get(f"{ORDERS}/{known}")
        matcher = cluster.matchers[1]
        matcher.send(19)  # SIGSTOP
        answers = []
        while True:
            answers.append(rest.place("AAPL", "buy", "1", "51"))
            if answers[-1].status == 503:
                break
            expect(len(answers) < 40, "it is never said to be out of reach")
        for answer in answers[:-1]:
            expect(answer.status in (202, 504), f"{answer}")
            equal(answer.json["outcome"], "unknown", f"{answer}")
            expect(TIMESTAMP.match(answer.json["certain_by"]), f"{answer}")
        refused(rest, answers[-1], 503, "MATCHER_UNREACHABLE")
        equal(answers[-1].json["outcome"], "not_executed", f"{answers[-1]}")
        expect("retry-after" in answers[-1].headers, f"no Retry-After: {answers[-1].headers}")
        equal(shard_of(rest.get("/health"), 1, "matcher", "standing", "why"),
              ["silent", "open", None], "what /health says")
        ready = rest.get("/readyz")
        equal((ready.status, ready.json), (503, {"status": "not_ready",
                                                 "detail": "shard 1: its matcher is silent"}),
              "it is not ready")
        equal(rest.place("BTC-USD", "buy", "1", "50").status, 201, "the other shard")
        equal(rest.get("/livez").status, 200, "it is alive")
        # An order of another gateway may be there: that there is none is not known.
        unheard = int(known) + 1000
        refused(rest, rest.get(f"{ORDERS}/{unheard}"), 503, "NOT_CAUGHT_UP")
        refused(rest, rest.get(f"{ORDERS}/client:no?symbol=AAPL"), 503, "NOT_CAUGHT_UP")
        refused(rest, rest.patch(f"{ORDERS}/{unheard}", {"reduce_by": "1"}), 503,
                "NOT_CAUGHT_UP")
        equal(rest.get(f"{ORDERS}/{known}").status, 200, "what is known")
        matcher.send(18)  # SIGCONT
        until(lambda: rest.place("AAPL", "buy", "1", "52", account="later").status == 201,
              "orders are taken again")
        equal(rest.get("/readyz").status, 200, "it is ready again")
        refused(rest, rest.get(f"{ORDERS}/{unheard}"), 404, "UNKNOWN_ORDER")
        # what came too late was refused, so unknown became certain
        late = rest.get(f"{ORDERS}?symbol=AAPL&status=open").json["data"]
        expect(len(late) <= len(answers), f"{late}")


def shard_of(health, shard, *members):
    return [health.json["shards"][shard][member] for member in members]


def a_matcher_that_has_stopped_is_said_to_have(test):
    """Not executed, whatever it is: nothing can be sequenced. What is known is read."""
    with venue(test, settings={"heartbeat_ms": 100}) as cluster:
        rest = Rest(cluster.gateways[0].port)
        known = rest.place("AAPL", "buy", "1", "50").json
        order = f"{ORDERS}/{known['order_id']}"
        found = ["up", "open", None, "sync", known["epoch"], known["seq"]]
        until(lambda: shard_of(rest.get("/health"), 1, "matcher", "standing", "why", "journal",
                               "epoch", "seq") == found, f"/health says {found}")
        equal(rest.metric("outcry_matcher_standing", shard=1, standing="open"), 1, "its metric")
        cluster.stop_matcher(1)
        refusals = [rest.place("AAPL", "buy", "1", "51"), rest.delete(order),
                    rest.patch(order, {"price": "49"}), rest.delete(ORDERS)]
        for answer in refusals:
            refused(rest, answer, 503, "INTAKE_STOPPED")
            equal(answer.json["outcome"], "not_executed", f"{answer}")
            expect("shard 1 takes no commands (stopped): it has stopped; nothing was sent" in
                   answer.json["detail"], f"{answer}")
            expect("retry-after" in answer.headers, f"no Retry-After: {answer.headers}")
        stopped = rest.get("/health")
        equal((stopped.status, stopped.json["status"]), (503, "degraded"), f"{stopped}")
        equal(shard_of(stopped, 1, "standing", "why"), ["stopped", "it has stopped"], f"{stopped}")
        equal(rest.get("/readyz").status, 503, "it is not ready")
        equal(rest.get("/livez").status, 200, "it is alive")
        equal(rest.metric("outcry_matcher_standing", shard=1, standing="stopped"), 1, "its metric")
        equal(rest.get(order).json["status"], "new", "what is known is read")
        equal(rest.place("BTC-USD", "buy", "1", "50").status, 201, "the other shard")
        gone = until(lambda: missed(rest.place("AAPL", "buy", "1", "51")), "it is missed")
        expect("(stopped: it has stopped)" in gone.json["detail"], f"{gone}")
        cluster.start_matcher(1)
        until(lambda: rest.get("/readyz").status == 200, "it is ready again")
        again = rest.delete(order)
        equal((again.status, again.json["status"], again.json["epoch"]),
              (200, "cancelled", known["epoch"]), f"{again}")


def missed(answer):
    return answer if answer.error == "MATCHER_UNREACHABLE" else None


def a_command_given_to_a_matcher_that_was_killed_is_done_once_it_is_back(test):
    """By the gateway's repeats, within its deadline: nobody asks twice."""
    with venue(test, settings={"answer_ms": 10_000, "deadline_ms": 60_000}) as cluster:
        rest = Rest(cluster.gateways[0].port)
        first = rest.place("AAPL", "buy", "1", "50").json
        cluster.matchers[1].kill()
        answers = []
        asker = threading.Thread(target=lambda: answers.append(
            Rest(cluster.gateways[0].port).place("AAPL", "buy", "1", "51")))
        asker.start()
        before = rest.metric("outcry_commands_repeated_total", shard=1)
        until(lambda: rest.metric("outcry_commands_repeated_total", shard=1) > before,
              "it is sent again")
        equal(rest.get(f"{ORDERS}/{first['order_id']}").json["status"], "new", "reads go on")
        cluster.start_matcher(1)
        asker.join()
        equal((answers[0].status, answers[0].json["epoch"]), (201, first["epoch"]), f"{answers}")
        listed = rest.get(f"{ORDERS}?symbol=AAPL&status=open&min_at={answers[0].at}").json["data"]
        equal(len(listed), 2, f"open orders: {listed}")


def a_matcher_that_begins_anew_is_followed(test):
    with venue(test, gateways=2, settings={"journal_mode": "none"}) as cluster:
        one, two = (Rest(gateway.port) for gateway in cluster.gateways)
        before = one.place("AAPL", "buy", "1", "50").json
        cluster.matchers[1].kill()
        cluster.start_matcher(1)
        until(lambda: one.place("AAPL", "buy", "1", "51").status == 201, "orders are taken again")
        after = one.place("AAPL", "buy", "1", "52")
        expect(after.json["epoch"] > before["epoch"], f"{after}")
        found = two.get(f"{ORDERS}/{after.json['order_id']}?min_at={after.at}")
        equal(found.status, 200, f"{found}")
        refused(two, two.get(f"{ORDERS}?min_at=1.{before['epoch']}.{before['seq']}"), 409,
                "EPOCH_CHANGED")


def it_stops_well_while_people_use_it(test):
    with venue(test) as cluster:
        gateway = cluster.gateways[0]
        stop = threading.Event()
        bad = []

        def trade(number):
            rest = Rest(gateway.port)
            while not stop.is_set():
                try:
                    answer = rest.place("BTC-USD", "buy", "1", "50", account=f"t{number}")
                except (OSError, EOFError):
                    return
                except Exception as error:  # http.client's own, when it is cut off
                    if "disconnected" in str(error).lower() or "Refused" in repr(error):
                        return
                    bad.append(repr(error))
                    return
                if answer.status not in (201, 503):
                    bad.append(repr(answer))
        threads = [threading.Thread(target=trade, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: Rest(gateway.port).metric("outcry_commands_total") > 100, "orders flow")
        gateway.process.stop()
        stop.set()
        for thread in threads:
            thread.join()
        equal(bad, [], "answers while it stopped")


if __name__ == "__main__":
    main(__doc__, [
        a_resting_order_is_answered_whole, orders_trade_and_say_so,
        cancel_and_amend_answer_the_order, a_client_order_id_is_used_once_through_any_gateway,
        a_mass_cancel_tells_each_shard, lists_page_newest_first,
        a_body_that_is_not_right_is_told_what_is_wrong, decimals_are_exact_or_refused,
        what_this_release_cannot_do_is_said, books_trades_and_statistics_are_read,
        a_position_is_waited_for_and_not_for_ever, paths_methods_and_types_are_known_or_refused,
        bodies_have_a_size_and_a_time, slow_clients_are_cut,
        foreign_hosts_and_origins_are_refused_everywhere, it_listens_off_loopback_only_if_told,
        an_address_has_a_limit_if_it_is_set, connections_beyond_the_budget_are_told,
        a_matcher_that_is_away_is_said_to_be, a_matcher_that_has_stopped_is_said_to_have,
        a_command_given_to_a_matcher_that_was_killed_is_done_once_it_is_back,
        a_matcher_that_begins_anew_is_followed,
        it_stops_well_while_people_use_it])
