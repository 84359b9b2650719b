"""What to do next. Pure: from what was observed, written down and remembered, to a decision.

One engine for all strategies. The order of a roll: make the launch template version; suspend AZRebalance (it would
launch and terminate on its own while zones are skewed); have new instances come (`launching`); when they serve, set
the group to the new version (the commit point); let the old ones go (`retiring`); put back what was changed.

    surge       all at once or in batches, launched beside the group where that is as good as the group's own launching
    rolling     the group is committed first and replaces what is retired, within its surge
    canary      a few first, watched (`watching`), then the rest as surge
    blue-green  the new ones in a second group, which takes over (`twin`)
    refresh     AWS's instance refresh does the work (`refreshing`); each instance is proved here all the same

Backing out is the same decision with the fleet as found for its goal: what is wrong then is what was new.

A group with fewer instances than it desires (a first release: its template names no image that exists) has to
end with exactly as many as it desired. AttachInstances always raises desired capacity, and needs the Launch
process, so the attached instances would fill nothing and the group would go on launching what it lacks: after
the commit point, as many again. So what attaching added and nothing fills is taken back at once after the
attach (LowerDesired). Only the roll's own addition is ever taken back: desired capacity never falls below what
others asked for, nor below the instances there are, and so the group terminates nothing. The price is a
maximum size raised for that moment. To lower first would break the minimum size; to suspend Launch would stop
attaching and everybody's scale-out; to let the group launch after the commit point would put instances in
service that nobody asked for their version, and wait for a group that AWS lets retry ever more seldom.
"""

from bakeroll.fleet import Fleet, Instance
from bakeroll.roll.engine import blue_green, canary, instance_refresh, launching, retiring
from bakeroll.roll.engine.turn import Turn, united, without
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.amounts import DEATHS
from bakeroll.roll.state.decision import Act, Decision, Done, Failed, Wait
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.record import Goal, Record
from bakeroll.roll.world.health import says_another
from bakeroll.roll.world.standing import UNSEEN_SECONDS
from bakeroll.settings import Policy


def serves(fleet: Fleet, goal: Goal) -> bool:
    """Whether the fleet serves the release already and there is nothing to do."""
    members = fleet.members
    return (
        fleet.image == goal.release.image
        and len(members) >= fleet.desired
        and all(each.image == goal.release.image and fleet.is_in_service(each) for each in members)
        and not fleet.stale
    )


def decide(fleet: Fleet, goal: Goal, policy: Policy, record: Record, memory: Memory, now: float) -> Decision:
    """The next actions, or what is awaited and why, or the end."""
    turn = Turn.of(fleet, goal, policy, record, memory, now)
    return next((decision for step in STEPS if (decision := step(turn))), Done())


def set_back(turn: Turn) -> Decision | None:
    """Backing out begins with what the group launches by itself."""
    record, fleet = turn.record, turn.fleet
    before = record.pinned or record.found.template_version
    is_ours = record.knows(fleet) and fleet.template_version in record.versions and fleet.template_version != before
    if turn.is_forward or turn.is_twinned or not is_ours:
        return None
    return turn.do(act.SetTemplate(fleet.template_version, before))


def failure(turn: Turn) -> Decision | None:
    # What was kept since an earlier roll is not new, and goes with the group that it stands by in.
    fallen = without(turn.memory.fallen, (*turn.record.retiring, *turn.record.soaked))
    deaths = list(dict.fromkeys([*(each.id for each in turn.at.deaths), *fallen]))
    if len(deaths) > DEATHS:
        return Failed(f"{len(deaths)} new instances died; the last was {deaths[-1]}", deaths[-1])
    if turn.is_forward and not turn.is_switched and not turn.record.knows(turn.fleet):
        template, found = turn.fleet.template, turn.record.found.template
        of = f" of {template}" if template != found else ""
        return Failed(
            f"{turn.fleet.name}'s launch template version was set to {turn.fleet.template_version}{of} meanwhile"
        )
    return next((failed for each in turn.awaited if (failed := _failed(turn, each))), None)


def pin(turn: Turn) -> Decision | None:
    """A group at `$Latest` would launch the new version as soon as it is made: name the number first."""
    version, number = turn.fleet.template_version, turn.fleet.template_number
    if not turn.is_forward or turn.is_committed or not version.startswith("$"):
        return None
    return turn.do(act.SetTemplate(version, number), pinned=number)


def make_version(turn: Turn) -> Decision | None:
    is_due = not turn.is_committed or (turn.is_refreshing and turn.at.wrong)  # a refresh is known by its version
    if not turn.is_forward or turn.record.made or not is_due:
        return None
    make = act.MakeVersion(turn.record.found.template, turn.fleet.template_version, turn.record.image)
    return turn.do(make, making=united(turn.record.making, (turn.record.id,)))


def suspend(turn: Turn) -> Decision | None:
    is_quiet = "AZRebalance" in turn.fleet.suspended or not turn.is_forward
    if is_quiet or turn.is_refreshing or turn.is_twinned:
        return None
    if not turn.at.wrong and len(turn.at.right) >= turn.at.target:
        return None
    return turn.do(act.Suspend(("AZRebalance",)), suspended=united(turn.record.suspended, ("AZRebalance",)))


def lower_desired(turn: Turn) -> Decision | None:
    """Take back what the roll added where no instance fills it, and the group is not to; see above."""
    filling = max(0, turn.limit - len(turn.at.right)) if turn.is_by_group else 0
    spare = min(turn.deficit - filling, turn.at.surge)
    if spare <= 0:
        return None
    seen, to = turn.fleet.desired, turn.fleet.desired - spare
    return turn.do(act.LowerDesired(seen, to), lowering=(seen, to))


def commit(turn: Turn) -> Decision | None:
    if not turn.is_forward or turn.is_committed or turn.is_twinned or turn.is_refreshing:
        return None
    if not turn.is_by_group and not _is_proven(turn):
        return None
    return turn.do(act.SetTemplate(turn.fleet.template_version, turn.record.made))


def wait(turn: Turn) -> Decision | None:
    for each in turn.going:
        if not (turn.is_twinned and each.is_in_twin and turn.has_drained(each)):
            since = turn.memory.draining.get(each.id, turn.now)
            return Wait(each.id, "draining", since, since + turn.policy.drain_timeout)
    for identifier in turn.at.unseen:
        return turn.awaits(identifier, "launched, not shown by AWS yet")
    for each in turn.awaited:
        if why := turn.not_yet(each):
            return turn.awaits(each.id, why)
    may_lack = len(turn.at.right) < turn.at.target and turn.launching
    if turn.to_come > 0 if turn.is_forward else turn.is_by_group and may_lack:
        since = turn.memory.short_since if turn.memory.short_since is not None else turn.now
        why = f"launches {turn.to_come} by itself"
        return Wait(turn.fleet.name, why, since, since + turn.policy.in_service_timeout)
    if wrong := [each for each in turn.at.wrong if each.id not in turn.chosen]:
        return turn.awaits(wrong[0].id, "may not go yet")
    if surplus := retiring.surplus(turn):
        return turn.awaits(surplus[0].id, "is one too many, may not go yet")
    for launch in turn.at.silent:
        began = turn.memory.began
        return Wait(launch, "not answered, AWS may yet show its instance", began, began + 2 * UNSEEN_SECONDS)
    return None


def restore(turn: Turn) -> Decision | None:
    record, fleet, found = turn.record, turn.fleet, turn.record.found
    if record.making:
        return turn.do(act.FindVersions(found.template, record.making))
    undone: list[act.Action] = []
    lowest = max(found.maximum, fleet.desired)
    if fleet.maximum in record.maxima and fleet.maximum != lowest:
        undone.append(act.SetMaximum(fleet.maximum, lowest))
    if ours := tuple(each for each in record.suspended if each in fleet.suspended):
        undone.append(act.Resume(ours))
    used = {each.template_version for each in (fleet, fleet.twin) if each and each.template == found.template}
    used |= {found.template_version} if record.knows(fleet) and not turn.is_forward else set()
    undone += [act.DeleteVersion(found.template, each) for each in record.versions if each not in used]
    if not undone and not turn.is_forward and record.pinned and fleet.template_version == record.pinned:
        undone.append(act.SetTemplate(record.pinned, found.template_version))
    return Act(record, tuple(undone)) if undone else None


STEPS = (
    instance_refresh.stop,
    set_back,
    failure,
    pin,
    make_version,
    suspend,
    instance_refresh.hand_over,
    blue_green.prepare,
    lambda turn: commit(turn) if turn.is_by_group else None,
    retiring.cool,
    lower_desired,
    retiring.bury,
    retiring.sweep,
    retiring.retire,
    launching.come,
    launching.register,
    launching.attach,
    canary.watch,
    commit,
    blue_green.switch,
    retiring.choose,
    blue_green.drop,
    retiring.expire,
    wait,
    restore,
)


def _is_proven(turn: Turn) -> bool:
    """Whether the first batch, or all there are to be, serve from inside the group, and the canaries were watched."""
    if turn.record.strategy == "canary" and turn.at.target and not turn.record.is_watched:
        return False
    needed = min(turn.at.target, turn.surge)
    return len(turn.serving) >= needed and len(turn.serving) == len(turn.at.right)


def _failed(turn: Turn, instance: Instance) -> Failed | None:
    if says_another(instance, turn.memory, turn.version):
        return Failed(f"{instance.id} {turn.not_yet(instance)}", instance.id)
    if turn.is_forward and (crash := turn.memory.crashing.get(instance.id)):
        return Failed(f"{instance.id} does not come into service: {crash}", instance.id)
    waited = turn.now - turn.memory.waiting.get(instance.id, turn.now)
    if waited < turn.policy.in_service_timeout:
        return None
    after = _spoken(turn.policy.in_service_timeout)
    return Failed(f"{instance.id} was not in service after {after}: {turn.not_yet(instance)}", instance.id)


def _spoken(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
