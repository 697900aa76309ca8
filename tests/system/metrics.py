"""What services tell of themselves: their admin ports found by {run_dir}/NAME.admin, probes asked,
and metrics read, as strictly as Prometheus' text form allows.

    figures = fetch(admin_of(cluster.run_dir, "matcher-0"))
    figures.value("outcry_matcher_commands_total", shard="0")
"""
import http.client
import pathlib
import re

from cluster import WAIT_S, equal, expect, until

NAME = r"[a-z_:][a-z0-9_:]*"
SAMPLE = re.compile(rf'({NAME})(?:\{{((?:{NAME}="(?:[^"\\\n]|\\["\\n])*",?)*)\}})? '
                    r'([0-9]+(?:\.[0-9]+)?)')
LABEL = re.compile(rf'({NAME})="((?:[^"\\\n]|\\["\\n])*)"')
TYPES = ("counter", "gauge", "histogram")


class Figures:
    """One answer of /metrics."""

    def __init__(self, text):
        self.types = {}  # of families
        self.samples = {}  # (name, labels): value; labels: a frozenset of pairs
        self.family = None
        expect(text.endswith("\n"), "the last line has no end")
        for line in text[:-1].split("\n"):
            self._take(line)
        for name, kind in self.types.items():
            if kind == "histogram":
                self._check_histogram(name)

    def _take(self, line):
        if line.startswith("# HELP "):
            self.family = line.split(" ")[2]
            expect(self.family not in self.types, lambda: f"{self.family} is told twice")
            expect(line.split(" ", 3)[3], lambda: f"no help: {line!r}")
            self.types[self.family] = None
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            expect(name == self.family and self.types[name] is None and kind in TYPES,
                   lambda: f"a TYPE in the wrong place: {line!r}")
            self.types[name] = kind
        else:
            match = SAMPLE.fullmatch(line)
            expect(match, lambda: f"no sample: {line!r}")
            self._add(*match.groups())

    def _add(self, name, labels, value):
        found = frozenset(LABEL.findall(labels or ""))
        key = name, found
        equal(len(dict(found)), len(found), f"labels of {name}{{{labels}}}")
        expect(key not in self.samples, lambda: f"twice: {key}")
        kind = self.types.get(self.family)
        ends = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        expect(kind and name in [self.family + end for end in ends],
               lambda: f"{name} stands among {self.family}")
        self.samples[key] = float(value)

    def _check_histogram(self, name):
        """Buckets grow, and the last is the count."""
        for labels in {labels for sample, labels in self.samples if sample == f"{name}_count"}:
            buckets = sorted((float(dict(found)["le"]), value) for (sample, found), value in
                             self.samples.items() if sample == f"{name}_bucket"
                             and found - {("le", dict(found)["le"])} == labels)
            counts = [count for _, count in buckets]
            equal(counts, sorted(counts), f"buckets of {name}")
            equal(buckets[-1], (float("inf"), self.samples[f"{name}_count", labels]),
                  f"the last bucket of {name}")
            expect((f"{name}_sum", labels) in self.samples, lambda: f"{name} has no sum")

    def value(self, name, **labels):
        """Of the one series with exactly these labels; of none, None."""
        return self.samples.get((name, frozenset(labels.items())))

    def total(self, name, **labels):
        """Of all series with these labels and any others."""
        return sum(value for (sample, found), value in self.samples.items()
                   if sample == name and found >= set(labels.items()))


def admin_file(run_dir, service):
    return pathlib.Path(run_dir) / f"{service}.admin"


def admin_of(run_dir, service):
    """HOST:PORT of a service that runs."""
    file = admin_file(run_dir, service)
    until(file.exists, f"{service} tells where it is looked at")
    return file.read_text(encoding="ascii").strip()


def ask(address, path, seconds=WAIT_S, method="GET"):
    """The status and the text."""
    connection = http.client.HTTPConnection(address, timeout=seconds)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def fetch_text(address):
    status, text = ask(address, "/metrics")
    equal(status, 200, f"status of the metrics at {address}")
    return text


def fetch(address):
    return Figures(fetch_text(address))


def documented(reference):
    """Of k8s/METRICS.md: name to type and set of labels."""
    row = re.compile(r"\| `([a-z_]+)` \| (\w+) \| (.*?) \| .+ \|")
    rows = [row.fullmatch(line) for line in
            pathlib.Path(reference).read_text(encoding="utf-8").splitlines()
            if line.startswith("| `")]
    expect(rows and all(rows), "a row of the reference cannot be read")
    return {match[1]: (match[2], set(re.findall(r"`(\w+)`", match[3]))) for match in rows}
