"""What a roll writes down before it touches anything.

The record of a fleet's roll is one document, `fleet#NAME / roll`: the fleet as found, and each change before
it is made. Whoever comes next resumes or restores from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from bakeroll.fleet import Fleet, Subnet
from bakeroll.release import Release
from bakeroll.roll.state import release_form
from bakeroll.roll.state.form import Count, Form, Moment

Stage = Literal["forward", "back", "soaking", "closed"]
Launcher = Literal["roller", "group"]
Ending = Literal["failed", "aborted", "interrupted", "taken over"]
"""How a roll ends whose release does not come to serve."""


def _whole(raw: Mapping[str, str]) -> Mapping[str, str]:
    """A record that is older than this field has none."""
    if raw:
        release_form.FORM.of(raw)
    return raw


ReleaseDocument = Annotated[Mapping[str, str], AfterValidator(_whole)]
Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}$")]
"""Of a slot, as a key."""


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
    def version(self) -> str | None:
        """What each new instance must say of itself; None where it is not asked."""
        return self.release.version if self.path else None


@dataclass(frozen=True, slots=True)
class Found:
    """A fleet before the first change; `serving` is how many of its members were in service.

    `is_launchable`: the image that its group launched could be launched then.
    """

    minimum: Count
    maximum: Count
    desired: Count
    template: str
    template_version: str
    image: str
    suspended: tuple[str, ...]
    members: tuple[str, ...]
    registered: Mapping[str, tuple[str, ...]]
    serving: Count = 0
    group: str = ""
    is_launchable: bool = True


@dataclass(frozen=True, slots=True)
class RecordedSlot:
    """Instances that were to be launched by one request, from which version, where."""

    template_version: str
    subnet: Subnet
    count: Count = 1


@dataclass(frozen=True, slots=True)
class Record:
    """A roll as written down. What it names as changed may not have happened: the fleet tells (see `standing`).

    `fleet` is the name in the settings, `group` the Auto Scaling group that is the fleet's now and `twin` the second
    one of a blue-green roll; `launcher` who launches new instances and `because` why; `release` what is rolled to, with
    who asked for it when. `why` it backs out, and which `ending` that is, are empty until it does.

    `previous` are dead rolls that this one took over from; `versions` the launch template versions made by
    any of them, `made` by this one, `making` the rolls that may have made one without hearing of it; `pinned`
    the number in the place of `$Latest`; `maxima` the maximum sizes that they set; `attached`, `retiring` (all
    that were chosen to go) and `decremented` instances; `lowering` and `raising` a change of desired capacity, from
    and to; `attaching` and `leaving` the desired capacity seen before an attach, or before some leave with decrement,
    whose answer is not known, and the instances;
    `slots` the launches of this roll, `filled` their instances, `back_from` the first that backing out launched.

    `soaked` are instances that stand by since an earlier roll, until `soaks_until` (ISO 8601); `is_watched` where the
    canaries stood what they had to; `refresh` the instance refresh that does the work, `is_refreshed` when it has;
    `switching` the second group, where it may have begun to take over, and `processes` those suspended before that.

    `unheard` are launches of `previous` rolls (roll and slot) that may have launched what AWS does not show yet,
    `others` the images that those rolled to.
    """

    id: str
    fleet: str
    image: str
    version: str
    started_at: Moment
    found: Found
    group: str = ""
    strategy: str = "surge"
    launcher: Launcher = "roller"
    because: str = ""
    release: ReleaseDocument = field(default_factory=dict)
    stage: Stage = "forward"
    why: str = ""
    ending: Ending | Literal[""] = ""
    previous: tuple[str, ...] = ()
    made: str = ""
    making: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    pinned: str = ""
    suspended: tuple[str, ...] = ()
    maxima: tuple[Count, ...] = ()
    attached: tuple[str, ...] = ()
    retiring: tuple[str, ...] = ()
    decremented: tuple[str, ...] = ()
    lowered: Count = 0
    lowering: tuple[Count, Count] | None = None
    raised: Count = 0
    raising: tuple[Count, Count] | None = None
    attaching: tuple[Count, tuple[str, ...]] | None = None
    leaving: tuple[Count, tuple[str, ...]] | None = None
    slots: tuple[RecordedSlot, ...] = ()
    filled: Mapping[Number, tuple[str, ...]] = field(default_factory=dict)
    back_from: Count | None = None
    soaked: tuple[str, ...] = ()
    soaks_until: Moment | Literal[""] = ""
    is_watched: bool = False
    refresh: str = ""
    is_refreshed: bool = False
    twin: str = ""
    switching: str = ""
    processes: tuple[str, ...] = ()
    unheard: tuple[tuple[str, str], ...] = ()
    others: tuple[str, ...] = ()

    def backing_out(self, why: str, ending: Ending, fleet: Fleet | None) -> "Record":
        """What waits in a group that was switched away from comes back, whatever was chosen to go."""
        is_switched = self.strategy == "blue-green" and self.group != self.found.group
        back = {each.id for each in fleet.instances if each.is_in_twin} if fleet and is_switched else set()
        retiring = tuple(each for each in self.retiring if each not in back)
        return replace(self, stage="back", why=why, ending=ending, back_from=len(self.slots), retiring=retiring)

    def knows(self, fleet: Fleet) -> bool:
        """Whether the group launches from what it was found with, or what a roll set, and nobody else's."""
        known = (self.found.template_version, self.pinned, *self.versions)
        return fleet.template == self.found.template and fleet.template_version in known

    def is_past_commit(self, fleet: Fleet) -> bool:
        """Whether this roll, cut off, is past its commit point, and so is led on rather than taken back.

        A group that launches by itself is committed before anything is proved: there it is past it when one of those
        that were found goes.
        """
        is_early = self.launcher == "group" and not set(self.retiring) & set(self.found.members)
        return self.stage == "forward" and fleet.image == self.image and not is_early

    @property
    def rolls(self) -> tuple[str, ...]:
        return (self.id, *self.previous)

    @property
    def launched(self) -> tuple[str, ...]:
        """All instances that this roll is known to have launched."""
        return tuple(each for ids in self.filled.values() for each in ids)

    @property
    def silent(self) -> tuple[tuple[str, str], ...]:
        """Launches that nothing comes of, and whose answers are not known."""
        mine = range(self.back_from or 0)
        return (*self.unheard, *((self.id, str(n)) for n in mine if str(n) not in self.filled))


FORM: Form[Record] = Form(Record)
