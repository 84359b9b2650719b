"""What a roll can do: verbs as frozen data, and how each is performed.

Each may be performed twice with the effect of once. Those that set a number read the group again right
before, and leave it alone where somebody else changed it since the decision was made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from bakeroll.errors import RollFailed
from bakeroll.fleet import Group, Slot, TargetGroup
from bakeroll.roll.ports import Ports
from bakeroll.roll.record import Record


@dataclass(frozen=True, slots=True)
class MakeVersion:
    """Make a launch template version: `source` with another image."""

    template: str
    source: str
    image: str


@dataclass(frozen=True, slots=True)
class FindVersions:
    """Find the versions that `rolls` may have made without having heard of it."""

    template: str
    rolls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suspend:
    processes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Resume:
    processes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Launch:
    """Launch the instance of one of the record's slots."""

    slot: int
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Register:
    group: TargetGroup
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deregister:
    group: TargetGroup
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetMaximum:
    """Set the maximum size, where it still is `seen`."""

    seen: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Attach:
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LowerDesired:
    """Take back desired capacity that attaching added and no instance fills, where it still is `seen`."""

    seen: int
    desired: int


@dataclass(frozen=True, slots=True)
class SetTemplate:
    """The commit point, or its undoing: what the group launches from now on, where it still is `seen`."""

    seen: str
    version: str


@dataclass(frozen=True, slots=True)
class Retire:
    """Terminate a member; with `decrement` the group does not replace it. `seen` is desired capacity before that."""

    id: str
    decrement: bool
    seen: int


@dataclass(frozen=True, slots=True)
class Terminate:
    """Terminate instances that are not in the group."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeleteVersion:
    """Delete a launch template version that this roll made and the group does not refer to."""

    template: str
    version: str


Action: TypeAlias = (
    MakeVersion
    | FindVersions
    | Suspend
    | Resume
    | Launch
    | Register
    | Deregister
    | SetMaximum
    | Attach
    | LowerDesired
    | SetTemplate
    | Retire
    | Terminate
    | DeleteVersion
)


def perform(action: Action, record: Record, ports: Ports) -> Record:
    """Do it, and return the record with what was learned: the version made, the instance launched."""
    match action:
        case MakeVersion(template, source, image):
            made = ports.machines.make_version(template, source, image, record.id)
            known = (*record.versions, made)
            making = tuple(each for each in record.making if each != record.id)
            return replace(record, made=made, versions=known, making=making)
        case FindVersions(template, rolls):
            found = ports.machines.versions_made(template, rolls)
            known = (*record.versions, *(each for each in found if each not in record.versions))
            return replace(record, versions=known, making=())
        case Launch(number, tags):
            instance = ports.machines.launch(_slot(record, number, tags))
            return replace(record, filled={**record.filled, str(number): instance})
        case Register(group, ids):
            ports.balancers.register(group, ids)
        case Deregister(group, ids):
            ports.balancers.deregister(group, ids)
        case Terminate(ids):
            ports.machines.terminate(ids)
        case Attach() | LowerDesired() | Retire():
            return _resized(action, record, ports)
        case DeleteVersion(template, version):
            _delete_version(template, version, record, ports)
            return replace(record, versions=tuple(each for each in record.versions if each != version))
        case _:
            _scale(action, record, ports)
    return record


def _scale(action: Action, record: Record, ports: Ports) -> None:
    scaling, fleet = ports.scaling, record.fleet
    match action:
        case Suspend(processes):
            scaling.suspend(fleet, processes)
        case Resume(processes):
            scaling.resume(fleet, processes)
        case SetMaximum(seen, maximum) if (group := _group(record, ports)).maximum == seen:
            # AWS lowers desired capacity to a maximum that is set below it.
            scaling.set_maximum(fleet, max(maximum, group.desired))
        case SetTemplate(seen, version) if _launches_from(record, ports) == (record.found.template, seen):
            scaling.set_template(fleet, record.found.template, version)
        case _:
            pass


def _resized(action: Attach | LowerDesired | Retire, record: Record, ports: Ports) -> Record:
    """What changes desired capacity by an amount: its answer tells that it was done, so that nobody has to guess."""
    match action:
        case Attach(ids):
            ports.scaling.attach(record.fleet, ids)
            return replace(record, attaching=None)
        case LowerDesired():
            return _lower(action, record, ports)
        case Retire():
            return _retire(action, record, ports)


def _lower(lower: LowerDesired, record: Record, ports: Ports) -> Record:
    if _group(record, ports).desired != lower.seen:
        return replace(record, lowering=None)
    ports.scaling.set_desired(record.fleet, lower.desired)
    return replace(record, lowering=None, lowered=record.lowered + lower.seen - lower.desired)


def _retire(retire: Retire, record: Record, ports: Ports) -> Record:
    """One that left the group by itself meanwhile took no desired capacity with it."""
    if ports.scaling.terminate(retire.id, decrement=retire.decrement) or not retire.decrement:
        return record
    if _group(record, ports).desired < retire.seen:  # an earlier attempt whose answer was lost
        return record
    return replace(record, decremented=tuple(each for each in record.decremented if each != retire.id))


def _slot(record: Record, number: int, tags: Mapping[str, str]) -> Slot:
    recorded = record.slots[number]
    return Slot(
        token=f"{record.id}-{number}",
        template=record.found.template,
        template_version=recorded.template_version,
        subnet=recorded.subnet,
        tags=tags,
    )


def _delete_version(template: str, version: str, record: Record, ports: Ports) -> None:
    if _launches_from(record, ports) != (template, version):
        ports.machines.delete_version(template, version)


def _launches_from(record: Record, ports: Ports) -> tuple[str, str]:
    group = _group(record, ports)
    return group.template, group.template_version


def _group(record: Record, ports: Ports) -> Group:
    group = ports.scaling.describe(record.fleet)
    if group is None:
        raise RollFailed(f"The Auto Scaling group {record.fleet} is gone.")
    return group
