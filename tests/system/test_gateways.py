"""Two gateways side by side behave as one: what is placed through one is read through the other,
at once; and both say the same of everything."""
import threading

from cluster import equal, expect, main, until
from rest import Rest

SYMBOLS = {"BTC-USD": {"tick_size": "0.01", "lot_size": "0.0001"},
           "AAPL": {"tick_size": "0.01", "shard": 1}}
ORDERS = "/api/v1/orders"
READS = 10_000  # the figure, at --scale 1
THREADS = 4


def pair(test, **settings):
    return test.cluster(SYMBOLS, shards=2, gateways=2, settings=settings)


def what_one_placed_the_other_knows(test):
    count = test.count(READS)
    missed, done = [], []
    with pair(test) as cluster:
        def work(number):
            one, two = (Rest(gateway.port) for gateway in cluster.gateways)
            for turn in range(number, count, THREADS):
                writer, reader = (one, two) if turn % 2 else (two, one)
                symbol = "AAPL" if turn % 3 else "BTC-USD"
                placed = writer.place(symbol, "buy" if turn % 5 else "sell", "1",
                                      str(100 + turn % 7), account=f"a{number}",
                                      client_order_id=f"c{turn}")
                if placed.status != 201:
                    missed.append((turn, placed))
                    continue
                order = placed.json["order_id"]
                path = (f"{ORDERS}/{order}?" if turn % 2 else
                        f"{ORDERS}/client:c{turn}?symbol={symbol}&")
                found = reader.get(f"{path}account=a{number}&min_at={placed.at}")
                if found.status != 200 or found.json["order_id"] != order:
                    missed.append((turn, found))
                done.append(turn)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal(missed[:3], [], f"{len(missed)} of {count} were not found")
        equal(len(done), count, "read back")
        print(f"    {count} of {count} found through the other gateway")


def both_say_the_same(test):
    with pair(test) as cluster:
        one, two = (Rest(gateway.port) for gateway in cluster.gateways)
        last = {}
        for turn in range(300):
            rest = (one, two)[turn % 2]
            symbol = test.random.choice(list(SYMBOLS))
            answer = rest.place(symbol, test.random.choice(["buy", "sell"]),
                                str(test.random.randint(1, 5)), str(test.random.randint(98, 102)),
                                account=test.random.choice("abc"))
            equal(answer.status, 201, f"{answer}")
            last[symbol] = answer.at
        at = ",".join(last.values())
        for path in [*(f"{ORDERS}?account={name}&limit=1000&min_at={at}" for name in "abc"),
                     *(f"/api/v1/{what}/{symbol}?min_at={at}{more}" for symbol in SYMBOLS
                       for what, more in (("orderbook", "&depth=0"),
                                          ("orderbook", "&level=3&depth=0"),
                                          ("trades", "&limit=1000"))),
                     *(f"/stats/{symbol}?min_at={at}" for symbol in SYMBOLS)]:
            answers = [rest.get(path).json for rest in (one, two)]
            for answer in answers:  # how far each has heard beyond that may differ
                for order in answer.get("data", []):
                    order.pop("queue_ahead", None)
                for member in ("seq", "ts", "timestamp"):
                    if "book" in path or "stats" in path:
                        answer.pop(member, None)
            equal(answers[0], answers[1], path)


def a_gateway_that_comes_late_knows_what_was_before(test):
    with pair(test) as cluster:
        one = Rest(cluster.gateways[0].port)
        orders = [one.place("AAPL", "buy", "1", str(50 + n)).json["order_id"] for n in range(50)]
        for order in orders[:25]:
            gone = one.delete(f"{ORDERS}/{order}")
        equal(one.place("AAPL", "sell", "3", "90").status, 201, "a trade")
        traded = one.place("AAPL", "sell", "1", "60").json
        late = cluster.start_gateway()
        two = Rest(late.port)
        listed = two.get(f"{ORDERS}?limit=1000&min_at={gone.at}").json["data"]
        equal(listed, one.get(f"{ORDERS}?limit=1000").json["data"], "orders")
        for path in ("/api/v1/trades/AAPL", "/stats/AAPL"):
            a, b = one.get(path).json, two.get(path).json
            for answer in (a, b):
                for member in ("seq", "ts", "timestamp"):
                    answer.pop(member, None)
            equal(a, b, path)
        expect(traded["filled_quantity"] == "1", f"{traded}")


def a_gateway_that_dies_takes_nothing_with_it(test):
    with pair(test) as cluster:
        one, two = (Rest(gateway.port) for gateway in cluster.gateways)
        placed = [one.place("AAPL", "buy", "1", str(50 + n), client_order_id=f"k{n}")
                  for n in range(20)]
        cluster.gateways[0].process.kill()
        for number, answer in enumerate(placed):
            found = two.get(f"{ORDERS}/client:k{number}?symbol=AAPL&min_at={answer.at}")
            equal(found.json["order_id"], answer.json["order_id"], f"{found}")
        cluster.gateways[0].restart()
        again = Rest(cluster.gateways[0].port)
        repeated = again.place("AAPL", "buy", "1", "50", client_order_id="k0")
        equal((repeated.status, repeated.json["duplicate"]), (200, True), f"{repeated}")
        equal(until(lambda: again.place("AAPL", "buy", "1", "70"), "an order").status, 201,
              "the same name, a new session")


def gateways_go_on_with_a_matcher_that_comes_back(test):
    with pair(test) as cluster:
        one, two = (Rest(gateway.port) for gateway in cluster.gateways)
        placed = [one.place("AAPL", "buy", "1", str(50 + n), client_order_id=f"m{n}")
                  for n in range(20)]
        refused = one.place("AAPL", "sell", "1", "50", client_order_id="no", post_only=True)
        for _ in range(2):
            cluster.matchers[1].kill()
            cluster.start_matcher(1)
            for rest in (one, two):  # what was answered before is a repeat now
                again = until(lambda rest=rest: taken(rest.place("AAPL", "buy", "1", "50",
                                                                 client_order_id="m0")),
                              "orders are taken again")
                equal((again.status, again.json["duplicate"], again.json["order_id"]),
                      (200, True, placed[0].json["order_id"]), f"the same order: {again}")
            again = two.place("AAPL", "sell", "1", "50", client_order_id="no", post_only=True)
            equal((again.status, again.error, again.json["order_id"]),
                  (400, "POST_ONLY", refused.json["order_id"]), f"the same refusal: {again}")
        after = one.place("AAPL", "buy", "1", "80")
        equal(after.json["epoch"], placed[0].json["epoch"], f"the epoch of {after}")
        for number, answer in enumerate(placed):
            found = two.get(f"{ORDERS}/client:m{number}?symbol=AAPL&min_at={after.at}")
            equal(found.json["order_id"], answer.json["order_id"], f"{found}")


def taken(answer):
    return answer if answer.status in (200, 201) else None


if __name__ == "__main__":
    main(__doc__, [what_one_placed_the_other_knows, both_say_the_same,
                   a_gateway_that_comes_late_knows_what_was_before,
                   a_gateway_that_dies_takes_nothing_with_it,
                   gateways_go_on_with_a_matcher_that_comes_back])
