"""What is built: a Git tree. Finds it, names its version and writes it out; never reads the working folder.

Owns all that the toolkit asks of Git.
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

SHOWN_FILES = 5
SHORT = 7


def revision(source: Path, *, is_dirty_allowed: bool, run: Run) -> Revision:
    """The commit checked out at `source`, a folder of a Git repository.

    Where `is_dirty_allowed` and files differ from the commit, the revision's tree is the working tree's and
    its time that of the newest change. The user's index is left alone.
    Raises SourceError where there is no repository, no commit, or a change that is not allowed.
    """
    _git(source, run, "rev-parse", "--git-dir", otherwise=f"{source} is in no Git repository.", then="git init")
    commit = _git(
        source, run, "rev-parse", "--verify", "--quiet", "HEAD", otherwise="The repository has no commit.",
        then="git add --all && git commit",
    )  # fmt: skip
    branch = _git(source, run, "symbolic-ref", "--quiet", "--short", "HEAD", otherwise="")
    clean = _committed(source, commit, branch, run)
    changed = _changed(source, run)
    if not changed:
        return clean
    if not is_dirty_allowed:
        raise SourceError(_uncommitted(changed), next_step="Commit them, or build them as they are: --dirty")
    changed_at = max(_changed_at(_top(source, run) / name) for name in changed)
    return replace(
        clean, tree=_working_tree(source, run), committed_at=max(clean.committed_at, changed_at), is_dirty=True
    )


def version_of(source: Path, of: Revision, *, run: Run) -> str:
    """The Debian version of a revision; SourceError where the clone is too shallow to count its commits."""
    dirty = (of.committed_at, of.tree[:SHORT]) if of.is_dirty else None
    return version.debian_version(_describe(source, of.commit, run), dirty=dirty)


def find(source: Path, wanted: str, *, run: Run) -> Revision | None:
    """The commit that an operator asks for: as a version or its tag, else as a branch or a commit; None for none.

    Its branch is left empty but where a branch was asked for: a commit by itself is on none.
    """
    return tagged(source, wanted, run=run) or _named(source, wanted, run)


def tagged(source: Path, wanted: str, *, run: Run) -> Revision | None:
    """The commit whose version an operator asks for, as a version or as its tag; None where there is no such."""
    for candidate in _candidates(source, wanted, run):
        commit = _commit_of(source, candidate, run)
        if commit and version.is_wanted(wanted, version.debian_version(_describe(source, commit, run))):
            return _committed(source, commit, "", run)
    return None


def export(source: Path, of: Revision, folder: Path, *, run: Run) -> None:
    """Write the revision's files under `source` into the new `folder`.

    `git archive` is what writes them, so that .gitattributes (export-ignore, eol) count. Raises SourceError
    for submodules and Git LFS, which an archive does not hold.
    """
    tree = _subtree(source, of, run)
    _refuse_what_is_not_in_git(source, tree, run)
    folder.mkdir(parents=True)
    archive = folder.resolve().with_suffix(".tar")
    # From the top, since Git looks for the folder that it stands in within the tree.
    _git(_top(source, run), run, "archive", "--format=tar", f"--output={archive}", tree)
    run(["tar", "--extract", f"--file={archive}", f"--directory={folder}"])
    archive.unlink()


def files(source: Path, of: Revision, *, run: Run) -> frozenset[str]:
    """The paths that `export` would write. Raises SourceError as it does."""
    tree = _subtree(source, of, run)
    _refuse_what_is_not_in_git(source, tree, run)
    return frozenset(
        _git(_top(source, run), run, "ls-tree", "-r", "-z", "--name-only", "--full-tree", tree).split("\0")
    )


def _subtree(source: Path, of: Revision, run: Run) -> str:
    """Git's name of the tree that the folder has in the revision."""
    prefix = _git(source, run, "rev-parse", "--show-prefix").rstrip("/")
    return f"{of.tree}:{prefix}" if prefix else of.tree


def _git(source: Path, run: Run, *arguments: str, otherwise: str | None = None, then: str = "",
         index: Path | None = None) -> str:  # fmt: skip
    """What Git answers. Where it fails: SourceError with `otherwise`, or nothing if that is empty."""
    env = {"LC_ALL": "C.UTF-8"} | ({"GIT_INDEX_FILE": str(index)} if index else {})
    try:
        # No index refresh is written and no lock taken, so that we disturb nobody who works in there.
        return run(["git", "--no-optional-locks", "-C", str(source), *arguments], env=env).strip("\n")
    except ToolFailed as error:
        if anothers := re.search(r"dubious ownership in repository at '(.*)'", "\n".join(error.tail)):
            raise SourceError(
                f"{anothers[1]} is another user's repository, and Git reads none of those unasked.",
                next_step=f"Run this as its owner, from there with sudo, or trust it: "
                f"git config --global --add safe.directory {shlex.quote(anothers[1])}",
            ) from None
        if otherwise == "":
            return ""
        said = [line for line in error.tail if "not a git repository" not in line]
        raise SourceError(" ".join([otherwise or f"git {arguments[0]} failed:", *said]), next_step=then) from None


def _top(source: Path, run: Run) -> Path:
    return Path(_git(source, run, "rev-parse", "--show-toplevel"))


def _committed(source: Path, commit: str, branch: str, run: Run) -> Revision:
    asked = "--format=%T%x00%ct%x00%an%x00%s"  # an author or subject may be empty, and may hold what breaks a line
    shown = _git(source, run, "show", "--no-patch", "--no-show-signature", asked, commit)
    tree, seconds, author, subject = shown.split("\0")
    return Revision(commit, tree, one_line(subject), one_line(author), _at(seconds), branch)


def _at(seconds: str) -> datetime:
    """A commit's time; the epoch where its header has none, or one that is no time."""
    try:
        return datetime.fromtimestamp(max(0, int(seconds)), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _changed(source: Path, run: Run) -> list[str]:
    """The files under `source` that differ from the commit, untracked ones among them, from the top."""
    entries = _git(source, run, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", ".")
    return [entry[3:] for entry in entries.split("\0") if entry]


def _uncommitted(changed: list[str]) -> str:
    names = ", ".join(changed[:SHOWN_FILES])
    more = f" and {len(changed) - SHOWN_FILES} more" if len(changed) > SHOWN_FILES else ""
    return f"There are changes that no commit holds: {names}{more}."


def _changed_at(path: Path) -> datetime:
    """When a file changed; of a deleted one, when its folder did."""
    while not path.is_symlink() and not path.exists():
        path = path.parent
    return datetime.fromtimestamp(int(path.lstat().st_mtime), UTC)


def _working_tree(source: Path, run: Run) -> str:
    """The hash of a tree object that holds the working tree, by way of an index of our own."""
    with tempfile.TemporaryDirectory(prefix="bakeroll-") as folder:
        index = Path(folder) / "index"
        top = _top(source, run)
        _git(top, run, "read-tree", "HEAD", index=index)
        _git(top, run, "add", "--all", index=index)
        return _git(top, run, "write-tree", index=index)


def _describe(source: Path, commit: str, run: Run) -> version.Description:
    """Not `git describe`: that takes the nearest tag, which after a merge may be the lower one."""
    here = version.highest(_git(source, run, "tag", "--points-at", commit).split("\n"))
    if here:
        return version.Description(here, 0, commit[:SHORT])
    if _git(source, run, "rev-parse", "--is-shallow-repository") == "true":
        raise SourceError(
            "This clone is shallow: the commits since the last tag cannot be counted.",
            next_step="git fetch --unshallow --tags",
        )
    tag = version.highest(_git(source, run, "tag", "--merged", commit).split("\n"))
    since = [f"^refs/tags/{tag}"] if tag else []
    return version.Description(tag, int(_git(source, run, "rev-list", "--count", commit, *since)), commit[:SHORT])


def _candidates(source: Path, wanted: str, run: Run) -> list[str]:
    """Git's names of what might have the version: its tags, and the hash that it ends in."""
    meant = {wanted, wanted.removesuffix(version.REVISION), version.upstream(wanted)}
    tags = [
        tag for tag in _git(source, run, "tag", "--list", otherwise="").split("\n") if version.upstream(tag) in meant
    ]
    untagged = re.search(r"\.g([0-9a-f]{7})(-1)?$", wanted)
    return [*(f"refs/tags/{tag}" for tag in tags), *([untagged[1]] if untagged else [])]


def _named(source: Path, wanted: str, run: Run) -> Revision | None:
    """The tip of a branch, this clone's before its origin's, or the commit of a hash."""
    for branch in (f"refs/heads/{wanted}", f"refs/remotes/origin/{wanted}"):
        if commit := _commit_of(source, branch, run):
            return _committed(source, commit, wanted, run)
    is_hash = re.fullmatch(r"[0-9a-f]{7,40}", wanted)
    commit = _commit_of(source, wanted, run) if is_hash else ""
    return _committed(source, commit, "", run) if commit else None


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
