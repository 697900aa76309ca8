"""Prometheus' configuration, alerts and dashboard: promtool takes them, every alert fires for its
condition and not in health, and all of them use the metrics there are as what they are."""
import json
import pathlib
import re
import shutil

import yaml

from cluster import ROOT, equal, expect, main
from promtool import promtool

DIRECTORY = ROOT / "k8s" / "observability"
ROW = re.compile(r'\bM\(\w+,\s*"(\w+)",\s*(\w+),\s*"([^"]*)"')
HISTOGRAMS = {"SECONDS", "SIZES"}
OF_TARGETS = {"instance", "job", "namespace"}  # labels by prometheus.yml
GROWTH = {"rate", "increase"}


def table():
    """The metrics there are: name -> (type, labels)."""
    text = (ROOT / "common" / "node" / "metrics_table.h").read_text(encoding="ascii")
    rows = {name: (kind, set(labels.split(",")) - {""})
            for name, kind, labels in ROW.findall(text.replace("\\\n", " "))}
    expect(len(rows) > 90, f"only {len(rows)} metrics were found in the table")
    return rows


def load(name):
    return yaml.safe_load((DIRECTORY / name).read_text(encoding="utf-8"))


def alerts():
    return [rule for group in load("alerts.yml")["groups"] for rule in group["rules"]]


def dashboard():
    return json.loads((DIRECTORY / "grafana/dashboards/outcry.json").read_text(encoding="utf-8"))


def panels():
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


# ---- promtool ----

def promtool_takes_the_configuration_and_the_rules(test):
    promtool(test, "check", "config", "prometheus.yml", directory=DIRECTORY)
    promtool(test, "check", "rules", "--lint-fatal", "alerts.yml", directory=DIRECTORY)


def promtool_takes_what_kubernetes_is_scraped_by(test):
    """Debian's is built without discovery of pods, so there a target stands in its place."""
    config = load("prometheus-kubernetes.yml")
    for job in config["scrape_configs"]:
        del job["kubernetes_sd_configs"]
        job["static_configs"] = [{"targets": ["localhost:8001"]}]
    with test.directory() as directory:
        shutil.copy(DIRECTORY / "alerts.yml", directory)
        (directory / "prometheus.yml").write_text(yaml.dump(config), encoding="utf-8")
        promtool(test, "check", "config", "prometheus.yml", directory=directory)


def every_alert_fires_for_its_condition_and_none_in_health(test):
    promtool(test, "test", "rules", "alerts_test.yml", directory=DIRECTORY)
    tested = {case["name"] for case in load("alerts_test.yml")["tests"]}
    equal(tested, {rule["alert"] for rule in alerts()} | {"health"}, "what has a test")


def promtool_takes_every_expression_of_the_dashboard(test):
    rules = [{"record": f"panel_{panel['id']}_{target['refId']}", "expr": plain(target["expr"])}
             for panel in panels() for target in panel["targets"]]
    with test.directory() as directory:
        text = yaml.dump({"groups": [{"name": "dashboard", "rules": rules}]})
        (directory / "rules.yml").write_text(text, encoding="utf-8")
        promtool(test, "check", "rules", "rules.yml", directory=directory)


# ---- metrics ----

def plain(expression):
    """With Grafana's variables filled in."""
    return (expression.replace("$__rate_interval", "1m").replace("$shard", ".*")
            .replace("$symbol", ".*"))


def expressions():
    """Everything that asks Prometheus: (where, expression)."""
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in dashboard()["templating"]["list"]:
        yield variable["name"], variable["definition"]
    for note in dashboard()["annotations"]["list"]:
        yield note["name"], note["expr"]


def use_of(name, rows):
    """The row of a metric as an expression names it, and which part of it."""
    for suffix in ("_bucket", "_sum", "_count"):
        whole = name.removesuffix(suffix)
        if whole != name and whole in rows and rows[whole][0] in HISTOGRAMS:
            return rows[whole], suffix
    return rows.get(name), ""


def faults_of(where, expression, rows):
    """What is wrong with the metrics an expression uses."""
    for match in re.finditer(r"\boutcry_\w+", expression):
        name = match.group()
        row, part = use_of(name, rows)
        if row is None:
            yield f"{where}: there is no metric {name}"
            continue
        kind, labels = row
        function = re.search(r"(\w+)\(\s*$", expression[:match.start()])
        function = function.group(1) if function else ""
        if function == "label_values":
            continue
        counts = kind == "COUNTER" or bool(part)
        if kind in HISTOGRAMS and not part:
            yield f"{where}: {name} is a histogram, and has no value of its own"
        if counts != (function in GROWTH):
            yield f"{where}: {name} is a {kind} and stands in {function or 'nothing'}()"
        matchers = re.match(r"\{([^}]*)\}", expression[match.end():])
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers.group(1) if matchers else ""):
            if label not in labels | OF_TARGETS:
                yield f"{where}: {name} has no label {label}"


def metrics_are_those_of_the_table_and_used_as_what_they_are(_test):
    rows = table()
    faults = [fault for where, expression in expressions()
              for fault in faults_of(where, plain(expression), rows)]
    expect(not faults, "\n".join(faults))
    for wrong in ("outcry_nothing", "outcry_matcher_commands_total", "rate(outcry_matcher_seq[1m])",
                  "outcry_node_step_seconds", "outcry_ready{shard=\"0\"}"):
        expect(list(faults_of("here", wrong, rows)), f"no fault is found in {wrong}")


def groupings_are_by_labels_that_are_there(_test):
    rows = table()
    for where, expression in expressions():
        labels = set().union(*(use_of(name, rows)[0][1]
                               for name in re.findall(r"\boutcry_\w+", expression)), OF_TARGETS)
        for by in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression):
            used = {label.strip() for label in by.split(",")} - {"le", "alertname"}
            expect(used <= labels, f"{where} groups by {used - labels}")


# ---- words ----

def every_alert_has_its_heading_and_every_heading_its_alert(_test):
    text = (ROOT / "k8s" / "RUNBOOK.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\w+)$", text, re.MULTILINE)
    equal(headings, [rule["alert"] for rule in alerts()], "headings of the runbook")
    for section in text.split("\n## ")[1:]:
        name = section.split("\n", 1)[0]
        for part in ("* **Look**: ", "* **Do**: ", "* **Over**: "):
            expect(section.count(part) == 1, f"{name} has not one {part!r}")
    for name in re.findall(r"\(#(\w+)\)", text):
        expect(name in [heading.lower() for heading in headings], f"there is no heading {name}")
    production = (ROOT / "k8s" / "PRODUCTION.md").read_text(encoding="utf-8")
    for title in re.findall(r'PRODUCTION\.md, "([^"]+)"', text):
        expect(f"\n## {title}\n" in production, f'PRODUCTION.md has no heading "{title}"')


def every_alert_says_what_how_bad_and_where_to_read(_test):
    for rule in alerts():
        name, notes = rule["alert"], rule["annotations"]
        expect(rule["labels"]["severity"] in ("critical", "warning"), f"severity of {name}")
        equal(set(notes), {"summary", "description", "runbook_url"}, f"annotations of {name}")
        equal(notes["runbook_url"], f"k8s/RUNBOOK.md#{name.lower()}", f"where {name} is explained")
        expect(notes["summary"] and notes["description"].endswith("."), f"words of {name}")


def the_services_of_compose_are_scraped(_test):
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    services = {name for name, service in compose["services"].items()
                if str((service.get("command") or [""])[0]).startswith("outcry-")}
    targets = {target for job in load("prometheus.yml")["scrape_configs"]
               for part in job["static_configs"] for target in part["targets"]}
    equal(targets, {f"{name}:8001" for name in services}, "what is scraped")


# ---- the dashboard ----

def every_panel_has_a_title_a_unit_and_a_query_in_its_own_place(_test):
    whole, taken, source = dashboard(), set(), load_source()
    equal([row["title"] for row in whole["panels"] if row["type"] == "row"],
          ["Overview", "Orders and latency by stage", "Matching", "Journal and followers",
           "Streams", "Edge", "Strategies", "Security"], "rows")
    equal([variable["name"] for variable in whole["templating"]["list"]], ["shard", "symbol"],
          "variables")
    equal(len({panel["id"] for panel in whole["panels"]}), len(whole["panels"]), "different ids")
    for panel in panels():
        title, place = panel["title"], panel["gridPos"]
        expect(title and panel["fieldConfig"]["defaults"]["unit"], f"a unit of {title!r}")
        expect(panel["targets"], f"a query of {title!r}")
        equal(panel["datasource"]["uid"], source, f"data source of {title!r}")
        for target in panel["targets"]:
            expect(target["expr"] and target["legendFormat"], f"a query of {title!r}")
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        expect(max(x for x, y in cells) < 24 and not cells & taken, f"place of {title!r}")
        taken |= cells


def load_source():
    """The uid of the data source Grafana is given."""
    source, = load("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    provider, = load("grafana/provisioning/dashboards/outcry.yml")["providers"]
    equal(pathlib.PurePath(provider["options"]["path"]).name, "dashboards", "where dashboards are")
    return source["uid"]


if __name__ == "__main__":
    main(__doc__, [promtool_takes_the_configuration_and_the_rules,
                   promtool_takes_what_kubernetes_is_scraped_by,
                   every_alert_fires_for_its_condition_and_none_in_health,
                   promtool_takes_every_expression_of_the_dashboard,
                   metrics_are_those_of_the_table_and_used_as_what_they_are,
                   groupings_are_by_labels_that_are_there,
                   every_alert_has_its_heading_and_every_heading_its_alert,
                   every_alert_says_what_how_bad_and_where_to_read,
                   the_services_of_compose_are_scraped,
                   every_panel_has_a_title_a_unit_and_a_query_in_its_own_place])
