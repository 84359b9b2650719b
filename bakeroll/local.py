"""The local cloud, known by its command: run, with what it says passed on and its failures told as ours.

It is a package of its own beside this one (local_cloud/README.md), and another process: nothing of it is imported.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeroll.errors import ConfirmationNeeded, LocalCloudError

Tell = Callable[[str], None]
Message = Mapping[str, Any]

_BESIDE_US = Path(__file__).parents[1]
_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the local cloud answers: this machine at `url`, instances at `gateway`. `state` is the cloud's own folder,
    `environment` what AWS's clients need to talk to it."""

    url: str
    region: str
    account: str
    gateway: str
    state: Path
    environment: Mapping[str, str]


def up(tell: Tell, meanwhile: Callable[[], object] = lambda: None) -> Endpoint:
    """Start the cloud unless it is up, and tell what is being done. Raises LocalCloudError where it cannot run.

    `meanwhile` is called while the command runs beside this process.
    """
    found = _result("up", tell=tell, meanwhile=meanwhile)
    return Endpoint(**{**found, "state": Path(found["state"])})


def down(tell: Tell) -> None:
    """Stop the local cloud and all its machines."""
    _result("down", tell=tell)


def held(*, cache: bool) -> list[str]:
    """The folders that a reset would delete and that hold something."""
    deletes: list[str] = _result("reset", "--dry-run", *_cache(cache))["deletes"]
    return deletes


def reset(tell: Tell, *, cache: bool) -> None:
    """Stop the local cloud and delete what it holds; with `cache`, its source image as well."""
    _result("reset", "--yes", *_cache(cache), tell=tell)


def status() -> dict[str, Any]:
    """What lives in the cloud. Raises LocalCloudError where it is down."""
    found: dict[str, Any] = _result("status")
    return found


def logs(instance: str, show: Tell, *, follow: bool) -> None:
    """Show the lines of the cloud's own log, or of an instance's console."""
    _run(["logs", *(["--follow"] if follow else []), "--", instance], lambda said: show(said["line"]))


def shell(instance: str, command: str) -> int:
    """Have this terminal in an instance, or a command run there; return its exit code."""
    return _run(["shell", f"--command={command}", "--", instance], lambda _: None)


def fault(kind: str, asked: Mapping[str, str], *, clear: bool) -> dict[str, Any]:
    """Set a fault, end all of them, or tell which are in force: `fault`, `ended` and `in_force` of the answer."""
    options = [f"--{name.replace('_', '-')}={value}" for name, value in asked.items() if value]
    done: dict[str, Any] = _result("fault", *options, *(["--clear"] if clear else []), "--", kind)
    return done


def _cache(cache: bool) -> list[str]:
    return ["--cache"] if cache else []


def _result(*words: str, tell: Tell = lambda _: None, meanwhile: Callable[[], object] = lambda: None) -> Any:
    found = None

    def hear(said: Message) -> None:
        nonlocal found
        if "tell" in said:
            tell(said["tell"])
        else:
            found = said["result"]

    code = _run(words, hear, meanwhile)
    if code:
        raise LocalCloudError(f"The local cloud’s command “{words[0]}” ended with {code}.", next_step="fab local.logs")
    return found


def _run(words: Sequence[str], hear: Callable[[Message], None], meanwhile: Callable[[], object] = lambda: None) -> int:
    """Run the command to its end, hand on each of its messages, and return its exit code. Raises its failure."""
    reading, writing = os.pipe()
    # -P: a folder of the caller's that is named like one of Python's modules is none of it.
    command = [sys.executable, "-P", "-m", "local_cloud", f"--report={writing}", *words]
    path = os.pathsep.join(filter(None, (str(_BESIDE_US), os.environ.get("PYTHONPATH", ""))))
    environment = {**os.environ, "PYTHONPATH": path, "BAKEROLL_LOCAL_COMMAND": "fab local."}
    # Ctrl-C is for a shell to hear, which is in the terminal's foreground; the others end when we end them.
    group = None if words[0] == "shell" else 0
    with os.fdopen(reading, encoding="utf-8") as said:
        process = subprocess.Popen(command, env=environment, pass_fds=[writing], process_group=group)
        os.close(writing)
        failure = None
        try:
            meanwhile()
            for message in map(json.loads, said):
                if failure := _failure(message):
                    continue
                hear(message)
            code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if failure:
        raise failure
    if code == _INTERRUPTED and words[0] != "shell":
        raise KeyboardInterrupt
    return code


def _failure(said: Message) -> Exception | None:
    if "failed" in said:
        kind = ConfirmationNeeded if said["exit_code"] == ConfirmationNeeded.exit_code else LocalCloudError
        log = Path(said["log"]) if said["log"] else None
        return kind(said["failed"], left=said["left"], next_step=said["next_step"], log=log)
    if "refused" in said:
        return OSError(*said["refused"])
    return RuntimeError(said["broken"]) if "broken" in said else None
