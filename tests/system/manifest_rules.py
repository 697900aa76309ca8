"""What must be true of the manifests in k8s/, each as a function that yields what is wrong."""
import functools
import re

from cluster import ROOT
from manifests import quantity

USER = 10001
SERVICES = ("matcher", "market-data", "gateway", "strategy")
SERVING = ("matcher", "market-data", "gateway")  # what others wait for
NO_PROBES = ("backup", "operator")  # the one ends if it cannot go on, the other only waits
MARGIN = 3  # of a slower machine than that of the figures
ROLES = {"matcher": "matcher", "follower": "follower", "market-data": "market-data",
         "gateway": "gateway", "strategy": "strategy", "operator": "operator"}
# Which settings are an address a container listens at; all others that are named connect there.
LISTENS = {
    "matcher": ("commands_address", "requests_address", "private_address", "public_address",
                "service_admin_address"),
    "follower": ("service_admin_address",),
    "market-data": ("market_data_address", "market_data_requests_address",
                    "service_admin_address"),
    "gateway": ("gateway_address", "admin_address"),
    "strategy": ("service_admin_address",),
    "operator": (),
    "backup": (),
}
MATCHER_ALL = ("commands_address", "requests_address", "private_address", "public_address")
MARKET_DATA_ALL = ("market_data_address", "market_data_requests_address")
CONNECTS = {
    "matcher": (),
    "market-data": ("requests_address", "public_address"),
    "gateway": ("commands_address", "requests_address", "private_address", *MARKET_DATA_ALL),
    "strategy": MATCHER_ALL,
    "operator": (*MATCHER_ALL, *MARKET_DATA_ALL),
}
IPC = ("follower_requests_address", "private_answers_address", "public_answers_address",
       "follower_private_address", "follower_public_address")
PROGRAMS = {"market-data": ["outcry-market-data"], "gateway": ["outcry-gateway"],
            "strategy": ["outcry-strategy"], "operator": ["sleep", "infinity"]}
DOORS = {"outcry/clients": ("gateway", ("gateway_address",)),
         "outcry/subscribers": ("market-data", MARKET_DATA_ALL)}
RULES = []


def rule(function):
    """One of those that must hold."""
    RULES.append(function)
    return function


@functools.lru_cache
def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


def source(path, pattern):
    """A number from the code."""
    return int(re.search(pattern, text_of(path))[1])


def figure(pattern):
    """Numbers from bench/RESULTS.md."""
    found = re.search(pattern, text_of("bench/RESULTS.md"))
    return [float(number.replace(",", "")) for number in found.groups()]


def listening(pod, container):
    """Every port it listens at, by setting."""
    return {name: pod.address(container, name)[1] for name in LISTENS[container["name"]]}


# ---- whom they run as ----

@rule
def pods_may_do_nothing(m):
    for pod in m.pods():
        context = pod.spec.get("securityContext", {})
        for key, value in (("runAsNonRoot", True), ("runAsUser", USER), ("runAsGroup", USER),
                           ("fsGroup", USER), ("seccompProfile", {"type": "RuntimeDefault"})):
            if context.get(key) != value:
                yield f"{pod.name}: {key} is {context.get(key)}"
        for key in ("automountServiceAccountToken", "enableServiceLinks"):
            if pod.spec.get(key) is not False:
                yield f"{pod.name}: {key} is not false"
        for key in ("hostNetwork", "hostPID", "hostIPC", "serviceAccountName", "hostAliases",
                    "restartPolicy", "shareProcessNamespace", "dnsPolicy"):
            if key in pod.spec:
                yield f"{pod.name}: {key}"
        for name, volume in pod.volumes().items():
            if len(volume) != 1 or set(volume) - {"emptyDir", "configMap", "secret", "claim"}:
                yield f"{pod.name}: volume {name} is {volume}"


@rule
def containers_may_do_nothing(m):
    for pod, container in m.containers():
        expected = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]}}
        if container.get("securityContext") != expected:
            yield f"{pod.name}/{container['name']}: {container.get('securityContext')}"


@rule
def images_are_one_tag(m):
    version = re.search(r"project\(outcry VERSION ([\d.]+)", text_of("CMakeLists.txt"))[1]
    images = {container["image"] for _, container in m.containers()}
    if len(images) != 1 or not re.fullmatch(rf"([\w.-]+/)*outcry:{re.escape(version)}",
                                            next(iter(images))):
        yield f"images {images}, expected one, of version {version}"
    for pod, container in m.containers():
        if "imagePullPolicy" in container:
            yield f"{pod.name}/{container['name']}: imagePullPolicy"


@rule
def namespaces_are_restricted(m):
    if not m.whole:
        return
    namespace = m.get("Namespace", "outcry")
    level = namespace["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") \
        if namespace else None
    if level != "restricted":
        yield f"the namespace outcry enforces {level}"
    for document in m.documents:
        if document["kind"] != "Namespace" and document["metadata"].get("namespace") != "outcry":
            yield f"{document['kind']} {document['metadata']['name']} is elsewhere"


# ---- resources ----

def orders_max(m):
    """(open, finished) of a shard."""
    value = {name: int(m.setting(name)) for name in ("open_orders_max", "accounts_max",
                                                     "finished_per_account")}
    return value["open_orders_max"], value["accounts_max"] * value["finished_per_account"]


def snapshot_size(m):
    million_open, million_finished, mb = figure(
        r"snapshot of (\d+) million open and (\d+) million finished orders: (\d+) MB")
    return sum(orders_max(m)) * mb / (million_open + million_finished)


def memory_needed(m, name):
    """By the limits, were they all reached: PRODUCTION.md, "Sizing"."""
    orders = sum(orders_max(m))
    order, label = figure(r"([\d.]+) bytes for a resting order .*?; a client order id ([\d.]+)")
    begun = 100 * 2**20  # more than anything took in an hour of churn
    if name in ("matcher", "follower"):
        return begun + orders * (order + label) + snapshot_size(m) + \
            2 * int(m.setting("kept_mib")) * 2**20
    if name == "gateway":
        return begun + int(m.setting("shards")) * orders * 256  # order_table.c
    if name == "market-data":
        return begun + int(m.setting("shards")) * orders_max(m)[0] * order + \
            int(m.setting("kept_mib")) * 2**20
    return 0


@rule
def resources_hold_what_limits_allow(m):
    for pod, container in m.containers():
        what = f"{pod.name}/{container['name']}"
        asked, most = ({key: quantity(value) for key, value in
                        container.get("resources", {}).get(part, {}).items()}
                       for part in ("requests", "limits"))
        if set(asked) != {"cpu", "memory"} or set(most) != {"cpu", "memory"}:
            yield f"{what}: requests {asked}, limits {most}"
            continue
        if any(not 0 < asked[key] <= most[key] for key in asked):
            yield f"{what}: requests {asked} beyond limits {most}"
        if m.whole and most["memory"] < memory_needed(m, container["name"]):
            yield f"{what}: {most['memory'] / 2**20:.0f} MiB, expected at least " \
                  f"{memory_needed(m, container['name']) / 2**20:.0f}"
        if pod.component == "matcher" and asked["memory"] != most["memory"]:
            yield f"{what}: its memory is not its own"
        if pod.component == "matcher" and m.name.endswith("production") and asked != most:
            yield f"{what}: its processors are not its own"


@rule
def volumes_hold_a_full_journal(m):
    if not m.whole:
        return
    needed = int(m.setting("journal_mib_max")) * 2**20 + 3 * snapshot_size(m) + \
        int(m.setting("segment_mib")) * 2**20
    claim = m.pod("matcher").volumes()["data"]["claim"]
    for one in (claim, *(volume["claim"] for pod in m.pods() for volume in pod.volumes().values()
                         if "claim" in volume)):
        if not one.get("resources", {}).get("requests", {}).get("storage"):
            yield f"a claim of no size: {one}"
            return
    found = quantity(claim["resources"]["requests"]["storage"])
    if found < needed:
        yield f"a matcher's volume has {found / 2**30:.1f} GiB, expected {needed / 2**30:.1f}"


# ---- probes and ends ----

@rule
def probes_ask_the_right_things(m):
    """/livez for life, and never anything that depends on others."""
    paths = {"startupProbe": "/startupz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    for pod, container in m.containers():
        name = container["name"]
        probes = {key: value for key, value in container.items() if key.endswith("Probe")}
        expected = {} if name in NO_PROBES else dict(paths)
        if name == "follower":
            del expected["readinessProbe"]  # its pod is as ready as its matcher
        if name == "gateway":
            expected["readinessProbe"] = "/startupz"  # gateway.yaml says why
        found = {key: probe.get("httpGet", {}).get("path") for key, probe in probes.items()}
        if found != expected:
            yield f"{pod.name}/{name}: {found}"
        if name in NO_PROBES:
            continue
        admin = pod.address(container, "admin_address" if name == "gateway" else
                            "service_admin_address")[1]
        for key, probe in probes.items():
            get = probe.get("httpGet", {})
            if set(get) != {"path", "port"} or pod.port(container, get["port"]) != admin:
                yield f"{pod.name}/{name}: {key} asks {get}, its admin port is {admin}"
            if set(probe) != {"httpGet", "periodSeconds", "timeoutSeconds", "failureThreshold"}:
                yield f"{pod.name}/{name}: {key} has {sorted(probe)}"
            elif not 1 <= probe["timeoutSeconds"] <= max(2, probe["periodSeconds"]):
                yield f"{pod.name}/{name}: {key} waits {probe['timeoutSeconds']} s"
        patience = budget(container, "livenessProbe")
        if not 20 <= patience <= 60:
            yield f"{pod.name}/{name}: it is killed after {patience} s"
        if budget(container, "readinessProbe") > 10:
            yield f"{pod.name}/{name}: it counts as ready for too long"


def budget(container, probe):
    """Seconds until a probe has failed for good."""
    probe = container.get(probe, {"periodSeconds": 0, "failureThreshold": 0})
    return probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)


def worst_start(m):
    """Seconds: a full journal from its first record, and the largest snapshot."""
    mib, _, seconds = figure(r"\((\d+) MiB, 57 AAPL days\) and no snapshot ([\d.]+) and ([\d.]+) s")
    million_open, million_finished, read = figure(
        r"(\d+) million open and (\d+) million finished orders: .* read in ([\d.]+) s")
    replay = int(m.setting("journal_mib_max")) / (mib / seconds)
    return replay + sum(orders_max(m)) / 1e6 / (million_open + million_finished) * read


@rule
def starts_may_take_the_worst_recovery(m):
    pod = m.pod("matcher")
    for name in ("matcher", "follower"):
        found = budget(pod.container(name), "startupProbe")
        if found < MARGIN * worst_start(m):
            yield f"{name}: {found} s, expected at least {MARGIN} times {worst_start(m):.0f} s"
    recovery = budget(pod.container("matcher"), "startupProbe")
    for name in ("gateway", "strategy"):  # they begin when all matchers have
        found = budget(m.pod(name).main, "startupProbe")
        if found < recovery:
            yield f"{name}: {found} s, a matcher has {recovery} s"
    if budget(m.pod("market-data").main, "startupProbe") < 30:
        yield "market-data: its start has less than 30 s"
    gateway = m.workload("gateway")["spec"]
    if gateway.get("progressDeadlineSeconds", 600) <= \
            budget(m.pod("gateway").main, "startupProbe"):
        yield "a rollout of gateways gives up before a gateway does"


@rule
def ends_are_waited_for(m):
    stop = source("services/cli/supervisor.c", r"STOP_MS = (\d+)") / 1000
    answer = int(m.setting("answer_ms", "gateway")) / 1000
    pre_stop = m.pod("gateway").container("gateway").get("lifecycle", {}).get(
        "preStop", {}).get("exec", {}).get("command", [])
    if len(pre_stop) != 2 or pre_stop[0] != "sleep" or not 3 <= int(pre_stop[1]) <= 15:
        yield f"gateway: before it is told to stop it does {pre_stop}"
        return
    needed = {
        "matcher": MARGIN * stop, "market-data": stop,
        "strategy": 2 * source("services/strategy/strategy_service.h",
                               r"STRATEGY_STOP_MS = (\d+)") / 1000,
        # civetweb takes up to 2 s to let go of its ports (edge.c, stop_contexts).
        "gateway": int(pre_stop[1]) + 2 * (
            source("services/gateway/edge.c", r"SHUTDOWN_MS = (\d+)") / 1000 + answer
            + source("services/gateway/edge_parts.h", r"EXCHANGE_GRACE_MS = (\d+)") / 1000 + 2),
        "operator": 0,
    }
    for pod in m.pods():
        found = pod.spec.get("terminationGracePeriodSeconds")
        if found is None or not needed[pod.name] <= found <= needed[pod.name] + 30:
            yield f"{pod.name}: {found} s to end, expected {needed[pod.name]:.0f}"
        for container in pod.containers():
            if "lifecycle" in container and container["name"] != "gateway":
                yield f"{container['name']}: has a lifecycle"
