"""Starts the cloud, stops it, and removes all that it held."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from local_cloud.client.asking import ask, holder, is_locked, need_root
from local_cloud.config import Config, Endpoint, endpoint, to_environment
from local_cloud.errors import LocalCloudError
from local_cloud.host import preflight
from local_cloud.host.sweep import sweep

Tell = Callable[[str], None]
READY_WITHIN = 900.0
"""Seconds; the first start downloads and builds the source image."""
_DOWN_WITHIN = 30.0
_POLL = 0.05
_KEPT = re.compile(
    r"PATH|HOME|TMPDIR|TZ|LANG|LC_\w+|LD_LIBRARY_PATH|PYTHON\w+|VIRTUAL_ENV|APT_CONFIG|SSL_CERT_\w+|(?i:\w+_proxy)"
)


def up(config: Config, tell: Tell) -> Endpoint:
    """Start the cloud unless it is up; return where it answers. `tell` gets what is being done.

    Raises LocalCloudError where it cannot run, before anything is changed, or where its daemon dies.
    """
    if ask(config) is None:
        if is_locked(config):
            _must_be_ours(config)
            tell("another process is starting the local cloud: waiting for it")
            _await(
                config, lambda: ask(config) is not None or not is_locked(config), READY_WITHIN, "did not become ready"
            )
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
    if pid := holder(config):
        tell("stopping the local cloud")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        try:
            _await(config, lambda: not is_locked(config) and _is_over(pid), _DOWN_WITHIN, "did not stop")
        except LocalCloudError:
            tell("it does not stop: killing it")
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            _await(config, lambda: not is_locked(config), _DOWN_WITHIN, "does not end")
    if left := sweep(config):
        raise LocalCloudError(f"The local cloud is down, but it left this behind: {', '.join(left)}.")


def held(config: Config, *, cache: bool = False) -> list[Path]:
    """The directories that `reset` deletes and that hold something. Raises LocalCloudError for another program's."""
    directories = _directories(config, cache=cache)
    for directory in directories:
        if preflight.is_foreign(directory):
            raise LocalCloudError(
                f"{directory} holds other things than a local cloud.",
                left="Nothing was removed.",
                next_step="Check BAKEROLL_LOCAL_STATE and BAKEROLL_LOCAL_CACHE.",
            )
    return [directory for directory in directories if directory.is_dir() and any(directory.iterdir())]


def reset(config: Config, tell: Tell, *, cache: bool = False) -> None:
    """Stop the cloud and delete all that it held; with `cache`, the source image too."""
    held(config, cache=cache)
    down(config, tell)
    for directory in _directories(config, cache=cache):
        tell(f"removing {directory}")
        if directory.exists():
            subprocess.run(["rm", "-rf", "--one-file-system", str(directory)], check=True)


def _directories(config: Config, *, cache: bool) -> tuple[Path, ...]:
    return (config.state, config.cache) if cache else (config.state,)


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
        left="The next start removes what this one began.",
        next_step=f"{config.command}up",
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
    """What the daemon needs of the caller's environment. It outlives the caller, and must not keep its secrets."""
    return {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}


def _is_ready(said: Iterable[str], config: Config, tell: Tell) -> bool:
    """Pass on what the daemon says until it is ready. Return False if it ends without a word; raise what it reports."""
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
    """Where the daemon finds this very package, also when it is not installed."""
    return [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]


def _shorten(log: Path, limit: int = 10 * 1024 * 1024) -> None:
    if log.exists() and log.stat().st_size > limit:
        shutil.move(log, log.with_suffix(".log.1"))


def _must_be_ours(config: Config) -> None:
    """Raise LocalCloudError for a daemon that keeps this state but serves at another port."""
    _, _, port = config.lock.read_text().partition(" ")
    if port and port != str(config.port):
        raise LocalCloudError(
            f"The local cloud of {config.state} already runs, at port {port}.",
            next_step=f"Set BAKEROLL_LOCAL_PORT={port}, or stop it: {config.command}down",
        )


def _await(config: Config, done: Callable[[], bool], within: float, what: str) -> None:
    deadline = time.monotonic() + within
    while not done():
        if time.monotonic() > deadline:
            raise LocalCloudError(f"The local cloud {what} within {within:.0f} s.", next_step=f"{config.command}logs")
        time.sleep(_POLL)


def _is_over(pid: int) -> bool:
    """Whether a process has ended. A zombie has (proc(5), state Z)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True
