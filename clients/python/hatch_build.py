"""Makes `exosphere_alerts.api` from the API's description while the package is built.

Twenty thousand generated lines are nothing to read or to review, so they are not in git; the
description that they follow from is, and a test of the host holds it against what is served.
"""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).parent
DESCRIPTION = HERE / "../../dashboard/openapi.json"
MADE = HERE / "src/exosphere_alerts/api"

# Events are the emitter's, files and streams are no JSON, and sessions are for browsers.
LEFT_OUT = [
    ("/v1/events", "post"),
    ("/v1/plugins", "post"),
    ("/v1/stream", "get"),
    ("/v1/session", "get"),
    ("/v1/session", "post"),
    ("/v1/session", "delete"),
    ("/metrics", "get"),
]

CONFIG = {
    "project_name_override": "exosphere-alerts",
    "package_name_override": "api",
    "post_hooks": [],
    "literal_enums": True,
    # A class with a list of its own name would be two types in one name.
    "class_overrides": {"Grants": {"class_name": "PluginGrants", "module_name": "plugin_grants"}},
}


def adapted(description: dict[str, Any]) -> dict[str, Any]:
    """The description with what the generator cannot take said in another way."""
    adapted = copy.deepcopy(description)
    for path, method in LEFT_OUT:
        del adapted["paths"][path][method]
        if not adapted["paths"][path]:
            del adapted["paths"][path]
    # It names an object inside of a choice after each place in which it stands.
    schemas = adapted["components"]["schemas"]
    choices = schemas["Condition"]["oneOf"]
    place = next(n for n, choice in enumerate(choices) if choice["type"] == "object")
    schemas["ConditionInLanguage"] = choices[place]
    schemas["ConditionInLanguage"]["properties"]["source"].pop("type", None)
    choices[place] = {"$ref": "#/components/schemas/ConditionInLanguage"}
    return adapted


def generate(description: dict[str, Any], to: Path) -> None:
    """Writes the package into this folder, in place of what is there."""
    with tempfile.TemporaryDirectory() as folder:
        document, config = Path(folder, "openapi.json"), Path(folder, "config.json")
        document.write_text(json.dumps(adapted(description)))
        config.write_text(json.dumps(CONFIG))
        made = Path(folder, "api")
        command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
        command += ["--fail-on-warning", "--path", str(document), "--config", str(config)]
        subprocess.run([*command, "--output-path", str(made)], check=True, capture_output=True)
        for_python_3_10(made)
        if to.exists():
            shutil.rmtree(to)
        shutil.copytree(made, to, ignore=shutil.ignore_patterns(".ruff_cache", "__pycache__"))


# The generator writes for Python 3.11. Before, `Self` was elsewhere, and `fromisoformat` read no `Z`
# and not every number of digits.
FOR_PYTHON_3_10 = [
    (
        "from typing import Any, Self\n",
        "from typing import Any\nfrom typing_extensions import Self\n",
    ),
    ("import datetime\n", "import datetime\nfrom dateutil.parser import isoparse\n"),
    ("datetime.datetime.fromisoformat(", "isoparse("),
]


def for_python_3_10(package: Path) -> None:
    """Says the same in words that 3.10 knows."""
    unused = {newer for newer, _ in FOR_PYTHON_3_10}
    for file in package.rglob("*.py"):
        text = file.read_text()
        for newer, older in FOR_PYTHON_3_10:
            unused -= {newer} if newer in text else set()
            text = text.replace(newer, older)
        file.write_text(text)
    if unused:
        raise ValueError(f"the generator writes no {unused} any more: see what 3.10 needs now")


class Hook(BuildHookInterface[Any]):
    """Runs before files are gathered."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if DESCRIPTION.exists():
            generate(json.loads(DESCRIPTION.read_text()), MADE)
        elif not MADE.exists():
            raise FileNotFoundError(f"{DESCRIPTION}: build from the repository or from an sdist")
