"""The strategy `blue-green`: a second Auto Scaling group, made from the first, takes over; the first is deleted. Pure.

A fleet's group is named like the fleet, or with SUFFIX behind it; the other name is its twin's. Until the switch the
fleet's group is the old one; its policies, scheduled actions and alarms go over in the switch, the commit point.
The new instances come into service before it and the old ones leave after it, by the steps of every other strategy.
"""

from dataclasses import replace

from bakeroll.fleet import ROLL_TAG, Group
from bakeroll.roll.engine.launching import tags
from bakeroll.roll.engine.turn import Turn
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.decision import Decision, Failed, Wait
from bakeroll.roll.state.names import other


def prepare(turn: Turn) -> Decision | None:
    """Before the switch: a twin that launches the new release, as large as the fleet is wanted."""
    if not turn.is_twinned or not turn.is_forward or turn.is_committed:
        return None
    record, twin, name = turn.record, turn.fleet.twin, other(turn.record.fleet, turn.record.group)
    if twin is None:
        return turn.do(act.Clone(name, record.made, tags(turn)), twin=name)
    if twin.is_deleting:
        return turn.awaits(name, "is being deleted")
    if record.twin != name and ROLL_TAG not in twin.tags:
        return Failed(f"there is a group {name} that no roll made")
    if _is_stale(turn, twin):
        return None  # it goes first
    if "Launch" in twin.suspended and twin.size < twin.desired:
        return turn.do(act.Resume(("Launch",), name))
    return _size(turn, twin)


def _size(turn: Turn, twin: Group) -> Decision | None:
    wanted = turn.at.wanted
    sizes = (min(turn.fleet.minimum, wanted), wanted, max(turn.fleet.maximum, wanted))
    if (twin.minimum, twin.desired, twin.maximum) == sizes or turn.record.switching:
        return None
    return turn.do(act.Size(twin.name, *sizes))


def switch(turn: Turn) -> Decision | None:
    """The commit point: all of the twin serve. Backing out: all of the old group serve again."""
    twin = turn.fleet.twin
    if not turn.is_twinned or twin is None or turn.is_committed is turn.is_forward:
        return None if turn.is_forward else _undo(turn)
    if not turn.is_forward and not turn.is_switched:
        return _undo(turn)
    if _is_stale(turn, twin):
        return None
    needed = turn.at.target if turn.is_forward else min(1, turn.at.target)  # the old group launches what it lacks then
    if len(turn.serving) < max(needed, len(turn.at.right)):
        return None
    return (None if turn.is_forward else _size(turn, twin)) or _switch(turn, turn.fleet.name, twin.name)


def _undo(turn: Turn) -> Decision | None:
    """Of a switch that began and was not finished; what somebody raised in the one group is wanted of the other."""
    twin, fleet = turn.fleet.twin, turn.fleet
    if twin is None or not turn.record.switching:
        return None
    if twin.desired > fleet.desired:
        return turn.do(act.Size(fleet.name, fleet.minimum, twin.desired, max(fleet.maximum, twin.desired)))
    return _switch(turn, twin.name, fleet.name)


def _switch(turn: Turn, group: str, to: str) -> Decision:
    """Written down first: what is suspended cannot be told any more when it has begun."""
    record = turn.record
    if not record.switching:
        suspended = tuple(sorted(turn.fleet.suspended - set(record.suspended)))
        record = replace(record, switching=to, processes=suspended)
    return turn.do(act.Switch(group, to, record.processes), switching=record.switching, processes=record.processes)


def drop(turn: Turn) -> Decision | None:
    """After the switch the old group goes when what it has is drained; backing out, the new one.

    Any other strategy has no use for the second group of an earlier roll.
    """
    twin = turn.fleet.twin
    is_in_use = turn.is_twinned and turn.is_committed is not turn.is_forward
    if twin is None or twin.is_deleting or (is_in_use and not _is_stale(turn, twin)):
        return None
    if turn.policy.soak > 0 and turn.is_forward and twin.name == turn.record.found.group:
        return None
    here = [each for each in turn.fleet.instances if each.is_in_twin and each.is_alive and not each.lifecycle]
    if any(each.is_registered or each.id not in turn.chosen for each in here):
        return turn.awaits(twin.name, "may not go yet")
    if late := next((each for each in here if not turn.has_drained(each)), None):
        since = turn.memory.draining.get(late.id, turn.now)
        return Wait(late.id, "draining", since, since + turn.policy.drain_timeout)
    return _undo(turn) or turn.do(act.DeleteTwin(twin.name))


def _is_stale(turn: Turn, twin: Group) -> bool:
    """Whether it is of an earlier roll to something else, and has to go before the release's can be made."""
    if not turn.is_forward or turn.is_committed:
        return False
    images = {each.image for each in turn.fleet.instances if each.is_in_twin and each.is_alive}
    return twin.template_version != turn.record.made and images != {turn.record.image}
