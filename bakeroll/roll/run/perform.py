"""Performs a roll's actions. Performing an action twice has the effect of once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bakeroll.errors import CloudError, RollFailed
from bakeroll.fleet import ROLL_TAG, VERSION_TAG, Group, Slot
from bakeroll.roll.ports import Ports
from bakeroll.roll.state.actions import (
    FROZEN,
    Action,
    Attach,
    CancelRefresh,
    Clone,
    Cool,
    DeleteTwin,
    DeleteVersion,
    Deregister,
    FindVersions,
    Launch,
    LowerDesired,
    MakeVersion,
    RaiseDesired,
    Register,
    Resume,
    Retire,
    Return,
    SetMaximum,
    SetTemplate,
    Size,
    StandBy,
    StartRefresh,
    Suspend,
    Switch,
    Terminate,
)
from bakeroll.roll.state.record import Record
from bakeroll.settings import Policy

STAYING = ("InService", "Standby", "EnteringStandby")
"""Lifecycle states of an instance that did not leave the group by itself."""


@dataclass(frozen=True, slots=True)
class Performed:
    """The result of an action: the record with what the roll learned, such as a version made or instances launched.

    `action` is what was done. It is None if somebody else changed the group since the decision, and nothing was done.
    """

    record: Record
    action: Action | None


def perform(action: Action, record: Record, policy: Policy, ports: Ports) -> Performed:
    """Carry out the action. Raises CloudError if AWS refuses it, and RollFailed if the group no longer exists."""
    match action:
        case DeleteVersion() | SetTemplate() | Cool() | SetMaximum() | RaiseDesired() | LowerDesired():
            return _compared(action, record, ports)
        case MakeVersion() | FindVersions():
            record = _version(action, record, ports)
        case Launch(number, tags):
            launched = tuple(ports.machines.launch(_slot(record, number, tags)))
            record = replace(record, launches=record.launches.with_instances(number, launched))
        case Register() | Deregister():
            _balance(action, ports)
        case Terminate(ids):
            ports.machines.terminate(ids)
        case Attach() | Retire() | StandBy():
            record = _moved(action, record, ports)
        case Suspend() | Resume() | Return() | StartRefresh() | CancelRefresh():
            record = _scaled(action, record, policy, ports)
        case Clone() | Size() | Switch() | DeleteTwin():
            record = _twinned(action, record, ports)
    return Performed(record, action)


def _compared(
    action: DeleteVersion | SetTemplate | Cool | SetMaximum | RaiseDesired | LowerDesired, record: Record, ports: Ports
) -> Performed:
    """AWS has no conditional form of these actions, so each first compares the group with what was decided on."""
    match action:
        case DeleteVersion():
            return _delete_version(action, record, ports)
        case SetTemplate(seen, version):
            if _launches_from(record, ports) != (record.found.template, seen):
                return Performed(record, None)
            ports.scaling.set_template(record.group, record.found.template, version)
            return Performed(record, action)
        case Cool(ids):
            still = tuple(each.id for each in ports.scaling.warm(record.group) if each.id in ids)
            if still:
                ports.machines.terminate(still)
            return Performed(record, Cool(still) if still else None)
        case SetMaximum():
            return _set_maximum(action, record, ports)
        case RaiseDesired():
            return _raise(action, record, ports)
        case LowerDesired():
            return _lower(action, record, ports)


def _balance(action: Register | Deregister, ports: Ports) -> None:
    match action:
        case Register(group, targets):
            ports.balancers.register(group, targets)
        case Deregister(group, targets):
            ports.balancers.deregister(group, targets)


def _version(action: MakeVersion | FindVersions, record: Record, ports: Ports) -> Record:
    match action:
        case MakeVersion(template, source, image):
            made = ports.templates.make_version(template, source, image, record.id)
            return replace(record, versions=record.versions.with_made(made, record.id))
        case FindVersions(template, rolls):
            found = ports.templates.versions_made(template, rolls)
            return replace(record, versions=record.versions.with_found(found))


def _delete_version(delete: DeleteVersion, record: Record, ports: Ports) -> Performed:
    if _launches_from(record, ports) == (delete.template, delete.version):
        return Performed(record, None)
    ports.templates.delete_version(delete.template, delete.version)
    return Performed(replace(record, versions=record.versions.without(delete.version)), delete)


def _twinned(action: Clone | Size | Switch | DeleteTwin, record: Record, ports: Ports) -> Record:
    scaling = ports.scaling
    match action:
        case Clone(twin, version, tags):
            scaling.clone(record.group, twin, version, tags)
        case Size(group, minimum, desired, maximum):
            scaling.set_sizes(group, minimum, desired, maximum)
        case Switch(group, to, suspended):
            scaling.suspend(group, FROZEN)
            _keep_raised(record, group, to, ports)
            scaling.hand_over(group, to)
            if suspended:  # an empty list means all of them
                scaling.suspend(to, suspended)
            scaling.resume(to, action.resumed)
            scaling.untag(to, (ROLL_TAG, VERSION_TAG))  # instances that are attached later would get them
            capacity = record.capacity if to == record.group else record.capacity.for_another_group()
            second = replace(record.second, name=group, switching_to="")
            return replace(record, group=to, second=second, capacity=capacity)
        case DeleteTwin(twin):
            scaling.delete(twin)
    return record


def _keep_raised(record: Record, group: str, to: str, ports: Ports) -> None:
    """Pass on to the other group what somebody raised since the last observation."""
    there = ports.scaling.describe(group, to)
    here, its = there[group], there[to]
    wanted = here.desired - (record.capacity.added if group == record.group else 0)
    sizes = (
        max(its.minimum, min(here.minimum, wanted)),
        max(its.desired, wanted),
        max(its.maximum, here.maximum, wanted),
    )
    if sizes != (its.minimum, its.desired, its.maximum):
        ports.scaling.set_sizes(to, *sizes)


def _scaled(
    action: Suspend | Resume | Return | StartRefresh | CancelRefresh, record: Record, policy: Policy, ports: Ports
) -> Record:
    scaling, fleet = ports.scaling, record.group
    match action:
        case Suspend(processes):
            scaling.suspend(fleet, processes)
        case Resume(processes, other):
            scaling.resume(other or fleet, processes)
        case Return(ids):
            scaling.exit_standby(fleet, ids)
        case CancelRefresh():
            scaling.cancel_refresh(fleet)
        case StartRefresh(template, version):
            started = scaling.start_refresh(fleet, template, version, policy)
            return replace(record, refresh=replace(record.refresh, id=started))
    return record


def _moved(action: Attach | Retire | StandBy, record: Record, ports: Ports) -> Record:
    """Move instances into or out of the group, with desired capacity. The answer says whether it was done."""
    match action:
        case Attach(ids):
            ports.scaling.attach(record.group, ids)
            return replace(record, capacity=record.capacity.after_attach())
        case Retire():
            return _retire(action, record, ports)
        case StandBy():
            return _stand_by(action, record, ports)


def _set_maximum(to: SetMaximum, record: Record, ports: Ports) -> Performed:
    """Set it, but never below desired capacity: AWS would lower that to the maximum."""
    group = _group(record, ports)
    maximum = max(to.maximum, group.desired)
    if group.maximum != to.expected:
        return Performed(record, None)
    if maximum != to.maximum:
        record = replace(record, capacity=record.capacity.with_maximum(maximum))
    ports.scaling.set_maximum(record.group, maximum)
    return Performed(record, replace(to, maximum=maximum))


def _raise(raised: RaiseDesired, record: Record, ports: Ports) -> Performed:
    if _group(record, ports).desired != raised.expected:
        return Performed(replace(record, capacity=record.capacity.after_raise(0)), None)
    ports.scaling.set_desired(record.group, raised.desired)
    capacity = record.capacity.after_raise(raised.desired - raised.expected)
    return Performed(replace(record, capacity=capacity), raised)


def _lower(lower: LowerDesired, record: Record, ports: Ports) -> Performed:
    """Lower it, but never below the current number of instances: the group would terminate some of its own choice."""
    group = _group(record, ports)
    to = max(lower.desired, group.size)
    if group.desired != lower.expected or to >= lower.expected:
        return Performed(replace(record, capacity=record.capacity.after_lowering(0)), None)
    ports.scaling.set_desired(record.group, to)
    capacity = record.capacity.after_lowering(lower.expected - to)
    return Performed(replace(record, capacity=capacity), replace(lower, desired=to))


def _retire(retire: Retire, record: Record, ports: Ports) -> Record:
    """Retire it. If it had left before, by itself or by a call whose answer was lost, the group shows next which."""
    has_left = ports.scaling.terminate(retire.id, decrement=retire.decrement)
    return replace(record, capacity=record.capacity.after_leaving([retire.id])) if has_left else record


def _stand_by(action: StandBy, record: Record, ports: Ports) -> Record:
    """Move them to Standby. AWS refuses all if one has left; then the group shows next which, too."""
    try:
        ports.scaling.enter_standby(record.group, action.ids, decrement=action.decrement)
    except CloudError:
        there = _group(record, ports).lifecycles
        if all(there.get(each, "").startswith(STAYING) for each in action.ids):
            raise
        return record
    return replace(record, capacity=record.capacity.after_leaving(action.ids))


def _slot(record: Record, number: int, tags: Mapping[str, str]) -> Slot:
    recorded = record.launches.slots[number]
    return Slot(
        token=f"{record.id}-{number}",
        template=record.found.template,
        template_version=recorded.template_version,
        subnet=recorded.subnet,
        tags=tags,
        count=recorded.count,
    )


def _launches_from(record: Record, ports: Ports) -> tuple[str, str]:
    group = _group(record, ports)
    return group.template, group.template_version


def _group(record: Record, ports: Ports) -> Group:
    group = ports.scaling.describe(record.group).get(record.group)
    if group is None:
        raise RollFailed(f"The Auto Scaling group {record.group} no longer exists.")
    return group
