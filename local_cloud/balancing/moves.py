"""What a load balancer should be, where each of its targets is, and what is done with a target next. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from local_cloud.balancing.haproxy import (
    Layout,
    Server,
    Stat,
)
from local_cloud.balancing.target_health import Phase

Move = Literal["enter", "forget", "serve", "drain", "resume", "leave"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A load balancer as the API has it.

    `registered` holds each group's targets, `delays` each group's deregistration delay in seconds, `gone`
    the ids of targets whose machine runs no more. Where it `ends_idle`, draining is over when nothing is in flight.
    """

    name: str
    layout: Layout
    registered: Mapping[str, Mapping[str, Server]] = field(default_factory=dict)
    delays: Mapping[str, float] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    ends_idle: bool = False


@dataclass(slots=True)
class Place:
    """Where a target is; `until` ends its draining, on the clock's seconds."""

    server: Server
    phase: Phase
    until: float = 0


def next_move(
    place: Place | None, *, is_registered: bool, is_gone: bool, stat: Stat | None, now: float, is_drained: bool = False
) -> Move | None:
    """What happens to a target next."""
    if place is None:
        return "enter" if is_registered and not is_gone else None
    if place.phase == "new":
        if is_gone or not is_registered:
            return "forget"
        return "serve" if stat and stat.has_passed else None
    if is_gone:
        return "leave"
    if place.phase == "serving":
        return None if is_registered else "drain"
    if is_registered:
        return "resume"
    return "leave" if is_drained or now >= place.until else None


def target_of(server: str) -> str:
    """The target's id in a server's name, `ID:PORT`."""
    return server.rpartition(":")[0]
