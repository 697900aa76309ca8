"""Who may speak to whom in k8s/: services, ports and network policies, against what the settings
say of who listens where and who connects to whom. Each function yields what is wrong."""
import re

from manifest_rules import (
    CONNECTS, DOORS, IPC, LISTENS, SERVICES, listening, rule, text_of)
from manifests import NAME, selects

NAMES = {"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name":
                                                       "kube-system"}},
                 "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}},
                {"ipBlock": {"cidr": "169.254.20.10/32"}}],
         "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}


@rule
def ports_are_those_of_the_settings(m):
    """What a container declares is what it listens at, on every address of its pod."""
    for pod, container in m.containers():
        name, settings = container["name"], pod.settings(container)
        declared = sorted(pod.ports(container).values())
        if declared != sorted(listening(pod, container).values()):
            yield f"{name}: declares {declared}, listens at {listening(pod, container)}"
        for port in container.get("ports", []):
            if set(port) - {"name", "containerPort", "protocol"} or \
                    port.get("protocol", "TCP") != "TCP":
                yield f"{name}: {port}"
        if LISTENS[name] and settings["listen_host"] != "0.0.0.0":
            yield f"{name}: listens at {settings['listen_host']}"
        for setting in LISTENS[name]:
            host, _ = pod.address(container, setting)
            if setting.endswith("admin_address") or setting == "gateway_address":
                if host != "0.0.0.0":
                    yield f"{name}: {setting} is at {host}"
    for pod in m.pods():
        taken = [port for container in pod.containers()
                 for port in listening(pod, container).values()]
        names = [name for container in pod.containers() for name in pod.ports(container)]
        if len(taken) != len(set(taken)) or len(names) != len(set(names)):
            yield f"{pod.name}: two listen at one of {taken}, {names}"


@rule
def addresses_lead_to_those_who_listen(m):
    """Of every pod, by the name of its headless service."""
    owners = {setting: component for component in ("matcher", "market-data")
              for setting in LISTENS[component] if setting != "service_admin_address"}
    for pod, container in m.containers():
        if container["name"] not in CONNECTS or not m.whole:
            continue
        for setting in CONNECTS[container["name"]]:
            owner = owners[setting]
            for ordinal in range(int(m.setting("shards")) if owner == "matcher" else 1):
                pod.ordinal = ordinal  # {shard} is the shard it connects to
                host, port = pod.address(container, setting)
                there = m.pod(owner, ordinal)
                if (host, port) != (f"{there.pod_name}.{owner}",
                                    listening(there, there.container(owner))[setting]):
                    yield f"{container['name']}: {setting} is {host}:{port}"
    matcher = m.pod("matcher", 1)
    follower = matcher.container("follower")
    if matcher.address(follower, "requests_address") != \
            ("127.0.1.1", listening(matcher, matcher.container("matcher"))["requests_address"]):
        yield "the follower asks another matcher"
    # What each says of itself, so that readers ask the one they read.
    if matcher.address(matcher.container("matcher"), "requests_address")[0] != \
            "matcher-1.matcher":
        yield "a matcher says it is asked elsewhere"
    replica = m.pod("market-data", 1)
    where = replica.address(replica.container("market-data"), "market_data_requests_address")[0]
    if m.whole and where != f"market-data-1.market-data.{m.namespace}.svc":
        yield f"a replica says it is asked at {where}"
    for setting in IPC:
        if not isinstance(matcher.address(follower, setting), str):
            yield f"{setting} is no socket of the pod"


@rule
def services_reach_their_pods(m):
    serving = {"matcher": {"service_admin_address"}, "market-data": {"service_admin_address"},
               "gateway": {"admin_address"}, "strategy": set()}
    for service in m.all("Service"):
        name, spec = service["metadata"]["name"], service["spec"]
        hit = [pod for pod in m.pods() if selects({"matchLabels": spec["selector"]}, pod.labels)]
        if [pod.name for pod in hit] != [name]:
            yield f"service {name} selects {[pod.name for pod in hit]}"
            continue
        pod, container = hit[0], hit[0].main
        ports = {port["port"]: pod.port(container, port["targetPort"]) for port in spec["ports"]}
        expected = {port for setting, port in listening(pod, container).items()
                    if setting not in serving[name]}
        if set(ports) != expected or any(port != target for port, target in ports.items()):
            yield f"service {name} serves {ports}, expected {expected}"
        headless = name != "gateway"
        if (spec.get("clusterIP") == "None") != headless or \
                spec.get("type", "ClusterIP") != "ClusterIP":
            yield f"service {name}: {spec.get('clusterIP')} {spec.get('type')}"
        # Connections are made while it recovers; and nobody is sent to a gateway that is not well.
        if spec.get("publishNotReadyAddresses", False) != (name in ("matcher", "market-data")):
            yield f"service {name}: publishNotReadyAddresses"
        if set(spec) - {"selector", "ports", "clusterIP", "publishNotReadyAddresses"}:
            yield f"service {name}: {set(spec)}"
        if headless and pod.workload["spec"].get("serviceName") != name:
            yield f"{name}: serviceName is {pod.workload['spec'].get('serviceName')}"
    if {service["metadata"]["name"] for service in m.all("Service")} != set(SERVICES):
        yield "services are missing, or there are more"
    if m.all("Ingress"):
        yield "there is an Ingress"


# ---- policies ----

def peers(m, parts):
    """Components and doors that the `from` or `to` of a rule names; None: anybody."""
    found = set()
    for one in parts or [None]:
        if one is None or "ipBlock" in one or not one:
            return None
        if set(one) == {"podSelector"}:
            if one["podSelector"].get("matchLabels", {}).get(NAME) != "outcry":
                return None
            found |= {pod.name for pod in m.pods() if selects(one["podSelector"], pod.labels)}
        elif set(one) == {"namespaceSelector"}:
            labels = one["namespaceSelector"].get("matchLabels", {})
            if len(labels) != 1 or set(labels.values()) != {"true"}:
                return None
            found |= set(labels)
        else:
            return None
    return found


def flows(m, direction, part):
    """{(component, peer, port)} that the policies let through; faults go into the second."""
    allowed, faults = set(), []
    for policy in m.all("NetworkPolicy"):
        name, spec = policy["metadata"]["name"], policy["spec"]
        inside = [pod.name for pod in m.pods() if selects(spec["podSelector"], pod.labels)]
        rules = spec.get(direction.lower(), [])
        if direction not in spec["policyTypes"] and (rules or direction.lower() in spec):
            faults.append(f"policy {name}: it has rules and is none of {direction}")
        if spec["podSelector"] and spec["podSelector"]["matchLabels"].get(NAME) != "outcry":
            faults.append(f"policy {name}: is for {spec['podSelector']}")
        for one in rules:
            if direction == "Egress" and one == NAMES:
                allowed |= {(component, "names", 53) for component in inside}
                continue
            others = peers(m, one.get(part))
            ports = [(port.get("protocol"), port.get("port"), len(port)) for port in
                     one.get("ports", [])]
            if others is None or not ports or any(
                    protocol != "TCP" or not isinstance(port, int) or size != 2
                    for protocol, port, size in ports):
                faults.append(f"policy {name}: too wide: {one}")
                continue
            allowed |= {(component, other, port) for component in inside for other in others
                        for _, port, _ in ports}
    return allowed, faults


def keyed_flows(m):
    """(who listens, who connects with a key, port)."""
    found = set()
    for client, settings in CONNECTS.items():
        for server in ("matcher", "market-data"):
            pod = m.pod(server)
            ports = listening(pod, pod.container(server))
            found |= {(server, client, ports[setting]) for setting in settings
                      if setting in ports}
    return found


def open_flows(m):
    """The doors, and the admin ports, which need no key."""
    found = set()
    for door, (component, settings) in DOORS.items():
        pod = m.pod(component)
        ports = listening(pod, pod.container(component))
        found |= {(component, door, ports[setting]) for setting in settings}
    for pod, container in m.containers():
        found |= {(pod.name, who, port) for setting, port in listening(pod, container).items()
                  if setting.endswith("admin_address")
                  for who in ("outcry/monitoring", "operator")}
    return found


@rule
def nobody_speaks_but_who_must(m):
    """Every pod is closed, and the doors are the ports of the settings, each way, and no more; to
    nobody whose key would not be taken there."""
    rows = re.findall(r'^ *A\(\w+, +"([\w-]+)", +"([\w -]+)"', text_of("common/node/access.h"),
                      re.M)
    keys = {(binder, role) for binder, roles in rows for role in roles.split()}
    for server, client, _ in keyed_flows(m):
        if (server, client) not in keys:
            yield f"{client} has no key for {server}"
    for pod in m.pods():
        closed = set()
        for policy in m.all("NetworkPolicy"):
            if policy["spec"]["podSelector"] == {}:
                closed |= set(policy["spec"]["policyTypes"])
        if closed != {"Ingress", "Egress"}:
            yield f"{pod.name} is closed for {closed}"
    needed = keyed_flows(m) | open_flows(m)
    found, faults = flows(m, "Ingress", "from")
    yield from faults
    if found != needed:
        yield f"let in: {sorted(found - needed)} too much, {sorted(needed - found)} missing"
    inner = {(client, server, port) for server, client, port in needed if "/" not in client}
    inner |= {(client, "names", 53) for client, settings in CONNECTS.items() if settings}
    found, faults = flows(m, "Egress", "to")
    yield from faults
    if found != inner:
        yield f"let out: {sorted(found - inner)} too much, {sorted(inner - found)} missing"


@rule
def only_settings_are_set(m):
    """Names of the environment that look like settings are some."""
    for pod, container in m.containers():
        for name in pod.environment(container):
            if name.startswith("OUTCRY_"):
                if name[7:].lower() not in m.table.defaults and name != "OUTCRY_CONFIG":
                    yield f"{container['name']}: {name} is no setting"
            elif name not in ("SHARD", "POD_NAME", "POD_NAMESPACE"):
                yield f"{container['name']}: {name} is for nobody"
        words = container.get("command", []) + [one.get("value", "") for one in
                                                container.get("env", [])]
        for word in re.findall(r"\$\((\w+)\)", " ".join(words)):
            if word not in pod.environment(container):
                yield f"{container['name']}: nobody knows {word}"
    gateway = m.pod("gateway").container("gateway")
    anywhere = m.pod("gateway").settings(gateway)["open_anywhere"]
    if anywhere != ("1" if m.whole else "0"):
        yield f"gateway: open_anywhere is {anywhere}"
    for pod, container in m.containers():
        if container["name"] != "gateway" and pod.settings(container)["open_anywhere"] != "0":
            yield f"{container['name']}: open_anywhere"
        if container["name"] != "backup" and pod.settings(container)["keys_dir"] == "none":
            yield f"{container['name']}: has no keys"
