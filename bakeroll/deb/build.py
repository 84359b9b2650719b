"""Builds the package of a revision with Debian's own tools.

A build happens in a folder of its own below `output`, one at a time per `output`; whatever a killed one
left there, the next one sweeps away. A package appears in `output` whole or not at all.
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

SHOWN_LINES = 12
WORKSHOPS = ".build"
# What make and debhelper say of their own doing, and repeat of a failure at each level. What they say is wrong stays.
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
# A variable that names a cache, a file of those who use it, and who says where it is: variables that the caller has
# and settings in the caller's home have been heard then.
CACHES = {
    "GOCACHE": ("go.mod", "go", "env", "GOCACHE"),
    "GOMODCACHE": ("go.mod", "go", "env", "GOMODCACHE"),
    "GOENV": ("go.mod", "go", "env", "GOENV"),
    "npm_config_cache": ("package.json", "npm", "config", "get", "cache"),
    "npm_config_userconfig": ("package.json", "npm", "config", "get", "userconfig"),
}
# What an activated environment, a make or a Git hook around us would pass on into the build.
UNWANTED = (
    "DESTDIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONHOME",
    "PYTHONPATH", "PYTEST_ADDOPTS", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "VIRTUAL_ENV",
)  # fmt: skip


def build(
    environment: EnvironmentSettings, revision: Revision, version: str, *, output: Path, run: Run, report: Report
) -> Package:
    """The package of `revision` as `version`; built, unless `output` holds what the same input gave.

    Runs the application's own tests. Raises BuildError with the last lines and the log of what failed, and
    SourceError where the revision's tree cannot be written out.
    """
    name = environment.application
    home = output / f"{name}_{version}_{_digest(environment, revision, version)}"
    try:
        output.mkdir(parents=True, exist_ok=True)
        with alone(output / ".lock"):
            found = _built(home, run)
            if not found:
                report(Event("package", f"{name} {version} is being built"))
                _build(environment, revision, version, output=output, home=home, run=run, report=report)
                found = _built(home, run)
    except ToolFailed as error:
        raise _failed(error, name, version, _log(home)) from None
    except OSError as error:
        raise BuildError(f"{name} {version} could not be built: {error}.", left="No package was written.") from error
    if not found:
        raise BuildError(f"The build of {name} {version} ended well and made no package {name}.", log=_log(home))
    report(Event("package", f"{found.path.name}, {found.size / 1e6:.1f} MB", kind="done"))
    return found


def refuse_what_cannot_be_built(environment: EnvironmentSettings, revision: Revision, *, run: Run) -> None:
    """Raise as `build` would for what shows before anything is built: SourceError or BuildError."""
    templates.refuse_what_we_cannot_package(source.files(environment.source, revision, run=run))


def _build(
    environment: EnvironmentSettings, revision: Revision, version: str, *, output: Path, home: Path, run: Run,
    report: Report,
) -> None:  # fmt: skip
    # A name of its own: what outlives a killed build may for a moment go on writing to that one's folder.
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
    """Move what was made to `home`, in one step, if an instance could start it."""
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
    """What a build may know of the world: the same for the same commit, but for where caches lie.

    debhelper gives a build a home of its own, so the caches and settings of what fetches and compiles are named.
    """
    uv = find_uv_bin()
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "uv" / "uv.toml"
    return {
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": str(int(revision.committed_at.timestamp())),
        "UV": uv,
        "UV_SYSTEM_CERTS": os.environ.get("UV_SYSTEM_CERTS", "1"),  # a company's proxy is known to the machine alone
        "UV_CACHE_DIR": run([uv, "cache", "dir"]).strip(),
        **_caches(folder, run),
        **({"UV_CONFIG_FILE": str(config)} if config.is_file() and "UV_CONFIG_FILE" not in os.environ else {}),
    }


def _caches(folder: Path, run: Run) -> dict[str, str]:
    """Where the languages of the source keep what they fetched and compiled, as they themselves say."""
    found = {}
    for variable, (marker, *command) in CACHES.items():
        if shutil.which(command[0]) and next(folder.rglob(marker), None):
            found[variable] = run(command, cwd=folder).strip()
    if next(folder.rglob("Cargo.toml"), None):
        found["CARGO_HOME"] = os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")
    return found


def _failed(error: ToolFailed, name: str, version: str, log: Path) -> BuildError:
    lines = [line.rstrip() for line in error.tail if line.strip()]
    told = [line for line in lines if not ECHO.match(line)] or lines
    said = "\n  ".join(told[-SHOWN_LINES:])
    return BuildError(
        f"{name} {version} could not be built:\n  {said}",
        left="No package was written.",
        log=log if log.exists() else None,
    )


def _built(home: Path, run: Run) -> Package | None:
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
    """A hash of all that a package is made of, but for the tools."""
    inputs = [revision.tree, version, environment.application, str(environment.port), repr(environment.package)]
    texts = [(templates.FOLDER / name).read_bytes() for name in templates.names()]
    return hashlib.sha256(b"\0".join([*(text.encode() for text in inputs), *texts])).hexdigest()[:12]


def _log(home: Path) -> Path:
    return home.with_name(f"{home.name}.log")
