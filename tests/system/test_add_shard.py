"""A shard with new symbols is added to a cluster that trades, by the steps that PRODUCTION.md
gives: its block `sh shard` is read, and each of its commands is done to processes. Nothing that
was acknowledged is lost, the old shards go on untouched, and the new symbols trade everywhere."""
import re

from cluster import ROOT, Gateway, equal, expect, main
from load import RestTrader, Watcher, WireTrader, equal_books, settle
from rest import Rest

OLD = {"BTC-USD": {"tick_size": "0.01"}, "AAPL": {"tick_size": "0.01", "shard": 1}}
NEW = {"ETH-USD": {"tick_size": "0.01", "shard": 2}, "POWER": {"any_price": 1, "shard": 2}}
SETTINGS = {"deadline_ms": 2000, "heartbeat_ms": 100, "snapshot_commands": 1000,
            "finished_per_account": 60_000, "accounts_max": 100, "open_orders_max": 100_000}
ACKS = 20
BLOCK = re.compile(r"^```sh shard *\n(.*?)^```", re.M | re.S)


class Venue:
    """The cluster as a trader knows it: these symbols, and the gateways its service has now."""

    def __init__(self, cluster, symbols):
        self.cluster = cluster
        self.symbols = symbols

    def __getattr__(self, name):
        return getattr(self.cluster, name)


class Steps:
    """What each command does, done to processes."""

    def __init__(self, cluster):
        self.cluster = cluster

    def apply(self):
        """Of all that changed only the replicas of the matchers act at once: no pod is rolled."""
        self.cluster.symbols.update(NEW)
        self.cluster.shards = 3
        self.cluster.write_config()
        self.cluster.start_matcher(2)
        self.cluster.start_follower(2)

    def matcher_ready(self):
        self.cluster.started(2)

    def restart_market_data(self):
        self.cluster.market_data.stop()
        self.cluster.start_market_data()

    def market_data_ready(self):
        self.cluster.until_ready()

    def restart_gateways(self):
        """One more, with a name of its own; when it is ready, one less; and again."""
        for number, old in enumerate(list(self.cluster.gateways)):
            new = Gateway(self.cluster, f"gateway-0123456789-abcd{number}")
            new.restart()
            self.cluster.gateways.append(new)
            self.cluster.gateways.remove(old)
            old.process.stop()

    def gateways_ready(self):
        for gateway in self.cluster.gateways:
            self.cluster.until(gateway.ready, f"{gateway.name} is ready")

    def all(self):
        """By the command."""
        return {
            "kubectl apply -k k8s/overlays/production": self.apply,
            "kubectl -n outcry rollout status statefulset/matcher": self.matcher_ready,
            "kubectl -n outcry rollout restart statefulset/market-data": self.restart_market_data,
            "kubectl -n outcry rollout status statefulset/market-data": self.market_data_ready,
            "kubectl -n outcry rollout restart deployment/gateway": self.restart_gateways,
            "kubectl -n outcry rollout status deployment/gateway": self.gateways_ready,
        }


def commands():
    """Of the document, in its order."""
    text = (ROOT / "k8s" / "PRODUCTION.md").read_text(encoding="utf-8")
    block = BLOCK.search(text)
    expect(block is not None, "PRODUCTION.md has no block `sh shard`")
    return block[1].split("\n")[:-1]


def trade_on(cluster, traders):
    """Each has so many acks more, on each of its shards."""
    before = [(trader, dict(trader.acks)) for trader in traders]

    def traded():
        for trader in traders:
            trader.check()
        return all(trader.acks[shard] >= old.get(shard, 0) + ACKS
                   for trader, old in before for shard in trader.shards)
    cluster.until(traded, "all trade on")


def begin(cluster, symbols, names, seed):
    venue = Venue(cluster, symbols)
    shards = {int(options.get("shard", 0)) for options in symbols.values()}
    traders = [RestTrader(venue, f"{names}-rest{number}", seed,
                          deadline_s=SETTINGS["deadline_ms"] / 1000) for number in range(2)]
    for trader in traders:
        trader.shards = shards
    for shard in shards:
        traders.append(WireTrader(venue, f"{names}-wire{shard}", shard, seed))
        traders[-1].shards = {shard}
    return [trader.start() for trader in traders]


def watch(cluster, name, symbols):
    kinds = ("l2", "l3", "bbo", "trade")
    return Watcher(name, cluster.address("market_data"),
                   [f"{kind}.{symbol}" for symbol in symbols for kind in kinds]).start()


def a_shard_is_added_to_a_cluster_that_trades(test):
    told = commands()
    with test.cluster(dict(OLD), shards=2, gateways=2, followers=True,
                      settings=SETTINGS) as cluster:
        before = {shard: (cluster.matchers[shard].pid, cluster.epoch(shard)) for shard in (0, 1)}
        watchers, workers = [watch(cluster, "old symbols", OLD)], []
        try:
            old = begin(cluster, OLD, "old", test.seed)
            workers += old
            trade_on(cluster, old)
            steps = Steps(cluster).all()
            equal(told, list(steps), "the commands of PRODUCTION.md")
            for command in told:
                steps[command]()
                trade_on(cluster, old)
            watchers.append(watch(cluster, "new symbols", NEW))
            new = begin(cluster, NEW, "new", test.seed)
            workers += new
            trade_on(cluster, old + new)
        finally:
            for worker in workers + watchers:
                worker.stopping.set()
        for worker in workers:
            worker.stop()
        both_gateways_serve_the_new_symbols(cluster)
        counts = settle(cluster, workers)
        for watcher in watchers:
            watcher.finish()
        equal_books(cluster, watchers)
        for watcher in watchers:
            watcher.close()
        after = {shard: (cluster.matchers[shard].pid, cluster.epoch(shard)) for shard in (0, 1)}
        equal(after, before, "processes and epochs of the old shards")
        the_old_take_the_new_configuration(cluster, before)
        print(f"    orders: {counts}")


def both_gateways_serve_the_new_symbols(cluster):
    """Placed by one and read by the other, each way, and by their market data."""
    equal(len(cluster.gateways), 2, "gateways")
    clients = [Rest(gateway.port) for gateway in cluster.gateways]
    for number, (one, two) in enumerate((clients, clients[::-1])):
        for symbol in NEW:
            placed = one.place(symbol, "buy", "1", "1", account="both",
                               client_order_id=f"{symbol}-{number}")
            equal(placed.status, 201, f"{placed}")
            path = f"/api/v1/orders/{placed.json['order_id']}?account=both&min_at={placed.at}"
            equal(two.get(path).json["order_id"], placed.json["order_id"], "read by the other")
            book = two.get(f"/api/v1/orderbook/{symbol}?depth=0&min_at={placed.at}")
            expect(any(float(price) == 1 for price, _ in book.json["bids"]), f"{symbol}: {book}")


def the_old_take_the_new_configuration(cluster, before):
    """As the next restart, whenever it comes, will have it: the same history."""
    for shard in (0, 1):
        last = cluster.stop_matcher(shard)
        cluster.start_matcher(shard)
        found = cluster.recovered(shard)
        equal((found["epoch"], found["seq"], found["state_hash"]),
              (before[shard][1], last["seq"], last["state_hash"]), f"shard {shard}")
    for shard in (0, 1, 2):
        last = cluster.stop_matcher(shard)
        said = cluster.outcry("verify", cluster.journal(shard)).said
        expect(last["state_hash"] in said and said.rstrip().endswith("sound"), said)


if __name__ == "__main__":
    main(__doc__, [a_shard_is_added_to_a_cluster_that_trades])
