"""The whole world in a few calls, whose number does not grow with the fleet.

One for the group and its twin, one for the launch template version, one or two for the instances of each, one for
each target group, one for a warm pool where there is one (AWS tells fifty of its instances by a call). What never
changes while a roll goes on (ports, zones) is read once, by `Layout`.
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
AWAY = ("Terminating", "Standby", "EnteringStandby")
"""Lifecycle states in which an instance of the second group takes no part."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What stays as it is: the fleet's subnets, its target groups by their ports."""

    subnets: tuple[Subnet, ...] = ()
    target_groups: tuple[TargetGroup, ...] = ()


def layout(group: Group, ports: Ports, extra: Sequence[str] = (), *, is_seen: bool = False) -> Layout:
    """`extra` are target groups that the settings name; what is only to be seen needs no subnets."""
    arns = [*group.target_groups, *extra]
    classic = group.classic_balancers
    return Layout(
        subnets=tuple(ports.machines.subnets(group.subnets)) if group.subnets and not is_seen else (),
        target_groups=tuple(ports.balancers.target_groups(arns, classic)) if arns or classic else (),
    )


def observe(name: str, ports: Ports, record: Record | None = None, seen: Layout | None = None) -> Fleet:
    """The fleet of this name with its members and whatever the record's rolls launched.

    Raises RollFailed where there is no such group.
    """
    group, twin = described(name, ports, record)
    twin = twin if is_twinned(record) else None
    addresses = record.addresses if record else {}
    return observe_groups(group, twin, ports, record, seen or layout(group, ports, is_seen=True), addresses)


def is_twinned(record: Record | None, strategy: str = "") -> bool:
    """Whether a roll by the strategy that begins with the record, or goes on with it, looks at a second group."""
    return "blue-green" in (strategy, record.intended.strategy if record else "") or bool(record and record.second.name)


def observe_groups(
    group: Group, twin: Group | None, ports: Ports, record: Record | None, seen: Layout, addresses: Mapping[str, str]
) -> Fleet:
    """The fleet of these groups as they were described, with what else there is to see of it.

    `addresses` are those that the fleet's instances are known to be registered by, by instance.
    """
    version = ports.templates.version_of(group.template, group.template_version)
    health = {each.arn: ports.balancers.health(each) for each in seen.target_groups}
    instances = _instances(group, twin, record, seen.target_groups, health, ports)
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
        subnets=seen.subnets,
        target_groups=seen.target_groups,
        tags=group.tags,
        instances=instances,
        refresh=_refresh(group, record, ports),
        twin=twin,
        warm=tuple(ports.scaling.warm(group.name)) if group.has_warm_pool else (),
        forsaken=_forsaken(instances, addresses, seen.target_groups, health, ports),
    )


def _refresh(group: Group, record: Record | None, ports: Ports) -> RefreshState | None:
    may_be = record is not None and (record.intended.strategy == "refresh" or record.previous.rolls)
    if record is None or not may_be or record.refresh.is_done:
        return None
    return next(iter(ports.scaling.refreshes(group.name)), None)


def ask(fleet: Fleet, goal: Goal, record: Record, memory: Memory, ports: Ports) -> Fleet:
    """The fleet with the answers of those running instances of the goal that have not told their version yet."""
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


def described(name: str, ports: Ports, record: Record | None = None) -> tuple[Group, Group | None]:
    """The fleet's group and that of the other name, if there is one. Raises RollFailed where there is no group."""
    there = ports.scaling.describe(*names(name))
    alive = [each for each in there if not there[each].is_deleting]
    current = (
        record.group if record and record.group in there else next((each for each in names(name) if each in alive), "")
    )
    if not current:
        near = f"There are {_nearest(name, ports.scaling.names())}."
        raise RollFailed(
            f"There is no Auto Scaling group {name} in this account and region. {near}",
            left="Nothing was changed.",
            next_step="Name it in deploy.yml: fleet",
        )
    return there[current], next((there[each] for each in there if each != current), None)


def _nearest(name: str, names: Sequence[str]) -> str:
    """Those most alike, in words."""
    near = get_close_matches(name, names, n=NAMES_AT_MOST, cutoff=0.3) or sorted(names)[:NAMES_AT_MOST]
    others = f", and {counted(len(names) - len(near), 'other')}" if len(names) > len(near) else ""
    return f"{', '.join(near)}{others}" if near else "none at all"


def _instances(
    group: Group,
    twin: Group | None,
    record: Record | None,
    targets: Sequence[TargetGroup],
    health: Mapping[str, Mapping[str, Health]],
    ports: Ports,
) -> tuple[Instance, ...]:
    rolls = record.rolls if record else ()
    found = {each.id: each for each in ports.machines.launched_by(rolls)} if rolls else {}
    for mine in (group, twin):
        if mine and mine.lifecycles:
            members = ports.machines.members(mine.name)  # those that ended within the hour among them
            found |= {each.id: each for each in members if each.id in mine.lifecycles}
            found |= {each: Instance(each, "", state="pending") for each in mine.lifecycles if each not in found}
    return tuple(
        replace(_placed(each, group, twin), health=dict(_health(each, _having(each, targets), health)))
        for each in sorted(found.values(), key=lambda each: each.id)
    )


def _placed(instance: Instance, group: Group, twin: Group | None) -> Instance:
    """With its place in the group; in the twin one is as if beside the group, until it leaves.

    What carries the roll's tag and no launch's is the twin's, also where that did not show it yet.
    """
    if lifecycle := group.lifecycles.get(instance.id):
        return replace(instance, lifecycle=lifecycle)
    if twin is None:
        return instance
    there = twin.lifecycles.get(instance.id, "")
    is_its = bool(there) or SLOT_TAG not in instance.tags
    return replace(instance, lifecycle=there if there.startswith(AWAY) else "", is_in_twin=is_its)


def _forsaken(
    instances: Sequence[Instance],
    addresses: Mapping[str, str],
    targets: Sequence[TargetGroup],
    health: Mapping[str, Mapping[str, Health]],
    ports: Ports,
) -> tuple[Instance, ...]:
    """Those that ended and whose address is still registered: EC2 does not show it any more, and may give it to others.

    Only a known address counts, so what others registered stays, and only of an instance that EC2 itself says has
    ended: one that left the group may live.
    """
    by_address = [each for each in targets if each.type == "ip"]
    living = [each for each in instances if each.is_alive]
    here, taken = {each.id for each in living}, {each.address for each in living}
    gone = {each: address for each, address in addresses.items() if each not in here and address not in taken}
    named = [Instance(each, "", address=address, state="terminated") for each, address in gone.items()]
    registered = [replace(each, health=dict(_health(each, by_address, health))) for each in named]
    left = [each for each in registered if each.health]
    ended = ports.machines.ended([each.id for each in left]) if left else ()
    return tuple(each for each in left if each.id in ended)


def _having(instance: Instance, targets: Sequence[TargetGroup]) -> Sequence[TargetGroup]:
    """Those of the target groups that may have the instance: the address of one that ended is its own no more."""
    return targets if instance.is_alive else [each for each in targets if each.type != "ip"]


def _health(
    instance: Instance, targets: Sequence[TargetGroup], health: Mapping[str, Mapping[str, Health]]
) -> Iterator[tuple[str, Health]]:
    for group in targets:
        if said := health[group.arn].get(group.target(instance)):
            yield group.arn, said
