import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from debian.debian_support import Version

from bakeroll.deb import source
from bakeroll.errors import SourceError
from bakeroll.process import run
from bakeroll.release import Revision
from tests.deb.conftest import Repository


def revision(repository: Repository, *, dirty: bool = False) -> Revision:
    return source.read_revision(repository.path, is_dirty_allowed=dirty, run=run)


def version(repository: Repository, *, dirty: bool = False) -> str:
    return source.read_version(repository.path, revision(repository, dirty=dirty), run=run)


def test_a_clean_commit_is_told_whole(repository: Repository) -> None:
    commit = repository.commit("Show the click count")

    found = revision(repository)

    assert (found.commit, found.subject, found.author) == (commit, "Show the click count", "Ada")
    assert (found.branch, found.is_dirty, found.short) == ("main", False, commit[:7])
    assert found.committed_at == datetime(2026, 11, 21, 3, 1, tzinfo=UTC)


def hand_written(repository: Repository, author: str, committer: str, message: str) -> None:
    """Check out a commit with these headers, such as other tools and old imports leave."""
    tree = repository.git("write-tree")
    text = f"tree {tree}\n{author}{committer}\n{message}"
    written = ["git", "-C", str(repository.path), "hash-object", "-t", "commit", "-w", "--literally", "--stdin"]
    repository.git("reset", "--quiet", "--soft", run(written, stdin=text).strip())


def test_subject_and_author_are_printable_whatever_the_commit_holds(repository: Repository) -> None:
    repository.commit()
    hand_written(
        repository,
        "author A\x1b[31mda\u202e <a@b> 1 +0000\n",
        "committer C <a@b> 1 +0000\n",
        "Show\r\x1b]0;owned\x07\x9b2Jthe\tclick count\n",
    )

    found = revision(repository)

    assert (found.author, found.subject) == ("Ada", "Show the click count")


@pytest.mark.parametrize(
    ("author", "committer", "message", "told", "seconds"),
    [
        pytest.param("", "committer C <c@d> 60 +0000\n", "Change\n", ("", "Change"), 60, id="no author"),
        pytest.param("author  <> 60 +0000\n", "committer  <> 60 +0000\n", "", ("", ""), 60, id="no name, no subject"),
        pytest.param("author A <a@b>\n", "", "Change\n", ("A", "Change"), 0, id="no committer, no time"),
        pytest.param(
            "author A <a@b> 60 +0000\n",
            "committer C <c@d> 99999999999999 +0000\n",
            "Change\n",
            ("A", "Change"),
            None,
            id="a time that is none",
        ),
    ],
)
def test_a_commit_that_lacks_what_others_have_is_told_all_the_same(
    repository: Repository, author: str, committer: str, message: str, told: tuple[str, str], seconds: int | None
) -> None:
    repository.commit()
    hand_written(repository, author, committer, message)

    found = revision(repository)

    assert (found.author, found.subject) == told
    assert seconds is None or found.committed_at.timestamp() == seconds


def test_a_tag_in_another_scripts_digits_names_no_version(repository: Repository) -> None:
    repository.commit()
    repository.tag("v1.0")
    repository.commit()
    repository.tag("v٢.٠")

    assert version(repository).startswith("1.0+1.g")


def test_a_folder_without_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not in a Git repository") as caught:
        source.read_revision(tmp_path, is_dirty_allowed=False, run=run)
    assert caught.value.next_step == "git init"


def test_another_users_repository_is_refused_with_gits_own_way_out(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit()
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(SourceError, match="another user's repository") as caught:
        revision(repository)
    assert f"git config --global --add safe.directory {repository.path}" in caught.value.next_step


def test_a_repository_without_a_commit_is_refused(repository: Repository) -> None:
    with pytest.raises(SourceError, match="has no commit"):
        revision(repository)


def test_a_dirty_tree_is_refused_by_name(repository: Repository) -> None:
    repository.commit(**{f"file{number}": "" for number in range(7)})
    repository.write({f"file{number}": "changed" for number in range(6)} | {"new file": ""})

    with pytest.raises(SourceError) as caught:
        revision(repository)

    assert caught.value.what == ("There are uncommitted changes: file0, file1, file2, file3, file4 and 2 more.")
    assert "--dirty" in caught.value.next_step


def test_a_dirty_tree_is_built_as_it_stands_and_the_index_left_alone(repository: Repository) -> None:
    repository.commit(kept="1", gone="1", **{".gitignore": "ignored\n"})
    repository.write({"kept": "2", "added": "", "ignored": ""})
    (repository.path / "gone").unlink()
    before = repository.git("status", "--porcelain")

    found = revision(repository, dirty=True)

    assert found.is_dirty
    assert repository.git("ls-tree", "--name-only", found.tree).split() == [".gitignore", "added", "kept"]
    assert repository.git("cat-file", "blob", f"{found.tree}:kept") == "2"
    assert repository.git("status", "--porcelain") == before


def test_a_dirty_version_is_that_of_the_newest_change_and_the_tree(repository: Repository) -> None:
    commit = repository.commit()
    repository.tag("v1.4.0")
    repository.write({"count": "changed", "other": ""})
    os.utime(repository.path / "count", (1795231000, 1795231000))
    os.utime(repository.path / "other", (1795232000, 1795232000))

    found = revision(repository, dirty=True)

    tree = found.tree[:7]
    assert version(repository, dirty=True) == f"1.4.0+0.g{commit[:7]}+dirty20261121T033320.{tree}-1"


def test_changes_outside_the_applications_folder_do_not_count(repository: Repository) -> None:
    repository.commit(**{"app/code": "1", "readme": "1"})
    repository.write({"readme": "2"})

    assert not source.read_revision(repository.path / "app", is_dirty_allowed=False, run=run).is_dirty


def test_versions_come_from_tags(repository: Repository) -> None:
    first = repository.commit()
    assert version(repository) == f"0.0.0+1.g{first[:7]}-1"
    repository.tag("v1.4.0")
    assert version(repository) == "1.4.0-1"
    repository.commit()
    third = repository.commit()
    repository.tag("nightly")
    assert version(repository) == f"1.4.0+2.g{third[:7]}-1"


def test_after_a_merge_the_higher_tag_counts_and_not_the_nearer(repository: Repository) -> None:
    repository.commit()
    repository.tag("v1.0")
    repository.git("switch", "--quiet", "--create", "hotfix")
    repository.commit(fix="1")
    repository.tag("v1.0.1")
    repository.git("switch", "--quiet", "main")
    repository.commit()
    repository.tag("v2.0")
    before = version(repository)
    repository.git("merge", "--quiet", "--no-edit", "hotfix")

    assert Version(version(repository)) > Version(before)
    assert version(repository).startswith("2.0+2.g")


def test_versions_follow_the_history(repository: Repository) -> None:
    chance = random.Random(1)  # noqa: S311 no secret
    seen, tags = [], iter(["v0.9-rc1", "v0.9-rc2", "v0.9", "v0.10", "v1.0-beta1"])
    for _ in range(16):
        repository.commit()
        if chance.random() < 0.4 and (tag := next(tags, None)):
            repository.tag(tag)
        seen.append(Version(version(repository)))

    assert seen == sorted(seen)
    assert len(set(seen)) == len(seen)


def test_a_shallow_clone_is_refused_unless_it_stands_on_a_tag(
    repository: Repository, make_repository: Callable[[str], Repository]
) -> None:
    repository.commit()
    repository.commit()
    clone = make_repository("clone")
    clone.git("fetch", "--quiet", "--depth=1", f"file://{repository.path}", "main:main", "--update-head-ok")
    clone.git("reset", "--quiet", "--hard")

    with pytest.raises(SourceError, match="shallow"):
        version(clone)
    clone.tag("v1.0")
    assert version(clone) == "1.0-1"


@pytest.mark.parametrize("wanted", ["1.2.3~rc1", "v1.2.3-rc1", "1.2.3~rc1-1"])
def test_a_wanted_version_may_name_a_tag(repository: Repository, wanted: str) -> None:
    tagged = repository.commit()
    repository.tag("v1.2.3-rc1")
    repository.commit()

    found = source.find(repository.path, wanted, run=run)

    assert found is not None
    assert found.commit == tagged


def test_a_wanted_version_may_name_a_commit_between_tags(repository: Repository) -> None:
    repository.commit()
    repository.tag("v1.0")
    commit = repository.commit()
    wanted = version(repository)
    repository.commit()

    found = source.find(repository.path, wanted, run=run)

    assert found is not None
    assert found.commit == commit


@pytest.mark.parametrize("wanted", ["9.9", "1.0+7.g0000000-1", "--help", "", "no-branch"])
def test_a_version_that_git_does_not_have_is_none(repository: Repository, wanted: str) -> None:
    repository.commit()
    repository.tag("v1.0")

    assert source.find(repository.path, wanted, run=run) is None


def test_the_export_is_the_folders_committed_files_alone(repository: Repository, tmp_path: Path) -> None:
    repository.commit(**{"app/code": "1", "app/secret": "1", "app/.gitattributes": "secret export-ignore\n", "x": ""})
    found = source.read_revision(repository.path / "app", is_dirty_allowed=False, run=run)
    repository.write({"app/code": "2", "app/untracked": ""})

    source.export(repository.path / "app", found, tmp_path / "out", run=run)

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".gitattributes", "code"]
    assert (tmp_path / "out" / "code").read_text() == "1"


def test_a_submodule_is_refused_by_name(
    repository: Repository, make_repository: Callable[[str], Repository], tmp_path: Path
) -> None:
    make_repository("library").commit()
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    repository.commit()

    with pytest.raises(SourceError, match="lib is a Git submodule"):
        source.export(repository.path, revision(repository), tmp_path / "out", run=run)


def test_git_lfs_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.commit(**{"data/.gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"})

    with pytest.raises(SourceError, match="Git LFS"):
        source.export(repository.path, revision(repository), tmp_path / "out", run=run)
