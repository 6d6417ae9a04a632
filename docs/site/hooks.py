"""What mkdocs does besides: pages that are made from other files of the repository, and
links that lead out of docs/.

A page's links are written as they are right in the repository. On the site, one that
leads to a file which is a page goes to that page, and one that leads to another file goes
to the repository. One that leads nowhere ends a strict build.
"""

import json
import logging
import os
import posixpath
import re
import sys
from pathlib import Path

from mkdocs.structure.files import File

sys.path.insert(0, str(Path(__file__).parent))
import api_reference  # noqa: E402
import pictures  # noqa: E402

LOG = logging.getLogger("mkdocs.hooks.site")
ROOT = Path(__file__).resolve().parents[2]

# Files outside docs/ that are pages, and the names that those have.
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "clients/python/README.md": "integrations/python.md",
    "deploy/compose/README.md": "deploying/compose.md",
    "deploy/docker/README.md": "deploying/docker.md",
    "deploy/helm/exosphere-alerts/README.md": "deploying/helm.md",
    "deploy/observability/README.md": "deploying/observability.md",
    "deploy/systemd/README.md": "deploying/systemd.md",
    "deploy/terraform/README.md": "deploying/terraform.md",
    "examples/receivers/README.md": "receivers.md",
}
SOURCES = {page: source for source, page in PAGES.items()}
# Pages that no file has: their links are right as they are.
MADE = {"api/requests.md", "api/schemas.md", "pictures.md"}

LINK = re.compile(r"(?<=\]\()([^()\s]+)(?=\))")
FENCE = re.compile(r"^\s*(```|~~~)")


def on_config(config):
    """Puts a folder's pages in the place of its name."""

    def expanded(entry):
        match entry:
            case str() if entry.endswith("/"):
                folder = Path(config.docs_dir) / entry
                return [entry + path.name for path in sorted(folder.glob("*.md"))]
            case list():
                return [expanded(one) for one in entry]
            case dict():
                return {title: expanded(one) for title, one in entry.items()}
        return entry

    config.nav = expanded(config.nav)
    return config


def on_files(files, config):
    for source, page in PAGES.items():
        made = File.generated(config, page, content=(ROOT / source).read_text())
        files.append(made)
    description = json.loads((ROOT / "dashboard/openapi.json").read_text())
    made = {
        "api/requests.md": api_reference.requests(description),
        "api/schemas.md": api_reference.schemas(description),
        "pictures.md": pictures.page(Path(config.docs_dir) / "images"),
    }
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown, page, config, files):
    uri = page.file.src_uri
    if uri in MADE:
        return markdown
    source = SOURCES.get(uri, f"docs/{uri}")
    lines, is_code = [], False
    for line in markdown.split("\n"):
        is_code ^= FENCE.match(line) is not None
        lines.append(line if is_code else LINK.sub(lambda m: link(m[1], source, uri, config), line))
    return "\n".join(lines)


def link(target: str, source: str, uri: str, config) -> str:
    """Where a link of a page leads on the site."""
    path, mark, anchor = target.partition("#")
    if not path or "://" in path or path.startswith(("mailto:", "/")):
        return target
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    if inside in PAGES:
        page = PAGES[inside]
    elif inside.startswith("docs/"):
        page = inside.removeprefix("docs/")
        if (ROOT / inside).is_dir():
            return repository(inside, config)
    elif (ROOT / inside).exists():
        return repository(inside, config) + mark + anchor
    else:
        LOG.warning("%s links to %s, and there is no %s", source, target, inside)
        return target
    return posixpath.relpath(page, posixpath.dirname(uri) or ".") + mark + anchor


def repository(path: str, config) -> str:
    kind = "tree" if os.path.isdir(ROOT / path) else "blob"
    return f"{config.repo_url.rstrip('/')}/{kind}/main/{path}"
