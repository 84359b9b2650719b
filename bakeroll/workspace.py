"""The folder .bakeroll beside deploy.yml: packages, logs, locks, timelines. It may be deleted at any time."""

from pathlib import Path

NAME = ".bakeroll"
IGNORED = "# Git passes over all of this folder.\n*\n"


def made(root: Path) -> Path:
    """The folder below `root`, made where it is missing. Git ignores it: else it would make the next deploy dirty."""
    folder = root / NAME
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text(IGNORED, encoding="utf-8")
    return folder
