"""The Grafana dashboard and the alert rules: every figure that they name is one that hosts
have, and a real Prometheus that follows a running host answers every expression."""

import json
import re
import subprocess
import time
import urllib.parse

import pytest
import yaml

import host
import places
from receiver import Receiver

FOLDER = places.DEPLOY / "observability"
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
RULES = yaml.safe_load((FOLDER / "alerts.rules.yaml").read_text())
METRIC = re.compile(r"\balerts_[a-z_]+")
# What Prometheus makes of a histogram.
PARTS = re.compile(r"_(bucket|sum|count)$")


def panel_expressions() -> dict[str, str]:
    return {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", [])
    }


def rule_expressions() -> dict[str, str]:
    return {rule["alert"]: rule["expr"] for group in RULES["groups"] for rule in group["rules"]}


EXPRESSIONS = {**panel_expressions(), **rule_expressions()}


def metric_of(name: str, metrics: dict[str, str]) -> str | None:
    """The metric that a series belongs to."""
    if name in metrics and metrics[name] != "histogram":
        return name
    whole = PARTS.sub("", name)
    return whole if whole != name and metrics.get(whole) == "histogram" else None


@pytest.mark.parametrize("title", EXPRESSIONS)
def test_every_figure_that_is_named_is_one_that_hosts_have(title, metrics):
    for name in METRIC.findall(EXPRESSIONS[title]):
        assert metric_of(name, metrics), f"{title}: no host has {name}"


def test_every_figure_that_hosts_have_is_on_the_dashboard_or_left_out_for_a_reason(metrics):
    shown = {
        metric_of(name, metrics)
        for expression in panel_expressions().values()
        for name in METRIC.findall(expression)
    }
    left_out = {
        "alerts_groups_overflown_total",  # a rule's own matter; its page says so
        "alerts_plugin_compilations_total",  # once for each new file
        "alerts_streams_open",  # who looks at the dashboard
    }
    assert set(metrics) - shown == left_out


@pytest.mark.parametrize("title", EXPRESSIONS)
def test_counters_are_asked_for_their_rate_and_gauges_for_themselves(title, metrics):
    expression = EXPRESSIONS[title]
    for match in METRIC.finditer(expression):
        name = match.group()
        kind = metrics[metric_of(name, metrics)]
        before = expression[: match.start()]
        is_rate = re.search(r"\b(rate|increase)\($", before) is not None
        # Whether a counter is there at all may be asked too.
        asks_presence = "unless" in expression
        assert is_rate == (kind != "gauge") or asks_presence or before.endswith("deriv("), title


def test_every_rule_says_what_it_is_and_what_to_do():
    for group in RULES["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("info", "warning", "critical"), rule["alert"]
            assert {"summary", "description"} <= set(rule["annotations"]), rule["alert"]


def test_panels_have_ids_of_their_own_and_stand_side_by_side():
    taken: set[tuple[int, int]] = set()
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells


def test_the_rules_fire_when_they_should_and_only_then():
    promtool = places.tool("promtool")
    checked = subprocess.run(
        [promtool, "check", "rules", FOLDER / "alerts.rules.yaml"], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tests = FOLDER / "alerts.rules.test.yaml"
    tested = subprocess.run([promtool, "test", "rules", tests], capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    cases = [case["name"] for case in yaml.safe_load(tests.read_text())["tests"]]
    for alert in rule_expressions():
        assert {f"{alert} fires", f"{alert} stays quiet"} <= set(cases)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A host that has delivered, failed and been wrongly asked, and the URL of its figures."""
    folder = tmp_path_factory.mktemp("observed")
    with Receiver() as receiver, host.Host({}, folder) as served:
        policy = {"max_retries": 0}
        for name, url in [("good", receiver.url), ("gone", "http://127.0.0.1:9/nobody")]:
            endpoint = served.api("POST", "/v1/webhooks", {"name": name, "target_url": url})
            rule = {"name": name, "event_type": "workflow.failed", "retry_policy": policy}
            served.api("POST", "/v1/alert-rules", {**rule, "webhook_endpoint_id": endpoint["id"]})
        number = 0

        def work():
            nonlocal number
            number += 1
            served.api("POST", "/v1/events", host.event(number))
            served.api("POST", "/v1/events", host.event(number))  # a repeat
            host.ask(f"{served.url}/v1/events/evt_none")  # without a key
            return served

        yield work


def shown(served: host.Host) -> tuple[dict[str, str], str]:
    """The kinds of the metrics that a host shows now, and the whole text."""
    text = host.ask(f"{served.url}/metrics")[1]
    return dict(re.findall(r"^# TYPE (alerts_\w+) (\w+)$", text, re.MULTILINE)), text


def test_a_running_host_shows_its_figures_as_the_sources_register_them(running, metrics):
    served = running()
    wanted = {"alerts_deliveries_finished_total", "alerts_delivery_seconds"}
    host.wait_until("figures of deliveries", lambda: wanted <= set(shown(served)[0]))
    kinds, _ = shown(served)
    assert kinds.items() <= metrics.items()
    assert len(kinds) >= 12, kinds


@pytest.fixture(scope="module")
def prometheus(running, tmp_path_factory):
    """A Prometheus that follows the host, once it has some points of everything."""
    program = places.tool("prometheus")
    served, folder, port = running(), tmp_path_factory.mktemp("prometheus"), host.free_port()
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(FOLDER / "alerts.rules.yaml")],
        "scrape_configs": [
            {
                "job_name": "exosphere-alerts",
                "static_configs": [{"targets": [f"127.0.0.1:{served.port}"]}],
            }
        ],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    process = subprocess.Popen(
        [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
        + [f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("wb"),
    )

    def query(expression: str):
        asked = urllib.parse.urlencode({"query": expression})
        status, text = host.ask(f"http://127.0.0.1:{port}/api/v1/query?{asked}")
        return (json.loads(text)["data"]["result"], text) if status == 200 else (None, text)

    def has_points():
        running()
        time.sleep(0.3)
        dead = 'rate(alerts_deliveries_finished_total{status="dead"}[1m]) > 0'
        return query(dead)[0] and query("up == 1")[0]

    try:
        host.wait_until("a Prometheus with points", has_points)
        yield query
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.mark.parametrize("title", EXPRESSIONS)
def test_a_prometheus_that_follows_a_host_answers_every_expression(
    title, prometheus, running, metrics
):
    expression = EXPRESSIONS[title].replace("$__rate_interval", "1m")
    expression = expression.replace("$job", ".*").replace("$instance", ".*")
    result, told = prometheus(expression)
    assert result is not None, told
    if title in rule_expressions():
        return
    kinds, _ = shown(running())
    named = {metric_of(name, metrics) for name in METRIC.findall(expression)}
    if named <= set(kinds):
        assert result, f"{title}: the host shows {named}, and the panel would be empty"
