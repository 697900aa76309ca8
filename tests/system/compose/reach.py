"""Claims about who reaches what of a composed cluster: ports, from within, from this machine and
from elsewhere, are those the head of docker-compose.yml lists, and behind them nobody is served who
has no key."""
import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import zmq

import engine
from cluster import ROOT, Failed, Skipped, equal, expect, until
from composed import HERE, say
from rest import Rest
from strangers import GREETING_SIZE, MECHANISM, Stranger, greeting

SCAN = pathlib.Path(__file__).with_name("scan.py")
PROBES = 8001


# ---- what can be reached ----

def documented():
    """What the head of docker-compose.yml says: {service: ports} with a key and without, and the
    ports that are published."""
    head = (ROOT / "docker-compose.yml").read_text(encoding="utf-8").split("\nx-", 1)[0]
    lines = [line for line in head.splitlines() if "observability" not in line]
    published = {int(port) for line in lines if "3000" not in line
                 for port in re.findall(r"127\.0\.0\.1:(\d+)", line)}
    with_key, open_to_all = collections.defaultdict(set), collections.defaultdict(set)
    between = lines[next(number for number, line in enumerate(lines) if "between" in line):]
    for line in between:
        found = re.search(r"  (all of these|[\w-]+) +(\d{4})(?:( to |, )(\d{4}))? *(\(with a key)?",
                          line)
        if found is None:
            break
        who, first, to, last, key = found.groups()
        ports = (range(int(first), int(last) + 1) if to == " to " else
                 [int(port) for port in (first, last) if port])
        for service in HERE.composed.lasting():
            if re.fullmatch(who.replace("-N", r"-\d"), service) or (
                    who == "all of these" and service in {*with_key, *open_to_all}):
                (with_key if key else open_to_all)[service].update(ports)
    return with_key, open_to_all, published


def scan(addresses, first=1, last=65535, inside=None):
    """Open ports of each address; as seen from a container, if one is given."""
    view = [] if inside is None else ["nsenter", "--net", "--target", str(inside)]
    done = subprocess.run([*view, sys.executable, SCAN, str(first), str(last), *addresses],
                          check=True, capture_output=True, text=True)
    return {address: set(ports) for address, ports in json.loads(done.stdout).items()}


def only_what_is_documented_listens(test):
    c = HERE.composed
    begin = time.monotonic()
    with_key, open_to_all, published = documented()
    expect(sum(map(len, with_key.values())) == 20 and len(published) == 4,
           f"docker-compose.yml says {with_key}, published {published}")
    # What may be listened at is below 10000; above it is looked, too, in a full run.
    last = 65535 if test.options.scale >= 1 else 9999
    places = c.addresses()
    within = scan(places.values(), 1, last, c.inspect("flow")["State"]["Pid"])
    for (service, network), address in places.items():
        if network == "bus":
            equal(within[address], with_key[service] | open_to_all[service],
                  f"open ports of {service}")
    edge = {key: address for key, address in places.items() if key[1] == "edge"}
    for (service, _), ports in zip(edge, scan(edge.values(), 1, last, c.inspect(
            "market-data")["State"]["Pid"]).values()):
        equal(ports, with_key[service] | open_to_all[service], f"open ports of {service} on edge")
    equal(scan(["127.0.0.1"], 1, last), {"127.0.0.1": published}, "what is published")
    bridges = [json.loads(c.engine.docker("network", "inspect", c.network(name)).stdout)[0]
               ["IPAM"]["Config"][0].get("Gateway") for name in ("bus", "edge")]
    bridges = [address for address in bridges if address]
    equal(set().union(*scan(bridges, 1, last).values()), set(), f"open ports of {bridges}")
    say(f"scanned {len(places) + 1 + len(bridges)} addresses in {time.monotonic() - begin:.0f} s")


def another_network_reaches_nothing(test):
    """A container of somebody else's, in the same engine."""
    del test
    docker = HERE.composed.engine.docker
    docker("network", "create", "elsewhere")
    try:
        container = docker("run", "--detach", "--network", "elsewhere", engine.IMAGE, "sleep",
                           "600").stdout.strip()
        pid = json.loads(docker("inspect", container).stdout)[0]["State"]["Pid"]
        found = scan(HERE.composed.addresses().values(), 5001, 9000, pid)
        equal(set().union(*found.values()), set(), f"open ports, from elsewhere: {found}")
        docker("rm", "--force", container)
    finally:
        docker("network", "rm", "elsewhere")


def without_a_key_nothing_is_read_and_nothing_taken(test):
    del test
    c = HERE.composed
    with_key, open_to_all, _ = documented()
    places = [(service, address, port) for (service, network), address in c.addresses().items()
              for port in sorted(with_key[service]) if network == "bus"]
    places += [("market-data", "127.0.0.1", port) for port in (5560, 5561)]
    for service, address, port in places:
        said = greeting(address, port)
        expect(len(said) == GREETING_SIZE and said[MECHANISM].rstrip(b"\0") == b"CURVE",
               f"{service}:{port} says to who has no key: {said!r}")
    for pair in (None, zmq.curve_keypair()):
        stranger = Stranger(places, c.keys, pair)
        try:
            stranger.gets_nowhere("mallory")
        finally:
            stranger.close()
    for gateway in c.gateways:
        equal(Rest(gateway.port).get("/api/v1/orders?account=mallory").json["data"], [],
              "orders of a stranger")
    metrics = get(c.addresses()["matcher-0", "bus"], "/metrics")
    refused = re.findall(r'^outcry_curve_refused_total\{socket="(\w+)"\} (\d+)$', metrics, re.M)
    expect(any(int(count) for _, count in refused), f"refusals are counted: {refused}")
    say(f"{len(places)} places; matcher-0 refused {dict(refused)}")
    for service in open_to_all:
        refuses_to_change(service, c.addresses()[service, "bus"])


def get(address, path, **request):
    with urllib.request.urlopen(urllib.request.Request(f"http://{address}:{PROBES}{path}",
                                                       **request), timeout=10) as answer:
        return answer.read().decode()


def refuses_to_change(service, address):
    """Probes and metrics are to read."""
    expect("outcry_build_info" in get(address, "/metrics"), f"metrics of {service}")
    for path in ("/metrics", "/livez", "/api/v1/orders", "/"):
        try:
            get(address, path, method="POST", data=b"{}")
        except urllib.error.HTTPError as refusal:
            expect(refusal.code in (404, 405), f"POST {path} to {service}: {refusal}")
        else:
            raise Failed(f"{service} takes a POST of {path}")


def prometheus_finds_all_of_them(test):
    """The profile `observability`, with Debian's Prometheus in place of its image's. Grafana is
    left out."""
    c = HERE.composed
    if test.options.scale < 1:
        raise Skipped("for a full run")
    program = shutil.which("prometheus")
    if program is None:
        raise Skipped("Debian's prometheus is not installed")
    image = c.inspect_file("prometheus", "observability")["image"]
    with tempfile.TemporaryDirectory() as directory:
        shutil.copy(program, directory)
        (pathlib.Path(directory) / "Dockerfile").write_text(
            f"FROM {engine.BASE}\nCOPY prometheus /usr/bin/\nRUN install -d -o 10001 /prometheus\n"
            "USER 10001\nENTRYPOINT [\"prometheus\"]\n", encoding="ascii")
        c.engine.docker("build", "--tag", image, directory)
    c.compose("--profile", "observability", "up", "--detach", "--no-deps", "prometheus")
    try:
        until(lambda: len(targets("up")) == len(c.lasting()) - 1, "every target is up")
        say(f"Prometheus reads {sorted(targets('up'))}")
        rules = ask_prometheus("rules")["groups"]
        expect(rules and all(rule["health"] != "err" for group in rules for rule in group["rules"]),
               f"rules: {rules}")
    finally:
        c.compose("--profile", "observability", "rm", "--stop", "--force", "prometheus")


def ask_prometheus(what):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:9090/api/v1/{what}", timeout=10) as answer:
            return json.load(answer)["data"]
    except OSError:
        return {"activeTargets": []}


def targets(health):
    """Those in this state, by their names."""
    return {target["labels"]["instance"] for target in ask_prometheus("targets")["activeTargets"]
            if target["health"] == health}
