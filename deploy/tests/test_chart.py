"""The Helm chart: linted, rendered with each example's values, and held against the schemas
of Kubernetes and the settings of the program."""

import json
import re

import helm_python
import pytest
import yaml
from helm_python import chart as helm

import host
import places
from chart import (
    KUBERNETES,
    environment,
    is_what_kubernetes_takes,
    one,
    overlaid,
    pod,
    render,
    values_of,
)

EXAMPLES = sorted((places.CHART / "examples").glob("*.yaml"))
POSTGRES = values_of(places.CHART / "examples/postgres.yaml")
ALL = [pytest.param({}, id="defaults")]
ALL += [pytest.param(values_of(file), id=file.stem) for file in EXAMPLES]


@pytest.mark.parametrize("values", ALL)
def test_the_chart_has_no_lint(values):
    report = helm.lint(places.CHART, values)
    told = [m for m in report["messages"] if m["severity"] not in ("info", "INFO", 1)]
    assert not told, told


@pytest.mark.parametrize("values", ALL)
@pytest.mark.parametrize("version", KUBERNETES)
def test_rendered_manifests_are_what_kubernetes_takes(values, version):
    manifests = render(values)
    assert len(manifests) >= 4
    for manifest in manifests:
        is_what_kubernetes_takes(manifest, version)


@pytest.mark.parametrize("values", ALL)
def test_rendered_manifests_name_only_settings_that_the_program_knows(values):
    named = {name for name in environment(render(values)) if name.startswith("ALERTS_")}
    assert named <= host.settings()


def test_every_setting_of_the_program_can_be_set_by_a_value_that_has_its_name():
    with helm.Chart.load(places.CHART) as chart:
        properties = chart.schema["properties"]["settings"]["properties"]
        defaults = chart.values["settings"]
    # `null` values are taken out of what Helm calls the defaults, so those are read here.
    written = yaml.safe_load((places.CHART / "values.yaml").read_text())["settings"]
    assert set(written) == set(properties) and set(defaults) <= set(written)
    helpers = (places.CHART / "templates/_helpers.tpl").read_text()
    (listed,) = re.findall(r'define "alerts.settings" -}}\n(.*)\n', helpers)
    assert listed.split() == sorted(properties)
    more = {
        "plugins": {"from": "claim", "claim": {"name": "plugins"}},
        "secrets": {"exosphereKey": {"name": "exosphere"}},
        "tls": {"secret": "tls"},
    }
    values = overlaid(POSTGRES, more)
    sample = {
        name: 64 if "integer" in schema.get("type", []) else "json"
        for name, schema in properties.items()
    }
    sample["ALERTS_EXOSPHERE_INTERVAL_MS"] = 3000
    for name in ["ALERTS_EXOSPHERE_URL", "ALERTS_PUBLIC_URL", "ALERTS_LINK_TEMPLATE"]:
        sample[name] = "https://alerts.example.com"
    shown = environment(render(overlaid(values, {"settings": sample})))
    assert {name for name in shown if name.startswith("ALERTS_")} == host.settings()
    for name, value in sample.items():
        assert shown[name]["value"] == str(value)


def test_a_large_number_reaches_the_program_in_digits():
    shown = environment(render({"settings": {"ALERTS_RATE_LIMIT": 1_000_000}}))
    assert shown["ALERTS_RATE_LIMIT"]["value"] == "1000000"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replicas": 2}, "replicas: is 2 with database.kind=sqlite"),
        ({"autoscaling": {"enabled": True}}, "autoscaling.enabled: is true with database.kind"),
        ({"database": {"kind": "postgres"}}, "database.postgres.urlSecret.name: is empty"),
        (
            overlaid(POSTGRES, {"secrets": {"encryptionKeys": {"name": ""}}}),
            "secrets.encryptionKeys.name: is empty",
        ),
        (
            overlaid(POSTGRES, {"autoscaling": {"enabled": True, "minReplicas": 9}}),
            "autoscaling.minReplicas: is 9, more than autoscaling.maxReplicas, 6",
        ),
        ({"ingress": {"enabled": True}}, "ingress.host: is empty"),
        ({"plugins": {"from": "claim"}}, "plugins.claim.name: is empty"),
        ({"plugins": {"from": "image"}}, "plugins.image.reference: is empty"),
        ({"terminationGracePeriodSeconds": 12}, "terminationGracePeriodSeconds: is 12"),
        ({"extraEnv": [{"name": "ALERTS_ROLLOUT", "value": "ga"}]}, "extraEnv: ALERTS_ROLLOUT"),
        ({"extraEnv": [{"name": "ALERTS_LOG", "value": "info"}]}, "set settings.ALERTS_LOG"),
        # What the schema refuses, with the place as Helm writes it.
        ({"database": {"kind": "mysql"}}, "/database/kind"),
        ({"rollout": "maybe"}, "/rollout"),
        ({"replica": 3}, "replica"),
        ({"replicas": "three"}, "/replicas"),
        (
            {"settings": {"ALERTS_EXOSPHERE_URL": "http://state-manager:8000"}},
            "secrets.exosphereKey.name: is empty",
        ),
        ({"settings": {"ALERTS_ROLOUT": "ga"}}, "ALERTS_ROLOUT"),
        ({"settings": {"ALERTS_PLUGIN_THREADS": 1}}, "/settings/ALERTS_PLUGIN_THREADS"),
        ({"settings": {"ALERTS_PUBLIC_URL": "alerts.example.com"}}, "/settings/ALERTS_PUBLIC_URL"),
        ({"image": {"digest": "latest"}}, "/image/digest"),
        (
            {"networkPolicy": {"egress": {"allow": [{"cidr": "db"}]}}},
            "/networkPolicy/egress/allow/0",
        ),
        ({"resources": {"limits": {"memory": "much"}}}, "/resources/limits/memory"),
        ({"secrets": {"bootstrapKey": {"value": "exo_…"}}}, "/secrets/bootstrapKey"),
    ],
)
def test_wrong_values_are_refused_with_what_and_where(values, said):
    with pytest.raises(helm_python.HelmError) as refused:
        render(values)
    assert said in str(refused.value)


def test_secrets_are_only_ever_named():
    for file in EXAMPLES:
        manifests = render(values_of(file))
        assert not [manifest for manifest in manifests if manifest["kind"] == "Secret"]
        for name, variable in environment(manifests).items():
            if name in ("ALERTS_ENCRYPTION_KEYS", "ALERTS_BOOTSTRAP_KEY", "ALERTS_EXOSPHERE_KEY"):
                assert set(variable["valueFrom"]) == {"secretKeyRef"}


@pytest.mark.parametrize("values", ALL)
def test_no_container_is_root_or_writes_to_its_image(values):
    spec = pod(render(values))
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"] + spec.get("initContainers", []):
        locked = container["securityContext"]
        assert locked["readOnlyRootFilesystem"] and not locked["allowPrivilegeEscalation"]
        assert locked["capabilities"]["drop"] == ["ALL"]


def test_sqlite_is_one_host_with_a_volume_that_is_never_open_twice():
    manifests = render({})
    workload = one(manifests, "StatefulSet")
    assert workload["spec"]["replicas"] == 1
    (claim,) = workload["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["resources"]["requests"]["storage"] == "10Gi"
    assert not [m for m in manifests if m["kind"] == "PodDisruptionBudget"]


def test_postgres_is_many_hosts_of_which_one_may_go():
    manifests = render(POSTGRES)
    workload = one(manifests, "Deployment")
    assert workload["spec"]["replicas"] == 3
    assert workload["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert one(manifests, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    anti = pod(manifests)["affinity"]["podAntiAffinity"]
    assert "requiredDuringSchedulingIgnoredDuringExecution" in anti
    url = environment(manifests)["ALERTS_DATABASE_URL"]["valueFrom"]["secretKeyRef"]
    assert url == {"name": "alerts-postgres", "key": "url"}


def test_autoscaling_asks_for_a_figure_that_hosts_have(metrics):
    manifests = render(values_of(places.CHART / "examples/autoscaled.yaml"))
    (metric,) = one(manifests, "HorizontalPodAutoscaler")["spec"]["metrics"]
    assert metric["pods"]["metric"]["name"] in metrics
    assert "replicas" not in one(manifests, "Deployment")["spec"], "it would undo the scaling"


def test_the_ingress_leads_to_the_whole_api_and_not_to_what_is_for_operators():
    manifests = render(values_of(places.CHART / "examples/sqlite.yaml"))
    (rule,) = one(manifests, "Ingress")["spec"]["rules"]
    prefixes = [path["path"] for path in rule["http"]["paths"]]
    described = json.loads((places.ROOT / "dashboard/openapi.json").read_text())["paths"]
    for path in [*described, "/settings/alerts", "/settings/alerts/portal", "/docs/"]:
        is_led_to = any(path == one or path.startswith(f"{one}/") for one in prefixes)
        assert is_led_to == (path not in ("/healthz", "/readyz", "/metrics")), path


def test_the_rollout_is_what_the_program_calls_it():
    for stage in ["off", "beta", "ga"]:
        assert environment(render({"rollout": stage}))["ALERTS_ROLLOUT"]["value"] == stage


def test_selectors_find_the_pods():
    manifests = render(POSTGRES)
    labels = one(manifests, "Deployment")["spec"]["template"]["metadata"]["labels"]
    selectors = [
        one(manifests, "Service")["spec"]["selector"],
        one(manifests, "Deployment")["spec"]["selector"]["matchLabels"],
        one(manifests, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        one(manifests, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector.items() <= labels.items()
    monitor = one(manifests, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
    assert monitor.items() <= one(manifests, "Service")["metadata"]["labels"].items()


def test_the_host_starts_with_what_the_chart_sets(tmp_path):
    """The rendered settings, with their folders moved and their secrets put in."""
    values = values_of(places.CHART / "examples/careful.yaml")
    shown = environment(render(values))
    given = {name: variable.get("value", host.KEY) for name, variable in shown.items()}
    (tmp_path / "plugins").mkdir()
    given["ALERTS_PLUGINS_DIR"] = str(tmp_path / "plugins")
    given["ALERTS_DATABASE_URL"] = f"sqlite://{tmp_path}/alerts.db"
    del given["ALERTS_CACHE_DIR"], given["SQLITE_TMPDIR"]
    # With the names that a secret of this type has; how it serves is tested with the program.
    served_with = given.pop("ALERTS_TLS_CERT"), given.pop("ALERTS_TLS_KEY")
    assert served_with == ("/tls/tls.crt", "/tls/tls.key")
    with host.Host(given, tmp_path) as served:
        assert served.api("POST", "/v1/events", host.event(1))["accepted"] == 1
    assert "beta" in served.log.read_text()


def test_the_schema_covers_every_value():
    schema = json.loads((places.CHART / "values.schema.json").read_text())

    def covered(schema: dict, values: dict, path: str):
        for name, value in values.items():
            below = schema.get("properties", {}).get(name)
            assert below is not None, f"{path}/{name} is in values.yaml and not in the schema"
            if isinstance(value, dict) and "properties" in below:
                covered(below, value, f"{path}/{name}")

    covered(schema, yaml.safe_load((places.CHART / "values.yaml").read_text()), "")
