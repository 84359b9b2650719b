"""Decides what to do next, from what was observed, recorded and remembered. Pure.

One engine serves all strategies. A roll makes the launch template version; suspends AZRebalance, which would
launch and terminate on its own while zones are skewed; brings new instances into service (`launching`); sets the group
to the new version (the commit point); retires the old instances (`retiring`); restores what was changed.

    surge       all at once or in batches, launched beside the group if that equals what the group itself would launch
    rolling     the roll commits the group first, and the group replaces what is retired, within the surge
    canary      a few first, which are watched (`canary`), then the rest as with surge
    blue-green  the new instances are in a second group, which takes over (`blue_green`)
    refresh     AWS's instance refresh does the work (`instance_refresh`); the roll still proves each instance

Backing out is the same decision with the fleet as found for its goal: then the new instances are the wrong ones.

Some groups have fewer instances than they desire. In a first release, for example, the template names no image that
exists. Such a group has to end with exactly as many as it desired. AttachInstances always raises desired capacity, and
needs the Launch process. So the attached instances would fill nothing, and the group would launch what it lacks once
more after the commit point.

So the roll lowers desired capacity right after the attach (LowerDesired) by what attaching added and nothing fills. It
lowers only its own addition. Desired capacity never falls below what others asked for, nor below the current number of
instances, so the group terminates nothing. The price is a maximum size that is raised for that moment.

The alternatives are worse. Lowering first would break the minimum size. Suspending Launch would stop attaching and any
scale-out. Letting the group launch after the commit point would put unproved instances in service, and wait for a group
that AWS lets retry at growing intervals.
"""

from dataclasses import replace

from bakeroll.fleet import Fleet, Instance
from bakeroll.roll.engine import blue_green, canary, instance_refresh, launching, retiring
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.amounts import DEATHS
from bakeroll.roll.state.decision import Act, Decision, Done, Failed, Wait
from bakeroll.roll.state.ids import united, without
from bakeroll.roll.state.record import Goal
from bakeroll.roll.view.health import says_another
from bakeroll.roll.view.unseen import UNSEEN_SECONDS
from bakeroll.roll.view.view import View


def serves(fleet: Fleet, goal: Goal) -> bool:
    """Whether the fleet serves the release already, so that there is nothing to do."""
    members = fleet.members
    return (
        fleet.identity == goal.identity
        and len(members) >= fleet.desired
        and all(each.identity == goal.identity and fleet.is_in_service(each) for each in members)
        and not fleet.stale
    )


def decide(view: View) -> Decision:
    """The next actions, or what the roll waits for and why, or the end."""
    return next((decision for step in STEPS if (decision := step(view))), Done())


def set_back(view: View) -> Decision | None:
    """Backing out, first set back what the group launches by itself."""
    record, fleet = view.record, view.fleet
    before = record.versions.pinned or record.found.template_version
    is_set = fleet.template_version in record.versions.ours and fleet.template_version != before
    if view.is_forward or view.is_twinned or not (is_set and record.knows(fleet)):
        return None
    return view.do(act.SetTemplate(fleet.template_version, before))


def failure(view: View) -> Decision | None:
    """Fail if too many new instances died, if somebody set the launch template, or if an instance failed."""
    # An instance kept since an earlier roll is not new, and leaves with the group that it stands by in.
    fallen = without(view.memory.fallen, (*view.record.retiring, *view.record.soak.instances))
    deaths = list(dict.fromkeys([*(each.id for each in view.deaths), *fallen]))
    if len(deaths) > DEATHS:
        return Failed(f"{len(deaths)} new instances died; the last was {deaths[-1]}", deaths[-1])
    if view.is_forward and not view.is_switched and not view.record.knows(view.fleet):
        template, found = view.fleet.template, view.record.found.template
        of = f" of {template}" if template != found else ""
        return Failed(
            f"somebody set the launch template version of {view.fleet.name} to {view.fleet.template_version}{of}"
        )
    return next((failed for each in view.awaited if (failed := _failed(view, each))), None)


def pin(view: View) -> Decision | None:
    """Set a group at `$Latest` to the number first: it would launch the new version as soon as that is made."""
    version, number = view.fleet.template_version, view.fleet.template_number
    if not view.is_forward or view.is_committed or not version.startswith("$"):
        return None
    versions = replace(view.record.versions, pinned=number)
    return view.do(act.SetTemplate(version, number), record=replace(view.record, versions=versions))


def make_version(view: View) -> Decision | None:
    """Make the launch template version with the new image."""
    is_whole = not (view.outgoing or view.retiring)
    is_due = not view.is_committed or (view.is_refreshing and not is_whole)  # a refresh is identified by its version
    if not view.is_forward or view.record.versions.made or not is_due:
        return None
    record = view.record
    make = act.MakeVersion(record.found.template, view.fleet.template_version, record.intended.image)
    return view.do(make, record=replace(record, versions=record.versions.with_attempt(record.id)))


def suspend(view: View) -> Decision | None:
    """Suspend AZRebalance while the roll replaces instances."""
    is_quiet = "AZRebalance" in view.fleet.suspended or not view.is_forward
    if is_quiet or view.is_refreshing or view.is_twinned:
        return None
    if not (view.outgoing or view.retiring) and len(view.incoming) >= view.target:
        return None
    quiet = ("AZRebalance",)
    record = replace(view.record, suspended=united(view.record.suspended, quiet))
    return view.do(act.Suspend(quiet), record=record)


def lower_desired(view: View) -> Decision | None:
    """Lower desired capacity by what the roll added and neither an instance nor the group is to fill; see above."""
    filling = max(0, view.limit - len(view.incoming)) if view.is_by_group else 0
    spare = min(view.deficit - filling, view.added)
    if spare <= 0:
        return None
    seen, to = view.fleet.desired, view.fleet.desired - spare
    capacity = view.record.capacity.with_lowering(seen, to)
    return view.do(act.LowerDesired(seen, to), record=replace(view.record, capacity=capacity))


def commit(view: View) -> Decision | None:
    """Set the group to the new launch template version: the commit point."""
    if not view.is_forward or view.is_committed or view.is_twinned or view.is_refreshing:
        return None
    if not view.is_by_group and not _is_proven(view):
        return None
    return view.do(act.SetTemplate(view.fleet.template_version, view.record.versions.made))


def wait(view: View) -> Decision | None:
    """Wait for the first thing that is not done: draining, an instance, the group, an answer."""
    for each in view.retiring:
        if not (view.is_twinned and each.is_in_twin and view.has_drained(each)):
            since = view.memory.draining.get(each.id, view.now)
            return Wait(each.id, "draining", since, since + view.policy.drain_timeout)
    for identifier in view.unseen.instances:
        return view.awaits(identifier, "launched, not shown by AWS yet")
    for each in view.awaited:
        if why := view.reason(each):
            return view.awaits(each.id, why)
    may_lack = len(view.incoming) < view.target and view.launching
    if view.to_come > 0 if view.is_forward else view.is_by_group and may_lack:
        since = view.memory.short_since if view.memory.short_since is not None else view.now
        why = f"launches {view.to_come} by itself"
        return Wait(view.fleet.name, why, since, since + view.policy.in_service_timeout)
    if view.outgoing:
        return view.awaits(view.outgoing[0].id, "cannot be retired yet")
    if surplus := retiring.surplus(view):
        return view.awaits(surplus[0].id, "is one too many, cannot be retired yet")
    for launch in view.unseen.unwanted:
        began = view.memory.began
        return Wait(launch, "got no answer, AWS may still show its instance", began, began + 2 * UNSEEN_SECONDS)
    return None


def restore(view: View) -> Decision | None:
    """Restore the maximum size and the processes, and delete the roll's unused template versions."""
    record, fleet, found = view.record, view.fleet, view.record.found
    if record.versions.making:
        return view.do(act.FindVersions(found.template, record.versions.making))
    undone: list[act.Action] = []
    lowest = max(found.maximum, fleet.desired)
    if fleet.maximum in record.capacity.maxima and fleet.maximum != lowest:
        undone.append(act.SetMaximum(fleet.maximum, lowest))
    if ours := tuple(each for each in record.suspended if each in fleet.suspended):
        undone.append(act.Resume(ours))
    used = {each.template_version for each in (fleet, fleet.twin) if each and each.template == found.template}
    used |= {found.template_version} if record.knows(fleet) and not view.is_forward else set()
    undone += [act.DeleteVersion(found.template, each) for each in record.versions.ours if each not in used]
    pinned = record.versions.pinned
    if not undone and not view.is_forward and pinned and fleet.template_version == pinned:
        undone.append(act.SetTemplate(pinned, found.template_version))
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
    lambda view: commit(view) if view.is_by_group else None,
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


def _is_proven(view: View) -> bool:
    """Whether the first batch, or the whole target, serves from inside the group. Canaries are watched before that."""
    needed = min(view.target, view.surge)
    return len(view.serving) >= needed and len(view.serving) == len(view.incoming)


def _failed(view: View, instance: Instance) -> Failed | None:
    if says_another(instance, view.memory, view.version):
        return Failed(f"{instance.id} {view.reason(instance)}", instance.id)
    if view.is_forward and (crash := view.memory.crashing.get(instance.id)):
        return Failed(f"{instance.id} does not come into service: {crash}", instance.id)
    waited = view.now - view.memory.waiting.get(instance.id, view.now)
    if waited < view.policy.in_service_timeout:
        return None
    after = _spoken(view.policy.in_service_timeout)
    return Failed(f"{instance.id} was not in service after {after}: {view.reason(instance)}", instance.id)


def _spoken(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
