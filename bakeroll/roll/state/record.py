"""What a roll writes down before it touches anything.

The record of a fleet's roll is one document, `fleet#NAME / roll`: the fleet as found, and each change before it is
made. Whoever comes next resumes or restores from it. Its parts are small values, each of which knows its own numbers;
`capacity` and `launches` are modules of their own. What a record names as changed may not have happened: the fleet
tells (`view/settled.py`). How records are kept is left to `store/records.py`.
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
"""`soaking`: the roll has ended, and old instances or their group are kept for a while."""
Launcher = Literal["roller", "group"]
Ending = Literal["failed", "aborted", "interrupted", "taken over"]
"""How a roll ends whose release does not come to serve."""


def _whole(raw: Mapping[str, str]) -> Mapping[str, str]:
    """A record that is older than this field has none."""
    if raw:
        release_form.FORM.of(raw)
    return raw


ReleaseDocument = Annotated[Mapping[str, str], AfterValidator(_whole)]


@dataclass(frozen=True, slots=True)
class Goal:
    """The release that a fleet is to serve. `path` is what an instance is asked for its version; None: not asked.

    `target_groups` (ARNs or names) are those that the roll registers instances with besides the group's own.
    """

    fleet: str
    release: Release
    port: int
    path: str | None
    target_groups: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """What instances of the release are known by."""
        return self.release.image

    @property
    def version(self) -> str | None:
        """What each new instance must say of itself; None where it is not asked."""
        return self.release.version if self.path else None


@dataclass(frozen=True, slots=True)
class Found:
    """The fleet before the first change: what backing out goes back to."""

    minimum: Count
    maximum: Count
    desired: Count
    template: str
    """The id of the group's launch template, or the name of its launch configuration."""
    template_version: str
    """As the group names it: a number, `$Latest` or `$Default`."""
    image: str
    """What the group launched."""
    suspended: tuple[str, ...]
    """The group's suspended processes."""
    members: tuple[str, ...]
    """The ids of the group's instances."""
    registered: Mapping[str, tuple[str, ...]]
    """The ids of those that were registered, by target group (ARN)."""
    serving: Count = 0
    """How many of the members were in service."""
    group: str = ""
    """The name of the group."""
    is_launchable: bool = True
    """Whether the group's image could be launched."""

    @property
    def identity(self) -> str:
        """What the group's instances were known by."""
        return self.image


@dataclass(frozen=True, slots=True)
class Intended:
    """What the roll is to bring about, and in which way."""

    image: str
    version: str
    release: ReleaseDocument = field(default_factory=dict)
    """The release whole, with who asked for it when; empty where an old bakeroll wrote the record."""
    strategy: str = "surge"
    launcher: Launcher = "roller"
    """Who launches the new instances."""
    because: str = ""
    """Why that one does: half a sentence for people."""


@dataclass(frozen=True, slots=True)
class BackOut:
    """That the roll backs out, or did."""

    why: str
    ending: Ending


@dataclass(frozen=True, slots=True)
class Previous:
    """The dead rolls that this one took over from, one after another."""

    rolls: tuple[str, ...] = ()
    """Their ids, the newest first."""
    identities: tuple[str, ...] = ()
    """What instances of the releases that they rolled to are known by, the oldest first."""


@dataclass(frozen=True, slots=True)
class TemplateVersions:
    """The launch template versions that this roll and those before it made."""

    made: str = ""
    """The one that this roll made, and its instances are launched from."""
    ours: tuple[str, ...] = ()
    """All that any of the rolls made and did not delete."""
    making: tuple[str, ...] = ()
    """The rolls (ids) that may have made one without hearing of it."""
    pinned: str = ""
    """The number that the group was set to in the place of `$Latest`."""

    def with_attempt(self, roll: str) -> "TemplateVersions":
        """With a version announced."""
        return replace(self, making=united(self.making, [roll]))

    def with_made(self, version: str, roll: str) -> "TemplateVersions":
        """With the version that the roll made."""
        return replace(self, made=version, ours=(*self.ours, version), making=without(self.making, [roll]))

    def with_found(self, versions: Collection[str]) -> "TemplateVersions":
        """With all that the rolls made, heard of or not."""
        return replace(self, ours=united(self.ours, versions), making=())

    def without(self, version: str) -> "TemplateVersions":
        """Without one that was deleted."""
        return replace(self, ours=without(self.ours, [version]), made="" if self.made == version else self.made)


@dataclass(frozen=True, slots=True)
class SecondGroup:
    """The other Auto Scaling group of a blue-green roll: the new one until the switch, the old one after it."""

    name: str = ""
    """Empty where there is none."""
    switching_to: str = ""
    """The group that may have begun to take over from the other; empty before the switch and after it."""
    suspended: tuple[str, ...] = ()
    """The processes that others had suspended before that, and that stay so."""


@dataclass(frozen=True, slots=True)
class InstanceRefresh:
    """AWS's instance refresh that does the work of a roll by that strategy."""

    id: str = ""
    """Empty until it is known to have started."""
    is_done: bool = False
    """Whether it came to a good end, or was not needed."""


@dataclass(frozen=True, slots=True)
class Soak:
    """Instances that stand by since an earlier roll, or since this one has ended."""

    instances: tuple[str, ...] = ()
    until: Moment | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A roll as written down."""

    id: str
    fleet: str
    """The fleet's name in the settings."""
    group: str
    """The name of the Auto Scaling group that is the fleet's now."""
    started_at: Moment
    found: Found
    intended: Intended
    stage: Stage = "forward"
    back_out: BackOut | None = None
    """None while the roll goes forward, and after it came to serve."""
    previous: Previous = field(default_factory=Previous)
    versions: TemplateVersions = field(default_factory=TemplateVersions)
    capacity: Capacity = field(default_factory=Capacity)
    launches: Launches = field(default_factory=Launches)
    suspended: tuple[str, ...] = ()
    """The group's processes that the roll suspended."""
    retiring: tuple[str, ...] = ()
    """All instances that were chosen to go, also those that have gone."""
    is_watched: bool = False
    """Whether the canaries stood what they had to."""
    second: SecondGroup = field(default_factory=SecondGroup)
    refresh: InstanceRefresh = field(default_factory=InstanceRefresh)
    soak: Soak = field(default_factory=Soak)
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Those by which instances of the fleet are registered, or may be, by instance."""

    @property
    def identity(self) -> str:
        """What instances of the release are known by."""
        return self.intended.image

    @property
    def is_switched(self) -> bool:
        """Whether the second group of a blue-green roll is the fleet's by now."""
        return self.group != self.found.group

    def backing_out(self, why: str, ending: Ending, fleet: Fleet | None) -> "Record":
        """What waits in a group that was switched away from comes back, whatever was chosen to go."""
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
        """Whether the group launches from what it was found with, or what a roll set, and nobody else's."""
        known = (self.found.template_version, self.versions.pinned, *self.versions.ours)
        return fleet.template == self.found.template and fleet.template_version in known

    def is_past_commit(self, fleet: Fleet) -> bool:
        """Whether this roll, cut off, is past its commit point, and so is led on rather than taken back.

        A group that launches by itself is committed before anything is proved: there it is past it when one of those
        that were found goes.
        """
        is_early = self.intended.launcher == "group" and not self.has_begun_to_retire
        return self.stage == "forward" and fleet.identity == self.identity and not is_early

    @property
    def has_begun_to_retire(self) -> bool:
        """Whether one of the members that were found was chosen to go."""
        return not set(self.retiring).isdisjoint(self.found.members)

    @property
    def rolls(self) -> tuple[str, ...]:
        """The ids of this roll and of those that it took over from."""
        return (self.id, *self.previous.rolls)

    @property
    def silent(self) -> tuple[LaunchTag, ...]:
        """Launches that nothing comes of, and whose answers are not known."""
        return self.launches.silent(self.id)

    def slot_of(self, instance: Instance) -> int | None:
        """The number of this roll's launch that made the instance; None where this roll did not."""
        return launches.slot_of(instance, self.id)
