"""An application's own debian/, whole or in part: what becomes of it, and what is said where it fails."""

from pathlib import Path

import pytest

from bakeroll.deb.build import ECHO
from bakeroll.errors import BuildError
from bakeroll.process import run
from tests.deb.conftest import SMALL, Builder, Repository, unpacked

pytestmark = pytest.mark.slow

CONTROL = (
    "Source: {source}\nMaintainer: Ada <ada@example.invalid>\nBuild-Depends: debhelper-compat (= 13)\n\n"
    "Package: small\nArchitecture: all\nDescription: small\n"
)
OWN = {
    "deploy.yml": SMALL["deploy.yml"],
    "debian/control": CONTROL.format(source="small"),
    "debian/rules": "#!/usr/bin/make -f\n%:\n\tdh $@ --buildsystem=none\n",
}


@pytest.fixture
def own(repository: Repository, tmp_path: Path) -> Builder:
    """An application with a debian/ of its own, which brings no program."""
    repository.commit(**OWN)
    repository.tag("v1.0")
    return Builder(repository, tmp_path / "out")


@pytest.mark.parametrize("name", ["debian/NAME.service.j2", "debian/small.service.j2"])
def test_a_template_under_the_applications_debian_wins_and_is_rendered(
    small: Builder, tmp_path: Path, name: str
) -> None:
    small.repository.commit(**{name: "[Service]\nExecStart=/opt/{{ name }}/bin/{{ command }} {{ port }}\n"})

    root = unpacked(small.build(), tmp_path / "root")

    unit = (root / "lib/systemd/system/small.service").read_text()
    assert unit == "[Service]\nExecStart=/opt/small/bin/small 8000\n"


def test_a_template_of_a_whole_debian_folder_is_rendered_as_well(own: Builder) -> None:
    own.repository.git("mv", "debian/control", "debian/control.j2")
    own.repository.commit(**{"debian/control.j2": f"{OWN['debian/control']}XB-Git-Commit: {{{{ commit }}}}\n"})

    package = own.build()

    assert run(["dpkg-deb", "--field", str(package.path), "Git-Commit"]).strip() == own.repository.git(
        "rev-parse", "HEAD"
    )


def test_a_template_that_cannot_be_rendered_is_named_with_what_it_may_use(small: Builder) -> None:
    small.repository.commit(**{"debian/NAME.service.j2": "[Service]\nExecStart={{ program }}\n"})

    with pytest.raises(BuildError, match=r"debian/NAME\.service\.j2 could not be rendered: 'program'") as caught:
        small.build()

    assert "command, commit, date" in caught.value.next_step


def test_a_file_and_a_template_of_the_same_name_are_refused(small: Builder) -> None:
    small.repository.commit(**{"debian/NAME.service.j2": "", "debian/small.service": ""})

    with pytest.raises(BuildError, match=r"debian/ has both small\.service and NAME\.service\.j2"):
        small.build()


def test_a_source_package_may_be_named_unlike_the_application(own: Builder) -> None:
    own.repository.commit(**{"debian/control": CONTROL.format(source="acme-small")})

    assert own.build().name == "small"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("debian/source/format", "9.9 (odd)\n", "dpkg-source: error: "),
        ("debian/install", "absent usr/share/small\n", "dh_install: error: missing files, aborting"),
        ("debian/rules", "#!/usr/bin/make -f\n%:\n\t@echo makemigrations: no table; false\n", "makemigrations: no tab"),
        ("debian/rules", "#!/usr/bin/make -f\nbinary: absent\n", "No rule to make target 'clean'"),
        ("debian/rules", "#!/usr/bin/make -f\n%:\n\t@false\n", "[debian/rules:3: clean] Error 1"),
    ],
    ids=["dpkg-source", "debhelper", "a program whose name begins with make", "make", "nothing but make's own words"],
)
def test_whatever_fails_a_build_is_told(own: Builder, name: str, text: str, said: str) -> None:
    own.repository.commit(**{name: text})

    with pytest.raises(BuildError) as caught:
        own.build()

    assert said in caught.value.what
    assert "Leaving directory" not in caught.value.what


@pytest.mark.parametrize(
    ("line", "is_echo"),
    [
        ("make[1]: Entering directory '/tmp/small'", True),
        ("make: *** [debian/rules:8: binary] Error 2", True),
        ("dh binary --without=single-binary", True),
        ("   dh_testdir", True),
        ("\tdh_installsystemd --no-start", True),
        (" dpkg-source --before-build .", True),
        ("dpkg-buildpackage: info: source version 1.0-1", True),
        ("dpkg-buildpackage: error: debian/rules binary subprocess returned exit status 2", True),
        (" debian/rules binary", True),
        ("make: *** No rule to make target 'x', needed by 'y'.  Stop.", False),
        ("debian/rules:9: *** missing separator.  Stop.", False),
        ("dh: error: unable to load addon nodejs", False),
        ("dh_install: error: missing files, aborting", False),
        ("dpkg-checkbuilddeps: error: Unmet build dependencies: golang", False),
        ("make_small.py: no database", False),
    ],
)
def test_what_debhelper_says_of_its_own_doing_is_told_from_what_it_says_is_wrong(line: str, *, is_echo: bool) -> None:
    assert bool(ECHO.match(line)) is is_echo


def test_a_program_that_the_environment_lacks_fails_the_build(small: Builder) -> None:
    small.repository.commit(**{"deploy.yml": f"{SMALL['deploy.yml']}package: {{command: 'gunicorn small:main'}}\n"})

    with pytest.raises(BuildError, match=r"small\.service starts /opt/small/bin/gunicorn, .* has python.*, small\."):
        small.build()

    assert not list(small.output.rglob("*.deb"))


TOOL = '#!/bin/sh\necho "/cache of $(basename "$0") $*"\n'


def test_a_build_knows_the_caches_of_its_languages(
    own: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("go", "npm"):
        (tmp_path / "bin" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(TOOL)
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.delenv("CARGO_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/ada")
    names = ["GOCACHE", "GOMODCACHE", "npm_config_cache", "CARGO_HOME"]
    rules = "".join(f'\techo "{name}=$${name}" >> caches\n' for name in names)
    own.repository.commit(
        **{
            "debian/rules": f"{OWN['debian/rules']}override_dh_auto_build:\n{rules}",
            "debian/install": "caches usr/share/small\n",
            **dict.fromkeys(("go.mod", "web/package.json", "native/Cargo.toml"), ""),
        }
    )

    root = unpacked(own.build(), tmp_path / "root")

    assert (root / "usr/share/small/caches").read_text().splitlines() == [
        "GOCACHE=/cache of go env GOCACHE",
        "GOMODCACHE=/cache of go env GOMODCACHE",
        "npm_config_cache=/cache of npm config get cache",
        "CARGO_HOME=/home/ada/.cargo",
    ]
