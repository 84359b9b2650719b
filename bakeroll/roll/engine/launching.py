"""The steps that bring instances of the release into service: launch, return, register, attach. Pure.

The roller launches beside the group, so that the group launches the old release until the commit point. If the group
itself would launch something else (`launcher.py`), the group launches: the roll sets it to the new version first, and
raises its desired capacity by the surge.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from bakeroll.fleet import ROLL_TAG, SLOT_TAG, VERSION_TAG, Instance, Subnet
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.decision import Act, Decision, Failed
from bakeroll.roll.state.ids import united, without
from bakeroll.roll.state.launches import RecordedSlot
from bakeroll.roll.view.health import unready
from bakeroll.roll.view.view import View

AT_MOST = 20
"""Instances that one call may attach or move to or from Standby:
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html"""


def come(view: View) -> Decision | None:
    """Return instances that stand by, then launch what is still missing, as far as the surge allows."""
    number = 0 if view.is_refreshing or view.is_twinned else _missing(view)
    if number > 0 and (returning := _standing_by(view)):
        return _return(view, returning[: min(number, AT_MOST)])
    if view.is_by_group:
        return _raise(view, number) if number > 0 else None
    return _launch(view, max(0, number))


def _missing(view: View) -> int:
    by_itself = view.to_come if view.is_committed or not view.is_forward else 0
    return min(view.limit - len(view.incoming) - view.unseen.coming, view.room) - by_itself


def _standing_by(view: View) -> list[Instance]:
    """Instances of the release that is to serve, kept by this roll or an earlier one."""
    kept = {*view.record.soak.instances, *view.record.retiring}
    here = [each for each in view.fleet.instances if each.lifecycle == "Standby" and each.is_alive and each.id in kept]
    if view.is_forward:
        return [each for each in here if each.identity == view.record.identity]
    return [each for each in here if each.id in view.chosen]


def _return(view: View, instances: list[Instance]) -> Act:
    ids, record = [each.id for each in instances], view.record
    if room := _make_room(view, len(ids)):
        return room
    announced = replace(
        record,
        capacity=record.capacity.with_return(ids),
        retiring=without(record.retiring, ids),
        soak=replace(record.soak, instances=united(record.soak.instances, ids)),
    )
    return view.do(act.Return(tuple(ids)), record=announced)


def _raise(view: View, number: int) -> Act:
    seen, to = view.fleet.desired, view.fleet.desired + number
    record = replace(view.record, capacity=view.record.capacity.with_raise(seen, to))
    return _make_room(view, number) or view.do(act.RaiseDesired(seen, to), record=record)


def _make_room(view: View, number: int) -> Act | None:
    needed = view.fleet.desired + number
    if view.fleet.maximum >= needed:
        return None
    record = replace(view.record, capacity=view.record.capacity.with_maximum(needed))
    return view.do(act.SetMaximum(view.fleet.maximum, needed), record=record)


def _launch(view: View, number: int) -> Decision | None:
    subnets = [each for each in view.fleet.subnets or (Subnet("", ""),) if each.zone not in view.memory.lacking]
    if number and not subnets:
        return Failed(next(iter(view.memory.lacking.values())))
    record = view.record
    slots = (*record.launches.slots, *_slots(view, number, subnets))
    numbers = [*view.unseen.requests, *range(len(record.launches.slots), len(slots))]
    launches = [act.Launch(each, tags(view, each)) for each in numbers]
    announced = replace(record, launches=replace(record.launches, slots=slots))
    return view.do(*launches, record=announced) if launches else None


def _slots(view: View, number: int, subnets: list[Subnet]) -> Iterator[RecordedSlot]:
    """One request per subnet. Each instance goes to the zone that then has the fewest new ones."""
    version = (view.is_forward and view.record.versions.made) or view.fleet.template_version
    taken = Counter(each.zone for each in view.incoming)
    for slot in view.unseen.requests:
        request = view.record.launches.slots[slot]
        taken[request.subnet.zone] += request.count
    placed: Counter[Subnet] = Counter()
    for _ in range(number):
        subnet = min(subnets, key=lambda each: taken[each.zone])
        taken[subnet.zone] += 1
        placed[subnet] += 1
    for subnet, count in placed.items():
        yield RecordedSlot(version, subnet, count)


def tags(view: View, slot: int | None = None) -> dict[str, str]:
    """The tags of a launched instance, including the group's own."""
    release = view.goal.release
    before = (each.tags.get(VERSION_TAG) for each in view.fleet.instances if each.identity == view.fleet.identity)
    own = {
        "Name": view.goal.fleet,
        "bakeroll:application": release.application,
        "bakeroll:environment": release.environment,
        VERSION_TAG: release.version if view.is_forward else next((each for each in before if each), ""),
        ROLL_TAG: view.record.id,
        SLOT_TAG: "" if slot is None else str(slot),
    }
    return {"Name": view.goal.fleet, **view.fleet.tags, **{key: value for key, value in own.items() if value}}


def register(view: View) -> Decision | None:
    """Register instances that answered with their version. By address, register old ones that stay in the group too.

    A group registers its members by id when they enter service. It never registers those that entered while
    AddToLoadBalancer was suspended:
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html.
    It registers none by address, so a replacement that it launched serves only when a roll has registered it.
    """
    ready = [each for each in view.incoming if not unready(each, view.memory, view.version)]
    here = [each for each in ready if each.lifecycle in ("", "InService")]
    kept = [each for each in view.outgoing if each.lifecycle == "InService"]
    running = [each for each in kept if each.state == "running"]
    registered, addresses = [], dict(view.record.addresses)
    for group in view.fleet.target_groups:
        some = [*here, *running] if group.type == "ip" else here
        new = [each for each in some if group.arn not in each.health]
        if new:
            registered.append(act.Register(group, tuple(group.target(each) for each in new)))
        addresses |= {each.id: each.address for each in new if group.type == "ip"}
    return view.do(*registered, record=replace(view.record, addresses=addresses)) if registered else None


def attach(view: View) -> Decision | None:
    """Attach the batch when all of it is in service, so that a batch that fails is still outside the group."""
    if view.is_twinned or not view.loose or view.unseen.instances or any(view.reason(each) for each in view.loose):
        return None
    ids = tuple(each.id for each in view.loose)[:AT_MOST]
    record = replace(view.record, capacity=view.record.capacity.with_attach(view.fleet.desired, ids))
    return _make_room(view, len(ids)) or view.do(act.Attach(ids), record=record)
