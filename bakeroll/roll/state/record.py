"""The record of a roll: what the roll found, and each change before the roll makes it.

The record of a fleet's roll is one document, `fleet#NAME / roll`. The next process resumes or restores from it. Its
parts are small values, each of which knows its own numbers. `capacity` and `launches` are modules of their own. A
change that the record announces may not have happened. `view/settled.py` finds that out from the fleet.
`store/records.py` stores records.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import AfterValidator

from bakeroll.fleet import Fleet, Instance
from bakeroll.release import Release
from bakeroll.roll.state import launches, release_form
from bakeroll.roll.state.capacity import Capacity
from bakeroll.roll.state.form import Count, Moment
from bakeroll.roll.state.ids import united, without
from bakeroll.roll.state.launches import Launches, LaunchTag

Stage = Literal["forward", "back", "soaking", "closed"]
"""In the stage `soaking`, the roll has ended and still keeps the old instances or their group for a while."""
Launcher = Literal["roller", "group"]
Ending = Literal["failed", "aborted", "interrupted", "taken over"]
"""How a roll ended whose release does not serve."""


def _whole(raw: Mapping[str, str]) -> Mapping[str, str]:
    """The fields of a release. A record that is older than this field has none."""
    if raw:
        release_form.FORM.of(raw)
    return raw


ReleaseDocument = Annotated[Mapping[str, str], AfterValidator(_whole)]


@dataclass(frozen=True, slots=True)
class Goal:
    """The release that a fleet is to serve.

    `path` is where an instance reports its version over HTTP. None means that the roll does not ask. `target_groups`
    (ARNs or names) are target groups in which the roll registers instances in addition to the group's own.
    """

    fleet: str
    release: Release
    port: int
    path: str | None
    target_groups: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """The identity of the release's instances."""
        return self.release.image

    @property
    def version(self) -> str | None:
        """The version that each new instance must report, or None if the roll does not ask."""
        return self.release.version if self.path else None


@dataclass(frozen=True, slots=True)
class Found:
    """The fleet before the first change. A roll that backs out restores this."""

    minimum: Count
    maximum: Count
    desired: Count
    template: str
    """The id of the group's launch template, or the name of its launch configuration."""
    template_version: str
    """The version in the group's words: a number, `$Latest` or `$Default`."""
    image: str
    """The image or identity that the group launched."""
    suspended: tuple[str, ...]
    """The group's suspended processes."""
    members: tuple[str, ...]
    """The ids of the group's instances."""
    registered: Mapping[str, tuple[str, ...]]
    """The ids of the registered instances, by target group (ARN)."""
    serving: Count = 0
    """How many of the members were in service."""
    group: str = ""
    """The name of the group."""
    is_launchable: bool = True
    """Whether the group's image could be launched."""

    @property
    def identity(self) -> str:
        """The identity of the instances that the group launched."""
        return self.image


@dataclass(frozen=True, slots=True)
class Intended:
    """The goal of the roll, and the way to it."""

    image: str
    version: str
    release: ReleaseDocument = field(default_factory=dict)
    """The whole release, with who requested it and when. Empty if an old bakeroll wrote the record."""
    strategy: str = "surge"
    launcher: Launcher = "roller"
    """Who launches the new instances."""
    because: str = ""
    """The reason for that, as half a sentence for people."""


@dataclass(frozen=True, slots=True)
class BackOut:
    """Why a roll backs out, and how it ends."""

    why: str
    ending: Ending


@dataclass(frozen=True, slots=True)
class Previous:
    """The dead rolls before this one, which took over from them."""

    rolls: tuple[str, ...] = ()
    """Their ids, the newest first."""
    identities: tuple[str, ...] = ()
    """The identities of the releases that they rolled to, the oldest first."""


@dataclass(frozen=True, slots=True)
class TemplateVersions:
    """The launch template versions that this roll and the dead rolls before it made."""

    made: str = ""
    """The version that this roll made and launches its instances from."""
    ours: tuple[str, ...] = ()
    """All versions that any of the rolls made and did not delete."""
    making: tuple[str, ...] = ()
    """The ids of the rolls that may have made a version and lost the answer."""
    pinned: str = ""
    """The number that the roll set in the group in place of `$Latest`."""

    def with_attempt(self, roll: str) -> "TemplateVersions":
        """The versions if this roll announces one."""
        return replace(self, making=united(self.making, [roll]))

    def with_made(self, version: str, roll: str) -> "TemplateVersions":
        """The versions after the roll made this one."""
        return replace(self, made=version, ours=(*self.ours, version), making=without(self.making, [roll]))

    def with_found(self, versions: Collection[str]) -> "TemplateVersions":
        """The versions after a search for those whose answers were lost."""
        return replace(self, ours=united(self.ours, versions), making=())

    def without(self, version: str) -> "TemplateVersions":
        """The versions after the roll deleted this one."""
        return replace(self, ours=without(self.ours, [version]), made="" if self.made == version else self.made)


@dataclass(frozen=True, slots=True)
class SecondGroup:
    """The other Auto Scaling group of a blue-green roll: the new one until the switch, the old one after it."""

    name: str = ""
    """Empty if there is none."""
    switching_to: str = ""
    """The group that may have begun to take over from the other one. Empty before and after the switch."""
    suspended: tuple[str, ...] = ()
    """The processes that others had suspended before the switch, and that stay suspended."""


@dataclass(frozen=True, slots=True)
class InstanceRefresh:
    """AWS's instance refresh, which does the work of a roll with the strategy `refresh`."""

    id: str = ""
    """Empty until its start is known."""
    is_done: bool = False
    """Whether it succeeded or was not needed."""


@dataclass(frozen=True, slots=True)
class Soak:
    """Instances in Standby since the end of this roll or of an earlier one."""

    instances: tuple[str, ...] = ()
    until: Moment | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A roll and everything that the next process must know about it."""

    id: str
    fleet: str
    """The fleet's name in the settings."""
    group: str
    """The name of the Auto Scaling group that is currently the fleet's."""
    started_at: Moment
    found: Found
    intended: Intended
    stage: Stage = "forward"
    back_out: BackOut | None = None
    """None while the roll goes forward, and after its release serves."""
    previous: Previous = field(default_factory=Previous)
    versions: TemplateVersions = field(default_factory=TemplateVersions)
    capacity: Capacity = field(default_factory=Capacity)
    launches: Launches = field(default_factory=Launches)
    suspended: tuple[str, ...] = ()
    """The group's processes that the roll suspended."""
    retiring: tuple[str, ...] = ()
    """All instances that the roll chose to retire, including those that have gone."""
    is_watched: bool = False
    """Whether the canaries passed their checks."""
    second: SecondGroup = field(default_factory=SecondGroup)
    refresh: InstanceRefresh = field(default_factory=InstanceRefresh)
    soak: Soak = field(default_factory=Soak)
    addresses: Mapping[str, str] = field(default_factory=dict)
    """The addresses by which the fleet's instances are or may be registered, by instance id."""

    @property
    def identity(self) -> str:
        """The identity of the release's instances."""
        return self.intended.image

    @property
    def is_switched(self) -> bool:
        """Whether the second group of a blue-green roll has become the fleet's."""
        return self.group != self.found.group

    def backing_out(self, why: str, ending: Ending, fleet: Fleet | None) -> "Record":
        """The record after the roll decided to back out.

        After a switch, the instances of the old group come back, even if the roll had chosen to retire them.
        """
        is_switched = self.intended.strategy == "blue-green" and self.is_switched
        back = {each.id for each in fleet.instances if each.is_in_twin} if fleet and is_switched else set()
        return replace(
            self,
            stage="back",
            back_out=BackOut(why, ending),
            launches=self.launches.given_up(),
            retiring=without(self.retiring, back),
        )

    def knows(self, fleet: Fleet) -> bool:
        """Whether the group launches from what the roll found or from what a roll set. False if others changed it."""
        known = (self.found.template_version, self.versions.pinned, *self.versions.ours)
        return fleet.template == self.found.template and fleet.template_version in known

    def is_past_commit(self, fleet: Fleet) -> bool:
        """Whether an interrupted roll is past its commit point: the next process then completes it.

        Otherwise the next process backs it out. A group that launches by itself is committed before any instance is
        proved. Such a roll is past its commit point when it has begun to retire the instances that it found.
        """
        is_early = self.intended.launcher == "group" and not self.has_begun_to_retire
        return self.stage == "forward" and fleet.identity == self.identity and not is_early

    @property
    def has_begun_to_retire(self) -> bool:
        """Whether the roll chose to retire a member that it had found."""
        return not set(self.retiring).isdisjoint(self.found.members)

    @property
    def rolls(self) -> tuple[str, ...]:
        """The ids of this roll and of the dead rolls before it."""
        return (self.id, *self.previous.rolls)

    @property
    def silent(self) -> tuple[LaunchTag, ...]:
        """Requests that are not wanted and whose answers were lost."""
        return self.launches.silent(self.id)

    def slot_of(self, instance: Instance) -> int | None:
        """The number of this roll's request that launched the instance, or None if this roll did not launch it."""
        return launches.slot_of(instance, self.id)
