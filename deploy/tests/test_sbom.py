"""The list of what is in the binary (SBOM) that `cargo xtask dist` makes."""

import json
import subprocess
import sys

import pytest

import places


@pytest.fixture(scope="module")
def listed(tmp_path_factory) -> dict:
    into = tmp_path_factory.mktemp("sbom") / "exosphere-alerts.cdx.json"
    # It holds what it writes against CycloneDX's own schema.
    script = places.DEPLOY / "package/sbom.py"
    subprocess.run([sys.executable, script, into], cwd=places.ROOT, check=True)
    return json.loads(into.read_text())


def test_it_names_what_the_host_its_plugins_and_its_dashboard_are_made_of(listed):
    named = {component["purl"].split("@")[0] for component in listed["components"]}
    # The sandbox, a language that is inside it, and the page.
    assert {"pkg:cargo/wasmtime", "pkg:cargo/cel", "pkg:npm/react"} <= named
    # Not what only tests and builds need.
    assert not {"pkg:cargo/tempfile", "pkg:npm/vitest", "pkg:npm/vite"} & named


def test_each_part_has_its_licence_and_what_came_from_a_registry_its_checksum(listed):
    bare = [each["bom-ref"] for each in listed["components"] if not each.get("licenses")]
    assert bare == []
    own = {"pkg:cargo/alerts-", "pkg:cargo/exosphere-"}
    unsealed = {
        each["bom-ref"]
        for each in listed["components"]
        if not each.get("hashes") and not any(each["bom-ref"].startswith(name) for name in own)
    }
    assert unsealed == set()


def test_the_binary_needs_all_of_it_in_the_end(listed):
    needs = {each["ref"]: each.get("dependsOn", []) for each in listed["dependencies"]}
    reached, todo = set(), ["exosphere-alerts"]
    while todo:
        ref = todo.pop()
        if ref not in reached:
            reached.add(ref)
            todo += needs.get(ref, [])
    assert {each["bom-ref"] for each in listed["components"]} == reached - {"exosphere-alerts"}
