"""docker-compose.yml at work: the image is small and closed, the cluster trades, survives the
death, the isolation and the replacement of every container without losing or doubling an order,
shows nothing but what it documents, and leaves nothing behind.

Everything runs in an engine of its own (engine.py): as root, with Debian's docker.io,
docker-compose, mmdebstrap and iptables; where none can run the test is skipped. All claims are
about one cluster, in their order. With --store DIR the engine's store is kept there, the image in
it. --scale below 1 leaves out what takes minutes.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
import engine
import mishaps
import reach
from cluster import ROOT, SKIPPED, Failed, Skipped, equal, expect, main, make_parser, outcry, until
from composed import HERE, Composed, check_keys, epochs, say

IMAGE_SIZE_MAX = 60 * 10**6  # above the base
USER = "10001:10001"


# ---- the image ----

def the_image_is_small_and_says_what_is_in_it(test):
    del test
    docker = HERE.composed.engine.docker
    image, base = (json.loads(docker("image", "inspect", name).stdout)[0]
                   for name in (engine.IMAGE, engine.BASE))
    added = image["Size"] - base["Size"]
    expect(added < IMAGE_SIZE_MAX, f"{added} bytes above the base")
    layers = docker("history", "--format", "{{.Size}}", engine.IMAGE).stdout.split()
    say(f"{added / 10**6:.1f} MB above the base: " +
        " ".join(size for size in layers[:-1] if size != "0B"))
    config = image["Config"]
    equal((config["User"], config["StopSignal"]), (USER, "SIGTERM"), "user and signal")
    equal(config["Healthcheck"]["Test"][:2], ["CMD", "outcry"], "the health check")
    version = re.search(r"project\(outcry VERSION (\S+)",
                        (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")).group(1)
    equal([config["Labels"][f"org.opencontainers.image.{name}"] for name in ("title", "version")],
          ["Outcry", version], "labels")

    def inside(*command):
        return docker("run", "--rm", "--network", "none", "--read-only", engine.IMAGE,
                      *command).stdout
    expect(inside().startswith("usage: outcry COMMAND"), "without a command it helps")
    listed = inside("cat", "/usr/share/outcry/packages.txt")
    found = inside("dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}\\n")
    equal(listed, found, "the list of packages")
    expect(re.search(r"^libzmq5 \S+ amd64$", listed, re.M), f"libzmq5 is not in {listed}")
    missing = [name for name in ("outcry", "matcher", "market-data", "gateway", "strategy")
               if "not found" in inside("ldd", f"/usr/local/bin/outcry-{name}".replace(
                   "outcry-outcry", "outcry"))]
    equal(missing, [], "programs whose libraries are not there")


def the_image_is_built_from_what_the_checkout_is(test):
    """One list of packages to build with, in two places."""
    del test
    entry = (ROOT / "outcry").read_text(encoding="utf-8")
    needed = re.search(r'need "to build" (.*?)\n\}', entry, re.S).group(1)
    file = (ROOT / "services" / "Dockerfile").read_text(encoding="utf-8")
    installed = re.search(r"RUN /install.sh (gcc.*?)\n[A-Z]", file, re.S).group(1)
    words = [set(text.replace("\\", " ").split()) for text in (needed, installed)]
    equal(words[1], words[0], "packages of services/Dockerfile, and of ./outcry")


# ---- up, and trading ----

def up_becomes_healthy(test):
    del test
    begin = time.monotonic()
    HERE.composed.up()
    HERE.composed.know_names()
    HERE.epochs = epochs()
    say(f"healthy after {time.monotonic() - begin:.0f} s")


def every_container_may_do_little(test):
    del test
    for service in HERE.composed.lasting():
        host = HERE.composed.inspect(service)["HostConfig"]
        equal((host["ReadonlyRootfs"], host["CapDrop"], host["SecurityOpt"], host["Privileged"]),
              (True, ["ALL"], ["no-new-privileges:true"], False), f"what {service} may do")
        expect(host["Memory"] and host["PidsLimit"] and host["NanoCpus"], f"limits of {service}")
        equal(host["LogConfig"]["Config"].get("max-file"), "4", f"logs of {service}")
        status = HERE.composed.execute(service, "cat", "/proc/1/status").stdout
        equal(re.findall(r"^(?:Uid|Gid):\s+(\d+)|^Cap(?:Eff|Bnd):\s+(\S+)|^NoNewPrivs:\s+(\d)",
                         status, re.M),
              [("10001", "", ""), ("10001", "", "")] + [("", "0" * 16, "")] * 2 + [("", "", "1")],
              f"the first process of {service}")
        for path in ("/x", "/usr/local/bin/outcry", "/etc/outcry/cluster.cfg", "/tmp/x"):
            tried = HERE.composed.execute(service, "sh", "-c", f"echo >>{path}", check=False)
            expect(tried.returncode != 0, f"{service} can write {path}")


def each_role_has_its_own_keys_only(test):
    del test
    check_keys()


def it_trades_by_curl_and_by_the_python_client(test):
    place = ["curl", "-sfw", "\n", "http://127.0.0.1:8000/api/v1/orders", "-H",
             "Content-Type: application/json", "-d",
             json.dumps({"symbol": "BTC-USD", "side": "buy", "type": "limit", "quantity": "0.5",
                         "price": "0.25", "client_order_id": f"curl-{test.seed}",
                         "account": "curl"})]
    order = json.loads(subprocess.run(place, check=True, capture_output=True).stdout)
    with outcry.Exchange("http://127.0.0.1:8010", account="curl") as exchange:
        equal(exchange.order(order)["open_quantity"], "0.5000", "it, through the other gateway")
        equal(exchange.cancel(order)["status"], "cancelled", "its end")
    c = HERE.composed
    with outcry.Origin(c.address("commands", 1), c.address("private", 1), "strategy-test",
                       keys=c.keys) as origin:
        result = origin.new_order("AAPL", "wire", "buy", qty=5, price=100)
        expect(result.ok, f"an order by ZeroMQ: {result}")
        expect(origin.cancel_order("AAPL", "wire", order_id=result.order_id).ok, "its cancel")
    with outcry.Subscriber(c.address("market_data"), ["l2.AAPL", "trade.BTC-USD"], timeout=30,
                           keys=c.volume("subscriber-keys")) as reader:
        until(lambda: reader.receive(0.1) is not None and reader.live, "a subscriber joins")
    HERE.accounts += ["curl", "wire"]
    said = c.cli("status", check=False).stdout
    expect("shard 0" in said, f"status said: {said}")


def down_leaves_nothing(test):
    del test
    c = HERE.composed
    c.check()
    c.down("--volumes")
    for kind, ours in (("containers", ("ps", "--all", "--quiet")),
                       ("volumes", ("volume", "ls", "--quiet")),
                       ("networks", ("network", "ls", "--quiet", "--filter", "type=custom"))):
        equal(c.engine.docker(*ours).stdout.split(), [], f"{kind} that are left")
    equal(reach.scan(["127.0.0.1"], 1, 9999), {"127.0.0.1": set()}, "what is published")
    rules = subprocess.run(["iptables-save"], check=True, capture_output=True, text=True).stdout
    expect("172.30.250" not in rules, f"rules that are left: {rules}")


CLAIMS = [the_image_is_small_and_says_what_is_in_it,
          the_image_is_built_from_what_the_checkout_is,
          up_becomes_healthy,
          every_container_may_do_little,
          each_role_has_its_own_keys_only,
          it_trades_by_curl_and_by_the_python_client,
          reach.only_what_is_documented_listens,
          reach.another_network_reaches_nothing,
          reach.without_a_key_nothing_is_read_and_nothing_taken,
          reach.prometheus_finds_all_of_them,
          mishaps.what_is_killed_comes_back_and_nothing_is_lost,
          mishaps.a_cut_network_heals_and_nothing_is_lost,
          mishaps.each_is_replaced_and_clients_see_only_latency,
          mishaps.keys_are_rotated_while_it_trades,
          mishaps.volumes_keep_everything_over_down_and_up,
          down_leaves_nothing]


def claims_inside(options, parser):
    """In the namespaces: every claim, on one engine."""
    directory = pathlib.Path(options.store)
    running = engine.begin_inside(directory)
    HERE.composed = Composed(running, directory)
    try:
        main(__doc__, CLAIMS, parser)
    finally:
        HERE.composed.compose("down", "--volumes", "--remove-orphans", check=False)
        running.stop()


def run(options):
    """From this machine: the image, then the claims; the exit status."""
    engine.need_engine()
    keep = options.store is not None
    directory = pathlib.Path(options.store or tempfile.mkdtemp(prefix="outcry-engine-"))
    directory.mkdir(exist_ok=True)
    sys.argv += [] if keep else ["--store", str(directory)]
    try:
        return engine.enter("build") or engine.enter("claims", "--net")
    finally:
        engine.remove(directory, keep)


def begin():
    parser = make_parser(__doc__)
    parser.add_argument("--store", help="directory to keep the engine's store in")
    parser.add_argument("--stage", choices=("build", "claims"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    try:
        if options.stage == "build":
            engine.build_inside(pathlib.Path(options.store))
        elif options.stage == "claims":
            claims_inside(options, parser)
        else:
            sys.exit(run(options))
    except Skipped as why:
        print(f"skipped: {why}")
        sys.exit(SKIPPED)
    except Failed as why:
        print(f"FAILED: {why}")
        sys.exit(1)


if __name__ == "__main__":
    begin()
