"""The vocabulary of a fleet: what an observation of it contains. Frozen data; no input or output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

DRAINING = frozenset({"draining", "unhealthy.draining"})
"""States of a target that finishes its open requests and receives no new ones."""
COUNTED = ("Pending", "InService")
"""Lifecycle states that count towards desired capacity."""
ROLL_TAG = "bakeroll:roll"
SLOT_TAG = "bakeroll:slot"
VERSION_TAG = "bakeroll:version"
LAUNCH_TAG = "bakeroll:launch"
"""A launch template version gives this tag to its instances: the digest of everything that they are launched from."""
HOLD_TAG = "bakeroll:hold"
"""A group with this tag is not rolled. Its value says why."""


def identity(image: str, launch: str) -> str:
    """What identifies instances and releases: the digest of everything that they are launched from, else the image."""
    return launch or image


@dataclass(frozen=True, slots=True)
class Health:
    """The health of a target in AWS's words: healthy, initial, unhealthy, draining, unused …"""

    state: str
    reason: str = ""
    description: str = ""

    def __str__(self) -> str:
        said = " ".join(word for word in (self.reason, self.description) if word)
        return f"{self.state}, {said}" if said else self.state


@dataclass(frozen=True, slots=True)
class Answer:
    """The version that an instance reports, or why it did not answer."""

    version: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """A target group or a classic load balancer, whose `type` is "classic" and whose `arn` is its name.

    Targets are instance ids. If `type` is "ip", they are private addresses.
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
    """Where a group launches, and the zone that it is in."""

    id: str
    zone: str


LaunchesFrom = Literal["launch template", "mixed instances policy", "launch configuration"]
LAUNCH_CONFIGURATION = "launch-configuration"
"""Stands for a launch template's id. Versions are then names of launch configurations."""


@dataclass(frozen=True, slots=True)
class Group:
    """An Auto Scaling group as AWS describes it. `lifecycles` is the state of each member by id.

    `launches_from` is what it launches from: its launch template, a mixed instances policy (`template` and
    `template_version` are then the policy's) or a launch configuration (`template` is then LAUNCH_CONFIGURATION and
    `template_version` its name). `conflict` says why another image cannot be set, for example because an override
    names its own launch template. `hold` is the value of the tag `bakeroll:hold`, None if there is no such tag.
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
        """How many instances count towards its desired capacity."""
        return sum(1 for state in self.lifecycles.values() if state.startswith(COUNTED))


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """A launch template version: its number (also if it was requested as `$Latest`) and its image.

    `launch` is the LAUNCH_TAG that it gives its instances, empty if it gives none.
    """

    number: str
    image: str
    launch: str = ""


@dataclass(frozen=True, slots=True)
class Warm:
    """An instance in the group's warm pool and what it was launched from. It is no member and in no load balancer."""

    id: str
    template: str
    template_version: str


@dataclass(frozen=True, slots=True)
class ImageState:
    """Whether an image can be launched, in EC2's words."""

    state: str
    architecture: str


@dataclass(frozen=True, slots=True)
class Slot:
    """Instances to launch with one request, all or none. `token` keeps a repeated request from launching more."""

    token: str
    template: str
    template_version: str
    subnet: Subnet
    tags: Mapping[str, str]
    count: int = 1


@dataclass(frozen=True, slots=True)
class RefreshState:
    """An instance refresh of the group in AWS's words. `percent` is how much of it is done."""

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

    `lifecycle` is the group's LifecycleState, empty if the instance is not in the group. `health` is by target group;
    a group in which the instance is not registered is left out. `is_in_twin` says that it is in the second group of a
    blue-green roll; `lifecycle` is then empty unless it is leaving that group. `image` is empty if the group names the
    instance and EC2 does not list it yet.
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
        """What it was launched from. Empty if EC2 does not list it yet."""
        return identity(self.image, self.tags.get(LAUNCH_TAG, ""))

    @property
    def is_alive(self) -> bool:
        return self.state in ("pending", "running")

    @property
    def is_member(self) -> bool:
        """Whether it counts towards the group's desired capacity."""
        return self.lifecycle.startswith(COUNTED)

    @property
    def is_starting(self) -> bool:
        """Whether it receives no work yet: it is entering the group, or is outside it."""
        return self.is_alive and (not self.lifecycle or self.lifecycle.startswith("Pending"))

    @property
    def is_standing_by(self) -> bool:
        """Whether it is in standby or entering it: alive, out of service, and not counted."""
        return self.lifecycle in ("Standby", "EnteringStandby")

    @property
    def is_registered(self) -> bool:
        """Whether any balancer may send it new requests."""
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

    `template_version` is as the group names it (a number, `$Latest` or `$Default`), `template_number` is its number,
    `image` is what that version launches, and `launch` its LAUNCH_TAG. `tags` are the tags that the group gives to what
    it launches. `refresh` is the newest instance refresh and `twin` the second group of a blue-green roll, if these
    were read. `warm` are the instances in the group's warm pool. `forsaken` are instances that ended while a target
    group still has their address: only their `health` is known.
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
        """The warm instances that were not launched from what the group launches from now."""
        now = (self.template, self.template_number)
        return tuple(each.id for each in self.warm if (each.template, each.template_version) != now)

    @cached_property
    def members(self) -> tuple[Instance, ...]:
        return tuple(each for each in self.instances if each.is_member)

    def is_in_service(self, instance: Instance) -> bool:
        """Whether it is healthy, by its id, in every target group of the fleet at this moment."""
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
