"""Changes that this process made to the group, and whether the group shows them. Pure.

AWS may describe a group as it was before a change that it has answered. A roll that decides by such a description does
the same twice. So a roll decides nothing, and reads nothing back into the record, before the group shows all changes.
https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
"""

from dataclasses import dataclass, replace

from bakeroll.fleet import Fleet, Group
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.record import Record
from bakeroll.roll.view.settled import STALE_SECONDS
from bakeroll.roll.view.unseen import UNSEEN_SECONDS


@dataclass(frozen=True, slots=True)
class PendingChange:
    """An action that was sent at `since` (monotonic seconds). The roll waits at most `seconds` until it shows.

    If it does not show by then, it was never done or somebody undid it, and the roll trusts the description.
    """

    action: act.Action
    since: float
    seconds: float = STALE_SECONDS

    def answered(self) -> "PendingChange":
        return replace(self, seconds=UNSEEN_SECONDS)

    def is_awaited(self, fleet: Fleet, record: Record, now: float) -> bool:
        return now - self.since < self.seconds and not is_visible(self.action, fleet, record)


def is_visible(action: act.Action, fleet: Fleet, record: Record) -> bool:
    """Whether the group itself shows the action or a later state. What EC2 says of an instance is no proof."""
    match action:
        case act.Attach() | act.Return() | act.StandBy() | act.Retire():
            return _is_visible_by_members(action, fleet)
        case act.Clone() | act.Size() | act.Switch() | act.DeleteTwin():
            return _is_visible_by_both(action, fleet, fleet.twin)
        case act.RaiseDesired() | act.LowerDesired() | act.SetMaximum() | act.SetTemplate():
            return _is_visible_by_settings(action, fleet)
        case act.Suspend(processes):
            return fleet.suspended.issuperset(processes)
        case act.Resume(processes, name):
            its = fleet if name in ("", fleet.name) else fleet.twin
            return its is None or its.suspended.isdisjoint(processes)
        case act.StartRefresh():
            return fleet.refresh is not None and record.refresh.id in ("", fleet.refresh.id)
        case act.CancelRefresh():
            return fleet.refresh is None or fleet.refresh.is_over or fleet.refresh.status == "Cancelling"
        case act.MakeVersion() | act.FindVersions() | act.DeleteVersion():
            return True  # done to a launch template
        case act.Launch() | act.Terminate() | act.Cool() | act.Register() | act.Deregister():
            return True  # done to instances and balancers


def _is_visible_by_members(action: act.Attach | act.Return | act.StandBy | act.Retire, fleet: Fleet) -> bool:
    match action:
        case act.Attach(ids):
            return all(_state(fleet, each) for each in ids)
        case act.Return(ids):
            return all(_state(fleet, each) != "Standby" for each in ids)
        case act.StandBy(ids):
            return all(_state(fleet, each) != "InService" for each in ids)
        case act.Retire(one):
            state = _state(fleet, one)
            return not state or state.startswith("Terminating")


def _state(fleet: Fleet, identifier: str) -> str:
    """The instance's LifecycleState in the group. Empty if it is not in the group."""
    found = fleet.find(identifier)
    return found.lifecycle if found else ""


def _is_visible_by_settings(
    action: act.RaiseDesired | act.LowerDesired | act.SetMaximum | act.SetTemplate, fleet: Fleet
) -> bool:
    match action:
        case act.RaiseDesired(seen):
            return fleet.desired != seen
        case act.LowerDesired(seen):
            return fleet.desired != seen or len(fleet.members) >= seen  # instances filled the spare capacity meanwhile
        case act.SetMaximum(seen):
            return fleet.maximum != seen
        case act.SetTemplate(seen):
            return fleet.template_version != seen


def _is_visible_by_both(
    action: act.Clone | act.Size | act.Switch | act.DeleteTwin, fleet: Fleet, twin: Group | None
) -> bool:
    match action:
        case act.Clone():
            return twin is not None
        case act.DeleteTwin():
            return twin is None or twin.is_deleting
        case act.Size(name) as size:
            its = fleet if name == fleet.name else twin
            return its is None or _sizes(its) == _sizes(size)
        case act.Switch(_, to, suspended):
            its, other = (fleet, twin) if to == fleet.name else (twin, fleet)
            is_asleep = other is None or other.suspended.issuperset(act.FROZEN)
            return is_asleep and (its is None or its.suspended == frozenset(suspended))


def _sizes(it: Fleet | Group | act.Size) -> tuple[int, int, int]:
    return it.minimum, it.desired, it.maximum
