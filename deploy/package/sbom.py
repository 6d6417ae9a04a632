"""Writes a CycloneDX list of what is in the binary: the host's crates, those of the
built-in plugins, and the dashboard's npm packages, each with version, licence, checksum
and what it needs. Usage: sbom.py FILE; run it from the repository's root."""

import base64
import json
import subprocess
import sys
import tomllib
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

SCHEMA = SchemaVersion.V1_6
PROGRAM = "alerts-server"
# The folders of the plugins that the binary carries.
BUILT_IN = ("plugins/targets/", "plugins/conditions/")


class Contents:
    """The list under way: each crate or package once, whoever needs it."""

    def __init__(self):
        self.bom = Bom()
        self.components: dict[str, Component] = {}

    def component(self, purl: PackageURL, license_text: str | None, checksum: HashType | None):
        ref = purl.to_string()
        if ref not in self.components:
            self.components[ref] = component = Component(
                name=f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name,
                version=purl.version,
                type=ComponentType.LIBRARY,
                purl=purl,
                bom_ref=ref,
                licenses=[licence(license_text)] if license_text else [],
                hashes=[checksum] if checksum else [],
            )
            self.bom.components.add(component)
        return self.components[ref]


def licence(text: str):
    """An SPDX expression where it is one; some old crates write `/` for `OR`."""
    text = text.replace("/", " OR ")
    is_expression = all(word not in text for word in ("SEE LICENSE", "UNLICENSED"))
    return LicenseExpression(text) if is_expression else DisjunctiveLicense(name=text)


def crates(contents: Contents, folder: Path, is_root, part: str) -> list[Component]:
    """Adds the crates that are linked into the roots, and returns the roots."""
    command = ["cargo", "metadata", "--locked", "--format-version=1"]
    platform = ["--filter-platform", rust_platform() if part == "host" else "wasm32-unknown-unknown"]
    shown = subprocess.run(
        [*command, *platform, f"--manifest-path={folder / 'Cargo.toml'}"],
        stdout=subprocess.PIPE,
        check=True,
    )
    metadata = json.loads(shown.stdout)
    locked = tomllib.loads((folder / "Cargo.lock").read_text())["package"]
    checksums = {(each["name"], each["version"]): each.get("checksum") for each in locked}
    packages = {package["id"]: package for package in metadata["packages"]}
    needs = {
        node["id"]: [
            dep["pkg"]
            for dep in node["deps"]
            # Not what only tests or build scripts need.
            if any(kind["kind"] is None for kind in dep["dep_kinds"])
        ]
        for node in metadata["resolve"]["nodes"]
    }
    made: dict[str, Component] = {}

    def add(package_id: str) -> Component:
        if package_id in made:
            return made[package_id]
        package = packages[package_id]
        checksum = checksums.get((package["name"], package["version"]))
        made[package_id] = component = contents.component(
            PackageURL("cargo", name=package["name"], version=package["version"]),
            package["license"],
            HashType(alg=HashAlgorithm.SHA_256, content=checksum) if checksum else None,
        )
        component.properties.add(Property(name="part", value=part))
        contents.bom.register_dependency(component, [add(need) for need in needs[package_id]])
        return component

    members = [packages[member] for member in metadata["workspace_members"]]
    return [add(package["id"]) for package in members if is_root(package)]


def rust_platform() -> str:
    told = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    return next(line for line in told.splitlines() if line.startswith("host: ")).split()[1]


def npm_packages(contents: Contents, lock: Path) -> list[Component]:
    """Adds what the dashboard's files are made from, tools for development left out."""
    made = []
    for place, package in json.loads(lock.read_text())["packages"].items():
        if not place or package.get("dev") or package.get("link"):
            continue
        *scope, name = place.rsplit("node_modules/", 1)[-1].split("/")
        purl = PackageURL("npm", scope[0] if scope else None, name, package["version"])
        component = contents.component(purl, package.get("license"), npm_checksum(package))
        component.properties.add(Property(name="part", value="dashboard"))
        made.append(component)
    return made


def npm_checksum(package: dict) -> HashType | None:
    algorithm, _, digest = package.get("integrity", "").partition("-")
    if algorithm != "sha512":
        return None
    return HashType(alg=HashAlgorithm.SHA_512, content=base64.b64decode(digest).hex())


def listed(root: Path) -> Bom:
    contents = Contents()
    (host,) = crates(contents, root, lambda each: each["name"] == PROGRAM, "host")
    plugins = crates(
        contents,
        root / "plugins",
        lambda each: any(f"/{folder}" in each["manifest_path"] for folder in BUILT_IN),
        "plugins",
    )
    dashboard = npm_packages(contents, root / "dashboard/package-lock.json")
    program = Component(
        name="exosphere-alerts",
        version=host.version,
        type=ComponentType.APPLICATION,
        licenses=[LicenseExpression("Apache-2.0")],
        bom_ref="exosphere-alerts",
    )
    contents.bom.metadata.component = program
    contents.bom.register_dependency(program, [host, *plugins, *dashboard])
    return contents.bom


def main(into: Path):
    bom = listed(Path.cwd())
    text = make_outputter(bom, OutputFormat.JSON, SCHEMA).output_as_string(indent=1)
    if fault := JsonStrictValidator(SCHEMA).validate_str(text):
        raise SystemExit(f"sbom: the list is not what CycloneDX asks for: {fault}")
    into.write_text(text)
    print(f"sbom: {len(bom.components)} crates and packages in {into}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
