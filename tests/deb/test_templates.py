"""The folder debian/ of a build, written into a source; nothing is built."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bakeroll import settings
from bakeroll.deb import templates
from bakeroll.errors import BuildError
from bakeroll.release import Revision

COMMIT = "1c9e2a7" + "0" * 33
REVISION = Revision(COMMIT, "0" * 40, "Change", "Ada", datetime(2026, 1, 1, tzinfo=UTC), "main")


def written(folder: Path) -> None:
    (folder / "deploy.yml").write_text("application: api\nenvironments: {dev: {}}\n")
    templates.write(folder, settings.load(folder, "dev"), REVISION, "1.0-1")


def own_packaging(folder: Path, control: str) -> Path:
    own = folder / "debian"
    own.mkdir()
    (own / "rules").write_text("#!/usr/bin/make -f\n%:\n\tdh $@\n")
    (own / "control").write_text(control)
    return own / "control"


def test_each_package_of_an_applications_own_packaging_names_its_commit(tmp_path: Path) -> None:
    control = own_packaging(tmp_path, "Source: api\n\nPackage: api\nArchitecture: any\n\nPackage: api-doc\n")

    written(tmp_path)

    named = f"XB-Git-Commit: {COMMIT}"
    assert control.read_text() == (
        f"Source: api\n\nPackage: api\n{named}\nArchitecture: any\n\nPackage: api-doc\n{named}\n"
    )


def test_a_template_of_control_or_rules_is_packaging_of_its_own(tmp_path: Path) -> None:
    control = own_packaging(tmp_path, "")
    control.rename(control.with_name("control.j2")).write_text("Source: {{ name }}\n\nPackage: {{ name }}\n")

    written(tmp_path)

    assert control.read_text() == f"Source: api\n\nPackage: api\nXB-Git-Commit: {COMMIT}\n"
    assert templates.is_own_packaging(frozenset({"debian/control.j2", "debian/rules"}))


def test_a_commit_that_the_packaging_names_itself_stays(tmp_path: Path) -> None:
    text = "Source: api\n\nPackage: api\nXBS-Git-Commit: mine\n"
    control = own_packaging(tmp_path, text)

    written(tmp_path)

    assert control.read_text() == text


def test_an_application_with_neither_packaging_nor_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"no pyproject\.toml"):
        written(tmp_path)
