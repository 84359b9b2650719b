"""The record of a roll in its first format, which has all fields side by side.

It is read into the parts of today's record and never written, so that a roll of an older bakeroll can continue.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import StringConstraints

from bakeroll.fleet import Subnet
from bakeroll.roll.state.capacity import Capacity, Resize, Transfer
from bakeroll.roll.state.form import Count, Form, Moment, Unknown
from bakeroll.roll.state.launches import Launches, LaunchTag, Position, RecordedSlot
from bakeroll.roll.state.record import (
    BackOut,
    Ending,
    Found,
    InstanceRefresh,
    Intended,
    Launcher,
    Previous,
    Record,
    ReleaseDocument,
    SecondGroup,
    Soak,
    Stage,
    TemplateVersions,
)

Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}$")]
"""The number of a slot, as a key."""


@dataclass(frozen=True, slots=True)
class FlatSlot:
    """A request for instances, as the first format has it."""

    template_version: str
    subnet: Subnet
    count: Count = 1


@dataclass(frozen=True, slots=True)
class FlatRecord:
    """The fields of the first format."""

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
    slots: tuple[FlatSlot, ...] = ()
    filled: Mapping[Number, tuple[str, ...]] = field(default_factory=dict)
    back_from: Position | None = None
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


FORM: Form[FlatRecord] = Form(FlatRecord)


def read(raw: Mapping[str, object]) -> Record:
    """The record with these fields. Raises ValueError if a field is unknown or has a wrong value."""
    flat = FORM.of(raw)
    return Record(
        id=flat.id,
        fleet=flat.fleet,
        group=flat.group,
        started_at=flat.started_at,
        found=flat.found,
        intended=Intended(flat.image, flat.version, flat.release, flat.strategy, flat.launcher, flat.because),
        stage=flat.stage,
        back_out=_back_out(flat),
        previous=Previous(flat.previous, flat.others),
        versions=TemplateVersions(flat.made, flat.versions, flat.making, flat.pinned),
        capacity=_capacity(flat),
        launches=_launches(flat),
        suspended=flat.suspended,
        retiring=flat.retiring,
        is_watched=flat.is_watched,
        second=SecondGroup(flat.twin, flat.switching, flat.processes),
        refresh=InstanceRefresh(flat.refresh, flat.is_refreshed),
        soak=Soak(flat.soaked, flat.soaks_until),
    )


def _back_out(flat: FlatRecord) -> BackOut | None:
    has_begun = flat.stage == "back" or flat.back_from is not None
    return BackOut(flat.why, flat.ending or "failed") if has_begun else None


def _capacity(flat: FlatRecord) -> Capacity:
    return Capacity(
        attached=flat.attached,
        decremented=flat.decremented,
        raised=flat.raised,
        lowered=flat.lowered,
        maxima=flat.maxima,
        attaching=Transfer(*flat.attaching) if flat.attaching else None,
        leaving=Transfer(*flat.leaving) if flat.leaving else None,
        raising=Resize(*flat.raising) if flat.raising else None,
        lowering=Resize(*flat.lowering) if flat.lowering else None,
    )


def _launches(flat: FlatRecord) -> Launches:
    if others := sorted(set(flat.filled) - {str(n) for n in range(len(flat.slots))}):
        raise Unknown(f"filled.{others[0]}")
    return Launches(
        slots=tuple(
            RecordedSlot(each.template_version, each.subnet, each.count, flat.filled.get(str(n)))
            for n, each in enumerate(flat.slots)
        ),
        wanted_from=flat.back_from or 0,
        unheard=tuple(LaunchTag(*each) for each in flat.unheard),
    )
