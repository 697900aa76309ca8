"""The pods of the overlay `local`, at work: each on a host of its own (a network namespace) under
the names its services give it, each container by the command, environment, configuration, ports and
Secret of the manifests. Only its files lie in a folder. What is not here is Kubernetes: who starts
them, volumes, and the enforcement of network policies."""
import base64
import ctypes
import http.client
import pathlib
import subprocess

import yaml

from cluster import ROOT, equal, expect, main, make_parser, until
from hosts import Hosts, alone
from manifests import Table, build, find_kubectl
from process import Process, clean_environment
from rest import Rest

CLIENT = "client"
CLONE_NEWNS = 0x00020000
LISTENING = "0A"  # in /proc/net/tcp
PLACES = {"/var/lib/outcry": "data", "/run/outcry": "run", "/run/keys": "keys-{}",
          "/etc/outcry": "etc"}
SYMBOLS = ("ETH-USD", "AAPL")  # of both shards; nobody else trades them


def replicas(m):
    """The pods there are: two gateways, the operator's among them."""
    counts = {"matcher": int(m.setting("shards")), "market-data": 1, "gateway": 2, "strategy": 1,
              "operator": 1}
    return [m.pod(component, ordinal) for component, count in counts.items()
            for ordinal in range(count)]


def names_of(m, pod):
    """By which others reach it."""
    short = f"{pod.pod_name}.{pod.component}"
    return f"{short} {short}.{m.namespace}.svc"


class Venue:
    """All of it. As a context."""

    def __init__(self, test):
        self.m = build(find_kubectl(test.options.kubectl), "overlays/local", Table(test.bin))
        self.bin = test.bin
        self.pods = replicas(self.m)
        self.hosts = Hosts([CLIENT, *(pod.pod_name for pod in self.pods)], test.seed)
        self.directory = None
        self.processes = {}  # (pod's name, container's name)

    def start(self, directory):
        self.directory = directory
        self._name_hosts()
        secrets = self._secrets()
        for pod in self.pods:
            place = directory / pod.pod_name
            for name in ("data", "run", "etc"):
                (place / name).mkdir(parents=True)
            (place / "etc" / "cluster.cfg").write_text(self.m.config, encoding="utf-8")
            for container in pod.containers():
                self._give(place / f"keys-{container['name']}",
                           secrets[pod.volumes()[pod.mount_of(container, "/run/keys")["name"]]
                                   ["secret"]["secretName"]])
        for pod in self.pods:
            for container in pod.containers():
                if pod.component != "operator":
                    self._start(pod, container, pod.command(container))

    def _name_hosts(self):
        """For us and whom we start: a file of our own where names are looked up."""
        lines = ["127.0.0.1 localhost"]
        lines += [f"{self.hosts.address(pod.pod_name)} {names_of(self.m, pod)}"
                  for pod in self.pods]
        file = self.directory / "hosts"
        file.write_text("\n".join(lines) + "\n", encoding="ascii")
        libc = ctypes.CDLL(None, use_errno=True)
        equal(libc.unshare(CLONE_NEWNS), 0, "mounts of our own")
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "--bind", file, "/etc/hosts"], check=True)

    def _secrets(self):
        """As k8s/secrets has them."""
        keys = self.directory / "keys"
        subprocess.run([self.bin / "outcry", "keys", "make", keys], check=True,
                       stdout=subprocess.DEVNULL)
        said = subprocess.run([ROOT / "k8s" / "secrets", keys], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        return {one["metadata"]["name"]: one["data"] for one in yaml.safe_load_all(said)}

    @staticmethod
    def _give(directory, data):
        directory.mkdir()
        for name, text in data.items():
            file = directory / name
            file.write_bytes(base64.b64decode(text))
            file.chmod(0o440)

    def _start(self, pod, container, command):
        place = self.directory / pod.pod_name
        environment = clean_environment(**pod.environment(container))
        for path, name in PLACES.items():
            there = str(place / name.format(container["name"]))
            environment = {key: value.replace(path, there) if key.startswith("OUTCRY_") else value
                           for key, value in environment.items()}
        with self.hosts.inside(pod.pod_name):
            process = Process(f"{pod.pod_name}-{container['name']}",
                              [self.bin / command[0], *command[1:]], self.directory, environment)
        self.processes[pod.pod_name, container["name"]] = process
        return process

    def run(self, component, *command):
        """A command in the pod that is there for it, to its end."""
        pod = next(pod for pod in self.pods if pod.component == component)
        process = self._start(pod, pod.main, command)
        equal(process.wait(), 0, f"{command}: {process.words}{process.said}")
        process.check()
        del self.processes[pod.pod_name, pod.main["name"]]
        return process.said

    def check(self):
        for process in self.processes.values():
            process.check()

    def until(self, condition, what):
        return until(condition, what, watch=self.check)

    def stop(self):
        for _, process in sorted(self.processes.items()):
            process.stop()
        self.check()

    def tails(self):
        return "\n".join(process.tail() for process in self.processes.values())


def probed(venue, pod, container, probe):
    """What a kubelet would see."""
    get = container[probe]["httpGet"]
    http_ = http.client.HTTPConnection(venue.hosts.address(pod.pod_name),
                                       pod.port(container, get["port"]),
                                       timeout=container[probe]["timeoutSeconds"])
    try:
        http_.request("GET", get["path"])
        return http_.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        http_.close()


def every_probe_says_yes(venue):
    for pod in venue.pods:
        for container in pod.containers():
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if probe in container:
                    venue.until(lambda pod=pod, container=container, probe=probe:
                                probed(venue, pod, container, probe),
                                f"{probe} of {pod.pod_name}/{container['name']}")


def listening(venue, pod):
    """Ports that others can reach."""
    with venue.hosts.inside(pod.pod_name):
        lines = pathlib.Path("/proc/thread-self/net/tcp").read_text(encoding="ascii")
    found = set()
    for line in lines.splitlines()[1:]:
        address, state = line.split()[1], line.split()[3]
        host, port = address.split(":")
        if state == LISTENING and not host.endswith("7F"):
            found.add(int(port, 16))
    return found


def pods_listen_where_they_declare_and_nowhere_else(venue):
    for pod in venue.pods:
        declared = {port for container in pod.containers()
                    for port in pod.ports(container).values()}
        equal(listening(venue, pod), declared, f"ports of {pod.pod_name}")


def orders_trade_through_both_gateways(venue):
    """From within the pod, as `kubectl port-forward` does."""
    gateways = [pod for pod in venue.pods if pod.component == "gateway"]
    for turn, (one, two) in enumerate((gateways, gateways[::-1])):
        for symbol in SYMBOLS:
            with venue.hosts.inside(one.pod_name):
                placed = Rest(8000).place(symbol, "sell", "1", "100", account=f"seller{turn}")
            equal(placed.status, 201, f"{placed}")
            with venue.hosts.inside(two.pod_name):
                rest = Rest(8000)
                path = f"/api/v1/orders/{placed.json['order_id']}?account=seller{turn}"
                found = rest.get(f"{path}&min_at={placed.at}")
                equal(found.status, 200, f"the other gateway: {found}")
                book = rest.get(f"/api/v1/orderbook/{symbol}?depth=0&min_at={placed.at}")
                equal(len(book.json["asks"]), 1, f"{book}")
                taken = rest.place(symbol, "buy", "1", "100", account="buyer")
                equal(taken.json["status"], "filled", f"{taken}")


def the_operator_sees_and_acts(venue):
    admin = [f"{venue.hosts.address(pod.pod_name)}:{port}" for pod in venue.pods
             for container in pod.containers() for name, port in pod.ports(container).items()
             if name.endswith("admin")]
    expect(len(admin) == len(venue.processes), f"admin ports: {admin}")
    said = venue.run("operator", "outcry", "status", "--targets", ",".join(admin))
    expect(said.startswith("All is well: "), f"outcry status said {said}")
    said = venue.run("operator", "outcry", "resume")
    expect(said.count("shard") >= 2, f"outcry resume said {said!r}")


def the_pods_of_the_manifests_are_a_venue(test):
    venue = Venue(test)
    try:
        with test.directory() as directory:
            venue.start(directory)
            venue.hosts.stay(CLIENT)
            try:
                every_probe_says_yes(venue)
                pods_listen_where_they_declare_and_nowhere_else(venue)
                orders_trade_through_both_gateways(venue)
                the_operator_sees_and_acts(venue)
                venue.stop()
            except BaseException:
                print(venue.tails())
                raise
            finally:
                for process in venue.processes.values():
                    process.begin_kill()
    finally:
        venue.hosts.close()


if __name__ == "__main__":
    alone()
    options = make_parser(__doc__)
    options.add_argument("--kubectl", default="", help="another than the one on the PATH")
    main(__doc__, [the_pods_of_the_manifests_are_a_venue], options)
