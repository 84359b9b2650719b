"""The toolkit's files with the application's laid over."""

from pathlib import Path

import pytest

from bakeroll.bake.folder import TOOLKIT, copy, files, tree_hash


def write(root: Path, **contents: str) -> Path:
    for name, text in contents.items():
        path = root / name.replace("__", "/").replace("_yml", ".yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def toolkit(tmp_path: Path) -> Path:
    return write(
        tmp_path / "toolkit",
        ansible__application_yml="application",
        ansible__base_yml="base",
        ansible__roles__application__tasks__main_yml="application's role",
        ansible__roles__base__tasks__main_yml="base's role",
        ansible__roles__seal__tasks__main_yml="seal",
    )


def test_an_applications_file_wins_over_the_toolkits_of_the_same_name(toolkit: Path, tmp_path: Path) -> None:
    application = write(tmp_path / "links", ansible__roles__seal__tasks__main_yml="ours", ansible__more_yml="more")
    folder = tmp_path / "folder"

    copy(files("ansible", "application", [toolkit, application]), folder)

    assert (folder / "roles/seal/tasks/main.yml").read_text() == "ours"
    assert (folder / "application.yml").read_text() == "application"
    assert (folder / "more.yml").read_text() == "more"


def test_the_other_kinds_playbook_and_role_are_left_out(toolkit: Path) -> None:
    assert set(files("ansible", "base", [toolkit])) == {
        "base.yml",
        "roles/base/tasks/main.yml",
        "roles/seal/tasks/main.yml",
    }


def test_a_change_of_the_applications_role_is_no_reason_to_bake_a_base_image(toolkit: Path) -> None:
    before = {kind: tree_hash(files("ansible", kind, [toolkit])) for kind in ("base", "application")}
    write(toolkit, ansible__roles__application__tasks__main_yml="changed")

    assert tree_hash(files("ansible", "base", [toolkit])) == before["base"]
    assert tree_hash(files("ansible", "application", [toolkit])) != before["application"]


def test_the_hash_is_of_names_executable_bits_and_contents_alone(toolkit: Path, tmp_path: Path) -> None:
    before = tree_hash(files("ansible", "base", [toolkit]))
    copied = tmp_path / "copied"
    copy(files("ansible", "base", [toolkit]), copied / "ansible")
    assert tree_hash(files("ansible", "base", [copied])) == before

    (copied / "ansible/base.yml").chmod(0o755)
    assert tree_hash(files("ansible", "base", [copied])) != before


def test_hidden_files_and_missing_folders_do_not_matter(toolkit: Path, tmp_path: Path) -> None:
    before = tree_hash(files("ansible", "base", [toolkit]))
    for hidden in ("ansible/.ansible/cache", "ansible/roles/base/__pycache__/x"):
        (toolkit / hidden).parent.mkdir()
        (toolkit / hidden).write_text("x")

    assert tree_hash(files("ansible", "base", [toolkit, tmp_path / "nowhere"])) == before


def test_an_executable_stays_executable(tmp_path: Path) -> None:
    copy(files("ansible", "base", [TOOLKIT]), tmp_path)
    script = tmp_path / "roles/base/files/instance-identity"
    assert script.read_text().startswith("#!/usr/bin/python3")
