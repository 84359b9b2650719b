"""What the tasks call: start and stop the cloud, look at it, read its logs. Imports nothing heavy."""

import fcntl
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from bakeroll.errors import LocalCloudError
from local_cloud.config import Config, Endpoint, endpoint, from_environment, to_environment
from local_cloud.faults.fault import nearest
from local_cloud.host import cgroup, preflight
from local_cloud.host.sweep import sweep

Tell = Callable[[str], None]
READY_WITHIN = 900.0
"""Seconds; the first start downloads and builds the source image."""
_DOWN_WITHIN = 30.0
_POLL = 0.05
_KEPT = re.compile(
    r"PATH|HOME|TMPDIR|TZ|LANG|LC_\w+|LD_LIBRARY_PATH|PYTHON\w+|VIRTUAL_ENV|APT_CONFIG|SSL_CERT_\w+|(?i:\w+_proxy)"
)

__all__ = ["Config", "Endpoint", "down", "from_environment", "logs", "reset", "status", "up"]


def up(config: Config, tell: Tell) -> Endpoint:
    """Start the cloud unless it is up, telling what is being done; return where it answers.

    Raises LocalCloudError where it cannot run, before anything is changed, or where its daemon dies.
    """
    if ask(config) is None:
        if is_locked(config):
            _must_be_ours(config)
            tell("the local cloud is being started already: waiting for it")
            _await(lambda: ask(config) is not None or not is_locked(config), READY_WITHIN, "did not become ready")
            return up(config, tell)
        try:
            preflight.check(config)
            _start(config, tell)
        except LocalCloudError:
            if not is_locked(config):
                raise
            return up(config, tell)  # somebody else's start was quicker
    return endpoint(config)


def down(config: Config, tell: Tell) -> None:
    """Stop the cloud and all its machines, and remove whatever a killed daemon left. The state is kept."""
    need_root()
    if pid := _holder(config):
        tell("stopping the local cloud")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        try:
            _await(lambda: not is_locked(config) and _is_over(pid), _DOWN_WITHIN, "did not stop")
        except LocalCloudError:
            tell("it does not stop by itself: ending it by force")
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            _await(lambda: not is_locked(config), _DOWN_WITHIN, "does not end")
    if left := sweep(config):
        raise LocalCloudError(f"The local cloud is down, but this is left: {', '.join(left)}.")


def reset(config: Config, tell: Tell, confirm: Tell = lambda _: None, *, cache: bool = False) -> None:
    """Take the cloud down and forget all it held; with `cache`, the source image too.

    `confirm` is told what will be deleted, where there is anything, and raises to prevent it.
    """
    directories = (config.state, config.cache) if cache else (config.state,)
    for directory in directories:
        if preflight.is_foreign(directory):
            raise LocalCloudError(
                f"{directory} holds other things than a local cloud.",
                left="nothing was removed",
                next_step="Look at BAKEROLL_LOCAL_STATE and BAKEROLL_LOCAL_CACHE",
            )
    if filled := [str(directory) for directory in directories if directory.is_dir() and any(directory.iterdir())]:
        confirm(f"This stops the local cloud and deletes all it holds: {' and '.join(filled)}.")
    down(config, tell)
    for directory in directories:
        tell(f"removing {directory}")
        if directory.exists():
            subprocess.run(["rm", "-rf", "--one-file-system", str(directory)], check=True)


def status(config: Config) -> dict[str, Any]:
    """What the daemon says of itself: pid, uptime in seconds, endpoint, images, instances, load balancers.

    Raises LocalCloudError where the cloud is down, or where it is up and does not answer.
    """
    said = ask(config)
    if said is None and (daemon := _holder(config)):
        raise LocalCloudError(
            f"The local cloud is up (process {daemon}) and does not answer.",
            left="it goes on",
            next_step="Wait a moment and try again; see fab local.logs",
        )
    if said is None:
        raise LocalCloudError("The local cloud is down.", next_step="fab local.up")
    return said


def logs(config: Config, instance: str | None = None, *, follow: bool = False) -> Iterator[str]:
    """Lines of the daemon's log, or of an instance's console; with `follow`, those to come as well."""
    if instance:
        must_be_there(config, instance)
    path = config.instances / instance / "console.log" if instance else config.log
    if not path.exists():
        raise LocalCloudError(f"There is no log of {instance or 'the daemon'} yet.", next_step="fab local.status")
    with path.open(errors="replace") as file:
        while True:
            yield from (line.rstrip("\n") for line in file)
            if not follow:
                return
            time.sleep(0.2)


def _start(config: Config, tell: Tell) -> None:
    config.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    _shorten(config.log)
    reading, writing = os.pipe()
    daemon = _spawn(config, writing)
    os.close(writing)
    with os.fdopen(reading) as said:
        if _is_ready(said, config, tell):
            return
    last = config.log.read_text(errors="replace").splitlines()[-1:]
    raise LocalCloudError(
        f"The local cloud's daemon ended with {daemon.wait()}. Its last line: {' '.join(last)}",
        left="what it had begun, which the next start sweeps away",
        next_step="fab local.up",
        log=config.log,
    )


def _spawn(config: Config, report: int) -> subprocess.Popen[bytes]:
    """The daemon, in a session of its own: it outlives this process and its terminal."""
    with config.log.open("ab") as sink:
        return subprocess.Popen(
            [sys.executable, "-m", "local_cloud.daemon", "--report", str(report)],
            cwd="/",
            env=_environment() | to_environment(config) | {"PYTHONPATH": os.pathsep.join(filter(None, _import_path()))},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            pass_fds=[report],
            start_new_session=True,
        )


def _environment() -> dict[str, str]:
    """What the daemon needs of the caller's environment: it outlives the caller, whose secrets are none of its."""
    return {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}


def _is_ready(said: Iterable[str], config: Config, tell: Tell) -> bool:
    """Pass on what the daemon says until it is ready; False where it falls silent, an error where it gives up."""
    for line in said:
        message = json.loads(line)
        if "ready" in message:
            return True
        if "failed" in message:
            left, next_step = message["left"], message["next_step"]
            raise LocalCloudError(message["failed"], left=left, next_step=next_step, log=config.log)
        tell(message["tell"])
    return False


def _import_path() -> list[str]:
    """Where the daemon finds this very toolkit, also when it is not installed."""
    return [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]


def _shorten(log: Path, limit: int = 10 * 1024 * 1024) -> None:
    if log.exists() and log.stat().st_size > limit:
        shutil.move(log, log.with_suffix(".log.1"))


def ask(config: Config) -> dict[str, Any] | None:
    """The daemon's own word; None where no daemon of this cloud answers."""
    connection = http.client.HTTPConnection("127.0.0.1", config.port, timeout=5)
    try:
        connection.request("GET", "/bakeroll/status")
        said: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return said if isinstance(said, dict) and said.get("state") == str(config.state) else None


def _is_over(pid: int) -> bool:
    """Whether a process has ended; one that only waits for its parent to hear of it has (proc(5), state Z)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def is_locked(config: Config) -> bool:
    try:
        with config.lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except PermissionError:
        need_root()
        raise
    except BlockingIOError:
        return True
    return False


def _holder(config: Config) -> int | None:
    """The daemon's process id, as long as it holds the lock."""
    if not is_locked(config):
        return None
    pid, _, _ = config.lock.read_text().partition(" ")
    return int(pid) if pid.isdigit() else None


def _must_be_ours(config: Config) -> None:
    """Refuse to wait for a daemon that keeps this state but serves at another port."""
    _, _, port = config.lock.read_text().partition(" ")
    if port and port != str(config.port):
        raise LocalCloudError(
            f"The local cloud of {config.state} runs already, at port {port}.",
            next_step=f"Set BAKEROLL_LOCAL_PORT={port}, or take it down: fab local.down",
        )


def must_be_there(config: Config, instance: str) -> None:
    """Raise LocalCloudError, with the nearest that live, where there is no instance of this id, dead or alive."""
    if instance not in (path.name for path in config.instances.glob("i-*")):
        living = [path.name for path in cgroup.of_cloud(config.bridge).glob("i-*")]
        what = f"There is no instance “{instance}” here." if instance else "Name an instance."
        raise LocalCloudError(f"{what} {nearest(instance, living)}", next_step="fab local.status")


def _await(done: Callable[[], bool], within: float, what: str) -> None:
    deadline = time.monotonic() + within
    while not done():
        if time.monotonic() > deadline:
            raise LocalCloudError(f"The local cloud {what} within {within:.0f} s.", next_step="fab local.logs")
        time.sleep(_POLL)


def need_root() -> None:
    """Raise LocalCloudError for anybody but root."""
    if os.geteuid():
        raise LocalCloudError(
            "The local cloud belongs to root.",
            next_step="Nothing was changed. Run the same command with sudo, or as root",
        )
