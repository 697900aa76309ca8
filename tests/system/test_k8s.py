"""The manifests in k8s/: built by kubectl, held to the published schema and to what must be true of
them, rule by rule; taken by the real programs; and every word of them that matters, once taken out
or changed, breaks a rule."""
import base64
import functools
import json
import re
import shutil
import subprocess

import jsonschema
import yaml

import manifest_network  # pylint: disable=unused-import
import manifest_rules
import manifest_workloads  # pylint: disable=unused-import
from cluster import ROOT, equal, expect, main, make_parser
from manifests import Table, build, find_kubectl, fits, kustomize, nodes

NAMES = ("base", "overlays/local", "overlays/production")
PROGRAMS = ("outcry-matcher", "outcry-market-data", "outcry-gateway", "outcry-strategy")
NO_SUCH_FLAG = "--no-such-flag"
RULES = manifest_rules.RULES  # with those that the other two add to them
NAMED = {rule.__name__: rule for rule in RULES}
# What a venue sets as it likes, or what says nothing but a name; no rule is about it.
FREE = ["*/metadata/labels", "*/metadata/labels/*", "*/annotations*", "*/image", "*/protocol",
        "*/resources/*/cpu", "*/resources/*/memory", "*/storage", "*/storageClassName", "*Probe/*",
        "*/terminationGracePeriodSeconds", "*/preStop/exec/command/1", "*/minReadySeconds",
        "*/progressDeadlineSeconds", "*/revisionHistoryLimit", "*/fsGroupChangePolicy",
        "*/strategy/type", "*/spec/updateStrategy", "*/spec/updateStrategy/type",
        "Deployment/operator/spec/strategy", "HorizontalPodAutoscaler/*/metadata/name",
        "HorizontalPodAutoscaler/*/spec/behavior", "HorizontalPodAutoscaler/*/spec/behavior/*",
        "HorizontalPodAutoscaler/*/spec/m*", "NetworkPolicy/*/metadata/name",
        "NetworkPolicy/matcher/spec/egress", "NetworkPolicy/operator/spec/ingress",
        "Service/*/ports/*/name", "StatefulSet/strategy/*/env/0/value",
        "ConfigMap/cluster/*", "ConfigMap/settings/data/OUTCRY_STRATEGY_INPUTS_DIR",
        "ConfigMap/settings/data/OUTCRY_FOLLOWER_*_ADDRESS",
        "ConfigMap/settings/data/OUTCRY_*_ANSWERS_ADDRESS"]


@functools.lru_cache
def built(kubectl, binaries):
    table = Table(binaries)
    return [build(kubectl, name, table) for name in NAMES]


def manifests(test):
    """All three."""
    return built(find_kubectl(test.options.kubectl), test.bin)


def validator(test):
    """Unknown fields are refused by the schema itself."""
    schema = json.loads(test.need("kubernetes", "schema.json").read_text(encoding="utf-8"))

    @functools.lru_cache
    def of(kind):
        return jsonschema.Draft7Validator({"$ref": f"#/definitions/{schema['roots'][kind]}",
                                           "definitions": schema["definitions"]})

    def faults(document):
        kind = f"{document['apiVersion']}/{document['kind']}"
        if kind not in schema["roots"]:
            return [f"{kind} is not in the schema"]
        what = f"{document['kind']} {document['metadata'].get('name')}"
        return [f"{what}: {'/'.join(map(str, fault.path))}: {fault.message[:200]}"
                for fault in of(kind).iter_errors(document)]
    return faults


def every_document_is_of_the_published_schema(test):
    faults_of = validator(test)
    for m in manifests(test):
        expect(len(m.documents) > 15, f"{m.name} has {len(m.documents)} documents")
        names = [(one["kind"], one["metadata"]["name"]) for one in m.documents]
        equal(len(names), len(set(names)), f"names of {m.name}")
        faults = [fault for document in m.documents for fault in faults_of(document)]
        equal(faults, [], m.name)
        for number in range(len(m.documents)):
            broken = m.copy(number)[number]
            broken["metadata"]["unheardOf"] = 1
            expect(faults_of(broken), "a field nobody knows is taken")


def obeys(rule):
    def claim(test):
        for m in manifests(test):
            equal(list(rule(m)), [], m.name)
    claim.__name__ = rule.__name__
    claim.__doc__ = rule.__doc__
    return claim


# ---- that the rules would notice ----

def broken_by(m, rules, faults_of, document):
    """The name of what notices that; None: nobody does."""
    if faults_of(document):
        return "the schema"
    for rule in rules:
        try:
            if list(rule(m)):
                return rule.__name__
        except Exception:  # pylint: disable=broad-except
            return f"{rule.__name__}, which cannot go on"
    return None


def other(value):
    """Something else of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return f"{value}x" if isinstance(value, str) else None


def change(documents, number, path, new):
    """Set what stands there, or take it out if new is None."""
    part = documents[number]
    for key in path[:-1]:
        part = part[key]
    if new is None:
        del part[path[-1]]
    else:
        part[path[-1]] = new


def no_word_that_matters_can_be_changed_unnoticed(test):
    """Each is taken out, then changed (of all, --scale); what is free to be chosen is FREE."""
    faults_of = validator(test)
    m = manifests(test)[2]
    unnoticed, by = [], {}
    count = 0
    for number, document in enumerate(m.documents):
        name = (document["kind"], document["metadata"]["name"])
        found = broken_by(m.changed([one for one in m.documents if one is not document]), RULES,
                          faults_of, m.documents[0])
        if found is None and not fits(name, FREE):
            unnoticed.append((*name, "all of it"))
        for path, value in nodes(document):
            if fits((*name, *path), FREE) or path[0] in ("apiVersion", "kind"):
                continue
            for new in {None, other(value)}:
                if test.random.random() > test.options.scale:
                    continue
                documents = m.copy(number)
                change(documents, number, path, new)
                count += 1
                try:
                    changed = m.changed(documents)
                    found = broken_by(changed, RULES, faults_of, documents[number])
                except Exception:  # pylint: disable=broad-except
                    found = "reading it"
                by[found] = by.get(found, 0) + 1
                if found is None:
                    unnoticed.append((*name, "/".join(map(str, path)), new))
    print(f"    {count} changes, by who noticed: {by}")
    expect(count > 1000 * min(test.options.scale, 1), f"only {count} changes")
    expect(not unnoticed, "\n".join(map(str, unnoticed)))


def what_is_free_is_bounded(test):
    """Resources, times and limits may be chosen, but not below what is needed."""
    m = manifests(test)[2]
    changes = {
        "resources_hold_what_limits_allow": [
            ("matcher", "containers/0/resources/limits/memory", "1Gi"),
            ("matcher", "containers/1/resources/limits/memory", "1Gi"),
            ("gateway", "containers/0/resources/limits/memory", "1Gi"),
            ("gateway", "containers/0/resources/requests/cpu", "9")],
        "starts_may_take_the_worst_recovery": [
            ("matcher", "containers/0/startupProbe/failureThreshold", 60),
            ("matcher", "containers/1/startupProbe/periodSeconds", 1),
            ("gateway", "containers/0/startupProbe/failureThreshold", 30)],
        "probes_ask_the_right_things": [
            ("matcher", "containers/0/livenessProbe/httpGet/path", "/readyz"),
            ("gateway", "containers/0/livenessProbe/httpGet/path", "/health"),
            ("gateway", "containers/0/readinessProbe/httpGet/path", "/readyz"),
            ("strategy", "containers/0/livenessProbe/failureThreshold", 1),
            ("market-data", "containers/0/readinessProbe/failureThreshold", 100)],
        "ends_are_waited_for": [
            ("matcher", "terminationGracePeriodSeconds", 10),
            ("gateway", "terminationGracePeriodSeconds", 10),
            ("strategy", "terminationGracePeriodSeconds", 5),
            ("gateway", "containers/0/lifecycle/preStop/exec/command/1", "1")],
        "images_are_one_tag": [("gateway", "containers/0/image", "outcry:latest"),
                               ("gateway", "containers/0/image", "outcry")],
    }
    for rule, cases in changes.items():
        for component, path, new in cases:
            documents = m.copy(m.documents.index(m.workload(component)))
            changed = m.changed(documents)
            keys = [int(key) if key.isdigit() else key for key in path.split("/")]
            spec = changed.workload(component)["spec"]["template"]["spec"]
            change([spec], 0, keys, new)
            expect(list(NAMED[rule](changed)),
                   f"{rule} does not notice {component} {path} {new}")
    for old, new, rule in (("mib_max = 16384", "mib_max = 65536", "volumes_hold_a_full_journal"),
                           ("shards = 2", "shards = 3", "matchers_are_their_ordinals"),
                           ("origins_max = 64", "origins_max = 16", "gateways_roll_and_scale")):
        number = m.number("ConfigMap", "cluster")
        documents = m.copy(number)
        data = documents[number]["data"]
        expect(old in data["cluster.cfg"], f"cluster.cfg has no {old}")
        data["cluster.cfg"] = data["cluster.cfg"].replace(old, new)
        expect(list(NAMED[rule](m.changed(documents))),
               f"{rule} does not notice {new}")


# ---- what the programs say ----

def every_pod_starts_with_what_it_is_told(test):
    """Each container's own command and environment, with its files under a folder: the programs
    take configuration and settings, and stop at a flag nobody knows."""
    for m, (pod, container) in ((m, one) for m in manifests(test) if m.whole
                                for one in m.containers()):
        if container["name"] in manifest_rules.NO_PROBES:
            continue
        with test.directory() as directory:
            config = directory / "cluster.cfg"
            config.write_text(m.config, encoding="utf-8")
            for pod.ordinal in range(int(m.setting("shards")) if pod.name == "matcher" else 1):
                command = pod.command(container)
                expect(command[0] in PROGRAMS, f"{container['name']} runs {command[0]}")
                said = subprocess.run(
                    [test.bin / command[0], *command[1:], NO_SUCH_FLAG], check=False, text=True,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=directory,
                    env={**pod.environment(container), "OUTCRY_CONFIG": str(config)})
                expect(said.returncode == 2 and f'found "{NO_SUCH_FLAG}"' in said.stdout,
                       f"{m.name}, {container['name']}: {said.stdout}")
                wrong = subprocess.run(
                    [test.bin / command[0], *command[1:]], check=False, text=True,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=directory,
                    env={**pod.environment(container), "OUTCRY_CONFIG": str(config),
                         "OUTCRY_EVENTS_MAX": "none"})
                expect(wrong.returncode == 2 and "OUTCRY_EVENTS_MAX" in wrong.stdout,
                       f"a mistake is not refused: {wrong.stdout}")


def the_base_alone_opens_nothing(test):
    """Without an overlay that says so, a gateway that listens for others does not start."""
    m = manifests(test)[0]
    pod = m.pod("gateway")
    with test.directory() as directory:
        config = directory / "cluster.cfg"
        config.write_text("shards = 1\nsymbols\n    A\n        shard = 0\n", encoding="ascii")
        said = subprocess.run(
            [test.bin / "outcry-gateway"], check=False, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=directory,
            env={**pod.environment(pod.container("gateway")), "OUTCRY_CONFIG": str(config),
                 "OUTCRY_RUN_DIR": str(directory / "run")})
        equal(said.returncode, 2, f"its exit status; it said {said.stdout}")
        expect("open_anywhere" in said.stdout, f"it said {said.stdout}")


def a_configuration_serves_shards_that_have_symbols(test):
    for m in manifests(test):
        shards = {path.split("/")[1]: value for path, value in m.sections.items()
                  if path.startswith("symbols/") and path.endswith("/shard")}
        if m.whole:
            equal(set(map(int, shards.values())), set(range(int(m.setting("shards")))),
                  f"shards of symbols in {m.name}")


def secrets_hold_one_role_each(test):
    """What k8s/secrets makes of a directory of `outcry keys`, a rotation under way included."""
    faults_of = validator(test)
    with test.directory() as directory:
        keys = directory / "keys"
        made = subprocess.run([test.bin / "outcry", "keys", "make", keys], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        equal(made.returncode, 0, f"outcry keys make: {made.stdout}")
        subprocess.run([test.bin / "outcry", "keys", "rotate", keys, "gateway"], check=True,
                       stdout=subprocess.DEVNULL)
        public = {path.name for path in keys.glob("*.public")}
        expect(len(public) >= 8, f"public keys {public}")
        said = subprocess.run([ROOT / "k8s" / "secrets", keys, "outcry"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        found = {}
        for document in yaml.safe_load_all(said):
            equal(faults_of(document), [], "a Secret")
            equal(document["metadata"]["namespace"], "outcry", "its namespace")
            role = document["metadata"]["name"].removeprefix("keys-")
            found[role] = document["data"]
            own = {path.name for path in keys.glob("*.secret")
                   if path.name.split(".")[0] == role}
            equal(set(document["data"]), public | own, f"files of {role}")
            for name, data in document["data"].items():
                equal(base64.b64decode(data), (keys / name).read_bytes(), f"{role}: {name}")
        expect("gateway.next.secret" in found["gateway"], "a key to come is missing")
        wanted = {volume["secret"]["secretName"] for m in manifests(test) for pod in m.pods()
                  for volume in pod.volumes().values() if "secret" in volume}
        equal(wanted - {f"keys-{role}" for role in found}, {"gateway-tls"}, "other secrets")
        wrong = subprocess.run([ROOT / "k8s" / "secrets", directory], check=False, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        equal((wrong.returncode, wrong.stdout), (1, ""), f"of no keys: {wrong.stderr}")


# ---- beside the venue ----

def restore_job(test):
    documents = kustomize(find_kubectl(test.options.kubectl), ROOT / "k8s" / "restore")
    equal([one["kind"] for one in documents], ["Job"], "kinds")
    return documents[0]


def a_restore_may_do_nothing_else(test):
    """It runs as everything else does, on the volumes of the shard it says."""
    job, production = restore_job(test), manifests(test)[2]
    equal(validator(test)(job), [], "the job")
    spec = job["spec"]["template"]["spec"]
    equal((spec.pop("restartPolicy"), job["spec"]["backoffLimit"]), ("Never", 0), "its tries")
    alone = production.changed([job, production.get("Namespace", "outcry")])
    for rule in ("containers_may_do_nothing", "images_are_one_tag", "namespaces_are_restricted"):
        equal(list(NAMED[rule](alone)), [], rule)
    matcher = production.pod("matcher")
    for key in ("securityContext", "automountServiceAccountToken", "enableServiceLinks"):
        equal(spec[key], matcher.spec[key], key)
    image = matcher.main["image"]
    container, = spec["containers"]
    equal(container["image"], image, "its image")
    claims = {volume["name"]: volume["persistentVolumeClaim"]["claimName"]
              for volume in spec["volumes"]}
    shard = container["env"][0]["value"]
    equal(claims, {name: f"{name}-matcher-{shard}" for name, volume in matcher.volumes().items()
                   if "claim" in volume}, "its volumes")
    equal(container["volumeMounts"], matcher.container("backup")["volumeMounts"], "its mounts")


def a_restore_makes_a_lost_shard_again(test):
    """Its own words, with the volumes as folders: of a damaged journal, and of one that is gone.
    The history goes on in a new epoch, and the backup with it."""
    container = restore_job(test)["spec"]["template"]["spec"]["containers"][0]
    *shell, script = container["command"]
    with test.cluster({"A": {}}) as cluster, test.directory() as directory:
        volume, backup = directory / "data", directory / "backup"
        cluster.settings["journal_dir"] = str(volume / "journal")
        script = script.replace("/var/lib/outcry", str(volume)).replace("/backup", str(backup))
        backup.mkdir()
        journal = volume / "journal" / "0"

        def ship():
            cluster.outcry("journal", "ship", journal, backup / "0")

        def restore():
            done = subprocess.run([*shell, script], check=False, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  env={"PATH": f"{test.bin}:/usr/bin:/bin", "SHARD": "0"})
            equal(done.returncode, 0, f"the restore: {done.stdout}")
            expect(done.stdout.rstrip().endswith("sound"), f"it said {done.stdout}")

        cluster.stop_matcher()
        (volume / "journal").mkdir(parents=True)
        cluster.start_matcher()
        epoch, seq = cluster.epoch(), 0
        def lose_all(path):
            shutil.rmtree(path.parent)
            (cluster.run_dir / "0.epoch").unlink()

        for turn, lose in enumerate((damage, lose_all)):
            cluster.outcry("simulate", "--count", 200, "--rate", 5000, "--seed", turn + 1)
            ship()
            last = cluster.stop_matcher()
            ship()
            lose(journal)
            restore()
            cluster.start_matcher()
            found = cluster.recovered()
            equal((found["seq"], found["state_hash"]), (last["seq"], last["state_hash"]),
                  "where it stands")
            expect(found["epoch"] > epoch and found["seq"] > seq, f"{found}")
            epoch, seq = found["epoch"], found["seq"]
        ship()


def damage(journal):
    """Of what was acknowledged, so that a start is refused."""
    path = min(journal.glob("*.segment"))
    data = bytearray(path.read_bytes())
    data[4096 + 100] ^= 1
    path.write_bytes(data)


def what_watches_is_handed_over_whole(test):
    """ConfigMaps of the very files, for whoever watches."""
    faults_of = validator(test)
    found = {}
    directory = ROOT / "k8s" / "observability"
    for document in kustomize(find_kubectl(test.options.kubectl), directory):
        equal((faults_of(document), document["kind"]), ([], "ConfigMap"), "a document")
        found.update(document["data"])
    expected = {"alerts.yml": "alerts.yml", "prometheus.yml": "prometheus-kubernetes.yml",
                "outcry.json": "grafana/dashboards/outcry.json"}
    equal(set(found), set(expected), "files")
    for name, path in expected.items():
        equal(found[name], (directory / path).read_text(encoding="utf-8"), name)
    ports = {name for m in manifests(test) for pod, container in m.containers()
             for name, port in pod.ports(container).items()
             if port in (8001, 8002)}
    expect(all(re.fullmatch("(.+-)?admin", name) for name in ports), f"admin ports {ports}")


def the_threats_name_tests_that_exist(test):
    """Of each threat that something stands in the way of."""
    del test
    text = (ROOT / "k8s" / "THREATS.md").read_text(encoding="utf-8")
    section = text.split("## What stands in the way")[1].split("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| ")][1:]
    expect(len(rows) >= 20, f"{len(rows)} threats")
    known = "\n".join(path.read_text(encoding="utf-8")
                      for path in (ROOT / "tests" / "system").glob("*.py"))
    for row in rows:
        names = re.findall(r"`([a-z]+(?:_[a-z]+){2,})`", row.split("|")[3])
        expect("](../tests/" in row or names, f"no test: {row}")
        for name in names:
            expect(f"def {name}(" in known, f"no test is called {name}")


if __name__ == "__main__":
    options = make_parser(__doc__)
    options.add_argument("--kubectl", default="", help="another than the one on the PATH")
    main(__doc__, [every_document_is_of_the_published_schema, *map(obeys, RULES),
                   no_word_that_matters_can_be_changed_unnoticed, what_is_free_is_bounded,
                   every_pod_starts_with_what_it_is_told, the_base_alone_opens_nothing,
                   a_configuration_serves_shards_that_have_symbols, secrets_hold_one_role_each,
                   a_restore_may_do_nothing_else, a_restore_makes_a_lost_shard_again,
                   what_watches_is_handed_over_whole, the_threats_name_tests_that_exist],
         options)
