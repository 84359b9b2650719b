"""Checks that a package has the programs that its services start. Without it, only an instance would notice."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from bakeroll.errors import BuildError

UNITS = ("lib/systemd/system", "usr/lib/systemd/system", "etc/systemd/system")
COMMAND = re.compile(r"^\s*Exec\w+\s*=\s*(.+)$", re.MULTILINE)
PREFIXES = "@-:+!"
"""Characters before a program that say how systemd starts it: systemd.service(5)."""
SHOWN = 20


def check(root: Path, name: str) -> None:
    """Raise BuildError if a service in `root`, the unpacked package, starts a program that the package lacks.

    Checks programs in a folder named like the application, such as /opt/NAME/bin. Others may be in other packages.
    """
    for unit in sorted(path for folder in UNITS for path in (root / folder).glob("*.service")):
        for program in _programs(unit.read_text(encoding="utf-8", errors="replace")):
            if name in program.parent.parts and not _is_there(root, program):
                raise BuildError(
                    f"{unit.name} starts {program}, which the package does not have. {_neighbours(root, program)}",
                    left="No package was written.",
                    next_step="Correct package.command in deploy.yml or the unit, or add the program "
                    "(requirements.txt, or a script in the application's pyproject.toml)",
                )


def _programs(unit: str) -> Iterator[Path]:
    """The absolute paths of the programs that the unit starts, without paths that systemd expands at start."""
    for command in COMMAND.findall(unit.replace("\\\n", " ")):
        word = _first_word(command).lstrip(PREFIXES)
        if word.startswith("/") and not {"%", "$"} & set(word):
            yield Path(word)


def _first_word(command: str) -> str:
    try:
        return next(iter(shlex.split(command)), "")
    except ValueError:  # valid for systemd, not for shlex
        return command.split()[0]


def _is_there(root: Path, program: Path) -> bool:
    """On Debian, /lib and /usr/lib are the same folder, and so are the others that exist in both."""
    path = str(program).removeprefix("/usr")
    return any(os.path.lexists(f"{root}{each}") for each in (path, f"/usr{path}"))


def _neighbours(root: Path, program: Path) -> str:
    folder = root / program.parent.relative_to("/")
    found = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"{program.parent} has {', '.join(found[:SHOWN])}{more}." if found else f"It has no {program.parent}."
