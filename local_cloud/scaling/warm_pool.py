"""What a warm pool does next to reach its size. Pure.

A pool is kept as a group is kept at its desired capacity (capacity.py), its prepared instances being those in service.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from local_cloud.scaling.capacity import COUNTED, Action, Group, Member, decide

READY = ("Warmed:Stopped", "Warmed:Running")
"""Lifecycle states of instances that a scale-out may take."""


def size(desired: int, maximum: int, minimum: int, prepared: int | None) -> int:
    """How many instances the pool is to have; `prepared` is MaxGroupPreparedCapacity, None where it was not set.

    >>> size(6, 10, 0, None), size(6, 20, 0, 8), size(9, 20, 2, 8)
    (4, 2, 2)
    """
    return max(minimum, (maximum if prepared is None else prepared) - desired)


def filling(pool: Group, members: Sequence[Member]) -> tuple[Action, ...]:
    """What to launch into the pool and to terminate in it. `pool` is the pool as if it were a group, `members` are the
    group's own: the pool grows first where they are fewest, for there they are launched first. It never rebalances."""
    zones = Counter(each.zone for each in members if each.lifecycle in COUNTED)
    return decide(
        replace(
            pool,
            zones=tuple(sorted(pool.zones, key=lambda zone: zones[zone])),
            members=tuple(replace(each, lifecycle=_as_of_a_group(each.lifecycle)) for each in pool.members),
            suspended=pool.suspended | {"AZRebalance"},
        )
    )


def _as_of_a_group(lifecycle: str) -> str:
    return "InService" if lifecycle in READY else lifecycle.removeprefix("Warmed:").partition(":")[0]
