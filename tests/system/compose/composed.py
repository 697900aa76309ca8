"""The cluster of docker-compose.yml, at work in an engine of the test's own: what runs, where it is
reached, and what can be done to it. To load.py it looks like cluster.py's.

Names of containers are known to this machine as they are to each other (`know_names`), so a client
of the test stands where one beside the containers would.
"""
import json
import os
import pathlib
import re
import signal
import subprocess
import types

import yaml

from cluster import ROOT, WAIT_S, Gateway, equal, expect, until
from rest import Rest

PROJECT = "outcry"
COMPOSE_FILE = ROOT / "docker-compose.yml"
CONFIG = ROOT / "services" / "compose" / "cluster.cfg"
BROKEN = re.compile(r"CHECK failed|\"level\":\"error\"")
HEALTHY_S = 120
# Of those symbols of the configuration that are traded by whole numbers at 100.
SYMBOLS = {"BTC-USD": {"shard": 0}, "AAPL": {"shard": 1}}
SIMULATED = [f"sim-{number}" for number in range(16)] + ["maker-1"]


class PublishedGateway(Gateway):
    """A gateway where it is published on this machine."""

    def __init__(self, name, port):  # pylint: disable=super-init-not-called
        self.name = name
        self.port = port


class Composed:
    """`docker-compose` with this repository's file."""

    def __init__(self, engine, directory):
        self.engine = engine
        self.directory = directory
        self.symbols = SYMBOLS
        self.file = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
        self.services = self.file["services"]
        self.gateways = [PublishedGateway("gateway-1", 8000), PublishedGateway("gateway-2", 8010)]

    # ---- docker-compose ----

    def compose(self, *arguments, check=True, seconds=600):
        return self.engine.run("docker-compose", *arguments, check=check, seconds=seconds)

    def up(self, *services):
        """Everything, or these, as the file says; healthy."""
        self.compose("up", "--detach", *services)
        self.until_healthy()

    def down(self, *arguments):
        self.compose("down", *arguments)

    def recreate(self, service):
        """As an upgrade does it: a new container in place of the old one; healthy and ready."""
        self.compose("up", "--detach", "--no-deps", "--force-recreate", service)
        self.until_serving(service)

    def lasting(self):
        """The services that are to run all the time."""
        return [name for name, service in self.services.items()
                if service.get("restart") != "no" and "profiles" not in service]

    # ---- containers ----

    def container(self, service):
        """Its id."""
        found = self.engine.docker("ps", "--all", "--quiet", "--no-trunc", "--filter",
                                   f"label=com.docker.compose.project={PROJECT}", "--filter",
                                   f"label=com.docker.compose.service={service}").stdout.split()
        equal(len(found), 1, f"containers of {service}")
        return found[0]

    def inspect(self, service):
        return json.loads(self.engine.docker("inspect", self.container(service)).stdout)[0]

    def healthy(self, service):
        state = self.inspect(service)["State"]
        return state["Running"] and state.get("Health", {}).get("Status", "healthy") == "healthy"

    def until_healthy(self):
        waiting = set(self.lasting())

        def all_healthy():
            waiting.difference_update([name for name in waiting if self.healthy(name)])
            return not waiting
        try:
            until(all_healthy, "every container is healthy", HEALTHY_S)
        except Exception:
            print(self.logs(*waiting))
            raise
        for gateway in self.gateways:
            until(lambda ready=gateway: self.ready(ready), f"{gateway.name} is ready")

    def until_serving(self, service):
        """It is healthy, says that it is ready, and the gateways say so of themselves."""
        until(lambda: self.healthy(service), f"{service} is healthy", HEALTHY_S)
        if service != "flow":
            until(lambda: self.execute(service, "outcry", "probe", "readyz", "127.0.0.1:8001",
                                       check=False).returncode == 0, f"{service} is ready")
        for gateway in self.gateways:
            until(lambda ready=gateway: self.ready(ready), f"{gateway.name} is ready")

    @staticmethod
    def ready(gateway):
        rest = Rest(gateway.port, host=gateway.host)
        try:
            return rest.get("/readyz").status == 200
        except OSError:
            return False
        finally:
            rest.close()

    def execute(self, service, *command, check=True):
        """Run it in the service's container."""
        return self.engine.docker("exec", self.container(service), *command, check=check)

    def cli(self, *arguments, check=True):
        """`docker-compose run --rm cli ...`."""
        return self.compose("run", "--rm", "-T", "cli", *arguments, check=check)

    def kill(self, service):
        """kill -9 of the container's first process: it crashed. The engine is to start it again."""
        before = self.inspect(service)
        os.kill(before["State"]["Pid"], signal.SIGKILL)

        def again():
            state = self.inspect(service)
            return state["RestartCount"] > before["RestartCount"] and state["State"]["Running"]
        until(again, f"{service} is started again")

    def logs(self, *services):
        return self.compose("logs", "--no-color", "--tail", "30", *services, check=False).stdout

    def check(self):
        """Nobody said what must not be said."""
        for service in self.lasting():
            said = self.engine.docker("logs", self.container(service))
            fault = BROKEN.search(said.stdout + said.stderr)
            expect(fault is None, lambda: f"{service} said: {(said.stdout + said.stderr)[-2000:]}")

    # ---- networks ----

    def network(self, name):
        return f"{PROJECT}_{name}"

    def cut(self, service, network):
        self.engine.docker("network", "disconnect", self.network(network), self.container(service))

    def heal(self, service, network):
        """As docker-compose.yml has it."""
        where = self.inspect_file(service)["networks"][network] or {}
        address = ["--ip", where["ipv4_address"]] if "ipv4_address" in where else []
        self.engine.docker("network", "connect", *address, "--alias", service,
                           self.network(network), self.container(service))

    def inspect_file(self, service, *profiles):
        """The service, as docker-compose understands the file."""
        chosen = [word for profile in profiles for word in ("--profile", profile)]
        return yaml.safe_load(self.compose(*chosen, "config").stdout)["services"][service]

    def addresses(self):
        """{(service, network): address} of all that runs."""
        return {(service, network.split("_", 1)[1]): where["IPAddress"]
                for service in self.lasting()
                for network, where in self.inspect(service)["NetworkSettings"]["Networks"].items()}

    def know_names(self):
        """Containers' names mean here, in our own mount namespace, what they mean to containers."""
        hosts = self.directory / "hosts"
        lines = ["127.0.0.1 localhost"]
        for name in self.inspect_file("gateway-1")["extra_hosts"]:
            host, address = name.split(":")
            # As README.md says for readers outside: where it is published.
            lines.append(f"{'127.0.0.1' if host == 'market-data' else address} {host}")
        hosts.write_text("\n".join(lines) + "\n", encoding="ascii")
        subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)

    # ---- what load.py asks of a cluster ----

    def address(self, what, shard=0):
        """As the configuration says."""
        line = re.search(rf'^    {what} = "(.*)"$', CONFIG.read_text(encoding="utf-8"), re.M)
        return line.group(1).replace("{shard}", str(shard))

    @staticmethod
    def shard_of(symbol):
        return SYMBOLS[symbol]["shard"]

    def until(self, condition, what, seconds=WAIT_S):
        return until(condition, what, seconds)

    # ---- keys ----

    @property
    def keys(self):
        """The directory of all keys, which is the volume only `keys` has."""
        return self.volume("keys")

    def volume(self, name):
        """Where the engine has it."""
        return self.engine.docker("volume", "inspect", "--format", "{{.Mountpoint}}",
                                  f"{PROJECT}_{name}").stdout.strip()


HERE = types.SimpleNamespace(composed=None, accounts=[], epochs=None)  # what all claims are about


def epochs():
    """Of every shard, by a gateway's word."""
    health = Rest(8000).get("/health").json
    return {shard["shard"]: shard["epoch"] for shard in health["shards"]}


def say(words):
    print(f"    {words}", flush=True)


def check_keys():
    """Each role has its own secret keys and everybody's public ones, and no more."""
    everybody = {path.name for path in pathlib.Path(HERE.composed.keys).glob("*.public")}
    for role in ("matcher", "follower", "market-data", "gateway", "strategy", "operator",
                 "subscriber"):
        found = {path.name for path in pathlib.Path(HERE.composed.volume(f"{role}-keys")).iterdir()}
        equal(found, everybody | {f"{role}.secret"}, f"keys of {role}")
