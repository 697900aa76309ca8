"""Kubernetes manifests as they come out of kustomize: documents, pods, containers and what a
container's settings come to, by its environment, its cluster.cfg and the defaults."""
import copy
import fnmatch
import pathlib
import re
import shutil
import subprocess

import yaml

from cluster import ROOT, Skipped, equal, expect

COMPONENT = "app.kubernetes.io/component"
NAME = "app.kubernetes.io/name"
WORKLOADS = ("StatefulSet", "Deployment", "DaemonSet", "Job", "CronJob", "Pod")
UNITS = {"": 1, "m": 0.001, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30,
         "Ti": 2**40}
CONFIG_MAP, CONFIG_FILE = "cluster", "cluster.cfg"


def quantity(text):
    """Of a resource: cores or bytes."""
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text)).groups()
    return float(number) * UNITS[unit]


def kustomize(kubectl, directory):
    """The documents of a kustomization."""
    done = subprocess.run([kubectl, "kustomize", directory], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    equal(done.returncode, 0, f"kubectl kustomize {directory}: {done.stderr}")
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def find_kubectl(named):
    kubectl = named or shutil.which("kubectl")
    if kubectl is None:
        raise Skipped("kubectl is absent")
    return kubectl


class Table:
    """Every setting there is, as `outcry settings` tells them."""

    def __init__(self, binaries):
        said = subprocess.run([binaries / "outcry", "settings"], check=True, text=True,
                              stdout=subprocess.PIPE, env={"PATH": "/usr/bin"}).stdout
        rows = re.findall(r"^# .*\[([\w/]+)\].*\n#OUTCRY_(\w+)=(.*)$", said, re.M)
        expect(len(rows) > 50, f"`outcry settings` told {len(rows)} settings")
        self.defaults = {name.lower(): value for _, name, value in rows}
        self.names = {path: name.lower() for path, name, _ in rows}  # by path in the file


def read_config(text):
    """ZPL: {path: value}."""
    found, sections = {}, []
    for line in text.splitlines():
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        depth = (len(line) - len(line.lstrip())) // 4
        name, _, value = (part.strip() for part in words.partition("="))
        sections[depth:] = [name]
        found["/".join(sections)] = value
    return found


class Pod:
    """The pods of one workload; `ordinal` of those that are counted."""

    def __init__(self, manifests, workload, ordinal=0):
        self.manifests = manifests
        self.workload = workload
        self.ordinal = ordinal
        self.name = workload["metadata"]["name"]
        self.template = workload["spec"]["template"]
        self.labels = self.template["metadata"]["labels"]
        self.component = self.labels.get(COMPONENT)
        self.spec = self.template["spec"]

    @property
    def pod_name(self):
        if self.workload["kind"] == "StatefulSet":
            return f"{self.name}-{self.ordinal}"
        return f"{self.name}-0123456789-abcd{self.ordinal}"  # as long as they get

    def containers(self):
        return self.spec.get("initContainers", []) + self.spec["containers"]

    @property
    def main(self):
        """The container its component is about."""
        return self.container(self.component)

    def container(self, name):
        return next(one for one in self.containers() if one["name"] == name)

    def field(self, path):
        """By the downward API."""
        fields = {"metadata.name": self.pod_name, "metadata.namespace": self.manifests.namespace,
                  "metadata.labels['apps.kubernetes.io/pod-index']": str(self.ordinal)}
        return fields[path]

    def environment(self, container):
        found = {}
        for source in container.get("envFrom", []):
            found.update(self.manifests.get("ConfigMap", source["configMapRef"]["name"])["data"])
        for one in container.get("env", []):
            if "value" in one:
                found[one["name"]] = expand(one["value"], found)
            else:
                found[one["name"]] = self.field(one["valueFrom"]["fieldRef"]["fieldPath"])
        return found

    def command(self, container):
        environment = self.environment(container)
        return [expand(word, environment) for word in
                container.get("command", []) + container.get("args", [])]

    def settings(self, container):
        """Name: value of all."""
        found = dict(self.manifests.table.defaults)
        found.update(self.manifests.configured)
        for name, value in self.environment(container).items():
            if name.startswith("OUTCRY_"):
                found[name[7:].lower()] = value
        return found

    def address(self, container, name):
        """An address setting, with its words filled in; ipc path, or (host, port)."""
        settings = self.settings(container)
        text = settings[name].replace("{run_dir}", settings["run_dir"])
        text = text.replace("{shard}", str(self.ordinal))
        if text.startswith("ipc://"):
            return text[6:]
        host, port = re.sub(r"^tcp://", "", text).rsplit(":", 1)
        return host, int(port)

    def ports(self, container):
        """Name: number of what it declares."""
        return {port["name"]: port["containerPort"] for port in container.get("ports", [])}

    def port(self, container, named):
        """A probe's or service's port as a number."""
        return self.ports(container).get(named, named)

    def mount_of(self, container, path):
        """The mount a path lies in, the deepest; None: the image's own root."""
        inside = [mount for mount in container.get("volumeMounts", [])
                  if pathlib.PurePath(path).is_relative_to(mount["mountPath"])]
        return max(inside, key=lambda mount: len(mount["mountPath"]), default=None)

    def volumes(self):
        """Name: kind and what it says, claims of the workload included."""
        found = {volume["name"]: {key: value for key, value in volume.items() if key != "name"}
                 for volume in self.spec.get("volumes", [])}
        for claim in self.workload["spec"].get("volumeClaimTemplates", []):
            found[claim["metadata"]["name"]] = {"claim": claim["spec"]}
        return found


def expand(text, environment):
    return re.sub(r"\$\((\w+)\)", lambda word: environment.get(word[1], word[0]), text)


def selects(selector, labels):
    """Whether a label selector hits these labels."""
    if not all(labels.get(key) == value for key, value in
               selector.get("matchLabels", {}).items()):
        return False
    for rule in selector.get("matchExpressions", []):
        equal(rule["operator"], "In", "an operator this test knows")
        if labels.get(rule["key"]) not in rule["values"]:
            return False
    return True


class Manifests:
    """All documents of one kustomization."""

    def __init__(self, name, documents, table):
        self.name = name
        self.documents = documents
        self.table = table
        self.whole = name != "base"
        config = self.get("ConfigMap", CONFIG_MAP)
        self.config = config["data"][CONFIG_FILE] if config else ""
        self.sections = read_config(self.config)
        self.configured = {table.names[path]: value for path, value in self.sections.items()
                           if path in table.names}
        self.namespace = next((document["metadata"]["name"] for document in documents
                               if document["kind"] == "Namespace"), None)

    def changed(self, documents):
        return Manifests(self.name, documents, self.table)

    def copy(self, number):
        """All documents, that one to be changed."""
        return [copy.deepcopy(one) if n == number else one for n, one in
                enumerate(self.documents)]

    def number(self, kind, name):
        return self.documents.index(self.get(kind, name))

    def all(self, kind):
        return [document for document in self.documents if document["kind"] == kind]

    def get(self, kind, name):
        return next((document for document in self.all(kind)
                     if document["metadata"]["name"] == name), None)

    def workload(self, component):
        """What makes the pods of that component."""
        return next(one for kind in WORKLOADS for one in self.all(kind)
                    if one["metadata"]["name"] == component)

    def pods(self):
        return [Pod(self, one) for kind in WORKLOADS for one in self.all(kind)]

    def pod(self, component, ordinal=0):
        return Pod(self, self.workload(component), ordinal)

    def containers(self):
        """(pod, container) of all."""
        return [(pod, container) for pod in self.pods() for container in pod.containers()]

    def setting(self, name, component="matcher"):
        pod = self.pod(component)
        return pod.settings(pod.main)[name]


def build(kubectl, name, table):
    return Manifests(name, kustomize(kubectl, ROOT / "k8s" / name), table)


def nodes(value, path=()):
    """(path, value) of everything in it, parts and their parts."""
    parts = value.items() if isinstance(value, dict) else \
        enumerate(value) if isinstance(value, list) else []
    for key, part in parts:
        yield (*path, key), part
        yield from nodes(part, (*path, key))


def fits(path, patterns):
    text = "/".join(str(part) for part in path)
    return any(fnmatch.fnmatch(text, pattern) for pattern in patterns)
