"""The parts of the cloud in memory: machines, targets, groups, refreshes, and how instances behave."""

from dataclasses import dataclass, field

from bakeroll.fleet import Group, Instance, RefreshState

TEMPLATE = "lt-1"
NAME = "links-dev"
ADDRESS = "10.0."
"""The address of an instance consists of this and its id."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What instances of an image do. Times are in seconds."""

    version: str = ""
    boots: float = 2
    """When it runs, after its launch."""
    healthy: float = 1
    """When its target is healthy, after its registration."""
    is_sick: bool = False
    """Whether its target never becomes healthy."""
    dies: float | None = None
    """When it dies, after its launch."""
    crashes: float | None = None
    """How long it takes from one failure of its service to the next. Its console reports each failure."""
    state: str = "available"
    architecture: str = "x86_64"


UNKNOWN = Behaviour()


@dataclass(slots=True)
class Machine:
    """An instance as EC2 has it. Times are those of the cloud."""

    instance: Instance
    launched: float
    token: str = ""
    """The token of the request that launched it."""
    ends: float | None = None
    """When it ends, if it is being terminated."""
    ended: float = 0
    """When its state last changed."""
    protected: bool = False


@dataclass(slots=True)
class Target:
    """A registered target."""

    since: float
    """When it was registered."""
    drains: float | None = None
    """Since when it drains."""


@dataclass(slots=True)
class Squad:
    """A group with its members and its warm pool."""

    group: Group
    lifecycles: dict[str, str] = field(default_factory=dict)
    """The lifecycle state of each member."""
    gone: list[str] = field(default_factory=list)
    """Terminated members. EC2 still shows them, with the group's tag."""
    short: float | None = None
    """Since when the group has too few or too many members, or unbalanced zones."""
    warm: dict[str, str] = field(default_factory=dict)
    """The instances of the warm pool, and the version that each was launched from."""
    pool: int = 0
    """How many stopped instances the warm pool keeps."""

    @property
    def members(self) -> list[str]:
        """The members that count towards desired capacity."""
        return [each for each, state in self.lifecycles.items() if not state.startswith(("Terminating", "Standby"))]


@dataclass(slots=True)
class RunningRefresh:
    """An instance refresh of a group. `ends` is the status in which it ends. Empty for success."""

    state: RefreshState
    group: str
    version: str
    ends: str = ""
