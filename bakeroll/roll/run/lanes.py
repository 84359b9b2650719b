"""What an operator sees of a roll: a lane for each instance of the view. Pure."""

from collections.abc import Iterator

from bakeroll.events import Lane, LaneState, Scene
from bakeroll.fleet import VERSION_TAG, Instance
from bakeroll.roll.state.launches import RecordedSlot
from bakeroll.roll.state.record import Record
from bakeroll.roll.view.roles import Role
from bakeroll.roll.view.view import View

AWAITED: tuple[LaneState, ...] = ("draining", "launching", "unhealthy", "proving", "booting")
"""The states that a roll waits for, the most important first."""


def scene(view: View, doing: str = "") -> Scene:
    """The roll at this moment. `doing` says in words what it does."""
    lanes = tuple(sorted([*_lanes(view), *_launching(view)], key=lambda each: not each.is_new))
    return Scene(
        fleet=view.fleet.name,
        lanes=lanes,
        in_service=sum(each.state == "in service" for each in lanes),
        floor=view.floor,
        desired=view.wanted,
        awaited=_awaited(lanes),
        doing=doing,
    )


def _lanes(view: View) -> Iterator[Lane]:
    record = view.record
    for each in view.fleet.instances:
        is_of_the_release = each.identity == record.identity
        why = view.reason(each)
        state = _state(view, each, why)
        note = why.removeprefix("unhealthy").removeprefix(", ") if state in ("proving", "unhealthy") else ""
        release = record.intended.version if is_of_the_release else each.tags.get(VERSION_TAG, each.image)
        is_new = is_of_the_release or record.slot_of(each) is not None
        yield Lane(each.id, each.zone, state, release, note, is_new)


def _state(view: View, instance: Instance, why: str) -> LaneState:
    role = view.role(instance)
    if role is Role.DEAD:
        return "gone"
    if role is Role.STANDING_BY:
        return "standing by"
    if role in (Role.RETIRING, Role.TERMINATING) or instance.is_draining:
        return "draining"
    if instance.state == "pending":
        return "booting"
    if not why:
        return "in service"
    is_refused = why.startswith("unhealthy") or view.says_another(instance)
    return "unhealthy" if is_refused else "proving"


def _launching(view: View) -> Iterator[Lane]:
    """Lanes for instances that AWS does not show yet, and for launches without an answer."""
    record, launches = view.record, view.record.launches
    for identifier in view.unseen.instances:
        yield _launch(identifier, launches.slot_with(identifier), "not shown by AWS yet", record)
    for number in view.unseen.requests:
        yield _launch(f"launch {number + 1}", launches.slots[number], "", record)


def _launch(identifier: str, slot: RecordedSlot | None, note: str, record: Record) -> Lane:
    """The lane of a launch. `slot` is None if the group launched the instance."""
    zone = slot.subnet.zone if slot else ""
    release = record.intended.version if record.stage == "forward" else record.found.image
    return Lane(identifier, zone, "launching", release, note, is_new=True)


def _awaited(lanes: tuple[Lane, ...]) -> str:
    """The instance that the roll waits for, and its state. Empty if there is none. An old one only if it drains."""
    waiting = [each for each in lanes if each.state in AWAITED and (each.is_new or each.state == "draining")]
    first = min(waiting, key=lambda each: AWAITED.index(each.state), default=None)
    if first is None:
        return ""
    return f"{first.id} {first.state}" + (f": {first.note}" if first.note else "")
