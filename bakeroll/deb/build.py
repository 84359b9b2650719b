"""Builds the package of a revision with Debian's tools.

Each build has its own folder below `output`, and each `output` has one build at a time. A build first deletes what a
killed one left. A package appears in `output` whole or not at all.
"""

import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from debian.deb822 import Deb822
from uv import find_uv_bin

from bakeroll.deb import programs, source, templates
from bakeroll.errors import BuildError
from bakeroll.events import Event, Report
from bakeroll.process import Run, ToolFailed, alone
from bakeroll.release import Package, Revision
from bakeroll.settings import EnvironmentSettings

LONGEST_EXCERPT_LINES = 12
WORKSHOPS = ".build"
# Lines in which make and debhelper report their own steps, or repeat a failure at each level. Other errors stay.
ECHO = re.compile(
    r"""\s*(
        make(\[\d+\])?:\ (Entering|Leaving)\ directory
        | make(\[\d+\])?:\ \*\*\*\ \[.*\]\ Error\ \d+$
        | (dh(_\w+)?|dpkg-\w+|create-stamp|fakeroot|['"]?/.*/uv['"]?)(\ |$)
        | dpkg-\w+:\ (info|warning):
        | dpkg-buildpackage:\ error:\ .*\ subprocess\ returned
        | debian/rules\ \S+$
    )""",
    re.VERBOSE,
)
# A variable that names a cache, a file that shows that a source uses it, and the command that prints where it is. The
# command already takes account of the caller's variables and of settings in the caller's home.
CACHES = {
    "GOCACHE": ("go.mod", "go", "env", "GOCACHE"),
    "GOMODCACHE": ("go.mod", "go", "env", "GOMODCACHE"),
    "GOENV": ("go.mod", "go", "env", "GOENV"),
    "npm_config_cache": ("package.json", "npm", "config", "get", "cache"),
    "npm_config_userconfig": ("package.json", "npm", "config", "get", "userconfig"),
}
# Variables that an activated environment, a make or a Git hook around us would pass to the build.
UNWANTED = (
    "DESTDIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONHOME",
    "PYTHONPATH", "PYTEST_ADDOPTS", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "VIRTUAL_ENV",
)  # fmt: skip


def build(
    environment: EnvironmentSettings, revision: Revision, version: str, *, output: Path, run: Run, report: Report
) -> Package:
    """Return the package of `revision` as `version`. Build it, unless `output` holds the result of the same input.

    Runs the application's own tests. Raises BuildError with the last lines and the log of what failed, and
    SourceError if the revision's tree cannot be written.
    """
    name = environment.application
    home = output / f"{name}_{version}_{_digest(environment, revision, version)}"
    try:
        output.mkdir(parents=True, exist_ok=True)
        with alone(output / ".lock"):
            found = _read_package(home, run)
            if not found:
                report(Event("package", f"building {name} {version}"))
                _build(environment, revision, version, output=output, home=home, run=run, report=report)
                found = _read_package(home, run)
    except ToolFailed as error:
        raise _failed(error, name, version, _log(home)) from None
    except OSError as error:
        raise BuildError(f"{name} {version} could not be built: {error}.", left="No package was written.") from error
    if not found:
        raise BuildError(f"The build of {name} {version} succeeded but made no package {name}.", log=_log(home))
    report(Event("package", f"{found.path.name}, {found.size / 1e6:.1f} MB", kind="done"))
    return found


def refuse_what_cannot_be_built(environment: EnvironmentSettings, revision: Revision, *, run: Run) -> None:
    """Raise the SourceError or BuildError that `build` would raise before it builds anything."""
    templates.refuse_what_we_cannot_package(source.list_files(environment.source, revision, run=run))


def _build(
    environment: EnvironmentSettings, revision: Revision, version: str, *, output: Path, home: Path, run: Run,
    report: Report,
) -> None:  # fmt: skip
    # A new name, because processes of a killed build may still write to its folder for a moment.
    shutil.rmtree(output / WORKSHOPS, ignore_errors=True)
    (output / WORKSHOPS).mkdir(exist_ok=True)
    workshop = Path(tempfile.mkdtemp(dir=output / WORKSHOPS)).resolve()
    shutil.rmtree(home, ignore_errors=True)
    log = _log(home)
    log.unlink(missing_ok=True)
    folder = workshop / environment.application
    try:
        source.export(environment.source, revision, folder, run=run)
        templates.write(folder, environment, revision, version)
        run(
            _command(),
            cwd=folder,
            env=_variables(folder, revision, run),
            log=log,
            on_line=lambda line: report(Event("package", line, kind="detail")),
        )
        _keep(workshop, environment.application, home, run)
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _keep(workshop: Path, name: str, home: Path, run: Run) -> None:
    """Move the packages to `home` in one step, after a check that an instance can start them."""
    made = workshop / "made"
    made.mkdir()
    for package in workshop.glob(f"{name}_*.deb"):
        run(["dpkg-deb", "--extract", str(package), str(workshop / "unpacked")])
        programs.check(workshop / "unpacked", name)
        package.rename(made / package.name)
    made.rename(home)


def _command() -> list[str]:
    cleared = [f"--unset={name}" for name in UNWANTED]
    return ["env", *cleared, "dpkg-buildpackage", "--build=binary", "--unsigned-changes", "--unsigned-buildinfo"]


def _variables(folder: Path, revision: Revision, run: Run) -> dict[str, str]:
    """The build's environment variables: the same for the same commit, except for the places of caches.

    debhelper gives a build its own home. So the caches and settings of the tools that fetch and compile are named here.
    """
    uv = find_uv_bin()
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "uv" / "uv.toml"
    return {
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": str(int(revision.committed_at.timestamp())),
        "UV": uv,
        "UV_SYSTEM_CERTS": os.environ.get("UV_SYSTEM_CERTS", "1"),  # only the machine knows a company's proxy
        "UV_CACHE_DIR": run([uv, "cache", "dir"]).strip(),
        **_caches(folder, run),
        **({"UV_CONFIG_FILE": str(config)} if config.is_file() and "UV_CONFIG_FILE" not in os.environ else {}),
    }


def _caches(folder: Path, run: Run) -> dict[str, str]:
    """Where the languages in the source keep what they fetched and compiled, according to their own tools."""
    found = {}
    for variable, (marker, *command) in CACHES.items():
        if shutil.which(command[0]) and next(folder.rglob(marker), None):
            found[variable] = run(command, cwd=folder).strip()
    if next(folder.rglob("Cargo.toml"), None):
        found["CARGO_HOME"] = os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")
    return found


def _failed(error: ToolFailed, name: str, version: str, log: Path) -> BuildError:
    lines = [line.rstrip() for line in error.tail if line.strip()]
    causes = [line for line in lines if not ECHO.match(line)] or lines
    last = "\n  ".join(causes[-LONGEST_EXCERPT_LINES:])
    return BuildError(
        f"{name} {version} could not be built:\n  {last}",
        left="No package was written.",
        log=log if log.exists() else None,
    )


def _read_package(home: Path, run: Run) -> Package | None:
    path = next(iter(sorted(home.glob("*.deb"))), None)
    if path is None:
        return None
    fields = Deb822(run(["dpkg-deb", "--field", str(path)]))
    content = path.read_bytes()
    return Package(
        name=fields["Package"],
        version=fields["Version"],
        architecture=fields["Architecture"],
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )


def _digest(environment: EnvironmentSettings, revision: Revision, version: str) -> str:
    """A hash of everything that a package is made of, except the tools."""
    inputs = [revision.tree, version, environment.application, str(environment.port), repr(environment.package)]
    texts = [(templates.FOLDER / name).read_bytes() for name in templates.names()]
    return hashlib.sha256(b"\0".join([*(text.encode() for text in inputs), *texts])).hexdigest()[:12]


def _log(home: Path) -> Path:
    return home.with_name(f"{home.name}.log")
