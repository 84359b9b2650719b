"""The steps that retire instances: choose, deregister, drain, terminate or move to Standby. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace

from bakeroll.fleet import Instance
from bakeroll.roll.engine.launching import AT_MOST
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.decision import Decision
from bakeroll.roll.state.ids import united, without
from bakeroll.roll.view.roles import Role
from bakeroll.roll.view.view import View, is_given_work


def sweep(view: View) -> Decision | None:
    """Deregister the roll's instances that died outside the group, and dead ones of any kind by address.

    Nobody else deregisters them.
    """
    dead = [each for each in view.fleet.instances if not each.is_alive and not each.lifecycle and view.is_ours(each)]
    left = [*dead, *view.fleet.forsaken]
    return _deregister(view, [each for each in left if any(is_given_work(it) for it in each.health.values())])


def bury(view: View) -> Decision | None:
    """Remove a dead member together with desired capacity that the roll added.

    The group would notice later and replace it, although the roll has brought a replacement.
    """
    dead = tuple(each.id for each in view.fleet.members if not each.is_alive)[: max(0, view.added)]
    if not dead:
        return None
    retired = _retirements(view, dead, frozenset(dead), 0)
    capacity = view.record.capacity.with_leaving(view.fleet.desired, dead)
    return view.do(*retired, record=replace(view.record, capacity=capacity))


def cool(view: View) -> Decision | None:
    """Terminate warm pool instances of another release before the group takes them into service.

    TerminateInstanceInAutoScalingGroup "cannot be called on instances in a warm pool", so EC2 terminates them, and Auto
    Scaling replaces unhealthy ones:
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pools-health-checks-monitor-view-status.html
    """
    is_due = view.is_committed or not view.is_forward
    return view.do(act.Cool(view.fleet.stale)) if is_due and view.fleet.stale else None


def retire(view: View) -> Decision | None:
    """Deregister the chosen instances, let them drain, and take them out of the group."""
    serving = [each.id for each in view.retiring if view.fleet.is_in_service(each)]
    if serving and sum(view.fleet.is_in_service(each) for each in view.fleet.instances) - len(serving) < _floor(view):
        retiring = without(view.record.retiring, serving)  # somebody raised desired capacity since they were chosen
        return view.do(record=replace(view.record, retiring=retiring))
    if decision := _deregister(view, [each for each in view.retiring if each.is_registered]):
        return decision
    mine = [each for each in view.retiring if not each.is_in_twin]  # those leave with their group (blue_green.py)
    drained = [each for each in mine if not each.is_registered and view.has_drained(each)]
    return _leave(view, drained) if drained else None


def choose(view: View) -> Decision | None:
    """Choose the outgoing instances that can be retired now, and deregister them."""
    if view.is_refreshing:
        return None
    chosen = tuple(_chosen(view))
    if not chosen:
        return None
    ids = set(chosen)
    going = [each for each in view.fleet.instances if each.id in ids and each.is_registered]
    record = replace(view.record, retiring=united(view.record.retiring, chosen))
    return view.do(*view.deregistrations(going), record=record)


def expire(view: View) -> Decision | None:
    """Retire instances that stand by since an earlier roll, when this roll's release serves."""
    if not view.is_forward or not view.is_committed or view.outgoing or view.retiring:
        return None
    soaking = view.record.soak.instances
    old = [each for each in view.fleet.instances if each.lifecycle == "Standby" and each.id in soaking]
    return view.do(*(act.Retire(each.id, False, view.fleet.desired) for each in old)) if old else None


def surplus(view: View) -> list[Instance]:
    """New instances above the wanted number: the group replaced one that the roll had replaced too."""
    members = sorted((each for each in view.incoming if each.is_member), key=lambda each: _order(view, each))
    return members[: max(0, min(view.added, len(members) - view.wanted))]


def _deregister(view: View, instances: Sequence[Instance]) -> Decision | None:
    actions = tuple(view.deregistrations(instances)) if instances else ()
    return view.do(*actions) if actions else None


def _leave(view: View, instances: Sequence[Instance]) -> Decision | None:
    """Remove members together with desired capacity that the roll added, while there is any. Terminate the others.

    If the group launches, and more old ones are left than the surge, the group replaces those that leave.
    """
    members = [each for each in instances if each.is_member]
    number = max(0, view.added)
    if view.is_by_group and view.is_forward:
        leaving = {each.id for each in members}
        old = [each for each in (*view.outgoing, *view.retiring) if each.is_member]
        number = max(0, number - sum(1 for each in old if each.id not in leaving))
    kept = [each for each in members if _is_kept(view, each)]
    ordered = [*kept, *(each for each in members if not _is_kept(view, each))]
    decremented = tuple(each.id for each in ordered[:number])
    lowered = set(decremented)
    loose = tuple(each.id for each in instances if not each.is_member)
    terminated = [act.Terminate(loose)] if loose else []
    standing_by = [act.StandBy(ids, dec) for dec in (True, False) for ids in _chunks(kept, lowered, dec)]
    retired = _retirements(view, [each.id for each in ordered[len(kept) :]], lowered, len(kept))
    record, resting = view.record, {each.id for each in kept}
    capacity = record.capacity.with_leaving(view.fleet.desired, decremented).with_left_over(resting - lowered)
    soak = replace(record.soak, instances=without(record.soak.instances, resting))
    announced = replace(record, capacity=capacity, soak=soak)
    return view.do(*terminated, *standing_by, *retired, record=announced)


def _retirements(view: View, ids: Sequence[str], decremented: Set[str], kept: int) -> Iterator[act.Action]:
    desired = view.fleet.desired - min(kept, len(decremented))
    number = max(0, len(decremented) - kept)
    for n, each in enumerate(ids):
        yield act.Retire(each, each in decremented, desired - min(n, number))


def _chunks(kept: Sequence[Instance], decremented: Set[str], dec: bool) -> Iterator[tuple[str, ...]]:
    ids = [each.id for each in kept if (each.id in decremented) is dec]
    for at in range(0, len(ids), AT_MOST):
        yield tuple(ids[at : at + AT_MOST])


def _is_kept(view: View, instance: Instance) -> bool:
    """Whether an old instance is kept for the soak: it served, and a rollback may need it."""
    is_old = instance.id in view.found and instance.identity != view.record.identity
    is_whole = instance.state == "running" and instance.lifecycle == "InService"
    return view.policy.soak > 0 and view.is_forward and is_old and is_whole


def _chosen(view: View) -> Iterator[str]:
    """Those out of service first. Promise 3 limits members; the floor limits all that serve."""
    floor, outgoing = _floor(view), view.outgoing
    here = [each for each in view.fleet.instances if each.id not in view.chosen]
    in_service = sum(view.fleet.is_in_service(each) for each in here)
    left = len(view.serving) + sum(each.is_member for each in outgoing)
    least = floor if view.record.intended.strategy == "rolling" else view.wanted
    for each in _spread(view, _candidates(view, outgoing)):
        is_serving = view.fleet.is_in_service(each)
        is_counted = each.is_member and (is_serving or view.role(each) is Role.OUTGOING)
        if is_serving and in_service <= floor:
            continue
        if is_counted and view.is_forward and left <= least:
            continue
        in_service -= is_serving
        left -= is_counted
        yield each.id


def _candidates(view: View, outgoing: Sequence[Instance]) -> Sequence[Instance]:
    """Those that may be chosen. Before the commit point, only members that a dead roll launched and that block room."""
    record = view.record
    if view.is_twinned and view.is_switched and not view.is_forward:
        return ()  # the group would replace them with the same; the other group takes over first
    if not view.is_forward or (view.is_committed and (record.intended.strategy != "canary" or record.is_watched)):
        return outgoing or surplus(view)
    is_crowded = view.room <= 0 and not view.unseen.coming and not view.is_twinned
    return [each for each in outgoing if not each.is_member or (is_crowded and each.id not in view.found)]


def _floor(view: View) -> int:
    """How many have to serve.

    Backing out to an image that does not exist any more, before an old instance was chosen to go: no more than the roll
    found serving, or than may still come into service.
    """
    if view.is_forward or view.record.found.is_launchable or view.chosen & view.found:
        return view.floor
    return min(view.floor, max(view.record.found.serving, _hopeful(view)))


def _hopeful(view: View) -> int:
    """How many incoming instances serve or may still do so within their timeout."""
    since, timeout = view.memory.waiting, view.policy.in_service_timeout
    members = [each for each in view.fleet.members if view.role(each) is Role.INCOMING or not each.identity]
    return sum(view.now - since.get(each.id, view.now) < timeout for each in members) + view.launching


def _spread(view: View, instances: Sequence[Instance]) -> list[Instance]:
    """The instances in the order in which they may leave: among equals, from the zone with the fewest new ones first.

    The group launches in the zone with the fewest instances, so it ends evenly spread over its zones. Otherwise
    AZRebalance, which is resumed at the end, would terminate instances that were just proved.
    """
    incoming = Counter(each.zone for each in view.incoming)
    leaving = Counter(each.zone for each in instances)
    ranked = []
    for each in sorted(instances, key=lambda each: _order(view, each)):
        *alike, identifier = _order(view, each)
        ranked.append((alike, incoming[each.zone], -leaving[each.zone], identifier, each))
        incoming[each.zone] += 1
        leaving[each.zone] -= 1
    return [each for *_, each in sorted(ranked, key=lambda rank: rank[:-1])]


def _order(view: View, instance: Instance) -> tuple[bool, bool, str]:
    return view.fleet.is_in_service(instance), instance.id in view.found, instance.id
