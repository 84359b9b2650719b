"""The vocabulary of a fleet: what an observation of it holds. Frozen data; no input or output."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DRAINING = frozenset({"draining", "unhealthy.draining"})
"""States of a target that finishes what it has begun and is given nothing new."""
ROLL_TAG = "bakeroll:roll"
SLOT_TAG = "bakeroll:slot"
VERSION_TAG = "bakeroll:version"
HOLD_TAG = "bakeroll:hold"
"""A group with this tag is not rolled; its value tells people why."""


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
    arn: str
    name: str
    port: int
    type: str = "instance"


@dataclass(frozen=True, slots=True)
class Subnet:
    id: str
    zone: str


@dataclass(frozen=True, slots=True)
class Group:
    """An Auto Scaling group as it describes itself; `lifecycles` is the state of each member by id.

    `template` is empty where the group launches from something else, which `launches_from` names; `hold` is the
    value of its tag `bakeroll:hold`, None where it has none.
    """

    name: str
    minimum: int
    maximum: int
    desired: int
    template: str
    template_version: str
    suspended: frozenset[str] = frozenset()
    subnets: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    target_groups: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    lifecycles: Mapping[str, str] = field(default_factory=dict)
    launches_from: str = "a launch template"
    has_warm_pool: bool = False
    classic_balancers: tuple[str, ...] = ()
    hold: str | None = None


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """A launch template version: its number, also where it was asked for as `$Latest`, and its image."""

    number: str
    image: str


@dataclass(frozen=True, slots=True)
class ImageState:
    """What decides whether an image can be launched, in EC2's words."""

    state: str
    architecture: str


@dataclass(frozen=True, slots=True)
class Slot:
    """One instance to launch. `token` makes a repeated request launch nothing twice."""

    token: str
    template: str
    template_version: str
    subnet: Subnet
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance of the fleet: in the group, or launched by a roll and not attached yet.

    `lifecycle` is the group's LifecycleState, empty where the instance is not in the group; `health` is
    by target group, which is left out where the instance is not registered.
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

    @property
    def is_alive(self) -> bool:
        return self.state in ("pending", "running")

    @property
    def is_member(self) -> bool:
        """Whether the group's desired capacity counts it."""
        return self.lifecycle.startswith(("Pending", "InService"))

    @property
    def is_registered(self) -> bool:
        """Whether any balancer may send it something new."""
        return any(each.state not in DRAINING and each.state != "unused" for each in self.health.values())

    @property
    def is_draining(self) -> bool:
        return any(each.state in DRAINING for each in self.health.values())


@dataclass(frozen=True, slots=True)
class Fleet:
    """An Auto Scaling group with its instances and balancers at one moment.

    `template_version` is as the group names it (a number, `$Latest` or `$Default`), `template_number` its
    number; `image` is what that version launches. `tags` are those that the group gives what it launches.
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

    @property
    def members(self) -> tuple[Instance, ...]:
        return tuple(each for each in self.instances if each.is_member)

    def is_in_service(self, instance: Instance) -> bool:
        """Healthy, by its id, in every target group of the fleet at this moment."""
        states = [instance.health.get(group.arn) for group in self.target_groups]
        return instance.state == "running" and all(each is not None and each.state == "healthy" for each in states)

    def find(self, identifier: str) -> Instance | None:
        return next((each for each in self.instances if each.id == identifier), None)
