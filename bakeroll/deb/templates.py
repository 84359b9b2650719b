"""Writes the folder debian/ of a build: the application's own files, and the toolkit's where it has none."""

import re
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from debian.deb822 import Deb822
from jinja2 import Environment, StrictUndefined, TemplateError

from bakeroll import toolkit
from bakeroll.errors import BuildError
from bakeroll.release import Revision
from bakeroll.settings import EnvironmentSettings

FOLDER = toolkit.folder() / "debian"
EXECUTABLE = 0o755
PLAIN = 0o644
LONGEST_USER = 31
OWN_PACKAGING = {"debian/control", "debian/rules"}


def write(folder: Path, environment: EnvironmentSettings, revision: Revision, version: str) -> None:
    """Complete the exported source in `folder` so that dpkg-buildpackage accepts it.

    Raises BuildError if our templates cannot package the application.
    """
    values = _values(environment, revision, version)
    own = folder / "debian"
    for path in sorted(own.glob("*.j2")):
        _write_own(path, values)
    files = frozenset(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    refuse_what_we_cannot_package(files)
    if is_own_packaging(files):
        templates = ["changelog.j2"]
        values["source"] = _source(own / "control") or environment.application
        _name_commit(own / "control", revision.commit)
    else:
        templates = names()
    earlier = (own / "changelog").read_bytes() if (own / "changelog").is_file() else b""
    for name in templates:
        _write_one(own, name, values)
    with (own / "changelog").open("ab") as changelog:
        changelog.write(b"\n" + earlier if earlier else b"")


def names() -> list[str]:
    """Our templates, relative to their folder."""
    found = (path.relative_to(FOLDER) for path in sorted(FOLDER.rglob("*")) if path.is_file())
    return [str(path) for path in found if path.name != "README.md"]


def user_name(application: str) -> str:
    """The system user of an application: its name in characters and a length that useradd(8) accepts."""
    name = re.sub(r"[^a-z0-9_-]", "_", application)[:LONGEST_USER]
    return name if name[0].isalpha() else f"_{name}"[:LONGEST_USER]


def _values(environment: EnvironmentSettings, revision: Revision, version: str) -> dict[str, Any]:
    settings = environment.package
    major, minor = _python()
    return {
        "name": environment.application,
        "source": environment.application,
        "user": user_name(environment.application),
        "version": version,
        "commit": revision.commit,
        "year": revision.committed_at.year,
        "date": format_datetime(revision.committed_at),
        "maintainer": settings.maintainer,
        "summary": settings.description or f"the application {environment.application}",
        "depends": settings.depends,
        "command": settings.command or environment.application,
        "port": environment.port,
        "python": f"{major}.{minor}",
        "next_python": f"{major}.{minor + 1}",
    }


def _python() -> tuple[int, int]:
    """The version of Debian's Python. /usr/bin/python3 links to a program named by it."""
    match = re.search(r"python(\d+)\.(\d+)$", str(Path("/usr/bin/python3").resolve()))
    if not match:
        raise BuildError("Debian's Python is not installed.", next_step="apt-get install python3")
    return int(match[1]), int(match[2])


def is_own_packaging(files: frozenset[str]) -> bool:
    """Whether a source with these paths is packaged by its own debian/ alone. Templates in it count too."""
    return {each.removesuffix(".j2") for each in files} >= OWN_PACKAGING


def refuse_what_we_cannot_package(files: frozenset[str]) -> None:
    """Raise BuildError if a source with these paths has neither its own packaging nor what our templates need."""
    if is_own_packaging(files):
        return
    for name, why in (
        ("pyproject.toml", "it says how the application is installed"),
        ("requirements.txt", "it pins what the application needs, by hash"),
    ):
        if name not in files:
            raise BuildError(
                f"The application has no {name}: {why}.",
                next_step="Commit one, or your own debian/ with control and rules; see docs/packaging.md",
            )


def _name_commit(control: Path, commit: str) -> None:
    """Add the commit to each package in the application's own debian/control, as our template does."""
    text = control.read_text(encoding="utf-8")
    if not re.search(r"(?mi)^X[BSC]*-Git-Commit:", text):
        control.write_text(re.sub(r"(?m)^(Package:.*)$", rf"\1\nXB-Git-Commit: {commit}", text), encoding="utf-8")


def _source(control: Path) -> str:
    """The name of the source package, which the changelog must name too. If there is none, dpkg reports it."""
    return str(Deb822(control.read_text(encoding="utf-8")).get("Source", ""))


def _write_own(template: Path, values: dict[str, Any]) -> None:
    """Render one of the application's templates. The template stays, because it may be packaged too."""
    path = template.with_name(_rendered_name(template.name, values))
    if path.exists():
        raise BuildError(f"debian/ has both {path.name} and {template.name}.", next_step="Keep one of them")
    try:
        text = _rendered(template.read_text(encoding="utf-8"), values)
    except TemplateError as error:
        raise BuildError(
            f"debian/{template.name} could not be rendered: {error}.",
            next_step=f"It may use {', '.join(sorted(values))}; see docs/packaging.md",
        ) from None
    _write(path, text, template.stat().st_mode)


def _write_one(own: Path, template: str, values: dict[str, Any]) -> None:
    path = own / _rendered_name(template, values)
    if path.exists() and path.name != "changelog":
        return
    text = (FOLDER / template).read_text(encoding="utf-8")
    _write(path, _rendered(text, values) if template.endswith(".j2") else text, PLAIN)


def _rendered_name(template: str, values: dict[str, Any]) -> str:
    return template.removesuffix(".j2").replace("NAME", str(values["name"]))


def _rendered(text: str, values: dict[str, Any]) -> str:
    jinja = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701 not HTML
    return jinja.from_string(text).render(values)


def _write(path: Path, text: str, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(EXECUTABLE if path.name == "rules" else mode)
