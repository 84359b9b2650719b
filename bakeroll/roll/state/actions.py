"""What a roll can do: verbs as frozen data. `perform` does them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bakeroll.fleet import TargetGroup

FROZEN = ("AZRebalance", "AlarmNotification", "HealthCheck", "Launch", "ReplaceUnhealthy", "ScheduledActions")
"""Suspended in the group that a blue-green roll switched away from: it neither grows, shrinks nor replaces."""


@dataclass(frozen=True, slots=True)
class MakeVersion:
    """Make a launch template version: `source` with another image."""

    template: str
    source: str
    image: str


@dataclass(frozen=True, slots=True)
class FindVersions:
    """Find the versions that `rolls` may have made without having heard of it."""

    template: str
    rolls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suspend:
    processes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resume:
    """`group` is the fleet's own where it is not named."""

    processes: tuple[str, ...]
    group: str = ""


@dataclass(frozen=True, slots=True)
class Launch:
    """Launch the instances of one of the record's slots."""

    slot: int
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Register:
    """`targets` are ids, or addresses where the group's targets are those."""

    group: TargetGroup
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deregister:
    group: TargetGroup
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetMaximum:
    """Set the maximum size, where it still is `seen`."""

    seen: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Attach:
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RaiseDesired:
    """Have the group launch more, where desired capacity still is `seen`."""

    seen: int
    desired: int


@dataclass(frozen=True, slots=True)
class LowerDesired:
    """Take back desired capacity that the roll added and no instance fills, where it still is `seen`."""

    seen: int
    desired: int


@dataclass(frozen=True, slots=True)
class SetTemplate:
    """The commit point, or its undoing: what the group launches from now on, where it still is `seen`."""

    seen: str
    version: str


@dataclass(frozen=True, slots=True)
class Retire:
    """Terminate a member; with `decrement` the group does not replace it. `seen` is desired capacity before that."""

    id: str
    decrement: bool
    seen: int


@dataclass(frozen=True, slots=True)
class StandBy:
    """Keep members alive, out of service; with `decrement` the group does not replace them."""

    ids: tuple[str, ...]
    decrement: bool


@dataclass(frozen=True, slots=True)
class Return:
    """Bring back those that stand by; desired capacity grows by as many."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terminate:
    """Terminate instances that are not in the group."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cool:
    """Terminate instances of the warm pool, those that are still in it; the group launches others into it."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeleteVersion:
    """Delete a launch template version that this roll made and the group does not refer to."""

    template: str
    version: str


@dataclass(frozen=True, slots=True)
class StartRefresh:
    """Hand the work to AWS's instance refresh, to this launch template version."""

    template: str
    version: str


@dataclass(frozen=True, slots=True)
class CancelRefresh:
    """Stop the instance refresh that is in progress."""


@dataclass(frozen=True, slots=True)
class Clone:
    """Make the twin: a group like the fleet's, with no instance yet, launching from another version."""

    twin: str
    version: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Size:
    """Set the sizes of one of the two groups of a blue-green roll."""

    group: str
    minimum: int
    desired: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Switch:
    """The commit point of a blue-green roll, or its undoing: `to` takes over from `group` and is the fleet's then.

    Of its processes only `suspended` are that from then on.
    """

    group: str
    to: str
    suspended: tuple[str, ...]

    @property
    def resumed(self) -> tuple[str, ...]:
        """The processes of `to` that had to wait until then."""
        return tuple(each for each in (*FROZEN, "AddToLoadBalancer") if each not in self.suspended)


@dataclass(frozen=True, slots=True)
class DeleteTwin:
    """Delete the twin and what it has."""

    twin: str


Action: TypeAlias = (
    MakeVersion
    | FindVersions
    | Suspend
    | Resume
    | Launch
    | Register
    | Deregister
    | SetMaximum
    | Attach
    | RaiseDesired
    | LowerDesired
    | SetTemplate
    | Retire
    | StandBy
    | Return
    | Terminate
    | Cool
    | DeleteVersion
    | StartRefresh
    | CancelRefresh
    | Clone
    | Size
    | Switch
    | DeleteTwin
)
