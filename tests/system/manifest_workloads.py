"""What must be true of the workloads in k8s/, of their volumes and of who selects them, each as a
function that yields what is wrong."""
from manifest_rules import IPC, PROGRAMS, ROLES, SERVICES, SERVING, rule
from manifests import COMPONENT, NAME, selects


@rule
def matchers_are_their_ordinals(m):
    spec = m.workload("matcher")["spec"]
    if m.workload("matcher")["kind"] != "StatefulSet":
        yield "matchers are no StatefulSet"
    for key, value in (("serviceName", "matcher"),
                       ("updateStrategy", {"type": "RollingUpdate"}),
                       ("persistentVolumeClaimRetentionPolicy",
                        {"whenDeleted": "Retain", "whenScaled": "Retain"})):
        if spec.get(key) != value:
            yield f"matcher: {key} is {spec.get(key)}"
    if m.whole and spec["replicas"] != int(m.setting("shards")):
        yield f"matcher: {spec['replicas']} replicas of {m.setting('shards')} shards"
    if "ordinals" in spec:
        yield "matcher: ordinals begin elsewhere"
    for ordinal in (0, 1, 13):
        pod = m.pod("matcher", ordinal)
        for name, words in (("matcher", []), ("follower", ["--follow"])):
            command = pod.command(pod.container(name))
            if command != ["outcry-matcher", *words, "--shard", str(ordinal)]:
                yield f"{pod.pod_name}: {name} runs {command}"


@rule
def claims_are_for_one_pod_and_stay(m):
    for component in ("matcher", "strategy"):
        spec = m.workload(component)["spec"]
        retention = spec.get("persistentVolumeClaimRetentionPolicy", {})
        if retention != {"whenDeleted": "Retain", "whenScaled": "Retain"}:
            yield f"{component}: retention {retention}"
        for claim in spec.get("volumeClaimTemplates", []):
            if claim["spec"].get("accessModes") != ["ReadWriteOncePod"]:
                yield f"{component}: {claim['spec'].get('accessModes')}"
            if m.name.endswith("production") and not claim["spec"].get("storageClassName"):
                yield f"{component}: {claim['metadata']['name']} has no storage class"
    classes = {claim["metadata"]["name"]: claim["spec"].get("storageClassName")
               for claim in m.workload("matcher")["spec"].get("volumeClaimTemplates", [])}
    if "backup" in classes and classes["backup"] == classes["data"]:
        yield "a backup is where the journal is"


@rule
def what_must_survive_is_on_a_volume(m):
    for pod, container in m.containers():
        name, settings = container["name"], pod.settings(container)
        kept = {"matcher": ("run_dir", "journal_dir"), "follower": ("run_dir", "journal_dir"),
                "strategy": ("run_dir", "strategy_inputs_dir")}.get(name, ())
        for setting in kept:
            mount = pod.mount_of(container, settings[setting])
            if mount is None or "claim" not in pod.volumes()[mount["name"]]:
                yield f"{name}: {setting} {settings[setting]} is on no volume"
        written = [settings["run_dir"]] if name != "backup" else []
        if name in ("matcher", "follower"):
            written += [pod.address(container, setting).rsplit("/", 1)[0] for setting in IPC]
        for path in written:
            mount = pod.mount_of(container, path)
            if mount is None or mount.get("readOnly"):
                yield f"{name}: cannot write in {path}"
    pod = m.pod("matcher", 1)
    for container in pod.containers():
        if container["name"] == "backup":
            journal, target = pod.command(container)[3:5]
            mount = pod.mount_of(container, target)
            if pod.command(container) != ["outcry", "journal", "ship", journal, target, "--watch",
                                          "10"] or \
                    journal != f"{m.setting('journal_dir')}/1" or target != "/backup/1" or \
                    pod.mount_of(container, journal) != pod.mount_of(pod.main, journal) or \
                    mount is None or pod.volumes()[mount["name"]].get("claim") is None:
                yield f"the backup does {pod.command(container)}"
    for setting in (*IPC, "journal_dir", "run_dir"):
        places = set()
        for name in ("matcher", "follower"):
            container = pod.container(name)
            path = pod.address(container, setting) if setting in IPC else \
                pod.settings(container)[setting]
            mount = pod.mount_of(container, path) if isinstance(path, str) else None
            places.add((path, mount["name"] if mount else None))
            if setting in IPC and mount and "emptyDir" not in pod.volumes()[mount["name"]]:
                yield f"{name}: sockets of {setting} are in {mount['name']}"
        if len(places) != 1:
            yield f"matcher and follower: {setting} is {places}"


@rule
def mounts_and_volumes_fit(m):
    for pod in m.pods():
        mounted = {mount["name"] for container in pod.containers()
                   for mount in container.get("volumeMounts", [])}
        if mounted != set(pod.volumes()):
            yield f"{pod.name}: volumes {set(pod.volumes())}, mounted {mounted}"
        for name, volume in pod.volumes().items():
            reference = volume.get("configMap", {}).get("name")
            if reference and m.whole and m.get("ConfigMap", reference) is None:
                yield f"{pod.name}: no ConfigMap {reference}"
            if "emptyDir" in volume and volume["emptyDir"] != {"medium": "Memory",
                                                               "sizeLimit": "16Mi"}:
                yield f"{pod.name}: {name} is {volume['emptyDir']}"
        for container in pod.containers():
            if container["name"] == "backup":
                continue
            config = pod.settings(container).get("config", "")
            mount = pod.mount_of(container, config)
            volume = pod.volumes().get(mount["name"], {}) if mount else {}
            if volume.get("configMap") != {"name": "cluster"} or not mount.get("readOnly") or \
                    config != f"{mount['mountPath']}/cluster.cfg":
                yield f"{container['name']}: the configuration is not at {config!r}"


@rule
def secrets_are_for_one_role(m):
    """0440, so that the group of fsGroup can read them and nobody else."""
    for pod in m.pods():
        for name, volume in pod.volumes().items():
            if "secret" not in volume:
                continue
            if volume["secret"].get("defaultMode") != 0o440 or set(volume["secret"]) != {
                    "secretName", "defaultMode"}:
                yield f"{pod.name}: secret {name} is {volume['secret']}"
            for container in pod.containers():
                for mount in container.get("volumeMounts", []):
                    if mount["name"] == name and mount.get("readOnly") is not True:
                        yield f"{container['name']}: may write to secret {name}"
        for container in pod.containers():
            expected = set()
            settings = pod.settings(container)
            if container["name"] in ROLES:
                expected.add((settings["keys_dir"], f"keys-{ROLES[container['name']]}"))
            if container["name"] == "gateway" and settings["tls_certificate"] != "none":
                directory, file = settings["tls_certificate"].rsplit("/", 1)
                expected.add((directory, "gateway-tls"))
                if file != "tls.pem":
                    yield f"gateway: its certificate is {file}"
            found = {(mount["mountPath"], pod.volumes()[mount["name"]]["secret"]["secretName"])
                     for mount in container.get("volumeMounts", [])
                     if "secret" in pod.volumes().get(mount["name"], {})}
            if found != expected:
                yield f"{container['name']}: secrets {found}, expected {expected}"
    if m.name.endswith("production") and m.setting("tls_certificate", "gateway") == "none":
        yield "gateway: production without TLS"


@rule
def strategies_run_once(m):
    spec = m.workload("strategy")["spec"]
    expected = 1 if any(path.startswith("strategies/") for path in m.sections) else 0
    if m.workload("strategy")["kind"] != "StatefulSet" or spec["replicas"] != expected:
        yield f"strategy: {spec['replicas']} replicas, expected {expected}"
    if m.workload("operator")["spec"]["replicas"] != 0:
        yield "an operator's pod runs without being asked for"


@rule
def gateways_roll_and_scale(m):
    workload = m.workload("gateway")
    spec = workload["spec"]
    if spec.get("strategy") != {"type": "RollingUpdate",
                                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}:
        yield f"gateway: {spec.get('strategy')}"
    pod = m.pod("gateway")
    name = pod.settings(pod.main)["gateway_name"]
    if name != pod.pod_name or not name.startswith("gateway-") or len(name) > 32:
        yield f"gateway: its name as a sender is {name!r}"
    scalers = m.all("HorizontalPodAutoscaler")
    most = spec.get("replicas", 1)
    if m.whole and bool(scalers) == ("replicas" in spec):
        yield "gateway: replicas are the autoscaler's, or there is none"
    for scaler in scalers:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway"}
        metrics = [(one["type"], one.get("resource", {}).get("name")) for one in
                   scaler["spec"]["metrics"]]
        most = scaler["spec"]["maxReplicas"]
        if scaler["spec"]["scaleTargetRef"] != target or metrics != [("Resource", "cpu")] or \
                not 2 <= scaler["spec"]["minReplicas"] < most:
            yield f"the autoscaler: {scaler['spec']}"
    # Those of a rollout beside those it replaces, twice within the hour a name is kept.
    if m.whole and 3 * most + 2 > int(m.setting("origins_max")):
        yield f"up to {most} gateways, origins_max {m.setting('origins_max')}"
    if m.whole and not (m.name.endswith("local") or scalers):
        yield "no autoscaler"


@rule
def no_pod_waits_for_another(m):
    """Of a kind: not to begin, and not to be replaced."""
    for document in m.all("StatefulSet"):
        if document["spec"].get("podManagementPolicy") != "Parallel":
            yield f"{document['metadata']['name']}: {document['spec'].get('podManagementPolicy')}"


@rule
def pods_spread(m):
    for component in SERVING:
        pod = m.pod(component)
        found = {}
        for one in pod.spec.get("topologySpreadConstraints", []):
            found[one["topologyKey"]] = (one["maxSkew"], one["whenUnsatisfiable"],
                                         one.get("nodeTaintsPolicy"))
            if [other.name for other in m.pods() if selects(one["labelSelector"], other.labels)] \
                    != [component]:
                yield f"{component}: it spreads from {one['labelSelector']}"
        if found != {"kubernetes.io/hostname": (1, "DoNotSchedule", "Honor"),
                     "topology.kubernetes.io/zone": (1, "ScheduleAnyway", None)}:
            yield f"{component}: {found}"


@rule
def budgets_protect_their_pods(m):
    hits = {}
    for one in m.all("PodDisruptionBudget"):
        hit = [pod.name for pod in m.pods() if selects(one["spec"]["selector"], pod.labels)]
        if hit != [one["metadata"]["name"]] or one["spec"].get("maxUnavailable") != 1:
            yield f"the budget {one['metadata']['name']} is {one['spec']}"
        hits[one["metadata"]["name"]] = one
    if set(hits) != set(SERVING):
        yield f"budgets of {set(hits)}"


@rule
def selectors_hit_their_pods(m):
    seen = set()
    for pod in m.pods():
        selector = pod.workload["spec"]["selector"]
        labels = {NAME: "outcry", COMPONENT: pod.name}
        for words in (selector, *(one["labelSelector"] for one in
                                  pod.spec.get("topologySpreadConstraints", [])),
                      *(one["spec"]["selector"] for one in m.all("PodDisruptionBudget")
                        if one["metadata"]["name"] == pod.name),
                      *({"matchLabels": one["spec"]["selector"]} for one in m.all("Service")
                        if one["metadata"]["name"] == pod.name)):
            if words != {"matchLabels": labels}:
                yield f"{pod.name} is selected by {words}"
        if pod.name in PROGRAMS and pod.command(pod.main) != PROGRAMS[pod.name]:
            yield f"{pod.name} runs {pod.command(pod.main)}"
        hit = [other.name for other in m.pods() if selects(selector, other.labels)]
        if hit != [pod.name] or pod.component != pod.name:
            yield f"{pod.name} selects {hit}"
        for document in m.documents:
            if document["metadata"]["name"] == pod.name and document["kind"] != "NetworkPolicy" \
                    and document["metadata"].get("labels", {}).get(COMPONENT) != pod.name:
                yield f"{document['kind']} {pod.name} is labelled otherwise"
        seen.add(pod.name)
    if seen != {*SERVICES, "operator"}:
        yield f"there are {seen}"
