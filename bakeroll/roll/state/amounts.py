"""The amounts of a roll policy as numbers of instances."""

import math

from bakeroll.settings import Policy

DEATHS = 2
"""How many instances of a roll may die before they serve and be launched again. One more death fails the roll."""


def surge_of(policy: Policy, wanted: int) -> int:
    """How many instances a roll may add to `wanted`.

    The result is at least 1, because no instance retires without a replacement. It may be 0 only for the strategy
    `rolling` if the floor allows fewer instances in service.

    >>> [surge_of(Policy(max_surge="50%"), 3), surge_of(Policy(max_surge=2), 3), surge_of(Policy(max_surge=0), 3)]
    [2, 2, 1]
    >>> surge_of(Policy(strategy="rolling", max_surge=0, max_unavailable=1), 3)
    0
    """
    least = 0 if policy.strategy == "rolling" and floor_of(policy, wanted) < wanted else 1
    return max(least, math.ceil(_share(policy.max_surge, wanted)))


def floor_of(policy: Policy, wanted: int) -> int:
    """The least number of instances that stay in service.

    >>> [floor_of(Policy(), 4), floor_of(Policy(max_unavailable="30%"), 4)]
    [4, 3]
    """
    return max(0, wanted - math.floor(_share(policy.max_unavailable, wanted)))


def canaries_of(policy: Policy, wanted: int) -> int:
    """How many instances are launched first and watched: no more than the surge allows.

    >>> [canaries_of(Policy(), 40)]
    [1]
    """
    return max(1, min(math.ceil(_share(policy.canary.size, wanted)), surge_of(policy, wanted)))


def _share(amount: str | int, wanted: int) -> float:
    return amount if isinstance(amount, int) else wanted * int(amount.removesuffix("%")) / 100
