"""What the cloud in memory is made of: how instances behave, machines, targets, groups and their refreshes."""

from dataclasses import dataclass, field

from bakeroll.fleet import Group, Instance, RefreshState

TEMPLATE = "lt-1"
NAME = "links-dev"
ADDRESS = "10.0."
"""An instance's address is this and its id."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What instances of an image do. Times are seconds after the launch, or after registration.

    `crashes`: so many seconds pass from one failure of its service to the next, which its console tells.
    """

    version: str = ""
    boots: float = 2
    healthy: float = 1
    is_sick: bool = False
    dies: float | None = None
    crashes: float | None = None
    state: str = "available"
    architecture: str = "x86_64"


UNKNOWN = Behaviour()


@dataclass(slots=True)
class Machine:
    instance: Instance
    launched: float
    token: str = ""
    ends: float | None = None
    ended: float = 0
    protected: bool = False


@dataclass(slots=True)
class Target:
    since: float
    drains: float | None = None


@dataclass(slots=True)
class Squad:
    """A group with the lifecycle state of each member, and since when it has too few or too many.

    `gone` are members that were terminated: EC2 goes on showing them for a while, the group's tag with them. `warm`
    are the instances of its warm pool by the version that they were launched from; it keeps `pool` of them, stopped.
    """

    group: Group
    lifecycles: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    short: float | None = None
    changed: float = 0
    warm: dict[str, str] = field(default_factory=dict)
    pool: int = 0

    @property
    def members(self) -> list[str]:
        return [each for each, state in self.lifecycles.items() if not state.startswith(("Terminating", "Standby"))]


@dataclass(slots=True)
class RunningRefresh:
    """An instance refresh that the group does by itself: `ends` is how it will end, if not by success."""

    state: RefreshState
    group: str
    version: str
    ends: str = ""
