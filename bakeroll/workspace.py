"""The folder .bakeroll beside deploy.yml: packages, logs, locks, timelines. You can delete it at any time."""

from pathlib import Path

NAME = ".bakeroll"
IGNORED = "# Git ignores this whole folder.\n*\n"


def make_folder(root: Path) -> Path:
    """Make the folder below `root` if it is missing. Git must ignore it, or the next deploy would be dirty."""
    folder = root / NAME
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text(IGNORED, encoding="utf-8")
    return folder
