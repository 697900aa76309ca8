"""kill -9 of each process in turn and of all at once, while orders come in by REST and ZeroMQ:
nothing acknowledged is lost, nothing happens twice, every reader ends right, and the journal says
the same as those who lived through it."""
import re
import time

from cluster import equal, expect, main, make_parser
from load import RestTrader, Watcher, WireTrader, equal_books, settle

SYMBOLS = {"BTC-USD": {"tick_size": "0.01"}, "ETH-USD": {},
           "AAPL": {"tick_size": "0.01", "shard": 1}}
SHARDS = 2
DEADLINE_MS = 2000
SETTINGS = {"deadline_ms": DEADLINE_MS, "heartbeat_ms": 100, "snapshot_commands": 1000,
            "checkpoint_commands": 300, "finished_per_account": 60_000, "accounts_max": 100,
            "open_orders_max": 100_000}
SIMULATED = [f"sim-{number}" for number in range(16)]
ACKS = 20  # of every trader on every shard, until the next kill


def venue(test):
    return test.cluster(SYMBOLS, shards=SHARDS, gateways=2, followers=True, settings=SETTINGS)


def begin_load(cluster, seed):
    traders = [RestTrader(cluster, f"rest{number}", seed, deadline_s=DEADLINE_MS / 1000)
               for number in range(3)]
    traders += [WireTrader(cluster, f"wire{shard}", shard, seed) for shard in range(SHARDS)]
    return [trader.start() for trader in traders]


def begin_watchers(cluster):
    """Of all there is to follow: market-data's topics, and the matchers' own."""
    kinds = ("l2", "l3", "bbo", "trade")
    watchers = [Watcher("public", cluster.address("market_data"),
                        [f"{kind}.{symbol}" for symbol in SYMBOLS for kind in kinds])]
    for shard in range(SHARDS):
        symbols = [symbol for symbol in SYMBOLS if cluster.shard_of(symbol) == shard]
        watchers.append(Watcher(f"l3 of {shard}", cluster.address("public", shard),
                                [f"l3.{symbol}" for symbol in symbols]))
        watchers.append(Watcher(f"account of {shard}", cluster.address("private", shard),
                                ["acct.rest0", f"acct.wire{shard}"]))
    return [watcher.start() for watcher in watchers]


def until_all_trade(cluster, workers, shards):
    """Every trader has so many acks more, on each of its shards."""
    before = [dict(worker.acks) for worker in workers if hasattr(worker, "acks")]

    def traded():
        for worker in workers:
            worker.check()
        traders = [worker for worker in workers if hasattr(worker, "acks")]
        return all(trader.acks[shard] >= old.get(shard, 0) + ACKS
                   for trader, old in zip(traders, before)
                   for shard in ([trader.shard] if hasattr(trader, "shard") else shards))
    cluster.until(traded, "all trade on")


def plan(cluster, count, chance):
    """Whom to kill, turn by turn: each in turn, then all, then any."""
    names = sorted(cluster.parts())
    turns = [[name] for name in names] + [names]
    while len(turns) < count:
        turns.append(names if chance.random() < 0.15 else
                     chance.sample(names, 1 if chance.random() < 0.7 else 2))
    chance.shuffle(turns)
    return turns


def verified(cluster, shard):
    """The hash `outcry verify` ends with."""
    process = cluster.outcry("verify", cluster.journal(shard))
    hashes = re.findall(r"\b[0-9a-f]{16}\b", process.said)
    expect(hashes, f"verify said no hash: {process.said}")
    return hashes[-1]


def nothing_is_lost_and_nothing_happens_twice(test):
    with venue(test) as cluster:
        epochs = {shard: cluster.epoch(shard) for shard in range(SHARDS)}
        watchers = begin_watchers(cluster)
        traders = begin_load(cluster, test.seed)
        workers = watchers + traders
        flow = cluster.spawn("flow", "outcry", "simulate", "--rate", "200", "--seed", test.seed)
        turns = plan(cluster, test.options.kills, test.random)
        try:
            until_all_trade(cluster, workers, range(SHARDS))
            for names in turns:
                time.sleep(test.random.random() * 0.1)  # any moment is as good
                cluster.kill(names)
                cluster.restart(test.random.sample(names, len(names)))
                until_all_trade(cluster, workers, range(SHARDS))
                expect(flow.running, f"the flow ended: {flow.tail()}")
            flow.stop()
        finally:
            for worker in workers:
                worker.stopping.set()
        for trader in traders:
            trader.stop()
        for gateway in cluster.gateways:
            gateway.until_ready()
        counts = settle(cluster, traders, SIMULATED)
        for watcher in watchers:
            watcher.finish()
        equal_books(cluster, watchers)
        for watcher in watchers:
            watcher.close()
        check_histories(cluster, epochs)
        kinds = {name: sum(name in names for names in turns) for name in sorted(cluster.parts())}
        print(f"    {len(turns)} kills ({kinds}); orders: {counts}")
        for trader in traders:
            print(f"    {trader.name}: {dict(sorted(trader.outcomes.items()))}")


def check_histories(cluster, epochs):
    """No history began anew, and each journal leads to what its matcher was."""
    for shard in range(SHARDS):
        equal({fact["epoch"] for process in cluster.processes
               if process.name == f"matcher-{shard}" for fact in process.facts("started")},
              {epochs[shard]}, f"epochs of shard {shard}")
        last = cluster.stop_matcher(shard)
        equal(verified(cluster, shard), last["state_hash"],
              f"the state hash of shard {shard}, by its journal and of its matcher")


if __name__ == "__main__":
    parser = make_parser(__doc__)
    parser.add_argument("--kills", type=int, default=12, help="how many")
    main(__doc__, [nothing_is_lost_and_nothing_happens_twice], parser)
