"""The actions of a roll, as frozen data. `run/perform.py` carries them out.

An action with a field `expected` changes nothing if the group's value is another one by then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bakeroll.fleet import TargetGroup

FROZEN = ("AZRebalance", "AlarmNotification", "HealthCheck", "Launch", "ReplaceUnhealthy", "ScheduledActions")
"""A blue-green roll suspends these processes in the group that it switched away from.

That group then neither grows, shrinks nor replaces instances.
"""


@dataclass(frozen=True, slots=True)
class MakeVersion:
    """Make a launch template version: a copy of `source` with another image."""

    template: str
    source: str
    image: str


@dataclass(frozen=True, slots=True)
class FindVersions:
    """Find the versions that `rolls` may have made if the answers to their requests were lost."""

    template: str
    rolls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suspend:
    """Suspend these processes of the fleet's group."""

    processes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resume:
    """Resume these processes of `group`. An empty name means the fleet's own group."""

    processes: tuple[str, ...]
    group: str = ""


@dataclass(frozen=True, slots=True)
class Launch:
    """Launch the instances of the record's slot with this number."""

    slot: int
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Register:
    """Register targets. They are instance ids, or addresses if the type of the target group is `ip`."""

    group: TargetGroup
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deregister:
    """Deregister targets, which are named as in `Register`."""

    group: TargetGroup
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetMaximum:
    """Set the maximum size."""

    expected: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Attach:
    """Attach running instances to the group, which raises desired capacity by as many."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RaiseDesired:
    """Raise desired capacity, so that the group launches more."""

    expected: int
    desired: int


@dataclass(frozen=True, slots=True)
class LowerDesired:
    """Take back desired capacity that the roll added and no instance fills."""

    expected: int
    desired: int


@dataclass(frozen=True, slots=True)
class SetTemplate:
    """Set what the group launches from. This is the commit point of a roll, or its undoing."""

    expected: str
    version: str


@dataclass(frozen=True, slots=True)
class Retire:
    """Terminate a member. With `decrement`, the group does not replace it.

    `desired` is desired capacity before that.
    """

    id: str
    decrement: bool
    desired: int


@dataclass(frozen=True, slots=True)
class StandBy:
    """Put members into Standby: alive and out of service. With `decrement`, the group does not replace them."""

    ids: tuple[str, ...]
    decrement: bool


@dataclass(frozen=True, slots=True)
class Return:
    """Return instances from Standby to service. Desired capacity grows by as many."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terminate:
    """Terminate instances that are not in the group."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cool:
    """Terminate those of the instances that are still in the warm pool. The group then fills the pool again."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeleteVersion:
    """Delete a launch template version that this roll made and that the group does not refer to."""

    template: str
    version: str


@dataclass(frozen=True, slots=True)
class StartRefresh:
    """Start AWS's instance refresh to this launch template version."""

    template: str
    version: str


@dataclass(frozen=True, slots=True)
class CancelRefresh:
    """Stop the instance refresh that is in progress."""


@dataclass(frozen=True, slots=True)
class Clone:
    """Make the second group: a copy of the fleet's group that is empty and launches from another version."""

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
    """Make `to` the fleet's group in place of `group`. This is the commit point of a blue-green roll, or its undoing.

    From then on, only the processes `suspended` are suspended in `to`.
    """

    group: str
    to: str
    suspended: tuple[str, ...]

    @property
    def resumed(self) -> tuple[str, ...]:
        """The processes of `to` that the switch resumes."""
        return tuple(each for each in (*FROZEN, "AddToLoadBalancer") if each not in self.suspended)


@dataclass(frozen=True, slots=True)
class DeleteTwin:
    """Delete the second group and everything that belongs to it."""

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
