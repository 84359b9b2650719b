"""Reads the fleet in a few calls, whose number does not grow with the fleet.

One call reads both groups, one the launch template version, one or two the instances of each group, one each target
group, and one a warm pool (AWS returns fifty of its instances per call). `Layout` holds what does not change during a
roll, such as ports and zones, and is read once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from bakeroll.errors import RollFailed
from bakeroll.fleet import SLOT_TAG, Answer, Fleet, Group, Health, Instance, RefreshState, Subnet, TargetGroup
from bakeroll.roll.ports import Ports
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.names import names
from bakeroll.roll.state.record import Goal, Record
from bakeroll.wording import counted

NAMES_AT_MOST = 5
"""How many group names an error lists."""
AWAY = ("Terminating", "Standby", "EnteringStandby")
"""Lifecycle states in which an instance of the second group takes no part."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What does not change during a roll: the fleet's subnets and its target groups with their ports."""

    subnets: tuple[Subnet, ...] = ()
    target_groups: tuple[TargetGroup, ...] = ()


def read_layout(group: Group, ports: Ports, extra: Sequence[str] = (), *, needs_subnets: bool = True) -> Layout:
    """Read the layout. `extra` are target groups that the settings name. Only a launch needs subnets."""
    arns = [*group.target_groups, *extra]
    classic = group.classic_balancers
    return Layout(
        subnets=tuple(ports.machines.subnets(group.subnets)) if group.subnets and needs_subnets else (),
        target_groups=tuple(ports.balancers.target_groups(arns, classic)) if arns or classic else (),
    )


def observe(name: str, ports: Ports, record: Record | None = None, known: Layout | None = None) -> Fleet:
    """Read the fleet with its members and everything that the record's rolls launched.

    A `known` layout is not read again. Raises RollFailed if there is no such group.
    """
    group, twin = describe_groups(name, ports, record)
    twin = twin if is_twinned(record) else None
    addresses = record.addresses if record else {}
    layout = known or read_layout(group, ports, needs_subnets=False)
    return observe_groups(group, twin, ports, record, layout, addresses)


def is_twinned(record: Record | None, strategy: str = "") -> bool:
    """Whether a roll looks at a second group: one with this strategy, or one that continues or follows the record."""
    return "blue-green" in (strategy, record.intended.strategy if record else "") or bool(record and record.second.name)


def observe_groups(
    group: Group, twin: Group | None, ports: Ports, record: Record | None, layout: Layout, addresses: Mapping[str, str]
) -> Fleet:
    """Read the rest of the fleet whose groups have these descriptions.

    `addresses` are the known registered addresses, by instance id.
    """
    version = ports.templates.version_of(group.template, group.template_version)
    health = {each.arn: ports.balancers.health(each) for each in layout.target_groups}
    instances = _read_instances(group, twin, record, layout.target_groups, health, ports)
    return Fleet(
        name=group.name,
        minimum=group.minimum,
        maximum=group.maximum,
        desired=group.desired,
        template=group.template,
        template_version=group.template_version,
        template_number=version.number,
        image=version.image,
        launch=version.launch,
        suspended=group.suspended,
        subnets=layout.subnets,
        target_groups=layout.target_groups,
        tags=group.tags,
        instances=instances,
        refresh=_read_refresh(group, record, ports),
        twin=twin,
        warm=tuple(ports.scaling.warm(group.name)) if group.has_warm_pool else (),
        forsaken=_find_forsaken(instances, addresses, layout.target_groups, health, ports),
    )


def _read_refresh(group: Group, record: Record | None, ports: Ports) -> RefreshState | None:
    may_be = record is not None and (record.intended.strategy == "refresh" or record.previous.rolls)
    if record is None or not may_be or record.refresh.is_done:
        return None
    return next(iter(ports.scaling.refreshes(group.name)), None)


def ask(fleet: Fleet, goal: Goal, record: Record, memory: Memory, ports: Ports) -> Fleet:
    """Ask the running instances of the release that have not reported a version yet. Returns the fleet with answers."""
    if not goal.path or record.stage != "forward":
        return fleet
    silent = {
        each.id: each.address
        for each in fleet.instances
        if each.state == "running" and each.identity == record.identity and each.id not in memory.answers
        if each.id not in record.retiring and each.lifecycle in ("", "InService", "Pending")
    }
    answers = ports.ask(silent, goal.port, goal.path) if silent else {}
    return replace(fleet, instances=tuple(_with_answer(each, answers) for each in fleet.instances))


def _with_answer(instance: Instance, answers: Mapping[str, str | Exception]) -> Instance:
    match answers.get(instance.id):
        case None:
            return instance
        case str(version):
            return replace(instance, answer=Answer(version=version))
        case problem:
            return replace(instance, answer=Answer(problem=str(problem)))


def describe_groups(name: str, ports: Ports, record: Record | None = None) -> tuple[Group, Group | None]:
    """Read the fleet's group and the group with the other name, if any. Raises RollFailed if there is no group."""
    groups = ports.scaling.describe(*names(name))
    alive = [each for each in groups if not groups[each].is_deleting]
    current = (
        record.group if record and record.group in groups else next((each for each in names(name) if each in alive), "")
    )
    if not current:
        near = f"There are {_nearest(name, ports.scaling.names())}."
        raise RollFailed(
            f"There is no Auto Scaling group {name} in this account and region. {near}",
            left="Nothing was changed.",
            next_step="Set the group's name in deploy.yml: fleet",
        )
    return groups[current], next((groups[each] for each in groups if each != current), None)


def _nearest(name: str, names: Sequence[str]) -> str:
    """The most similar names, in words."""
    near = get_close_matches(name, names, n=NAMES_AT_MOST, cutoff=0.3) or sorted(names)[:NAMES_AT_MOST]
    others = f", and {counted(len(names) - len(near), 'other')}" if len(names) > len(near) else ""
    return f"{', '.join(near)}{others}" if near else "none at all"


def _read_instances(
    group: Group,
    twin: Group | None,
    record: Record | None,
    targets: Sequence[TargetGroup],
    health: Mapping[str, Mapping[str, Health]],
    ports: Ports,
) -> tuple[Instance, ...]:
    rolls = record.rolls if record else ()
    found = {each.id: each for each in ports.machines.launched_by(rolls)} if rolls else {}
    for source in (group, twin):
        if source and source.lifecycles:
            members = ports.machines.members(source.name)  # those that ended within the hour among them
            found |= {each.id: each for each in members if each.id in source.lifecycles}
            found |= {each: Instance(each, "", state="pending") for each in source.lifecycles if each not in found}
    return tuple(
        replace(_placed(each, group, twin), health=dict(_health(each, _having(each, targets), health)))
        for each in sorted(found.values(), key=lambda each: each.id)
    )


def _placed(instance: Instance, group: Group, twin: Group | None) -> Instance:
    """The instance with its place in the fleet.

    An instance of the second group has no lifecycle here until it leaves that group. An instance with the roll's tag
    and without the tag of a request belongs to the second group, even if that group does not show it yet.
    """
    if lifecycle := group.lifecycles.get(instance.id):
        return replace(instance, lifecycle=lifecycle)
    if twin is None:
        return instance
    lifecycle = twin.lifecycles.get(instance.id, "")
    is_in_twin = bool(lifecycle) or SLOT_TAG not in instance.tags
    return replace(instance, lifecycle=lifecycle if lifecycle.startswith(AWAY) else "", is_in_twin=is_in_twin)


def _find_forsaken(
    instances: Sequence[Instance],
    addresses: Mapping[str, str],
    targets: Sequence[TargetGroup],
    health: Mapping[str, Mapping[str, Health]],
    ports: Ports,
) -> tuple[Instance, ...]:
    """Find the ended instances whose address is still registered. EC2 may give such an address to others.

    Only a known address counts, so that targets of others stay. And only an instance that EC2 reports as ended counts,
    because an instance that left the group may be alive.
    """
    by_address = [each for each in targets if each.type == "ip"]
    living = [each for each in instances if each.is_alive]
    here, in_use = {each.id for each in living}, {each.address for each in living}
    gone = {each: address for each, address in addresses.items() if each not in here and address not in in_use}
    named = [Instance(each, "", address=address, state="terminated") for each, address in gone.items()]
    registered = [replace(each, health=dict(_health(each, by_address, health))) for each in named]
    left = [each for each in registered if each.health]
    ended = ports.machines.ended([each.id for each in left]) if left else ()
    return tuple(each for each in left if each.id in ended)


def _having(instance: Instance, targets: Sequence[TargetGroup]) -> Sequence[TargetGroup]:
    """The target groups that may contain the instance. An ended instance no longer owns its address."""
    return targets if instance.is_alive else [each for each in targets if each.type != "ip"]


def _health(
    instance: Instance, targets: Sequence[TargetGroup], health: Mapping[str, Mapping[str, Health]]
) -> Iterator[tuple[str, Health]]:
    for group in targets:
        if found := health[group.arn].get(group.target(instance)):
            yield group.arn, found
