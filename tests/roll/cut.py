"""Ports that end a process at its k-th call, before or after the effect of the call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bakeroll.roll.ports import Ports


class Killed(BaseException):
    """A SIGKILL. The process has no effect from then on."""


@dataclass
class Cut:
    """Counts the calls of a process and ends it at one of them. `watch` runs before and after every call."""

    at: int | None = None
    has_effect: bool = False
    error: Callable[[], BaseException] = Killed
    watch: Callable[[], None] = lambda: None
    is_dead: bool = False
    calls: list[str] = field(default_factory=list)

    def ports(self, ports: Ports) -> Ports:
        names = ("scaling", "machines", "templates", "balancers", "table", "probes")
        return Ports(**{name: _Port(getattr(ports, name), self) for name in names}, ask=_Port(ports.ask, self))

    def around(self, name: str, method: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if self.is_dead:
            raise Killed
        self.calls.append(name)
        if len(self.calls) == self.at and not self.has_effect:
            raise self._ended()
        self.watch()
        answer = method(*args, **kwargs)
        self.watch()
        if len(self.calls) == self.at:
            raise self._ended()
        return answer

    def _ended(self) -> BaseException:
        error = self.error()
        self.is_dead = isinstance(error, Killed)
        return error


class _Port:
    def __init__(self, port: Any, cut: Cut) -> None:
        self._port, self._cut = port, cut

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        return lambda *args, **kwargs: self._cut.around(name, method, args, kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._cut.around("ask", self._port, args, kwargs)
