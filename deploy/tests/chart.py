"""The Helm chart, rendered, and what is looked at in it."""

import copy

import kubernetes_validate
import yaml
from helm_python import chart as helm

import places

# The oldest that Chart.yaml takes, and the newest whose schemas the validator has.
KUBERNETES = ["1.30", kubernetes_validate.latest_version()]
# What is not part of Kubernetes, and so in no schema of it.
CUSTOM = {"monitoring.coreos.com/v1"}


def values_of(file) -> dict:
    return yaml.safe_load(file.read_text())


def overlaid(values: dict, change: dict) -> dict:
    """Values with a change, level by level, as Helm overlays them."""
    merged = copy.deepcopy(values)
    for key, value in change.items():
        below = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = overlaid(merged[key], value) if below else value
    return merged


def render(values: dict) -> list[dict]:
    with helm.Chart.load(places.CHART) as chart:
        chart.validate_schema(chart.merge_values(values))
        rendered = chart.render(values, name="alerts", namespace="monitoring")
    manifests = []
    for path, text in rendered.items():
        if path.endswith((".yaml", ".yml")):
            manifests += [one for one in yaml.safe_load_all(text) if one]
    return manifests


def one(manifests: list[dict], kind: str) -> dict:
    (found,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return found


def pod(manifests: list[dict]) -> dict:
    (found,) = [m for m in manifests if m["kind"] in ("Deployment", "StatefulSet")]
    return found["spec"]["template"]["spec"]


def environment(manifests: list[dict]) -> dict[str, dict]:
    (container,) = pod(manifests)["containers"]
    names = [variable["name"] for variable in container["env"]]
    assert len(names) == len(set(names)), f"a variable is set twice: {names}"
    return {variable["name"]: variable for variable in container["env"]}


def is_what_kubernetes_takes(manifest: dict, version: str):
    """Raises where it is not, strictly: a field that is unknown is wrong."""
    if manifest["apiVersion"] not in CUSTOM:
        kubernetes_validate.validate(manifest, version, strict=True)
