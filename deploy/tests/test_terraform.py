"""The Terraform module: formatted, parsed, its pure part run, the chart rendered with what
it works out; validated as a whole where the providers can be had."""

import json
import re
import shutil
import subprocess
from functools import cache

import hcl2
import pytest

import chart
import places

MODULE = places.DEPLOY / "terraform"
VALUES = MODULE / "modules/values"
EXAMPLE = MODULE / "examples/aws"
FOLDERS = [MODULE, VALUES, EXAMPLE]


def terraform(folder, *arguments, check=True):
    environment = {**places.tool_environment(), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    ran = subprocess.run(
        [places.tool("terraform"), f"-chdir={folder}", *arguments, "-no-color"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert not check or ran.returncode == 0, ran.stdout + ran.stderr
    return ran


@pytest.fixture
def copied(tmp_path):
    """The module and the chart beside it, where Terraform may write."""
    ignored = shutil.ignore_patterns(".terraform*", "*.tfstate*")
    shutil.copytree(MODULE, tmp_path / "terraform", ignore=ignored)
    shutil.copytree(places.CHART, tmp_path / "helm/exosphere-alerts")
    return tmp_path / "terraform"


def test_every_file_is_formatted():
    terraform(MODULE, "fmt", "-check", "-recursive", "-diff")


def test_the_values_module_is_valid_and_does_what_its_tests_say(copied):
    folder = copied / "modules/values"
    terraform(folder, "init", "-backend=false")
    terraform(folder, "validate")
    tested = terraform(folder, "test").stdout
    assert re.search(r"Success! [1-9]\d* passed, 0 failed", tested), tested


def test_the_chart_takes_what_the_values_module_works_out(copied):
    folder = copied / "modules/values"
    given = {
        "image": {"repository": "registry.example.com/alerts", "pull_secrets": ["registry"]},
        "hosts": {"min": 2, "max": 6},
        "ingress": {"host": "alerts.example.com", "tls_secret": "alerts-tls"},
        "settings": {"ALERTS_TENANT_RATE_LIMIT": 600, "ALERTS_LOG": "info"},
        "allow_targets": ["10.40.0.0/16"],
        "database_cidrs": ["10.20.0.0/24"],
        "database_port": 5432,
        "service_monitor": True,
        "secret_name": "alerts",
        "secret_keys": {"url": "u", "encryption_keys": "e", "bootstrap_key": "b"},
    }
    (folder / "given.auto.tfvars.json").write_text(json.dumps(given))
    terraform(folder, "init", "-backend=false")
    terraform(folder, "apply", "-auto-approve")
    shown = json.loads(terraform(folder, "output", "-json").stdout)
    manifests = chart.render(shown["values"]["value"])
    for manifest in manifests:
        chart.is_what_kubernetes_takes(manifest, chart.KUBERNETES[-1])
    variables = chart.environment(manifests)
    assert variables["ALERTS_PUBLIC_URL"]["value"] == shown["url"]["value"]
    assert variables["ALERTS_TENANT_RATE_LIMIT"]["value"] == "600"
    assert variables["ALERTS_ALLOW_TARGETS"]["value"] == "10.40.0.0/16"
    assert chart.one(manifests, "HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 6


@cache
def parsed(folder) -> tuple[dict[str, list], str]:
    """All blocks of a folder's files by kind, and their text."""
    blocks: dict[str, list] = {}
    text = ""
    for file in sorted(folder.glob("*.tf")):
        with file.open() as opened:
            for kind, found in hcl2.load(opened).items():
                blocks.setdefault(kind, []).extend(found)
        text += re.sub(r"(?m)^\s*#.*$", "", file.read_text())
    return blocks, text


def names(blocks: dict[str, list], kind: str) -> set[str]:
    return {name.strip('"') for block in blocks.get(kind, []) for name in block if "__" not in name}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_is_used_is_declared_and_what_is_declared_is_used(folder):
    blocks, text = parsed(folder)
    declared = names(blocks, "variable")
    assert set(re.findall(r"\bvar\.(\w+)", text)) == declared
    assert set(re.findall(r"\blocal\.(\w+)", text)) == names(blocks, "locals")
    assert set(re.findall(r"\bmodule\.(\w+)", text)) == names(blocks, "module")
    resources = set()
    for block in blocks.get("resource", []):
        for kind, named in block.items():
            resources |= {f"{kind}.{name}".replace('"', "") for name in named}
    used = re.findall(r"(?<![.\w])((?:aws|kubernetes|helm|random)_\w+\.\w+)", text)
    assert set(used) <= resources, "a resource is used and not there"
    for kind in ["variable", "output"]:
        for block in blocks.get(kind, []):
            for name, body in block.items():
                assert "description" in body, f"{kind} {name} has no description"


@pytest.mark.parametrize(("caller", "called"), [(MODULE, VALUES), (EXAMPLE, MODULE)])
def test_a_module_is_given_what_it_needs_and_nothing_else(caller, called):
    (call,) = parsed(caller)[0]["module"]
    ((_, given),) = call.items()
    given = {name for name in given if name != "source" and "__" not in name}
    variables = parsed(called)[0]["variable"]
    bodies = {name.strip('"'): body for block in variables for name, body in block.items()}
    needed = {name for name, body in bodies.items() if "default" not in body}
    assert needed <= given <= set(bodies)


@pytest.mark.parametrize("folder", [".", "examples/aws"])
def test_the_module_is_valid(copied, folder):
    begun = terraform(copied / folder, "init", "-backend=false", "-input=false", check=False)
    if begun.returncode != 0:
        pytest.skip(f"{folder}: the providers cannot be had here")
    terraform(copied / folder, "validate")
