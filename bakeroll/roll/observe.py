"""The whole world in a few calls, whose number does not grow with the fleet.

One for the group, one for its launch template version, one or two for the instances, one for each target
group. What never changes while a roll goes on (ports, zones) is read once, by `Layout`.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from difflib import get_close_matches

from bakeroll.errors import RollFailed
from bakeroll.fleet import Answer, Fleet, Group, Health, Instance, Subnet, TargetGroup
from bakeroll.roll.health import Memory
from bakeroll.roll.ports import Ports
from bakeroll.roll.record import Goal, Record

NAMES_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Layout:
    """What stays as it is: the fleet's subnets, its target groups by their ports."""

    subnets: tuple[Subnet, ...] = ()
    target_groups: tuple[TargetGroup, ...] = ()


def layout(group: Group, ports: Ports) -> Layout:
    return Layout(
        subnets=tuple(ports.machines.subnets(group.subnets)) if group.subnets else (),
        target_groups=tuple(ports.balancers.target_groups(group.target_groups)) if group.target_groups else (),
    )


def observe(name: str, ports: Ports, rolls: Iterable[str] = (), layout: Layout | None = None) -> Fleet:
    """The fleet with its members and whatever these rolls launched.

    Without a layout the target groups have no port; that is enough to see, not to change.
    Raises RollFailed where there is no such group, or it has no launch template.
    """
    group = described(name, ports)
    seen = layout or Layout(target_groups=tuple(TargetGroup(arn, arn, 0) for arn in group.target_groups))
    version = ports.machines.version_of(group.template, group.template_version)
    health = {each.arn: ports.balancers.health(each.arn) for each in seen.target_groups}
    return Fleet(
        name=name,
        minimum=group.minimum,
        maximum=group.maximum,
        desired=group.desired,
        template=group.template,
        template_version=group.template_version,
        template_number=version.number,
        image=version.image,
        suspended=group.suspended,
        subnets=seen.subnets,
        target_groups=seen.target_groups,
        tags=group.tags,
        instances=_instances(group, tuple(rolls), health, ports),
    )


def asked(fleet: Fleet, goal: Goal, record: Record, memory: Memory, ports: Ports) -> Fleet:
    """The fleet with the answers of those running instances of the goal that have not told their version yet."""
    if not goal.path or record.stage != "forward":
        return fleet
    silent = {
        each.id: each.address
        for each in fleet.instances
        if each.state == "running" and each.image == record.image and each.id not in memory.answers
        if each.id not in record.retiring and not each.lifecycle.startswith("Terminating")
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


def described(name: str, ports: Ports) -> Group:
    """The group. Raises RollFailed where there is none, or it has no launch template."""
    group = ports.scaling.describe(name)
    if group is None:
        there = f"There are {_nearest(name, ports.scaling.names())}."
        raise RollFailed(
            f"There is no Auto Scaling group {name} in this account and region. {there}",
            left="Nothing was changed.",
            next_step="Name it in deploy.yml: fleet",
        )
    if not group.template:
        raise RollFailed(
            f"{name} launches from {group.launches_from}; only groups with a launch template of their own are rolled.",
            left="Nothing was changed.",
            next_step=f"Give it a launch template: aws autoscaling update-auto-scaling-group "
            f"--auto-scaling-group-name {name} --launch-template …",
        )
    return group


def _nearest(name: str, names: Sequence[str]) -> str:
    """Those most alike, in words."""
    near = get_close_matches(name, names, n=NAMES_AT_MOST, cutoff=0.3) or sorted(names)[:NAMES_AT_MOST]
    others = f", and {len(names) - len(near)} others" if len(names) > len(near) else ""
    return f"{', '.join(near)}{others}" if near else "none at all"


def _instances(
    group: Group, rolls: tuple[str, ...], health: Mapping[str, Mapping[str, Health]], ports: Ports
) -> tuple[Instance, ...]:
    found = {each.id: each for each in ports.machines.instances(sorted(group.lifecycles))} if group.lifecycles else {}
    found |= {each.id: each for each in ports.machines.launched_by(rolls)} if rolls else {}
    return tuple(
        replace(
            each,
            lifecycle=group.lifecycles.get(each.id, ""),
            health={arn: by_id[each.id] for arn, by_id in health.items() if each.id in by_id},
        )
        for each in sorted(found.values(), key=lambda each: each.id)
    )


def ask_over_http(addresses: Mapping[str, str], port: int, path: str) -> Mapping[str, str | Exception]:
    """Ask each address for its version over HTTP, all at once; two seconds each at most."""
    with ThreadPoolExecutor(max_workers=min(16, len(addresses))) as pool:
        heard = pool.map(lambda address: _version(f"http://{address}:{port}{path}"), addresses.values())
        return dict(zip(addresses, heard, strict=True))


def _version(url: str) -> str | Exception:
    import json
    from http.client import HTTPException
    from urllib.error import URLError
    from urllib.request import ProxyHandler, build_opener

    try:
        # An instance is asked itself, never through the proxy of the environment.
        with build_opener(ProxyHandler({})).open(url, timeout=2) as response:
            return str(json.load(response)["version"])
    except URLError as error:
        return ConnectionError(str(error.reason))
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        return ConnectionError(f"{type(error).__name__}: {error}")
