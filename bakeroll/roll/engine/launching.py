"""The steps by which instances of the release come: launched, brought back, registered, attached. Pure.

The roller launches beside the group, so that the group goes on launching the old release until the commit point. Where
that would not reproduce what the group itself does (`launcher.py`), the group launches: it is set to the new version
first, and its desired capacity is raised by the surge.
"""

from collections import Counter
from collections.abc import Iterator

from bakeroll.fleet import ROLL_TAG, SLOT_TAG, VERSION_TAG, Instance, Subnet
from bakeroll.roll.engine.turn import Turn, united, without
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.decision import Act, Decision, Failed
from bakeroll.roll.state.record import RecordedSlot
from bakeroll.roll.world.health import unready

AT_MOST = 20
"""Instances that one call may attach or move to or from Standby:
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html"""


def come(turn: Turn) -> Decision | None:
    """Bring back those that stand by, then launch what is still missing, as far as the surge has room."""
    number = 0 if turn.is_refreshing or turn.is_twinned else _missing(turn)
    if number > 0 and (returning := _standing_by(turn)):
        return _return(turn, returning[: min(number, AT_MOST)])
    if turn.is_by_group:
        return _raise(turn, number) if number > 0 else None
    return _launch(turn, max(0, number))


def _missing(turn: Turn) -> int:
    at = turn.at
    by_itself = turn.to_come if turn.is_committed or not turn.is_forward else 0
    return min(turn.limit - len(at.right) - at.coming, turn.room) - by_itself


def _standing_by(turn: Turn) -> list[Instance]:
    """Those that an earlier roll or this one kept, of the release that is to serve."""
    kept = {*turn.record.soaked, *turn.record.retiring}
    here = [each for each in turn.fleet.instances if each.lifecycle == "Standby" and each.is_alive and each.id in kept]
    if turn.is_forward:
        return [each for each in here if each.image == turn.record.image]
    return [each for each in here if each.id in turn.chosen]


def _return(turn: Turn, instances: list[Instance]) -> Act:
    ids, record = [each.id for each in instances], turn.record
    if room := _make_room(turn, len(ids)):
        return room
    return turn.do(
        act.Return(tuple(ids)),
        attached=united(record.attached, [each for each in ids if each not in record.decremented]),
        retiring=without(record.retiring, ids),
        soaked=united(record.soaked, ids),
    )


def _raise(turn: Turn, number: int) -> Act:
    seen, to = turn.fleet.desired, turn.fleet.desired + number
    return _make_room(turn, number) or turn.do(act.RaiseDesired(seen, to), raising=(seen, to))


def _make_room(turn: Turn, number: int) -> Act | None:
    needed = turn.fleet.desired + number
    if turn.fleet.maximum >= needed:
        return None
    return turn.do(act.SetMaximum(turn.fleet.maximum, needed), maxima=(*turn.record.maxima, needed))


def _launch(turn: Turn, number: int) -> Decision | None:
    subnets = [each for each in turn.fleet.subnets or (Subnet("", ""),) if each.zone not in turn.memory.lacking]
    if number and not subnets:
        return Failed(next(iter(turn.memory.lacking.values())))
    slots = (*turn.record.slots, *_slots(turn, number, subnets))
    numbers = [*turn.at.open_slots, *range(len(turn.record.slots), len(slots))]
    launches = [act.Launch(each, tags(turn, each)) for each in numbers]
    return turn.do(*launches, slots=slots) if launches else None


def _slots(turn: Turn, number: int, subnets: list[Subnet]) -> Iterator[RecordedSlot]:
    """One request a subnet; each instance in the zone that then has the fewest of the right ones."""
    version = (turn.is_forward and turn.record.made) or turn.fleet.template_version
    taken = Counter(each.zone for each in turn.at.right)
    for slot in turn.at.open_slots:
        taken[turn.record.slots[slot].subnet.zone] += turn.record.slots[slot].count
    placed: Counter[Subnet] = Counter()
    for _ in range(number):
        subnet = min(subnets, key=lambda each: taken[each.zone])
        taken[subnet.zone] += 1
        placed[subnet] += 1
    for subnet, count in placed.items():
        yield RecordedSlot(version, subnet, count)


def tags(turn: Turn, slot: int | None = None) -> dict[str, str]:
    """What a launched instance is tagged with, the group's own tags among it."""
    release = turn.goal.release
    before = (each.tags.get(VERSION_TAG) for each in turn.fleet.instances if each.image == turn.fleet.image)
    own = {
        "Name": turn.goal.fleet,
        "bakeroll:application": release.application,
        "bakeroll:environment": release.environment,
        VERSION_TAG: release.version if turn.is_forward else next((each for each in before if each), ""),
        ROLL_TAG: turn.record.id,
        SLOT_TAG: "" if slot is None else str(slot),
    }
    return {"Name": turn.goal.fleet, **turn.fleet.tags, **{key: value for key, value in own.items() if value}}


def register(turn: Turn) -> Decision | None:
    """Those that told their version and are not registered yet; by address, also what others keep in the group.

    A group registers its members by id when they enter service, and never later what entered while AddToLoadBalancer
    was suspended: https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html. By address
    it registers none: what it launched in the place of a dead one serves only when a roll has registered it.
    """
    ready = [each for each in turn.at.right if not unready(each, turn.memory, turn.version)]
    here = [each for each in ready if each.lifecycle in ("", "InService")]
    kept = [each for each in turn.at.wrong if each.lifecycle == "InService" and each.id not in turn.chosen]
    running = [each for each in kept if each.state == "running"]
    registered = []
    for group in turn.fleet.target_groups:
        some = [*here, *running] if group.type == "ip" else here
        if targets := [group.target(each) for each in some if group.arn not in each.health]:
            registered.append(act.Register(group, tuple(targets)))
    return turn.do(*registered) if registered else None


def attach(turn: Turn) -> Decision | None:
    """The whole batch when all of it is in service, so that a failure finds it outside the group."""
    if turn.is_twinned or not turn.loose or turn.at.unseen or any(turn.not_yet(each) for each in turn.loose):
        return None
    ids = tuple(each.id for each in turn.loose)[:AT_MOST]
    attached = united(turn.record.attached, ids)
    return _make_room(turn, len(ids)) or turn.do(
        act.Attach(ids), attached=attached, attaching=(turn.fleet.desired, ids)
    )
