"""The state of the API, kept across restarts and SIGKILL.

The backends are pickled into one file, which is written whole and renamed into place. The values of S3's objects are
files of their own, named by their SHA-256 and written once. The file is this machine's own and of the very
moto that wrote it; nothing else is ever unpickled.
"""

import copyreg
import hashlib
import io
import logging
import pickle
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

# moto's objects refer to each other in long chains, and pickle follows them one call deeper each time.
_STACK = 512 * 1024 * 1024
_DEPTH = 200_000
_ATTEMPTS = 20
# Where what a state refers to by name is now.
_MOVED = {
    "bakeroll.local.autoscaling_hooks": "local_cloud.hooks.groups",
    "bakeroll.local.refresh": "local_cloud.scaling.refresh",
    "bakeroll.local.state": "local_cloud.daemon.state",
}

log = logging.getLogger(__name__)


class State:
    """Writes what `collect` returns whenever it has changed, and reads it back. `large`: the class of S3's objects."""

    def __init__(self, directory: Path, collect: Callable[[], Any], large: type[Any]) -> None:
        self._directory, self._collect, self._large = directory, collect, large
        self._objects = directory / "objects"
        self._path = directory / "state.pickle"
        self._condition = threading.Condition()
        self._changed = self._saved = 0
        self._failure: OSError | None = None
        self._is_started = self._stopped = False
        self._names: set[str] = set()

    @property
    def failure(self) -> str:
        """Why the last attempt to write failed; empty when it did not."""
        return str(self._failure or "")

    def load(self) -> Any:
        """What was last written; None on the first start."""
        self._objects.mkdir(parents=True, exist_ok=True)
        return _Reader(io.BytesIO(self._path.read_bytes())).load() if self._path.exists() else None

    def start(self) -> None:
        self._is_started = True
        sys.setrecursionlimit(_DEPTH)
        before = threading.stack_size(_STACK)
        try:
            threading.Thread(target=self._write_changes, name="state", daemon=True).start()
        finally:
            threading.stack_size(before)

    def stop(self) -> None:
        """Write the last changes; none where it was never started, for what is there may not have been read."""
        if not self._is_started:
            return
        self.save()
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def changed(self) -> None:
        """Something has changed: it is written soon."""
        with self._condition:
            self._changed += 1
            self._condition.notify_all()

    def save(self) -> None:
        """Return when all that has changed until now is written. Raises OSError where it cannot be (a full disk)."""
        with self._condition:
            self._changed += 1
            wanted = self._changed
            self._condition.notify_all()
            self._condition.wait_for(lambda: self._saved >= wanted)
            if self._failure:
                raise self._failure

    def _write_changes(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._stopped or self._changed > self._saved)
                if self._stopped:
                    return
                wanted = self._changed
            try:
                self._write()
                self._failure = None
            except Exception as error:  # whatever it is, whoever waits is to hear of it
                log.exception("the state cannot be written")
                self._failure = error if isinstance(error, OSError) else OSError(f"{type(error).__name__}: {error}")
            with self._condition:
                self._saved = wanted
                self._condition.notify_all()

    def _write(self) -> None:
        draft = self._path.with_suffix(".draft")
        try:
            draft.write_bytes(self._dump())
            draft.rename(self._path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        for path in self._objects.iterdir():
            if path.name not in self._names:
                path.unlink()

    def _dump(self) -> bytes:
        for attempt in range(_ATTEMPTS):
            self._names = set()
            buffer = io.BytesIO()
            pickler = pickle.Pickler(buffer, protocol=5)
            pickler.dispatch_table = copyreg.dispatch_table | {self._large: self._reduce}
            try:
                pickler.dump(self._collect())
                return buffer.getvalue()
            except RuntimeError as error:  # a dictionary grew while it was read: read again
                if attempt + 1 == _ATTEMPTS or isinstance(error, RecursionError):
                    raise OSError(f"pickle: {error}") from error
        raise AssertionError

    def _reduce(self, thing: Any) -> tuple[Any, ...]:
        """How an object of S3 is pickled: its value by the name of a file, the rest as it is."""
        name = thing.__dict__.get("_kept_as")
        if not name or not (self._objects / name).exists():
            name = thing._kept_as = self._keep(_value(thing))  # noqa: SLF001 (our own mark on it)
        self._names.add(name)
        state = {key: value for key, value in thing.__dict__.items() if key not in ("_value_buffer", "lock")}
        return copyreg.__newobj__, (type(thing),), state | {"value": _OnDisk(self._objects / name)}  # type: ignore[attr-defined]

    def _keep(self, value: bytes) -> str:
        name = hashlib.sha256(value).hexdigest()
        draft = self._objects / f"{name}.draft"
        draft.write_bytes(value)
        draft.rename(self._objects / name)
        return name


class _Reader(pickle.Unpickler):
    """Reads what was written under the names that modules had then. It is our own file."""

    def find_class(self, module: str, name: str) -> Any:
        return super().find_class(_MOVED.get(module, module), name)


class _OnDisk:
    """Stands in a pickle for the content of a file, which is what comes out again."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return _read, (self._path,)


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def _value(thing: Any) -> bytes:
    try:
        value: bytes = thing.value
    except ValueError:  # deleted meanwhile: its buffer is closed
        return b""
    return value
