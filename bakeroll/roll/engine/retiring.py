"""The steps by which instances go: chosen, deregistered, drained, terminated or kept standing by. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence, Set

from bakeroll.fleet import Instance
from bakeroll.roll.engine.launching import AT_MOST
from bakeroll.roll.engine.turn import Turn, is_given_work, united, without
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.decision import Decision


def sweep(turn: Turn) -> Decision | None:
    """An instance of ours that died outside the group stays registered unless we deregister it."""
    dead = [each for each in turn.fleet.instances if not each.is_alive and not each.lifecycle and turn.is_ours(each)]
    return _deregister(turn, [each for each in dead if any(is_given_work(it) for it in each.health.values())])


def bury(turn: Turn) -> Decision | None:
    """A member that died leaves with the desired capacity that the roll added.

    The group misses it only after a while, and would replace it then, beside what the roll brought in its place.
    """
    dead = tuple(each.id for each in turn.fleet.members if not each.is_alive)[: max(0, turn.at.surge)]
    if not dead:
        return None
    retired = _retirements(turn, dead, frozenset(dead), 0)
    decremented = united(turn.record.decremented, dead)
    return turn.do(*retired, decremented=decremented, leaving=(turn.fleet.desired, dead))


def cool(turn: Turn) -> Decision | None:
    """What is in the warm pool of another release goes, before the group takes it into service.

    TerminateInstanceInAutoScalingGroup "cannot be called on instances in a warm pool", so EC2 does it, and Auto Scaling
    replaces what is not healthy there:
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pools-health-checks-monitor-view-status.html
    """
    is_due = turn.is_committed or not turn.is_forward
    return turn.do(act.Cool(turn.fleet.stale)) if is_due and turn.fleet.stale else None


def retire(turn: Turn) -> Decision | None:
    """Those that were chosen to go: deregistered, drained, gone."""
    serving = [each.id for each in turn.going if turn.fleet.is_in_service(each)]
    if serving and sum(turn.fleet.is_in_service(each) for each in turn.fleet.instances) - len(serving) < _floor(turn):
        return turn.do(retiring=without(turn.record.retiring, serving))  # more is wanted since they were chosen
    if decision := _deregister(turn, [each for each in turn.going if each.is_registered]):
        return decision
    mine = [each for each in turn.going if not each.is_in_twin]  # those go with their group (twin.py)
    drained = [each for each in mine if not each.is_registered and turn.has_drained(each)]
    return _leave(turn, drained) if drained else None


def choose(turn: Turn) -> Decision | None:
    """Which of the wrong instances may go now."""
    if turn.is_refreshing:
        return None
    chosen = tuple(_chosen(turn))
    if not chosen:
        return None
    ids = set(chosen)
    going = [each for each in turn.fleet.instances if each.id in ids and each.is_registered]
    return turn.do(*turn.deregistrations(going), retiring=united(turn.record.retiring, chosen))


def expire(turn: Turn) -> Decision | None:
    """Those that stand by since an earlier roll go when this one's release serves."""
    if not turn.is_forward or not turn.is_committed or turn.at.wrong or turn.going:
        return None
    old = [each for each in turn.fleet.instances if each.lifecycle == "Standby" and each.id in turn.record.soaked]
    return turn.do(*(act.Retire(each.id, False, turn.fleet.desired) for each in old)) if old else None


def surplus(turn: Turn) -> list[Instance]:
    """Right ones above what is wanted: the group replaced one while this roll's own were there as well."""
    members = sorted((each for each in turn.at.right if each.is_member), key=lambda each: _order(turn, each))
    return members[: max(0, min(turn.at.surge, len(members) - turn.at.wanted))]


def _deregister(turn: Turn, instances: Sequence[Instance]) -> Decision | None:
    actions = tuple(turn.deregistrations(instances)) if instances else ()
    return turn.do(*actions) if actions else None


def _leave(turn: Turn, instances: Sequence[Instance]) -> Decision | None:
    """Members leave with the desired capacity that the roll added, as long as there is any; others are terminated.

    Where the group launches and more wrong ones are left than the surge, it replaces those that leave.
    """
    members = [each for each in instances if each.is_member]
    number = max(0, turn.at.surge)
    if turn.is_by_group and turn.is_forward:
        leaving = {each.id for each in members}
        number = max(0, number - sum(1 for each in turn.at.wrong if each.is_member and each.id not in leaving))
    kept = [each for each in members if _is_kept(turn, each)]
    ordered = [*kept, *(each for each in members if not _is_kept(turn, each))]
    decremented = tuple(each.id for each in ordered[:number])
    lowered = set(decremented)
    loose = tuple(each.id for each in instances if not each.is_member)
    terminated = [act.Terminate(loose)] if loose else []
    standing_by = [act.StandBy(ids, dec) for dec in (True, False) for ids in _chunks(kept, lowered, dec)]
    retired = _retirements(turn, [each.id for each in ordered[len(kept) :]], lowered, len(kept))
    # What was attached and stands by without its capacity leaves that to another, and may be attached again.
    given = {each.id for each in kept} & {*turn.record.attached} - lowered
    return turn.do(
        *terminated,
        *standing_by,
        *retired,
        decremented=united(turn.record.decremented, decremented),
        leaving=(turn.fleet.desired, decremented) if decremented else None,
        soaked=without(turn.record.soaked, [each.id for each in kept]),
        attached=without(turn.record.attached, tuple(given)),
        raised=turn.record.raised + len(given),
    )


def _retirements(turn: Turn, ids: Sequence[str], decremented: Set[str], kept: int) -> Iterator[act.Action]:
    desired = turn.fleet.desired - min(kept, len(decremented))
    number = max(0, len(decremented) - kept)
    for n, each in enumerate(ids):
        yield act.Retire(each, each in decremented, desired - min(n, number))


def _chunks(kept: Sequence[Instance], decremented: Set[str], dec: bool) -> Iterator[tuple[str, ...]]:
    ids = [each.id for each in kept if (each.id in decremented) is dec]
    for at in range(0, len(ids), AT_MOST):
        yield tuple(ids[at : at + AT_MOST])


def _is_kept(turn: Turn, instance: Instance) -> bool:
    """Whether an old instance soaks: it served before, and might be wanted again."""
    is_old = instance.id in turn.found and instance.image != turn.record.image
    is_whole = instance.state == "running" and instance.lifecycle == "InService"
    return turn.policy.soak > 0 and turn.is_forward and is_old and is_whole


def _chosen(turn: Turn) -> Iterator[str]:
    """Those out of service first; promise 3 for members, the floor for all that serve."""
    floor, wrong = _floor(turn), [each for each in turn.at.wrong if each.id not in turn.chosen]
    here = [each for each in turn.fleet.instances if each.id not in turn.chosen]
    in_service = sum(turn.fleet.is_in_service(each) for each in here)
    is_wrong = {each.id for each in wrong}
    left = len(turn.serving) + sum(each.is_member for each in wrong)
    least = floor if turn.record.strategy == "rolling" else turn.at.wanted
    for each in _spread(turn, _candidates(turn, wrong)):
        is_serving = turn.fleet.is_in_service(each)
        is_counted = each.is_member and (is_serving or each.id in is_wrong)
        if is_serving and in_service <= floor:
            continue
        if is_counted and turn.is_forward and left <= least:
            continue
        in_service -= is_serving
        left -= is_counted
        yield each.id


def _candidates(turn: Turn, wrong: Sequence[Instance]) -> Sequence[Instance]:
    """Before the commit point no member but what a dead roll brought, and that only where it takes up the room."""
    record = turn.record
    if turn.is_twinned and turn.is_switched and not turn.is_forward:
        return ()  # the group would replace them with more of the same: first the other takes over again
    if not turn.is_forward or (turn.is_committed and (record.strategy != "canary" or record.is_watched)):
        return wrong or surplus(turn)
    is_crowded = turn.room <= 0 and not turn.at.coming and not turn.is_twinned
    return [each for each in wrong if not each.is_member or (is_crowded and each.id not in turn.found)]


def _floor(turn: Turn) -> int:
    """How many have to serve.

    Backing out to what nothing can launch, while nothing that was found has gone: no more than were found serving, or
    may come.
    """
    if turn.is_forward or turn.record.found.is_launchable or turn.chosen & turn.found:
        return turn.floor
    return min(turn.floor, max(turn.record.found.serving, _hopeful(turn)))


def _hopeful(turn: Turn) -> int:
    """How many right ones serve, or may yet: those that had their time and did not are no reason to wait."""
    since, timeout = turn.memory.waiting, turn.policy.in_service_timeout
    right = {each.id for each in turn.at.right}
    members = [each for each in turn.fleet.members if each.id in right or not each.image]
    return sum(turn.now - since.get(each.id, turn.now) < timeout for each in members) + turn.launching


def _spread(turn: Turn, instances: Sequence[Instance]) -> list[Instance]:
    """In the order in which they may go: of those alike, from the zone that has the fewest right ones.

    The group launches where it has the fewest of all, and so ends as evenly spread over its zones as it can be: else
    AZRebalance, resumed at the end, would terminate some that were only just proved.
    """
    right = Counter(each.zone for each in turn.at.right)
    wrong = Counter(each.zone for each in instances)
    ranked = []
    for each in sorted(instances, key=lambda each: _order(turn, each)):
        *alike, identifier = _order(turn, each)
        ranked.append((alike, right[each.zone], -wrong[each.zone], identifier, each))
        right[each.zone] += 1
        wrong[each.zone] -= 1
    return [each for *_, each in sorted(ranked, key=lambda rank: rank[:-1])]


def _order(turn: Turn, instance: Instance) -> tuple[bool, bool, str]:
    return turn.fleet.is_in_service(instance), instance.id in turn.found, instance.id
