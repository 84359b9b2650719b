"""How the toolkit runs the local cloud's command: here it is a package of the test's own that says what it is told.

What the real one says is held by tests/local_cloud/client/test_command.py.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bakeroll import local
from bakeroll.errors import ConfirmationNeeded, LocalCloudError

CLONE = Path(__file__).parents[2]
SAYS = """
import json, os, sys
report, *words = sys.argv[1:]
def say(**message):
    os.write(int(report.partition("=")[2]), json.dumps(message).encode() + b"\\n")
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a command that stands where the local cloud's would."""
    package = tmp_path / "local_cloud"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.setattr(local, "_BESIDE_US", tmp_path)
    return package / "__main__.py"


def test_what_is_being_done_is_told_and_the_result_returned(command: Path) -> None:
    found = {
        "url": "http://127.0.0.1:1",
        "region": "r",
        "account": "1",
        "gateway": "http://10.0.0.1",
        "environment": {},
    }
    command.write_text(f"{SAYS}\nsay(tell='building')\nsay(result={ {**found, 'state': '/s'} })")
    told: list[str] = []

    endpoint = local.up(told.append)

    assert told == ["building"]
    assert endpoint == local.Endpoint(**found, state=Path("/s"))  # type: ignore[arg-type]


def test_a_failure_is_ours_with_all_its_parts(command: Path) -> None:
    said = {"failed": "No.", "left": "nothing", "next_step": "fab local.up", "log": "/l", "exit_code": 1}
    command.write_text(f"{SAYS}\nsay(**{said})\nsys.exit(1)")

    with pytest.raises(LocalCloudError) as failed:
        local.status()

    error = failed.value
    assert (error.what, error.left, error.next_step, error.log) == ("No.", "nothing", "fab local.up", Path("/l"))


def test_a_word_that_is_missing_ends_as_it_does_elsewhere(command: Path) -> None:
    said = {"failed": "Sure?", "left": "", "next_step": "", "log": None, "exit_code": 5}
    command.write_text(f"{SAYS}\nsay(**{said})\nsys.exit(5)")

    with pytest.raises(ConfirmationNeeded, match=r"Sure\?"):
        local.reset(print, cache=False)


def test_what_the_system_refused_the_command_is_told_as_if_it_had_refused_us(command: Path) -> None:
    command.write_text(f"{SAYS}\nsay(refused=[28, 'No space left on device', '/s/lock'])\nsys.exit(1)")

    with pytest.raises(OSError, match="No space left") as refused:
        local.down(print)

    assert (refused.value.errno, refused.value.filename) == (28, "/s/lock")


def test_a_command_that_dies_without_a_word_is_an_error(command: Path) -> None:
    command.write_text("import os\nos._exit(9)")

    with pytest.raises(LocalCloudError, match="ended with 9"):
        local.status()


def test_the_exit_code_of_a_shell_is_its_own(command: Path) -> None:
    command.write_text("import sys\nsys.exit(130)")

    assert local.shell("i-1", "exit 130") == 130


def test_a_folder_that_is_named_like_a_module_of_python_is_no_matter(
    command: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command.write_text(f"{SAYS}\nsay(result={{}})")
    (tmp_path / "here" / "json").mkdir(parents=True)
    (tmp_path / "here" / "json" / "__init__.py").write_text("raise SystemExit('ours')")
    monkeypatch.chdir(tmp_path / "here")

    assert local.status() == {}


def test_who_is_interrupted_alone_ends_the_command_as_well(command: Path, tmp_path: Path) -> None:
    command.write_text(f"{SAYS}\nimport time\nsay(tell=str(os.getpid()))\ntime.sleep(60)")
    pids: list[int] = []

    def interrupt(text: str) -> None:
        pids.append(int(text))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        local.up(interrupt)

    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_ctrl_c_while_the_cloud_starts_is_told_once_and_ends_with_its_code(command: Path, tmp_path: Path) -> None:
    command.write_text(f"{SAYS}\nimport time\nsay(tell='starting')\ntime.sleep(60)")
    program = (
        "from pathlib import Path; from invoke.context import Context; from invoke.exceptions import Exit\n"
        "from bakeroll import local; from bakeroll.tasks import local as tasks\n"
        f"local._BESIDE_US = Path({str(tmp_path)!r})\n"
        "try: tasks.up(Context())\n"
        "except Exit as ended: print(ended.message); raise SystemExit(ended.code)\n"
    )
    fab = subprocess.Popen(
        [sys.executable, "-u", "-c", program], cwd=CLONE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    in_vain = threading.Timer(60, fab.kill)
    in_vain.start()
    assert fab.stdout
    assert fab.stdout.readline() == "starting\n"

    os.killpg(fab.pid, signal.SIGINT)
    out, _ = fab.communicate()
    in_vain.cancel()

    assert "Interrupted." in out
    assert fab.returncode == 130
