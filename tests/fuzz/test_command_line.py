"""Every task of `fab` with odd values for its flags: each run ends with a documented code, and in words.

The tasks go through Invoke's own parser and the door; the cloud is refused before it is reached, and the only program
that runs is Git.
"""

import contextlib
import io
import json
import subprocess
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invoke.exceptions import ParseError
from invoke.program import Program

from bakeroll import local
from bakeroll.classic_command import modern
from bakeroll.errors import CloudError, LocalCloudError
from bakeroll.process import ToolFailed, run
from bakeroll.roll.roller import Roller
from bakeroll.roll.simulate.model import world
from bakeroll.tasks import namespace
from bakeroll.tasks import site as opening
from bakeroll.wiring import Site
from tests.fuzz.odd import TEXTS
from tests.roll.scene import GOOD, roller

pytestmark = pytest.mark.no_cover  # the same lines again and again, three times slower where they are counted

CODES = {0, 1, 3, 4, 5, 130}
SETTINGS = """\
application: links
environments:
  dev: {confirm: true}
  local: {cloud: local}
"""
TASKS = {name: namespace[name] for name in namespace.task_names}


class Offline(Site):
    """A site whose fleet is in memory, and nothing else of AWS is there."""

    @property
    def aws(self) -> Any:
        raise CloudError("There is no cloud here.")

    @cached_property
    def roller(self) -> Roller:
        return roller(world(2, GOOD), self.environment.policy)

    def where(self) -> str:
        return "nowhere"

    @property
    def store(self) -> Any:
        return Empty()

    @property
    def signer(self) -> Any:
        return None


class Empty:
    """A bucket that nothing was published to."""

    def get(self, *_: object) -> None:
        return None


def only_git(argv: Sequence[str], **keywords: Any) -> str:
    if argv[0] == "git":
        return run(argv, **keywords)
    raise ToolFailed(argv, 1, ["it is not run here"])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clone with an application, at which no cloud can be started."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "deploy.yml").write_text(SETTINGS)
    (folder / ".gitignore").write_text(".bakeroll/\n")
    git = ["git", "-c", "user.name=me", "-c", "user.email=me@example.invalid", "-C", str(folder)]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "First"], ["tag", "v1.0"]):
        subprocess.run([*git, *words], check=True)

    def refused(*_: object, **__: object) -> Any:
        raise LocalCloudError("No local cloud is started or stopped here.")

    with pytest.MonkeyPatch.context() as patched, contextlib.chdir(folder):
        patched.setattr(local, "_run", refused)
        patched.setenv("BAKEROLL_LOCAL_STATE", str(folder / "cloud"))  # whatever cloud this machine has is left alone
        patched.setenv("BAKEROLL_LOCAL_PORT", "1025")
        patched.setattr(opening, "Site", partial(Offline, run=only_git))
        patched.delenv("BAKEROLL_ENV", raising=False)
        yield folder


def flags(name: str) -> dict[str, bool]:
    """Those of a task, and whether each takes a value."""
    return {each.name: each.takes_value for each in TASKS[name].get_arguments()}


@st.composite
def words(draw: st.DrawFn) -> list[str]:
    """A task with some of its flags, in the modern form or in the classic one."""
    values = st.one_of(st.sampled_from(["dev", "local", "v1.0", "1.0-1", "HEAD"]), TEXTS.map(as_argument))
    name = draw(st.sampled_from(sorted(TASKS)))
    given = draw(st.lists(st.sampled_from(sorted(flags(name))), max_size=4, unique=True)) if flags(name) else []
    told = [(flag, draw(values) if flags(name)[flag] else "") for flag in given]
    if draw(st.booleans()):
        return [name, *(f"--{flag.replace('_', '-')}" + (f"={value}" if value else "") for flag, value in told)]
    if draw(st.booleans()):
        return [f"{name}:" + ",".join(f"{flag}={value}" if value else flag for flag, value in told)]
    return [name, *draw(st.lists(values, max_size=2))]


def as_argument(text: str) -> str:
    """As Python takes it from the kernel: bytes without a zero, and halves of characters for those that are no text."""
    return text.replace("\0", "").encode(errors="surrogatepass").decode(errors="surrogateescape")


def ended(line: list[str]) -> tuple[int, str, str]:
    """The exit code, and both streams, strict as those of a terminal and of a pipe are."""
    held = io.BytesIO(), io.BytesIO()
    out, err = io.TextIOWrapper(held[0], "utf-8", "strict"), io.TextIOWrapper(held[1], "utf-8", "backslashreplace")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            Program(namespace=namespace).run(["fab", *modern(line, TASKS)])
            code = 0
        except ParseError:
            code = 1  # as Invoke itself would tell it
        except SystemExit as end:
            code = int(end.code or 0)
        out.flush()
        err.flush()
    return code, held[0].getvalue().decode(), held[1].getvalue().decode()


@given(words())
def test_whatever_the_flags_hold_a_run_ends_with_a_documented_code_and_in_words(desk: Path, line: list[str]) -> None:
    code, out, err = ended(line)

    assert code in CODES
    assert "defect" not in out + err
    assert "Traceback" not in out + err
    if out and "--json" in line:
        assert json.loads(out)


@given(
    st.one_of(TEXTS.map(as_argument), st.sampled_from(["dev", "local"])), st.sampled_from(["status", "plan", "doctor"])
)
def test_whatever_the_environment_s_name_is_it_is_known_or_those_there_are_are_named(
    desk: Path, name: str, task: str
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BAKEROLL_ENV", name)
        code, out, err = ended([task])

    assert code in CODES
    assert name in ("dev", "local") or "dev, local" in out + err


@given(TEXTS.map(as_argument))
def test_minutes_are_a_number_within_bounds_or_refused_by_their_name(desk: Path, minutes: str) -> None:
    code, _, err = ended(["pause", "--env=dev", f"--minutes={minutes}"])

    assert code == 1
    assert "--minutes is" in err or "is not being rolled" in err
