"""How many: the amounts of a roll policy, resolved against what a fleet wants."""

import math

from bakeroll.settings import Policy

DEATHS = 2
"""So many instances of a roll may die before they serve, and are launched again; one more fails the roll."""


def surge_of(policy: Policy, wanted: int) -> int:
    """How many instances a roll may add to `wanted`; at least one, since nothing retires unreplaced.

    >>> [surge_of(Policy(max_surge="50%"), 3), surge_of(Policy(max_surge=2), 3), surge_of(Policy(max_surge=0), 3)]
    [2, 2, 1]
    """
    return max(1, math.ceil(_share(policy.max_surge, wanted)))


def floor_of(policy: Policy, wanted: int) -> int:
    """How many stay in service at least.

    >>> [floor_of(Policy(), 4), floor_of(Policy(max_unavailable="30%"), 4)]
    [4, 3]
    """
    return max(0, wanted - math.floor(_share(policy.max_unavailable, wanted)))


def _share(amount: str | int, wanted: int) -> float:
    return amount if isinstance(amount, int) else wanted * int(amount.removesuffix("%")) / 100
