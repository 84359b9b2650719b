"""The vocabulary of a fleet: what an observation of it holds. Frozen data; no input or output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

DRAINING = frozenset({"draining", "unhealthy.draining"})
"""States of a target that finishes what it has begun and is given nothing new."""
COUNTED = ("Pending", "InService")
"""Lifecycle states that desired capacity counts."""
ROLL_TAG = "bakeroll:roll"
SLOT_TAG = "bakeroll:slot"
VERSION_TAG = "bakeroll:version"
LAUNCH_TAG = "bakeroll:launch"
"""A launch template version gives it to its instances: the digest of all that they are launched from."""
HOLD_TAG = "bakeroll:hold"
"""A group with this tag is not rolled; its value tells people why."""


def identity(image: str, launch: str) -> str:
    """What instances and releases are compared by: the digest of all that they are launched from, else the image."""
    return launch or image


@dataclass(frozen=True, slots=True)
class Health:
    """What a target group says of a target, in AWS's words: healthy, initial, unhealthy, draining, unused …"""

    state: str
    reason: str = ""
    description: str = ""

    def __str__(self) -> str:
        said = " ".join(word for word in (self.reason, self.description) if word)
        return f"{self.state}, {said}" if said else self.state


@dataclass(frozen=True, slots=True)
class Answer:
    """What an instance itself said of its version, or why nothing was heard."""

    version: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """A target group, or a classic load balancer: then `type` is "classic" and `arn` its name.

    Targets are instances by their id; where `type` is "ip", by their private address.
    """

    arn: str
    name: str
    port: int
    type: str = "instance"

    def target(self, instance: "Instance") -> str:
        """What the group calls the instance."""
        return instance.address if self.type == "ip" else instance.id


@dataclass(frozen=True, slots=True)
class Subnet:
    id: str
    zone: str


LaunchesFrom = Literal["launch template", "mixed instances policy", "launch configuration"]
LAUNCH_CONFIGURATION = "launch-configuration"
"""In the place of a launch template's id: versions are then the names of launch configurations."""


@dataclass(frozen=True, slots=True)
class Group:
    """An Auto Scaling group as it describes itself; `lifecycles` is the state of each member by id.

    `launches_from` says what it launches from: its launch template, a mixed instances policy (`template` and
    `template_version` are then that policy's) or a launch configuration (`template` is then LAUNCH_CONFIGURATION and
    `template_version` its name). `conflict` says why another image cannot be set, such as an override with a
    launch template of its own. `hold` is the value of its tag `bakeroll:hold`, None where it has none.
    `deletion_protection` is AWS's word: none, prevent-force-deletion or prevent-all-deletion.
    """

    name: str
    minimum: int
    maximum: int
    desired: int
    template: str
    template_version: str
    suspended: frozenset[str] = frozenset()
    subnets: tuple[str, ...] = ()
    target_groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    lifecycles: Mapping[str, str] = field(default_factory=dict)
    launches_from: LaunchesFrom = "launch template"
    conflict: str = ""
    is_deleting: bool = False
    has_warm_pool: bool = False
    classic_balancers: tuple[str, ...] = ()
    hold: str | None = None
    deletion_protection: str = "none"

    @property
    def size(self) -> int:
        """How many instances its desired capacity counts."""
        return sum(1 for state in self.lifecycles.values() if state.startswith(COUNTED))


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """A launch template version: its number, also where it was asked for as `$Latest`, and its image.

    `launch` is the LAUNCH_TAG that it gives its instances, empty where it gives none.
    """

    number: str
    image: str
    launch: str = ""


@dataclass(frozen=True, slots=True)
class Warm:
    """An instance in the group's warm pool, and what it was launched from: no member, and in no load balancer."""

    id: str
    template: str
    template_version: str


@dataclass(frozen=True, slots=True)
class ImageState:
    """What decides whether an image can be launched, in EC2's words."""

    state: str
    architecture: str


@dataclass(frozen=True, slots=True)
class Slot:
    """Instances to launch by one request, all or none. `token` makes a repeated request launch nothing twice."""

    token: str
    template: str
    template_version: str
    subnet: Subnet
    tags: Mapping[str, str]
    count: int = 1


@dataclass(frozen=True, slots=True)
class RefreshState:
    """An instance refresh of the group's, in AWS's words; `percent` is how much of it is done."""

    id: str
    status: str
    reason: str = ""
    percent: int = 0
    version: str = ""

    @property
    def is_over(self) -> bool:
        return self.status in ("Successful", "Failed", "Cancelled", "RollbackFailed", "RollbackSuccessful")


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance of the fleet: in the group, or launched by a roll and not attached yet.

    `lifecycle` is the group's LifecycleState, empty where the instance is not in the group; `health` is
    by target group, which is left out where the instance is not registered. `is_in_twin`: it is in the second group
    of a blue-green roll, and `lifecycle` is empty unless it is leaving that. Where `image` is empty, the group names
    the instance and EC2 does not show it yet.
    """

    id: str
    image: str
    zone: str = ""
    address: str = ""
    state: str = "running"
    lifecycle: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    health: Mapping[str, Health] = field(default_factory=dict)
    answer: Answer | None = None
    is_in_twin: bool = False

    @property
    def identity(self) -> str:
        """What it was launched from; empty where EC2 does not show it yet."""
        return identity(self.image, self.tags.get(LAUNCH_TAG, ""))

    @property
    def is_alive(self) -> bool:
        return self.state in ("pending", "running")

    @property
    def is_member(self) -> bool:
        """Whether the group's desired capacity counts it."""
        return self.lifecycle.startswith(COUNTED)

    @property
    def is_starting(self) -> bool:
        """Whether nobody gives it work yet: it is on its way into the group, or stands beside it."""
        return self.is_alive and (not self.lifecycle or self.lifecycle.startswith("Pending"))

    @property
    def is_standing_by(self) -> bool:
        """Out of service in its group, alive and not counted: on its way there, too."""
        return self.lifecycle in ("Standby", "EnteringStandby")

    @property
    def is_registered(self) -> bool:
        """Whether any balancer may send it something new."""
        return any(each.state not in DRAINING and each.state != "unused" for each in self.health.values())

    def is_healthy_in(self, arns: Sequence[str]) -> bool:
        states = [self.health.get(each) for each in arns]
        return all(each is not None and each.state == "healthy" for each in states)

    @property
    def is_draining(self) -> bool:
        return any(each.state in DRAINING for each in self.health.values())


@dataclass(frozen=True)
class Fleet:
    """An Auto Scaling group with its instances and balancers at one moment.

    `template_version` is as the group names it (a number, `$Latest` or `$Default`), `template_number` its number;
    `image` is what that version launches, `launch` its LAUNCH_TAG. `tags` are those that the group gives what it
    launches. `refresh` is the newest instance refresh and `twin` the second group of a blue-green roll, where these
    were looked at. `warm` are those in the group's warm pool. `forsaken` are instances that ended, and whose address a
    target group still has: their `health` is there, and nothing else of them is known.
    """

    name: str
    minimum: int
    maximum: int
    desired: int
    template: str
    template_version: str
    image: str
    template_number: str = ""
    suspended: frozenset[str] = frozenset()
    subnets: tuple[Subnet, ...] = ()
    target_groups: tuple[TargetGroup, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    instances: tuple[Instance, ...] = ()
    refresh: RefreshState | None = None
    twin: Group | None = None
    warm: tuple[Warm, ...] = ()
    launch: str = ""
    forsaken: tuple[Instance, ...] = ()

    @property
    def identity(self) -> str:
        """What the group launches."""
        return identity(self.image, self.launch)

    @property
    def stale(self) -> tuple[str, ...]:
        """Those in the warm pool that were launched from something else than what the group launches from now."""
        now = (self.template, self.template_number)
        return tuple(each.id for each in self.warm if (each.template, each.template_version) != now)

    @cached_property
    def members(self) -> tuple[Instance, ...]:
        return tuple(each for each in self.instances if each.is_member)

    def is_in_service(self, instance: Instance) -> bool:
        """Healthy, by its id, in every target group of the fleet at this moment."""
        return instance.id in self._in_service

    @cached_property
    def _in_service(self) -> frozenset[str]:
        arns = [group.arn for group in self.target_groups]
        return frozenset(each.id for each in self.instances if each.state == "running" and each.is_healthy_in(arns))

    def find(self, identifier: str) -> Instance | None:
        return self._by_id.get(identifier)

    @cached_property
    def _by_id(self) -> Mapping[str, Instance]:
        return {each.id: each for each in self.instances}
