"""Whether the cloud is up, and what its daemon says. Imports nothing heavy."""

import fcntl
import json
import os
import socket
from typing import Any

from local_cloud.config import Config
from local_cloud.errors import LocalCloudError

_CHUNK = 64 * 1024
_IN_CHUNKS = b"transfer-encoding: chunked"


def status(config: Config) -> dict[str, Any]:
    """What the daemon says of itself: pid, uptime in seconds, endpoint, images, instances, load balancers.

    Raises LocalCloudError where the cloud is down, or where it is up and does not answer.
    """
    said = ask(config)
    if said is None and (daemon := holder(config)):
        raise LocalCloudError(
            f"The local cloud is up (process {daemon}) but does not answer.",
            left="It keeps running.",
            next_step=f"Wait a moment and try again. Its log: {config.command}logs",
        )
    if said is None:
        raise LocalCloudError("The local cloud is down.", next_step=f"{config.command}up")
    return said


def ask(config: Config) -> dict[str, Any] | None:
    """What the daemon says of itself; None where no daemon of this cloud answers."""
    try:
        _, said = request(config, "GET", "/bakeroll/status")
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) and said.get("state") == str(config.state) else None


def request(config: Config, method: str, path: str, body: bytes = b"", patience: float = 5) -> tuple[int, Any]:
    """Ask the daemon for one page; return the status and the JSON of its answer.

    Raises OSError where nobody answers, ValueError for what is no such answer. It is HTTP by a bare socket: to import
    http.client takes longer than the answer does.
    """
    head = f"{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.socket() as connection:
        connection.settimeout(patience)
        connection.connect(("127.0.0.1", config.port))
        connection.sendall(head.encode() + body)
        answer = b"".join(iter(lambda: connection.recv(_CHUNK), b""))
    head_of_it, _, said = answer.partition(b"\r\n\r\n")
    version, _, status = head_of_it.partition(b" ")
    if not version.startswith(b"HTTP/"):
        raise ValueError("This is no answer by HTTP.")
    return int(status[:3]), json.loads(_whole(said) if _IN_CHUNKS in head_of_it.lower() else said)


def _whole(said: bytes) -> bytes:
    """What came in chunks (RFC 9112, 7.1), which werkzeug sends to whoever did not ask for them, too."""
    whole = b""
    while said:
        size, _, said = said.partition(b"\r\n")
        length = int(size, 16)
        whole, said = whole + said[:length], said[length + 2 :]
    return whole


def is_locked(config: Config) -> bool:
    """Whether a daemon of this cloud lives: it holds the lock as long as it does."""
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


def holder(config: Config) -> int | None:
    """The daemon's process id, as long as it holds the lock."""
    if not is_locked(config):
        return None
    pid, _, _ = config.lock.read_text().partition(" ")
    return int(pid) if pid.isdigit() else None


def need_root() -> None:
    """Raise LocalCloudError for anybody but root."""
    if os.geteuid():
        raise LocalCloudError(
            "The local cloud belongs to root.",
            left="Nothing was changed.",
            next_step="Run the same command as root or with sudo.",
        )
