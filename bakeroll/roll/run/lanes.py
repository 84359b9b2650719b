"""What an operator sees of a roll: a lane for each instance, told from the fleet, the record and the memory."""

from collections.abc import Iterator

from bakeroll.events import Lane, LaneState, Scene
from bakeroll.fleet import VERSION_TAG, Fleet, Instance
from bakeroll.roll.state.amounts import floor_of
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.record import Record
from bakeroll.roll.world.health import not_yet, says_another
from bakeroll.roll.world.standing import Standing, slot_of, standing
from bakeroll.settings import Policy

AWAITED: tuple[LaneState, ...] = ("draining", "launching", "unhealthy", "proving", "booting")
"""What a roll waits for, the most telling first."""


def scene(fleet: Fleet, record: Record, memory: Memory, policy: Policy, version: str | None, now: float) -> Scene:
    """The roll at this moment. The record is a settled one; `version` is what each new instance must say of itself."""
    at = standing(fleet, record, memory, now)
    seen = [_lane(each, fleet, record, memory, policy, version) for each in fleet.instances]
    lanes = tuple(sorted([*seen, *_launching(record, at)], key=lambda each: not each.is_new))
    return Scene(
        fleet=fleet.name,
        lanes=lanes,
        in_service=sum(each.state == "in service" for each in lanes),
        floor=floor_of(policy, at.wanted),
        desired=at.wanted,
        awaited=_awaited(lanes),
    )


def _lane(
    instance: Instance, fleet: Fleet, record: Record, memory: Memory, policy: Policy, version: str | None
) -> Lane:
    is_of_the_release = instance.image == record.image
    is_new = is_of_the_release or slot_of(instance, record) is not None
    checks = policy.healthy_checks if is_new else 1
    expected = version if is_of_the_release and record.stage == "forward" else None
    why = not_yet(fleet, instance, memory, checks, expected)
    is_refused = why.startswith("unhealthy") or says_another(instance, memory, expected)
    state = _state(instance, record, why, is_refused=is_refused)
    note = why.removeprefix("unhealthy").removeprefix(", ") if state in ("proving", "unhealthy") else ""
    release = record.version if is_of_the_release else instance.tags.get(VERSION_TAG, instance.image)
    return Lane(instance.id, instance.zone, state, release, note, is_new)


def _state(instance: Instance, record: Record, why: str, *, is_refused: bool) -> LaneState:
    if not instance.is_alive:
        return "gone"
    if instance.lifecycle.endswith("Standby"):
        return "standing by"
    if instance.id in record.retiring or instance.is_draining or instance.lifecycle.startswith("Terminating"):
        return "draining"
    if instance.state == "pending":
        return "booting"
    if not why:
        return "in service"
    return "unhealthy" if is_refused else "proving"


def _launching(record: Record, at: Standing) -> Iterator[Lane]:
    """What was launched and is not seen yet, and what is to be launched."""
    slots = {instance: int(slot) for slot, ids in record.filled.items() for instance in ids}
    for identifier in at.unseen:
        yield _launch(identifier, slots.get(identifier), "not shown by AWS yet", record)
    for slot in at.open_slots:
        yield _launch(f"launch {slot + 1}", slot, "", record)


def _launch(identifier: str, slot: int | None, note: str, record: Record) -> Lane:
    """`slot` is None where the group launched it."""
    zone = "" if slot is None else record.slots[slot].subnet.zone
    release = record.version if record.stage == "forward" else record.found.image
    return Lane(identifier, zone, "launching", release, note, is_new=True)


def _awaited(lanes: tuple[Lane, ...]) -> str:
    """The first of those that the roll waits for; an old one holds it up by draining alone."""
    waiting = [each for each in lanes if each.state in AWAITED and (each.is_new or each.state == "draining")]
    first = min(waiting, key=lambda each: AWAITED.index(each.state), default=None)
    if first is None:
        return ""
    return f"{first.id} {first.state}" + (f": {first.note}" if first.note else "")
