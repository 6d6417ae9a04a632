"""The page with all pictures of docs/images."""

from pathlib import Path

HEAD = """# What it looks like

Taken from running hosts; `cargo xtask images` and `cargo xtask screenshots` take them anew.
"""


# What pictures are made from, which is nothing to look at.
NOT_SHOWN = "source"


def page(folder: Path) -> str:
    """A heading for each folder, or for the first word of a file's name, and its pictures."""
    text, heading = HEAD, None
    for file in sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".webp")):
        path = file.relative_to(folder)
        if NOT_SHOWN in path.parts:
            continue
        first, _, rest = "-".join([*path.parts[:-1], file.stem]).partition("-")
        if first != heading:
            heading = first
            text += f"\n## {heading.capitalize()}\n"
        title = (rest or first).replace("-", " ").capitalize()
        text += f"\n**{title}**\n\n![{heading.capitalize()}: {title}](images/{path.as_posix()})\n"
    return text
