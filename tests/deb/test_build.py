import dataclasses
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from bakeroll.deb import templates
from bakeroll.errors import BuildError
from bakeroll.process import run
from bakeroll.release import Package
from tests.deb.conftest import SMALL, Builder, Repository, unpacked

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "links"


def contents(package: Package) -> dict[str, str]:
    """The package's files with their modes."""
    lines = run(["dpkg-deb", "--contents", str(package.path)]).splitlines()
    return {line.split(maxsplit=5)[5].partition(" -> ")[0]: line.split()[0] for line in lines}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Builder, Package, Path]:
    """The small application, its package, and where that is unpacked."""
    folder = tmp_path_factory.mktemp("small")
    repository = Repository(folder / "repository")
    repository.commit(**SMALL)
    repository.tag("v1.0")
    builder = Builder(repository, folder / "out")
    package = builder.build()
    return builder, package, unpacked(package, folder / "root")


def test_a_small_application_becomes_a_package(built: tuple[Builder, Package, Path]) -> None:
    _, package, root = built

    assert (package.name, package.version, package.path.name) == ("small", "1.0-1", "small_1.0-1_amd64.deb")
    files = contents(package)
    assert files["./opt/small/bin/small"] == "-rwxr-xr-x"
    assert "./lib/systemd/system/small.service" in files
    assert not any(name.endswith(".pyc") for name in files)
    assert (root / "opt/small/bin/small").read_text().startswith("#!/opt/small/bin/python\n")
    assert "ExecStart=/opt/small/bin/small\n" in (root / "lib/systemd/system/small.service").read_text()


def test_no_file_of_the_package_names_the_folder_of_its_build(built: tuple[Builder, Package, Path]) -> None:
    builder, _, root = built

    found = [path for path in root.rglob("*") if path.is_file() and str(builder.output).encode() in path.read_bytes()]
    assert found == []


def test_a_toolkit_whose_path_has_blanks_and_umlauts_builds_as_well(
    small: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = tmp_path / "Röllen und Bäcker" / "uv"
    uv.parent.mkdir()
    uv.symlink_to(find_uv_bin())
    monkeypatch.setattr("bakeroll.deb.build.find_uv_bin", lambda: str(uv))
    assert small.build().size > 0


def test_what_is_built_is_not_built_again(built: tuple[Builder, Package, Path]) -> None:
    builder, package, _ = built
    builder.events.clear()

    assert builder.build() == package
    assert not builder.is_built()
    assert builder.events[-1].kind == "done"


def test_another_setting_of_the_same_commit_builds_anew(built: tuple[Builder, Package, Path]) -> None:
    builder, package, _ = built
    other = dataclasses.replace(builder.environment, port=9000)

    again = builder.build(other)

    assert (again.version, again.path == package.path) == (package.version, False)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Package]:
    """The example, built twice: in other folders, and with another umask, zone and language."""
    before, packages = os.umask(0o022), []
    for folder, umask, zone, language in (("one", 0o022, "UTC", "C"), ("twö 2", 0o077, "Asia/Tokyo", "de_DE.UTF-8")):
        with pytest.MonkeyPatch.context() as patch:
            os.umask(umask)
            patch.setenv("TZ", zone)
            patch.setenv("LANG", language)
            repository = Repository(tmp_path_factory.mktemp("example") / folder)
            shutil.copytree(EXAMPLE, repository.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*cache*"))
            repository.commit(extra="")
            packages.append(Builder(repository, repository.path.parent / f"{folder} out").build())
    os.umask(before)
    return packages


def test_the_same_commit_gives_the_same_bytes(examples: list[Package]) -> None:
    assert examples[0].path != examples[1].path
    assert examples[0].sha256 == examples[1].sha256


def test_the_unit_starts_what_the_settings_say_and_tells_version_and_port(
    examples: list[Package], tmp_path: Path
) -> None:
    unit = (unpacked(examples[0], tmp_path) / "lib/systemd/system/links.service").read_text()

    assert "ExecStart=/opt/links/bin/gunicorn " in unit
    assert f"Environment=APPLICATION_VERSION={examples[0].version}\n" in unit
    assert "Environment=PORT=8000\n" in unit
    assert "EnvironmentFile=-/run/instance.env\n" in unit


def test_lintian_has_nothing_against_the_example(examples: list[Package]) -> None:
    assert run(["lintian", "--allow-root", "--fail-on=error,warning", str(examples[0].path)]) == ""


def test_a_failing_test_of_the_application_fails_the_build(small: Builder) -> None:
    small.repository.commit(
        **{
            "requirements-test.txt": (EXAMPLE / "requirements-test.txt").read_text(),
            "test_small.py": "def test_it() -> None:\n    assert 1 + 1 == 3\n",
        }
    )

    with pytest.raises(BuildError, match="assert \\(1 \\+ 1\\) == 3") as caught:
        small.build()

    assert caught.value.log is not None
    assert "debian/rules" not in caught.value.what
    assert "FAILED test_small.py::test_it" in caught.value.log.read_text()
    assert not list(small.output.rglob("*.deb"))


def test_tests_are_left_out_where_debian_says_so(small: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    small.repository.commit(**{"requirements-test.txt": "", "test_small.py": "assert False\n"})
    monkeypatch.setenv("DEB_BUILD_OPTIONS", "nocheck")

    assert small.build().name == "small"


def test_a_build_that_fails_says_why_and_can_be_run_again(small: Builder) -> None:
    small.repository.commit(**{"small.py": "no python ="})
    with pytest.raises(BuildError, match="small") as caught:
        small.build()
    assert caught.value.left == "No package was written."
    small.repository.commit(**{"small.py": SMALL["small.py"]})

    assert small.build().name == "small"


def test_a_dependency_with_another_hash_is_refused(small: Builder) -> None:
    small.repository.commit(**{"requirements.txt": f"iniconfig==2.3.1 --hash=sha256:{'0' * 64}\n"})

    with pytest.raises(BuildError, match=r"(?i)hash"):
        small.build()


@pytest.mark.parametrize("missing", ["pyproject.toml", "requirements.txt"])
def test_an_application_that_the_templates_cannot_package_is_told_what_it_lacks(small: Builder, missing: str) -> None:
    small.repository.git("rm", "--quiet", missing)
    small.repository.commit()

    with pytest.raises(BuildError, match=f"has no {missing}"):
        small.build()


def test_a_file_under_the_applications_debian_wins(small: Builder, tmp_path: Path) -> None:
    small.repository.commit(**{"debian/small.service": "[Service]\nExecStart=/bin/true\n", "debian/small.cron.d": ""})

    root = unpacked(small.build(), tmp_path / "root")

    assert (root / "lib/systemd/system/small.service").read_text() == "[Service]\nExecStart=/bin/true\n"
    assert (root / "opt/small/bin/small").exists()


def test_a_debian_folder_of_its_own_packages_it_alone_and_gets_our_version(small: Builder, tmp_path: Path) -> None:
    control = "Source: small\nMaintainer: Ada <ada@example.invalid>\nBuild-Depends: debhelper-compat (= 13)\n\n"
    small.repository.commit(
        **{
            "debian/control": f"{control}Package: small\nArchitecture: all\nDescription: small\n",
            "debian/rules": "#!/usr/bin/make -f\n%:\n\tdh $@ --buildsystem=none\n",
            "debian/install": "small.py usr/share/small\n",
            "debian/changelog": "small (0.1) unstable; urgency=low\n\n  * First.\n\n"
            " -- Ada <ada@example.invalid>  Sat, 21 Nov 2026 03:00:00 +0000\n",
        }
    )

    package = small.build()

    assert (package.architecture, package.version[:6]) == ("all", "1.0+1.")
    files = contents(package)
    assert "./usr/share/small/small.py" in files
    assert not any(name.startswith(("./opt", "./lib")) for name in files)


def test_the_user_is_named_like_the_application_as_far_as_linux_allows() -> None:
    assert templates.user_name("links") == "links"
    assert templates.user_name("2048.game") == "_2048_game"
    assert len(templates.user_name("a" * 40)) == 31


KILLED = """
import sys
from pathlib import Path
from bakeroll import settings
from bakeroll.deb import build, source
from bakeroll.process import run
folder, output = Path(sys.argv[1]), Path(sys.argv[2])
found = source.read_revision(folder, is_dirty_allowed=False, run=run)
report = lambda event: print(event.text, flush=True)
build.build(settings.load(folder, "local"), found, "1.0-1", output=output, run=run, report=report)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_build_hurts_no_later_one(small: Builder, how: signal.Signals) -> None:
    command = [sys.executable, "-c", KILLED, str(small.repository.path), str(small.output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if "dh_" in line)
        process.send_signal(how)
        process.stdout.close()

    assert small.build().version == "1.0-1"
    assert len(list(small.output.glob("*/*.deb"))) == 1


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "full"
    folder.mkdir()
    run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", str(folder)])
    yield folder
    run(["umount", str(folder)])


@pytest.mark.machine
def test_a_full_disk_is_a_build_error(small: Builder, full_disk: Path) -> None:
    small.output = full_disk

    with pytest.raises(BuildError, match="No space left on device"):
        small.build()
