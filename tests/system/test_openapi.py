"""/openapi.json says what the running gateway does: every path and method of it is called, and
every answer, header and WebSocket message is checked against its schemas, where a member that is
not in the document is as wrong as one that is missing."""
import asyncio
import json
import re
import signal

import jsonschema
import websockets

from cluster import ROOT, Gateway, equal, expect, main, until
from rest import JSON, Rest

SYMBOLS = {"BTC-USD": {"tick_size": "0.01", "lot_size": "0.0001"},
           "AAPL": {"tick_size": "0.01", "shard": 1}}
METHODS = ("get", "post", "patch", "delete")
ORDERS = "/api/v1/orders"
FOREIGN = "http://elsewhere.example"
NOT_YET = {"quote_quantity": "1", "display_quantity": "1", "stop_price": "1",
           "expire_at": "2040-01-01T00:00:00Z", "type": "stop", "time_in_force": "DAY",
           "stp": "cancel_maker"}


def order(**more):
    return {"symbol": "BTC-USD", "side": "buy", "type": "limit", "quantity": "1", "price": "100",
            **more}


def strict(schema):
    """As JSON Schema, which spells `nullable` in another way; nothing undocumented is let in."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: strict(part) for key, part in schema.items() if key != "nullable"}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        parts["additionalProperties"] = False
    return {"anyOf": [parts, {"type": "null"}]} if schema.get("nullable") is True else parts


class Document:
    """The document, and what was seen of it."""

    def __init__(self, text):
        self.json = json.loads(text)
        self.resolver = jsonschema.RefResolver("", strict(self.json))
        self.operations = {method[1]["operationId"]: (path, *method)
                           for path, item in self.json["paths"].items()
                           for method in item.items() if method[0] in METHODS}
        self.seen = set()  # (operation id, status)
        self.given = set()  # (operation id, parameter)

    def find(self, thing):
        """The thing a reference stands for."""
        while "$ref" in thing:
            kind, name = thing["$ref"].split("/")[-2:]
            thing = self.json["components"][kind][name]
        return thing

    def parameters(self, name):
        return {parameter["name"]: parameter
                for parameter in map(self.find, self.operations[name][2].get("parameters", []))}

    def fits(self, schema, value, what):
        checker = jsonschema.Draft4Validator(strict(schema), resolver=self.resolver)
        fault = jsonschema.exceptions.best_match(checker.iter_errors(value))
        expect(fault is None, lambda: f"{what}: {fault.message} at {list(fault.absolute_path)} in "
                                      f"{json.dumps(value)[:800]}")

    def check_headers(self, documented, headers, what):
        for name, header in documented.items():
            header = self.find(header)
            value = headers.get(name.lower())
            expect(value is not None or not header.get("required"), f"no {name} in {what}")
            if value is not None:
                whole = self.find(header["schema"]).get("type") == "integer"
                self.fits(header["schema"], int(value) if whole else value, f"{name} of {what}")
        ours = {"x-at", "ratelimit", "ratelimit-policy", "retry-after", "allow", "server-timing"}
        undocumented = ours & set(headers) - {name.lower() for name in documented}
        expect(not undocumented, f"{what} has {undocumented}, which the document does not know")

    def check(self, name, answer):
        """An answer is as the document says; it."""
        what = f"{name}, answered {answer}"
        responses = self.operations[name][2]["responses"]
        expect(str(answer.status) in responses, f"the status of {what} is not in the document")
        response = self.find(responses[str(answer.status)])
        self.check_headers(response["headers"], answer.headers, what)
        kind = answer.type.split(";")[0]
        expect(kind in response["content"], f"the type {kind} of {what} is not in the document")
        self.fits(response["content"][kind]["schema"],
                  answer.json if "json" in kind else answer.body.decode(), what)
        self.seen.add((name, answer.status))
        return answer

    def call(self, rest, name, status, body=None, headers=None, /, **given):
        """Call an operation; given: its parameters."""
        path, method, operation = self.operations[name]
        parameters = self.parameters(name)
        inside = {key for key in given if parameters.get(key, {}).get("in") == "path"}
        target = re.sub(r"{(\w+)}", lambda key: str(given[key[1]]), path)
        query = "&".join(f"{key}={value}" for key, value in given.items() if key not in inside)
        answer = rest.ask(method.upper(), target + ("?" + query if query else ""), body, headers)
        equal(answer.status, status, f"status of {name} {given} {body}, answered {answer}")
        if answer.status < 300:
            if body is not None:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                self.fits(schema, body, f"the body of {name}")
            for key, value in given.items():
                self.given.add((name, key))
                schema = self.find(parameters[key]["schema"])
                self.fits(schema, int(value) if schema.get("type") == "integer" else value,
                          f"the parameter {key} of {name}")
        return self.check(name, answer)


def venue(test, **settings):
    return test.cluster(SYMBOLS, shards=2, gateways=1, settings={"answer_ms": 1500, **settings})


def served(cluster):
    rest = Rest(cluster.gateways[0].port)
    return rest, Document(rest.get("/openapi.json").body)


def lives(port):
    try:
        return Rest(port).get("/livez").status == 200
    except OSError:
        return False


def it_is_the_routes_table(test):
    with venue(test) as cluster:
        rest, document = served(cluster)
        file = ROOT / "services" / "gateway" / "openapi.json"
        equal(rest.get("/openapi.json").body, file.read_bytes(), "what is served, and the file")
        table = (ROOT / "services" / "gateway" / "routes.h").read_text(encoding="ascii")
        routes = set(re.findall(r'^    R\(\w+, "(\w+)", "([^"]+)"', table, re.M))
        expect(len(routes) > 15, f"read too little of routes.h: {routes}")
        documented = set()
        for path, method, _ in document.operations.values():
            path = "/ws/" if path.startswith("/ws/") else re.sub(r"{\w+}$", "", path)
            documented.add((method.upper(), path))
        equal(documented, routes, "methods and paths, in the document and in routes.h")


def it_is_whole(test):
    """As OpenAPI wants it: references lead somewhere, names stand once, parameters are there."""
    with venue(test) as cluster:
        _, document = served(cluster)
    equal(document.json["openapi"], "3.0.3", "its version")
    text = json.dumps(document.json)
    for reference in set(re.findall(r'"\$ref": "#/components/(\w+/\w+)"', text)):
        kind, name = reference.split("/")
        expect(name in document.json["components"][kind], f"a reference to {reference}")
    for kind, things in document.json["components"].items():
        for name in things:
            expect(f'"#/components/{kind}/{name}"' in text, f"{kind} {name} is used by nothing")
    for name, schema in document.json["components"]["schemas"].items():
        jsonschema.Draft4Validator.check_schema(strict(schema))
        if schema.get("type") == "object":
            expect(set(schema.get("required", [])) <= set(schema["properties"]), name)
    equal(len(document.operations), text.count('"operationId"'), "operation ids that stand once")
    for name, (path, _, operation) in document.operations.items():
        inside = {key for key, one in document.parameters(name).items() if one["in"] == "path"}
        equal(inside, set(re.findall(r"{(\w+)}", path)), f"parts of the path of {name}")
        for response in map(document.find, operation["responses"].values()):
            expect(response["description"], f"a response of {name} without a description")


def use_orders(document, rest):
    """Every parameter and field of orders, each answered as a success."""
    place = lambda status=201, **more: document.call(rest, "place", status, order(**more))
    examples = document.operations["place"][2]["requestBody"]["content"]["application/json"][
        "examples"]
    for example in examples.values():
        document.call(rest, "place", 201, example["value"])
    first = place(account="alice", client_order_id="a1", post_only=True, stp="reject",
                  time_in_force="GTC", valid_until="2040-01-01T00:00:00.5Z")
    place(200, account="alice", client_order_id="a1", post_only=True, stp="reject",
          time_in_force="GTC", valid_until="2040-01-01T00:00:00.5Z")
    for number in (place(price=100.25, quantity=0.5, valid_until=2_000_000_000_000_000),
                   place(type="ioc", price="120"), place(time_in_force="IOC", stp="none")):
        expect(number.at, f"a position in {number}")
    place(type="fok", side="sell", quantity="0.5", price="90")
    whole = {"account": "alice", "symbol": "BTC-USD", "epoch": first.json["epoch"],
             "min_seq": first.json["seq"], "min_at": first.at}
    document.call(rest, "order", 200, id=first.json["order_id"], account="alice")
    document.call(rest, "order", 200, id="client:a1", **whole)
    amend = document.operations["amend"][2]["requestBody"]["content"]["application/json"]
    for example in amend["examples"].values():
        document.call(rest, "amend", 200, example["value"], id="client:a1", **whole)
    document.call(rest, "amend", 200, {"quantity": "0.8", "valid_until": "2040-01-01T00:00:00Z"},
                  id="client:a1", **whole)
    document.call(rest, "amend", 200, {"open_quantity": 0.7, "price": 98}, id="client:a1", **whole)
    cancelled = document.call(rest, "cancel", 200, id="client:a1", account="alice",
                              symbol="BTC-USD")
    equal(cancelled.json["status"], "cancelled", "what was cancelled")
    for status in ("open", "finished", "all"):
        document.call(rest, "list", 200, account="alice", symbol="BTC-USD", side="buy",
                      status=status, limit=1, min_at=cancelled.at)
    page = document.call(rest, "list", 200, limit=2)
    expect(page.json["has_more"], f"more than one page: {page}")
    document.call(rest, "list", 200, limit=2, cursor=page.json["next_cursor"])
    rest.place("AAPL", "buy", "5", "10")
    document.call(rest, "mass_cancel", 200)
    document.call(rest, "mass_cancel", 200, account="alice", symbol="AAPL", side="sell")


def use_markets(document, rest):
    rest.place("BTC-USD", "sell", "2", "101")
    last = rest.place("BTC-USD", "buy", "1", "101")
    where = {"symbol": "BTC-USD", "min_at": last.at, "min_seq": last.json["seq"],
             "epoch": last.json["epoch"]}
    for level in (2, 3):
        book = document.call(rest, "orderbook", 200, depth=0, level=level, **where)
        equal({len(row) for row in book.json["asks"]}, {2 * level - 2}, "members of a row")
    page = document.call(rest, "trades", 200, limit=1, **where)
    document.call(rest, "trades", 200, limit=1, cursor=page.json["next_cursor"], symbol="BTC-USD")
    stats = document.call(rest, "stats", 200, **where)
    expect(stats.json["trade_count"] > 0 and stats.json["vwap"], f"{stats}")
    document.call(rest, "stats", 200, symbol="AAPL")
    for name in ("symbols", "time", "openapi", "health", "livez", "readyz", "startupz", "metrics"):
        document.call(rest, name, 200)


def every_operation_and_parameter_works(test):
    with venue(test) as cluster:
        rest, document = served(cluster)
        use_orders(document, rest)
        use_markets(document, rest)
        admin = Rest(cluster.gateways[0].admin_port)
        for name, (path, _, _) in document.operations.items():
            if "servers" in document.json["paths"][path]:
                document.call(admin, name, 200)
            if path.startswith("/ws/"):
                document.call(rest, name, 426, symbol="BTC-USD")
                continue
            for status in ("200", "201"):
                if status in document.operations[name][2]["responses"]:
                    expect((name, int(status)) in document.seen, f"{name} never gave {status}")
            missed = {key for key in document.parameters(name) if (name, key) not in document.given}
            expect(not missed, f"parameters of {name} that were not used: {missed}")


def refusals_are_in_it(test):
    with venue(test) as cluster:
        rest, document = served(cluster)
        bodies = {"place": order(), "amend": {"price": "1"}}
        for name, (path, method, _) in document.operations.items():
            given = {"id": "1", "symbol": "BTC-USD"} if "{id}" in path else \
                {"symbol": "BTC-USD"} if "{symbol}" in path else {}
            body = bodies.get(name)
            base = JSON if body else {}
            document.call(rest, name, 421, body, {**base, "Host": "elsewhere.example"}, **given)
            document.call(rest, name, 403, body, {**base, "Origin": FOREIGN}, **given)
            if not path.startswith("/ws/"):
                document.call(rest, name, 422, body, no_such_parameter=1, **given)
            if path.endswith("{symbol}") and not path.startswith("/ws/"):
                document.call(rest, name, 404, symbol="NO-SUCH")
            if "{id}" in path:
                document.call(rest, name, 404, body, id="1")
                document.call(rest, name, 422, body, id="client:a1")
            if body:
                document.call(rest, name, 400, b"{", **given)
                document.call(rest, name, 422, {"no_such_field": 1}, **given)
                document.call(rest, name, 413, b" " * 100_000, **given)
                document.call(rest, name, 415, body, {"Content-Type": "text/plain"}, **given)
            wrong = rest.ask("PUT", re.sub(r"{\w+}", "1", path))
            equal(wrong.status, 405, f"PUT {path}")
            document.check(name, wrong)
            expect(method.upper() in wrong.headers["allow"], f"Allow of {path}")
        document.call(rest, "list", 404, symbol="NO-SUCH")
        document.call(rest, "place", 404, order(symbol="NO-SUCH"))
        document.call(rest, "place", 201, order(client_order_id="x1"))
        document.call(rest, "place", 409, order(client_order_id="x1", price="99"))
        document.call(rest, "place", 400, order(price="100.001"))
        document.call(rest, "place", 400, order(quantity="0"))
        document.call(rest, "place", 400, order(type="fok", price="1"))
        named = {"id": "client:x1", "symbol": "BTC-USD"}
        document.call(rest, "cancel", 200, **named)
        again = document.call(rest, "cancel", 409, **named)
        equal(again.json["order"]["status"], "cancelled", "the final order")
        document.call(rest, "amend", 409, {"price": "1"}, **named)
        for name in ("list", "order", "orderbook", "trades", "stats"):
            given = {"list": {}, "order": {"id": 1}}.get(name, {"symbol": "BTC-USD"})
            document.call(rest, name, 503, min_at="0.0.999999999", **given)


def what_cannot_be_done_yet_is_not_in_it(test):
    with venue(test) as cluster:
        rest, document = served(cluster)
        schema = document.json["components"]["schemas"]["NewOrder"]
        for field, value in NOT_YET.items():
            answer = document.call(rest, "place", 400, order(**{field: value}))
            equal(answer.error, "NOT_SUPPORTED", f"{field}: {value}")
            documented = schema["properties"].get(field)
            expect(documented is None or value not in documented["enum"],
                   f"{field} may be {value} in the document")
        capped = document.call(rest, "place", 400, order(type="market"))
        equal(capped.error, "NOT_SUPPORTED", "a price cap")
        past = rest.get("/api/v1/orderbook/BTC-USD?seq=1&epoch=1&min_seq=1")
        equal(document.check("orderbook", past).error, "NOT_SUPPORTED", "the past")


def limits_and_late_answers_are_in_it(test):
    with venue(test, rate_loopback=1, rate_orders=1, rate_reads=1000) as cluster:
        rest, document = served(cluster)
        document.call(rest, "place", 201, order())
        limited = document.call(rest, "place", 429, order())
        expect({"retry-after", "ratelimit", "ratelimit-policy"} <= set(limited.headers),
               f"{limited.headers}")
    with venue(test, answer_ms=400) as cluster:
        rest, document = served(cluster)
        document.call(rest, "place", 201, order(client_order_id="x1"))
        cluster.matchers[0].send(signal.SIGSTOP)
        try:
            for name, body, given in (("place", order(), {}),
                                      ("cancel", None, {"id": "client:x1", "symbol": "BTC-USD"}),
                                      ("mass_cancel", None, {})):
                late = document.call(rest, name, 202, body, **given)
                expect(name == "mass_cancel" or late.json["outcome"] == "unknown", f"{late}")
            until(lambda: rest.post(ORDERS, order()).status == 503, "the matcher is missed")
            document.call(rest, "place", 503, order())
            late = Gateway(cluster, "late")
            cluster.gateways.append(late)
            late.begin()
            learning = Rest(late.port)
            until(lambda: lives(late.port), "the late one lives")
            for name in ("health", "readyz", "startupz", "list"):
                document.call(learning, name, 503)
        finally:
            cluster.matchers[0].send(signal.SIGCONT)
        late.until_ready()
        document.call(learning, "startupz", 200)


def every_message_is_in_it(test):
    with venue(test) as cluster:
        rest, document = served(cluster)
        rest.place("BTC-USD", "sell", "1", "101")
        rest.place("BTC-USD", "buy", "0.5", "101")  # a trade of the past
        base = f"ws://127.0.0.1:{cluster.gateways[0].port}"

        def trade():
            resting = rest.place("BTC-USD", "buy", "3", "100").json["order_id"]
            rest.patch(f"{ORDERS}/{resting}", {"reduce_by": "1"})
            rest.place("BTC-USD", "sell", "1", "100")
            rest.delete(f"{ORDERS}/{resting}")
            return rest.place("BTC-USD", "buy", "0.5", "101").json["seq"]

        async def watch():
            channels = {name: await websockets.connect(base + path.replace("{symbol}", "BTC-USD"))
                        for name, (path, _, _) in document.operations.items()
                        if path.startswith("/ws/")}
            messages = {name: [json.loads(await asyncio.wait_for(socket.recv(), 30))]
                        for name, socket in channels.items()}
            last = await asyncio.get_running_loop().run_in_executor(None, trade)
            for name, socket in channels.items():
                while messages[name][-1]["seq"] < last or not messages[name][-1].get("last", True):
                    text = await asyncio.wait_for(socket.recv(), 30)
                    messages[name].append(json.loads(text))
                await socket.send("anything")
                while messages[name][-1]["type"] != "error":
                    text = await asyncio.wait_for(socket.recv(), 30)
                    messages[name].append(json.loads(text))
                await socket.close()
            return messages

        for name, messages in asyncio.run(watch()).items():
            documented = document.operations[name][2]["x-messages"]
            for message in messages:
                document.fits({"anyOf": documented}, message, f"a message of {name}")
            types = {document.find(one)["properties"]["type"]["enum"][0] for one in documented}
            found = {message["type"] for message in messages}
            equal(types - found - {"reset"}, set(), f"messages of {name} that never came")


if __name__ == "__main__":
    main(__doc__, [it_is_the_routes_table, it_is_whole, every_operation_and_parameter_works,
                   refusals_are_in_it, what_cannot_be_done_yet_is_not_in_it,
                   limits_and_late_answers_are_in_it, every_message_is_in_it])
