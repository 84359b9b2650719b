"""haproxy: what it is configured to do, the process, and its runtime API.

Owns the configuration file, the process and the words of the socket. Which target is where, and when it
moves, is the balancer's (balancer.py).

Each target group is two backends: its own, which gets traffic, and `new:NAME`, which gets none and where
a target is checked at short intervals until it passes once. A server of haproxy 2.6 counts as up before its
first check, so a new one must not enter the backend that serves.
"""

import contextlib
import csv
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from local_cloud.errors import LocalCloudError

Mode = Literal["http", "tcp"]

SOCKET = "sock"
"""Of the runtime API, in the directory in which haproxy runs: the path of a socket has 107 bytes (unix(7))."""
STATS_OF_SERVERS = "show stat -1 4 -1"
NEW_TARGET_INTERVAL_MS = 100
_IN_A_PATH = "/?&=%+,;:@!()*~"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How the targets of a group are checked. `path` is empty for a TCP check; `codes` is an AWS matcher
    such as “200,301-304”, which haproxy reads as it is; `port` is None for the traffic port."""

    path: str
    codes: str
    interval_ms: int
    timeout_ms: int
    healthy_threshold: int
    unhealthy_threshold: int
    port: int | None = None


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """How the targets of one group are reached and checked."""

    name: str
    mode: Mode
    check: HealthCheck


@dataclass(frozen=True, slots=True)
class Listener:
    """A port, and the target groups it forwards to by weight."""

    port: int
    mode: Mode
    forwards: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """All of a load balancer whose change needs a reload."""

    address: str
    listeners: tuple[Listener, ...]
    groups: tuple[TargetGroup, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """A target as haproxy knows it; `name` is `ID:PORT`."""

    name: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Stat:
    """What haproxy says of a server: its status (“UP 1/3”), the last check and the streams in flight."""

    status: str
    check: str
    code: int
    in_flight: int

    @property
    def is_up(self) -> bool:
        return self.status.startswith("UP")

    @property
    def has_passed(self) -> bool:
        return self.check in ("L7OK", "L4OK")


def waiting_room(group: str) -> str:
    """The backend in which new targets of `group` are checked."""
    return f"new:{group}"


def render(layout: Layout, serving: Mapping[str, Iterable[Server]]) -> str:
    """The configuration file, with the servers of each group that must go on serving over a reload."""
    parts = [_preamble()]
    parts += [_frontend(layout.address, listener) for listener in layout.listeners]
    for group in layout.groups:
        servers = [
            f"  server {server.name} {check_words(server, group.check)}" for server in serving.get(group.name, ())
        ]
        parts.append("\n".join([_backend(group.name, group), *servers]))
        parts.append(_backend(waiting_room(group.name), group))
    return "\n\n".join(parts) + "\n"


def check_words(server: Server, check: HealthCheck, *, is_new: bool = False) -> str:
    """What follows a server's name: its address and how it is checked. A new one needs one pass, soon."""
    inter = min(NEW_TARGET_INTERVAL_MS, check.interval_ms) if is_new else check.interval_ms
    rise = 1 if is_new else check.healthy_threshold
    port = f" port {check.port}" if check.port else ""
    return f"{server.address}:{server.port} check{port} inter {inter}ms fall {_fall(check, inter)} rise {rise}"


def adding(name: str, check: str) -> str:
    """Commands that add the server `name` (BACKEND/SERVER) and have it checked as `check` says."""
    return f"add server {name} {check}; enable health {name}; enable server {name}"


def removing(name: str) -> str:
    """Commands that remove the server `name`, whatever it still does."""
    return f"set server {name} state maint; shutdown sessions server {name}; del server {name}"


def _fall(check: HealthCheck, inter_ms: int) -> int:
    """As many failures as make the unhealthy threshold's time at this interval; haproxy takes 255 at most."""
    return min(255, max(1, check.unhealthy_threshold * check.interval_ms // inter_ms))


def _preamble() -> str:
    # conn-failure is retried and nothing else: retrying what a target has begun would hide a missing drain.
    # http-server-close: no idle connection to a target is kept, so none is lost when the target goes.
    return f"""global
  stats socket unix@{SOCKET} mode 600 level admin expose-fd listeners
  nbthread 1
  maxconn 4000
  hard-stop-after 120s

defaults
  timeout connect 500ms
  timeout client 60s
  timeout server 60s
  retries 3
  retry-on conn-failure
  option redispatch 1
  option idle-close-on-response"""


def _frontend(address: str, listener: Listener) -> str:
    lines = [f"frontend listener:{listener.port}", f"  mode {listener.mode}"]
    if listener.mode == "http":
        lines += ["  option http-server-close", "  option forwardfor"]
    lines.append(f"  bind {address}:{listener.port}")
    rest = sum(weight for _, weight in listener.forwards)
    for group, weight in listener.forwards[:-1]:
        lines.append(f"  use_backend {group} if {{ rand({rest}) lt {weight} }}")
        rest -= weight
    lines.append(f"  default_backend {listener.forwards[-1][0]}")
    return "\n".join(lines)


def _backend(name: str, group: TargetGroup) -> str:
    check = group.check
    lines = [f"backend {name}", f"  mode {group.mode}", "  balance roundrobin", f"  timeout check {check.timeout_ms}ms"]
    if group.mode == "http":
        lines.append("  option http-server-close")
    if check.path:
        path = quote(check.path, safe=_IN_A_PATH)
        lines += [
            "  option httpchk",
            f"  http-check send meth GET uri {path} ver HTTP/1.1 hdr Host {group.name}"
            " hdr User-Agent ELB-HealthChecker/2.0 hdr Connection close",
            f"  http-check expect status {re.sub('[^0-9,-]', '', check.codes)}",
        ]
    return "\n".join(lines)


class Haproxy:
    """One haproxy, its files in `directory`: haproxy.cfg, haproxy.log and its socket. `adopt` gets the id
    of each process, so that it is found again if this one is killed."""

    def __init__(self, directory: Path, adopt: Callable[[int], None]) -> None:
        self.directory = directory
        self._adopt = adopt
        self._running: subprocess.Popen[bytes] | None = None
        self._finishing: list[subprocess.Popen[bytes]] = []

    @property
    def is_running(self) -> bool:
        return self._running is not None and self._running.poll() is None

    @property
    def is_finishing(self) -> bool:
        """Whether one that was reloaded still answers requests of before; what they are, nobody can ask."""
        self._finishing = [each for each in self._finishing if each.poll() is None]
        return bool(self._finishing)

    def load(self, config: str) -> None:
        """Start with `config`, or go over to it: the one before hands its sockets on and ends when it has
        answered what it has begun. Raises LocalCloudError where it cannot be; then the one before goes on."""
        self.directory.mkdir(parents=True, exist_ok=True)
        file = self.directory / "haproxy.cfg"
        file.write_text(config)
        before = self._running if self.is_running else None
        handover = ["-x", SOCKET, "-sf", str(before.pid)] if before else []
        # "-sf" takes all words that follow it for process ids, so it comes last.
        with (self.directory / "haproxy.log").open("ab") as log:
            argv = ["haproxy", "-db", "-f", str(file.absolute()), *handover]
            process = subprocess.Popen(
                argv, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._adopt(process.pid)
        try:
            self._await_socket(process)
        except LocalCloudError:
            process.kill()
            process.wait()
            raise
        self._finishing = [each for each in (*self._finishing, before) if each and each.poll() is None]
        self._running = process

    def _await_socket(self, process: subprocess.Popen[bytes], patience: float = 5) -> None:
        give_up = time.monotonic() + patience
        while time.monotonic() < give_up:
            with contextlib.suppress(OSError, ValueError):
                if int(_value(self.command("show info"), "Pid")) == process.pid:
                    return
            if process.poll() is not None:
                break
            time.sleep(0.01)
        log = self.directory / "haproxy.log"
        raise LocalCloudError(f"haproxy did not start with {self.directory / 'haproxy.cfg'}.", log=log)

    def command(self, words: str) -> str:
        """What the runtime API answers to `words`, commands separated by “;”."""
        with socket.socket(socket.AF_UNIX) as connection, self._open_directory() as directory:
            connection.settimeout(5)
            connection.connect(f"/proc/self/fd/{directory}/{SOCKET}")
            connection.sendall(words.encode() + b"\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode().strip()

    @contextlib.contextmanager
    def _open_directory(self) -> Iterator[int]:
        """A descriptor, by which the socket has a short path, however long the directory's is."""
        directory = os.open(self.directory, os.O_PATH | os.O_DIRECTORY)
        try:
            yield directory
        finally:
            os.close(directory)

    def stats(self) -> dict[tuple[str, str], Stat]:
        """What is known of each server, by backend and name."""
        rows = csv.DictReader(self.command(STATS_OF_SERVERS).removeprefix("# ").splitlines())
        return {(row["pxname"], row["svname"]): _stat(row) for row in rows}

    def stop(self) -> None:
        """End at once, the ones that still finish something too."""
        processes = [each for each in (*self._finishing, self._running) if each and each.poll() is None]
        for process in processes:
            process.terminate()
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()
        self._running, self._finishing = None, []


def _stat(row: Mapping[str, str]) -> Stat:
    in_flight = int(row["scur"] or 0) + int(row["qcur"] or 0)
    return Stat(row["status"], row["check_status"].removeprefix("* "), int(row["check_code"] or 0), in_flight)


def _value(info: str, key: str) -> str:
    return next((line.partition(": ")[2] for line in info.splitlines() if line.startswith(f"{key}: ")), "")
