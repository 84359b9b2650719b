"""The strategy `blue-green`: a second Auto Scaling group, made from the first, takes over; the first is deleted. Pure.

A fleet's group has the fleet's name, or that name with SUFFIX; its twin has the other name. Until the switch, the
fleet's group is the old one. The switch moves its policies, scheduled actions and alarms, and is the commit point. New
instances come into service before the switch and old ones leave after it, by the steps of every other strategy.
"""

from dataclasses import replace

from bakeroll.fleet import ROLL_TAG, Group
from bakeroll.roll.engine.launching import tags
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.decision import Decision, Failed, Wait
from bakeroll.roll.state.names import other
from bakeroll.roll.view.view import View


def prepare(view: View) -> Decision | None:
    """Before the switch: make a twin that launches the new release, as large as the fleet has to be."""
    if not view.is_twinned or not view.is_forward or view.is_committed:
        return None
    record, twin, name = view.record, view.fleet.twin, other(view.record.fleet, view.record.group)
    if twin is None:
        announced = replace(record, second=replace(record.second, name=name))
        return view.do(act.Clone(name, record.versions.made, tags(view)), record=announced)
    if twin.is_deleting:
        return view.awaits(name, "is being deleted")
    if record.second.name != name and ROLL_TAG not in twin.tags:
        return Failed(f"the group {name} exists and was not made by a roll")
    if _is_stale(view, twin):
        return None  # it is deleted first
    if "Launch" in twin.suspended and twin.size < twin.desired:
        return view.do(act.Resume(("Launch",), name))
    return _size(view, twin)


def _size(view: View, twin: Group) -> Decision | None:
    wanted = view.wanted
    sizes = (min(view.fleet.minimum, wanted), wanted, max(view.fleet.maximum, wanted))
    if (twin.minimum, twin.desired, twin.maximum) == sizes or view.record.second.switching_to:
        return None
    return view.do(act.Size(twin.name, *sizes))


def switch(view: View) -> Decision | None:
    """Switch when all instances of the twin serve. Backing out, switch back when those of the old group serve again."""
    twin = view.fleet.twin
    if not view.is_twinned or twin is None or view.is_committed is view.is_forward:
        return None if view.is_forward else _undo(view)
    if not view.is_forward and not view.is_switched:
        return _undo(view)
    if _is_stale(view, twin):
        return None
    needed = view.target if view.is_forward else min(1, view.target)  # then the old group launches what it lacks
    if len(view.serving) < max(needed, len(view.incoming)):
        return None
    return (None if view.is_forward else _size(view, twin)) or _switch(view, view.fleet.name, twin.name)


def _undo(view: View) -> Decision | None:
    """Undo a switch that began and did not finish. Keep what somebody raised in either group."""
    twin, fleet = view.fleet.twin, view.fleet
    if twin is None or not view.record.second.switching_to:
        return None
    if twin.desired > fleet.desired:
        return view.do(act.Size(fleet.name, fleet.minimum, twin.desired, max(fleet.maximum, twin.desired)))
    return _switch(view, twin.name, fleet.name)


def _switch(view: View, group: str, to: str) -> Decision:
    """Write down first what is suspended, because the switch itself suspends processes."""
    record, second = view.record, view.record.second
    if not second.switching_to:
        suspended = tuple(sorted(view.fleet.suspended - set(record.suspended)))
        second = replace(second, switching_to=to, suspended=suspended)
    return view.do(act.Switch(group, to, second.suspended), record=replace(record, second=second))


def drop(view: View) -> Decision | None:
    """After the switch, delete the old group when its instances are drained. Backing out, delete the new one.

    Every other strategy deletes the second group of an earlier roll.
    """
    twin = view.fleet.twin
    is_in_use = view.is_twinned and view.is_committed is not view.is_forward
    if twin is None or twin.is_deleting or (is_in_use and not _is_stale(view, twin)):
        return None
    if view.policy.soak > 0 and view.is_forward and twin.name == view.record.found.group:
        return None
    here = [each for each in view.fleet.instances if each.is_in_twin and each.is_alive and not each.lifecycle]
    if any(each.is_registered or each.id not in view.chosen for each in here):
        return view.awaits(twin.name, "cannot be deleted yet")
    if late := next((each for each in here if not view.has_drained(each)), None):
        since = view.memory.draining.get(late.id, view.now)
        return Wait(late.id, "draining", since, since + view.policy.drain_timeout)
    return _undo(view) or view.do(act.DeleteTwin(twin.name))


def _is_stale(view: View, twin: Group) -> bool:
    """Whether the twin is an earlier roll's to another release, and has to be deleted before a new one is made."""
    if not view.is_forward or view.is_committed:
        return False
    its = {each.identity for each in view.fleet.instances if each.is_in_twin and each.is_alive}
    return twin.template_version != view.record.versions.made and its != {view.record.identity}
