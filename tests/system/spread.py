"""A cluster (cluster.py) spread over hosts (hosts.py): each matcher with its follower, market-data
and each gateway on a host of its own, speaking tcp, and the test on the host `clients`.

Each host has a run directory of its own, so nothing but the wire joins them.
"""
import zmq

from clocks import Clocks
from cluster import Cluster, Gateway
from hosts import Hosts

CLIENTS, MARKET_DATA = "clients", "market-data"
COMMANDS_PORT, REQUESTS_PORT, PRIVATE_PORT, PUBLIC_PORT = 5601, 5602, 5603, 5604
MARKET_DATA_PORT, MARKET_DATA_REQUESTS_PORT = 5560, 5561
GATEWAY_PORT, ADMIN_PORT = 8000, 8001
PORTS = {"commands": COMMANDS_PORT, "requests": REQUESTS_PORT, "private": PRIVATE_PORT,
         "public": PUBLIC_PORT}


class SpreadGateway(Gateway):
    """A gateway on a host of its own."""

    def __init__(self, cluster, name):
        super().__init__(cluster, name)
        self.host = cluster.hosts.address(name)
        self.port = GATEWAY_PORT
        self.admin_port = ADMIN_PORT


class Spread(Cluster):
    """As a context, like a Cluster; `hosts` cuts and heals. keys: what goes over the wire between
    its processes is encrypted, and they know each other by their keys. clocks: `clocks` sets those
    of its processes."""

    def __init__(self, binaries, symbols, seed, shards=2, gateways=2, settings=None, keys=False,
                 clocks=False):
        gateway_names = [f"gateway-{number}" for number in range(gateways)]
        self.hosts = Hosts([CLIENTS, *(f"matcher-{shard}" for shard in range(shards)),
                            MARKET_DATA, *gateway_names], seed)
        prefix, _, first = self.hosts.address("matcher-0").rpartition(".")
        market_data = self.hosts.address(MARKET_DATA)
        super().__init__(binaries, symbols, shards=shards, followers=True, settings={
            **{f"{what}_address": f"tcp://{prefix}.{{{first}+shard}}:{port}"
               for what, port in PORTS.items()},
            "market_data_address": f"tcp://{market_data}:{MARKET_DATA_PORT}",
            "market_data_requests_address": f"tcp://{market_data}:{MARKET_DATA_REQUESTS_PORT}",
            "hosts": ",".join(map(self.hosts.address, gateway_names)),
            "open_anywhere": 1, "rate_orders": 1_000_000, "rate_reads": 1_000_000,
            **(settings or {})})
        self.settings["journal_dir"] = str(self.run_dir / "journal")
        self.gateways = [SpreadGateway(self, name) for name in gateway_names]
        self.clocks = Clocks(self.run_dir) if clocks else None
        self.hosts.stay(CLIENTS)
        if keys:
            self.outcry("keys", "make", self.run_dir / "keys")
            self.settings["keys_dir"] = str(self.run_dir / "keys")

    def address(self, what, shard=0):
        if what in PORTS:
            return f"tcp://{self.hosts.address(f'matcher-{shard}')}:{PORTS[what]}"
        return super().address(what)

    def host_of(self, name):
        """Where a process of this name belongs."""
        name = name.replace("follower-", "matcher-")
        return name if name in self.hosts.names else CLIENTS

    def spawn(self, name, *command, environment=None):
        host = self.host_of(name)
        directory = self.run_dir / host
        directory.mkdir(exist_ok=True)
        clock = self.clocks.environment(name) if self.clocks and host != CLIENTS else {}
        with self.hosts.inside(host):
            return super().spawn(name, *command, environment={
                "OUTCRY_RUN_DIR": str(directory), **clock, **(environment or {})})

    def end(self, failed):
        self.hosts.heal()
        try:
            super().end(failed)
        finally:
            # Its threads are on the host of who began it; the next cluster has other hosts.
            zmq.Context.instance().destroy(0)
            self.hosts.close()
