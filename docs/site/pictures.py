"""The page with all pictures of docs/images."""

from pathlib import Path

HEAD = "# What it looks like\n\nTaken from a running host; `cargo xtask images` takes them anew.\n"


def page(folder: Path) -> str:
    """A heading for each first word of a file's name, and the pictures below it."""
    text, heading = HEAD, None
    for file in sorted(folder.glob("*.png")):
        first, _, rest = file.stem.partition("-")
        if first != heading:
            heading = first
            text += f"\n## {heading.capitalize()}\n"
        title = (rest or first).replace("-", " ").capitalize()
        text += f"\n**{title}**\n\n![{heading.capitalize()}: {title}](images/{file.name})\n"
    return text
