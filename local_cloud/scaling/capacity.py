"""What an Auto Scaling group does next to have its desired capacity. Pure.

The rules are AWS's: zone balance before termination policy, protection from scale-in, and each process
that may be suspended stops just its own part:
https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-how-suspending-processes-affects-other-processes.html
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

COUNTED = ("Pending", "Pending:Wait", "InService")


@dataclass(frozen=True, slots=True)
class Member:
    """An instance of the group. `template` orders what it was launched from: the oldest is the smallest.
    `launched_at` is in seconds of any clock."""

    id: str
    zone: str
    lifecycle: str = "InService"
    is_healthy: bool = True
    is_alive: bool = True
    is_protected: bool = False
    template: int = 1
    launched_at: float = 0


@dataclass(frozen=True, slots=True)
class Group:
    """`may_launch` is False while the group waits after a launch that failed."""

    desired: int
    zones: tuple[str, ...]
    members: tuple[Member, ...] = ()
    suspended: frozenset[str] = frozenset()
    policies: tuple[str, ...] = ("Default",)
    may_launch: bool = True


@dataclass(frozen=True, slots=True)
class Launch:
    """Launch an instance in a zone."""

    zone: str


@dataclass(frozen=True, slots=True)
class Terminate:
    """Terminate an instance; `is_replaced` if it is unhealthy and another is launched for it."""

    id: str
    is_replaced: bool = False


Action = Launch | Terminate


def decide(group: Group) -> tuple[Action, ...]:
    """What the group does now: replace what is unhealthy, then launch what lacks or terminate what is too much."""
    unhealthy = _unhealthy(group)
    counted = [each for each in group.members if each.lifecycle in COUNTED and each not in unhealthy]
    replaced = tuple(Terminate(each.id, is_replaced=True) for each in unhealthy)
    lacking = group.desired - len(counted)
    if lacking > 0:
        return (*replaced, *_launches(group, counted, lacking))
    in_service = [each for each in counted if each.lifecycle == "InService"]
    surplus = len(in_service) - group.desired
    if surplus > 0:
        return (*replaced, *_surplus(group, in_service, surplus))
    return (*replaced, *_rebalance(group, counted))


def _unhealthy(group: Group) -> list[Member]:
    """Those to replace. One that is dead needs no terminating, so that Terminate may be suspended."""
    if "ReplaceUnhealthy" in group.suspended:
        return []
    unhealthy = [each for each in group.members if each.lifecycle == "InService" and not each.is_healthy]
    return [each for each in unhealthy if not each.is_alive or "Terminate" not in group.suspended]


def _launches(group: Group, counted: Sequence[Member], lacking: int) -> list[Launch]:
    if "Launch" in group.suspended or not group.may_launch:
        return []
    zones = Counter(each.zone for each in counted)
    launches = []
    for _ in range(lacking):
        zone = min(group.zones, key=lambda name: zones[name])
        zones[zone] += 1
        launches.append(Launch(zone))
    return launches


def _surplus(group: Group, in_service: Sequence[Member], surplus: int) -> list[Terminate]:
    if "Terminate" in group.suspended:
        return []
    zones = Counter(each.zone for each in in_service)
    candidates = [each for each in in_service if not each.is_protected]
    oldest_first = _order(group.policies)
    chosen = []
    for _ in range(min(surplus, len(candidates))):
        victim = min(candidates, key=lambda each: (-zones[each.zone], oldest_first(each)))
        candidates.remove(victim)
        zones[victim.zone] -= 1
        chosen.append(Terminate(victim.id))
    return chosen


def _order(policies: Sequence[str]) -> Callable[[Member], tuple[float, ...]]:
    """Who goes first within a zone, by the group's first termination policy."""
    policy = policies[0] if policies else "Default"
    if policy == "NewestInstance":
        return lambda member: (-member.launched_at,)
    if policy == "OldestInstance":
        return lambda member: (member.launched_at,)
    return lambda member: (member.template, member.launched_at)


def _rebalance(group: Group, counted: Sequence[Member]) -> list[Launch]:
    """One more in the emptiest zone, where another holds two more; the surplus then goes from the fullest.
    Only a group at rest is rebalanced."""
    is_at_rest = all(each.lifecycle in ("InService", "Standby") for each in group.members)
    if not is_at_rest or not group.may_launch or {"AZRebalance", "Launch", "Terminate"} & group.suspended:
        return []
    zones = Counter(dict.fromkeys(group.zones, 0))
    zones.update(each.zone for each in counted)
    emptiest = min(group.zones, key=lambda name: zones[name], default=None)
    if emptiest is None or max(zones.values()) - zones[emptiest] < 2:
        return []
    return [Launch(emptiest)]
