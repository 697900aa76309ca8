"""Clusters of which every socket is on tcp and has keys; and strangers, who come to them with
whatever key they like, by bare sockets."""
import calendar
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

import zmq

from cluster import Cluster, WAIT_S, equal, expect
from ports import free_ports
from outcry import catalog, frames
from outcry.keys import Keys

OF_MATCHER = ("commands", "requests", "private", "public", "private_answers", "public_answers")
OF_FOLLOWER = ("follower_requests", "follower_private", "follower_public")
OF_MARKET_DATA = ("market_data", "market_data_requests")
SOCKETS = OF_MATCHER + OF_FOLLOWER + OF_MARKET_DATA
ROLES = ("matcher", "follower", "market-data", "gateway", "strategy", "operator", "subscriber")
# Who may connect to what: the table of PROTOCOL.md, once more by hand.
MAY = {
    "commands": {"gateway", "strategy", "operator"},
    "requests": {"gateway", "strategy", "operator", "market-data", "follower"},
    "private": {"gateway", "strategy", "operator"},
    "public": {"market-data", "strategy", "operator"},
    "private_answers": {"follower"},
    "public_answers": {"follower"},
    "follower_requests": {"matcher"},
    "follower_private": {"gateway", "strategy", "operator"},
    "follower_public": {"market-data", "strategy", "operator"},
    "market_data": {"gateway", "subscriber", "strategy", "operator"},
    "market_data_requests": {"gateway", "subscriber", "strategy", "operator"},
}


def kind_of(what):
    """PULL or PUB, as it is bound."""
    return "PUB" if what.endswith(("private", "public", "market_data")) else "PULL"


def server_of(what):
    return ("follower" if what in OF_FOLLOWER else
            "market-data" if what in OF_MARKET_DATA else "matcher")


def keys_tool(test, *arguments, status=0):
    """`outcry keys`: what it said."""
    done = subprocess.run([test.bin / "outcry", "keys", *map(str, arguments)], check=False,
                          capture_output=True, text=True, timeout=60,
                          env={**os.environ, "OUTCRY_AUDIT_DESTINATION": "none"})
    equal(done.returncode, status, f"outcry keys {arguments}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


class KeyedCluster(Cluster):
    """Every socket of it on tcp, with keys in its own directory."""

    def __init__(self, test, symbols, shards=1, **options):
        self.test = test
        self.keys_path = pathlib.Path(f"/tmp/outcry-keys-{os.getpid()}-{time.monotonic_ns()}")
        settings = {"keys_dir": str(self.keys_path), "audit_destination": "none"}
        first = free_ports(len(SOCKETS) * shards)
        for number, what in enumerate(SOCKETS):
            port = first + number * shards
            settings[f"{what}_address"] = (
                f"tcp://127.0.0.1:{port}" if what in OF_MARKET_DATA else
                f"tcp://127.0.0.1:{{{port}+shard}}")
        settings.update(options.pop("settings", {}))
        keys_tool(test, "make", self.keys_path)
        super().__init__(test.bin, symbols, shards=shards, settings=settings, **options)

    def end(self, failed):
        try:
            super().end(failed)
        finally:
            shutil.rmtree(self.keys_path, ignore_errors=True)

    def change(self, action, name):
        return keys_tool(self.test, action, self.keys_path, name)

    def services(self):
        """Running processes, by role."""
        return {"matcher": list(self.matchers.values()),
                "follower": [one for one in self.followers.values() if one is not None],
                "market-data": [self.market_data],
                "gateway": [gateway.process for gateway in self.gateways]}

    def refusals(self, server):
        """What the services of that role logged of those they did not let in."""
        return [fact for process in self.services()[server] for fact in process.facts("refused")
                if fact["module"] == "keys"]

    def count_refused(self, what):
        """The metric of the first shard's service, for this socket."""
        name = {"market_data": "market", "market_data_requests": "market_requests"}.get(what, what)
        admin = {"matcher": "matcher-0", "follower": "follower-0"}.get(server_of(what),
                                                                       "market-data")
        text = self.metrics(admin)
        found = re.search(rf'^outcry_curve_refused_total{{socket="{name}"}} (\d+)$', text, re.M)
        return int(found[1]) if found else 0

    def metrics(self, admin):
        address = (self.run_dir / f"{admin}.admin").read_text(encoding="ascii").strip()
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), WAIT_S) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


class Stranger:
    """Raw sockets, with whatever key."""

    def __init__(self, cluster, secret=None, server_key=None):
        self.cluster = cluster
        self.pair = secret
        self.server_key = server_key
        self.context = zmq.Context()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.context.destroy(linger=0)

    def open(self, kind, what):
        opened = self.context.socket(kind)
        opened.linger = 0
        opened.immediate = kind == zmq.PUSH
        if self.pair is not None:
            opened.curve_publickey, opened.curve_secretkey = self.pair
            opened.curve_serverkey = self.server_key or Keys(
                self.cluster.keys_path, "operator").of_server(server_of(what))[0]
        if kind == zmq.SUB:
            opened.setsockopt(zmq.SUBSCRIBE, b"")
        opened.connect(self.cluster.address(what))
        return opened


def pair_of(cluster, name):
    keys = Keys(cluster.keys_path, name)
    return keys.public, keys.secret


def a_command(origin, account="mallory", seq=1, client_order_id="x"):
    body = catalog.MESSAGES["new_order"].fill({
        "symbol": "AAA", "account": account, "client_order_id": client_order_id, "side": "buy",
        "type": "limit", "time_in_force": "GTC", "post_only": False, "stp": "none", "price": 100,
        "qty": 1})
    return frames.encode_command(catalog.ENVELOPE.make(origin, time.time_ns(), seq, 0, 0), body)


def sequence(cluster):
    """Where shard 0 stands, asked by an operator."""
    with Stranger(cluster, pair_of(cluster, "operator")) as operator:
        sub = operator.open(zmq.SUB, "public")
        expect(sub.poll(WAIT_S * 1000), "a heartbeat comes")
        return frames.decode_frame(sub.recv()).seq


def read_by_all(cluster):
    """Every process has read the directory as it is now."""
    changed = max(path.stat().st_ctime for path in
                  [cluster.keys_path, *cluster.keys_path.iterdir()])

    def read(process):
        return any(seconds_of(fact["time"]) >= changed
                   for fact in process.facts("read") + process.facts("started"))
    cluster.until(lambda: all(read(process) for processes in cluster.services().values()
                              for process in processes), "the keys are read again")


def seconds_of(text):
    """A log's time as Unix seconds."""
    head, _, part = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(head, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{part}")
