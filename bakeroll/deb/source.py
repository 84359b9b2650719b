"""The source of a package: a Git tree. Finds it, names its version and writes its files.

Owns everything that the toolkit asks Git. Never reads files from the working folder.
"""

import re
import shlex
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bakeroll.deb import version
from bakeroll.errors import SourceError
from bakeroll.process import Run, ToolFailed
from bakeroll.release import Revision
from bakeroll.wording import one_line

MOST_NAMED_FILES = 5
SHORT = 7


def read_revision(source: Path, *, is_dirty_allowed: bool, run: Run) -> Revision:
    """The checked-out commit of `source`, a folder in a Git repository.

    If `is_dirty_allowed` and files differ from the commit, the revision has the working tree's tree and the time of
    the newest change. The user's index does not change.
    Raises SourceError if there is no repository, no commit, or a change that is not allowed.
    """
    _git(source, run, "rev-parse", "--git-dir", otherwise=f"{source} is not in a Git repository.", then="git init")
    commit = _git(
        source, run, "rev-parse", "--verify", "--quiet", "HEAD", otherwise="The repository has no commit.",
        then="git add --all && git commit",
    )  # fmt: skip
    branch = _git(source, run, "symbolic-ref", "--quiet", "--short", "HEAD", otherwise="")
    clean = _read_commit(source, commit, branch, run)
    changed = _changed_files(source, run)
    if not changed:
        return clean
    if not is_dirty_allowed:
        raise SourceError(_uncommitted(changed), next_step="Commit them, or build with them: --dirty")
    changed_at = max(_changed_at(_top(source, run) / name) for name in changed)
    return replace(
        clean, tree=_write_working_tree(source, run), committed_at=max(clean.committed_at, changed_at), is_dirty=True
    )


def read_version(source: Path, of: Revision, *, run: Run) -> str:
    """The Debian version of a revision. Raises SourceError if the clone is too shallow to count its commits."""
    dirty = (of.committed_at, of.tree[:SHORT]) if of.is_dirty else None
    return version.debian_version(_describe(source, of.commit, run), dirty=dirty)


def find(source: Path, wanted: str, *, run: Run) -> Revision | None:
    """The commit that an operator means: a version or its tag, else a branch or a commit. None if there is none.

    The revision names a branch only if the operator named one, because a commit alone is on no branch.
    """
    return find_tagged(source, wanted, run=run) or _find_named(source, wanted, run)


def find_tagged(source: Path, wanted: str, *, run: Run) -> Revision | None:
    """The commit whose version an operator means, as a version or as its tag. None if there is none."""
    for candidate in _candidates(source, wanted, run):
        commit = _commit_of(source, candidate, run)
        if commit and version.is_wanted(wanted, version.debian_version(_describe(source, commit, run))):
            return _read_commit(source, commit, "", run)
    return None


def export(source: Path, of: Revision, folder: Path, *, run: Run) -> None:
    """Write the revision's files under `source` into the new `folder`.

    `git archive` writes them, so .gitattributes (export-ignore, eol) apply. Raises SourceError for submodules and Git
    LFS, which an archive leaves out.
    """
    tree = _subtree(source, of, run)
    _refuse_what_is_not_in_git(source, tree, run)
    folder.mkdir(parents=True)
    archive = folder.resolve().with_suffix(".tar")
    # From the top, because Git looks in the tree for the folder that it runs in.
    _git(_top(source, run), run, "archive", "--format=tar", f"--output={archive}", tree)
    run(["tar", "--extract", f"--file={archive}", f"--directory={folder}"])
    archive.unlink()


def list_files(source: Path, of: Revision, *, run: Run) -> frozenset[str]:
    """The paths that `export` would write. Raises SourceError as `export` does."""
    tree = _subtree(source, of, run)
    _refuse_what_is_not_in_git(source, tree, run)
    return frozenset(
        _git(_top(source, run), run, "ls-tree", "-r", "-z", "--name-only", "--full-tree", tree).split("\0")
    )


def _subtree(source: Path, of: Revision, run: Run) -> str:
    """Git's name for the folder's tree in the revision."""
    prefix = _git(source, run, "rev-parse", "--show-prefix").rstrip("/")
    return f"{of.tree}:{prefix}" if prefix else of.tree


def _git(source: Path, run: Run, *arguments: str, otherwise: str | None = None, then: str = "",
         index: Path | None = None) -> str:  # fmt: skip
    """Git's answer. If Git fails, raise SourceError with `otherwise`, or return nothing if that is empty."""
    env = {"LC_ALL": "C.UTF-8"} | ({"GIT_INDEX_FILE": str(index)} if index else {})
    try:
        # Write no index and take no lock, so that we disturb nobody who works in the repository.
        return run(["git", "--no-optional-locks", "-C", str(source), *arguments], env=env).strip("\n")
    except ToolFailed as error:
        if foreign := re.search(r"dubious ownership in repository at '(.*)'", "\n".join(error.tail)):
            raise SourceError(
                f"{foreign[1]} is another user's repository, and Git refuses to read it.",
                next_step=f"Run this as its owner (with sudo if root is needed), or trust it: "
                f"git config --global --add safe.directory {shlex.quote(foreign[1])}",
            ) from None
        if otherwise == "":
            return ""
        lines = [line for line in error.tail if "not a git repository" not in line]
        raise SourceError(" ".join([otherwise or f"git {arguments[0]} failed:", *lines]), next_step=then) from None


def _top(source: Path, run: Run) -> Path:
    return Path(_git(source, run, "rev-parse", "--show-toplevel"))


def _read_commit(source: Path, commit: str, branch: str, run: Run) -> Revision:
    fields = "--format=%T%x00%ct%x00%an%x00%s"  # an author or subject may be empty or contain line breaks
    answer = _git(source, run, "show", "--no-patch", "--no-show-signature", fields, commit)
    tree, seconds, author, subject = answer.split("\0")
    return Revision(commit, tree, one_line(subject), one_line(author), _at(seconds), branch)


def _at(seconds: str) -> datetime:
    """A commit's time. It is the epoch if the commit's header has no valid time."""
    try:
        return datetime.fromtimestamp(max(0, int(seconds)), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _changed_files(source: Path, run: Run) -> list[str]:
    """The files under `source` that differ from the commit or are untracked, relative to the repository's top."""
    entries = _git(source, run, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", ".")
    return [entry[3:] for entry in entries.split("\0") if entry]


def _uncommitted(changed: list[str]) -> str:
    names = ", ".join(changed[:MOST_NAMED_FILES])
    more = f" and {len(changed) - MOST_NAMED_FILES} more" if len(changed) > MOST_NAMED_FILES else ""
    return f"There are uncommitted changes: {names}{more}."


def _changed_at(path: Path) -> datetime:
    """When a file changed. For a deleted file, when its folder changed."""
    while not path.is_symlink() and not path.exists():
        path = path.parent
    return datetime.fromtimestamp(int(path.lstat().st_mtime), UTC)


def _write_working_tree(source: Path, run: Run) -> str:
    """Write the working tree as a tree object, through a temporary index, and return its hash."""
    with tempfile.TemporaryDirectory(prefix="bakeroll-") as folder:
        index = Path(folder) / "index"
        top = _top(source, run)
        _git(top, run, "read-tree", "HEAD", index=index)
        _git(top, run, "add", "--all", index=index)
        return _git(top, run, "write-tree", index=index)


def _describe(source: Path, commit: str, run: Run) -> version.Description:
    """A commit's place in the history. `git describe` would take the nearest tag, which may be lower after a merge."""
    here = version.highest(_git(source, run, "tag", "--points-at", commit).split("\n"))
    if here:
        return version.Description(here, 0, commit[:SHORT])
    if _git(source, run, "rev-parse", "--is-shallow-repository") == "true":
        raise SourceError(
            "This clone is shallow, so the commits since the last tag cannot be counted.",
            next_step="git fetch --unshallow --tags",
        )
    tag = version.highest(_git(source, run, "tag", "--merged", commit).split("\n"))
    since = [f"^refs/tags/{tag}"] if tag else []
    return version.Description(tag, int(_git(source, run, "rev-list", "--count", commit, *since)), commit[:SHORT])


def _candidates(source: Path, wanted: str, run: Run) -> list[str]:
    """Git's names for commits that may have the version: its tags, and the hash at its end."""
    meant = {wanted, wanted.removesuffix(version.REVISION), version.upstream(wanted)}
    tags = [
        tag for tag in _git(source, run, "tag", "--list", otherwise="").split("\n") if version.upstream(tag) in meant
    ]
    untagged = re.search(r"\.g([0-9a-f]{7})(-1)?$", wanted)
    return [*(f"refs/tags/{tag}" for tag in tags), *([untagged[1]] if untagged else [])]


def _find_named(source: Path, wanted: str, run: Run) -> Revision | None:
    """The tip of a branch (this clone's before its origin's), or the commit of a hash."""
    for branch in (f"refs/heads/{wanted}", f"refs/remotes/origin/{wanted}"):
        if commit := _commit_of(source, branch, run):
            return _read_commit(source, commit, wanted, run)
    is_hash = re.fullmatch(r"[0-9a-f]{7,40}", wanted)
    commit = _commit_of(source, wanted, run) if is_hash else ""
    return _read_commit(source, commit, "", run) if commit else None


def _commit_of(source: Path, name: str, run: Run) -> str:
    return _git(source, run, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", otherwise="")


def _refuse_what_is_not_in_git(source: Path, tree: str, run: Run) -> None:
    entries = _git(source, run, "ls-tree", "-r", "--full-tree", tree).split("\n")
    submodules = [entry.partition("\t")[2] for entry in entries if entry.startswith("160000 ")]
    if submodules:
        raise SourceError(
            f"{submodules[0]} is a Git submodule, which `git archive` leaves out.",
            next_step="Commit its files into this repository, or depend on it in requirements.txt",
        )
    attributes = [entry.split()[2] for entry in entries if entry.endswith(".gitattributes")]
    if any("filter=lfs" in _git(source, run, "cat-file", "blob", blob) for blob in attributes):
        raise SourceError(f"{source} keeps files in Git LFS, which `git archive` does not fetch.")
