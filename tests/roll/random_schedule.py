"""Random schedules. The same seed gives the same schedule."""

import random
from collections.abc import Sequence
from typing import get_args

from tests.roll.happening import Deed, Happening
from tests.roll.schedule import NEW, STRATEGIES, Run, Schedule, Trouble

SURGES: tuple[int | str, ...] = ("100%", "100%", 1, 2, "50%", 0)
CALLS = 400
"""About how many calls a roll makes. Failures happen at one of them."""


def drawn(seed: int) -> Schedule:
    dice = random.Random(seed)  # noqa: S311 (not for secrets)
    warm = random.Random(~seed).choice([0, 0, 0, 1, 3])  # noqa: S311
    strategies = [each for each in STRATEGIES if not warm or each != "blue-green"]  # which is refused with a warm pool
    return Schedule(
        desired=dice.randint(0, 6),
        lacking=dice.choice([0, 0, 0, 0, 1, 2, 6]),
        minimum=dice.randint(0, 3),
        spare=dice.choice([0, 1, 2, 8]),
        surge=dice.choice(SURGES),
        unavailable=dice.choice([0, 0, 1]),
        checks=dice.choice([1, 2]),
        template=dice.choice(["1", "1", "$Latest"]),
        new=dice.choice(["good", "good", *NEW]),
        strategy=dice.choice(strategies),
        soak=dice.choice([0, 0, 30]),
        hooks=dice.random() < 0.3,
        targets=dice.choice(["instance", "ip", "ip", "classic"]),
        launches_from=dice.choice(
            ["launch template", "launch template", "mixed instances policy", "launch configuration"]
        ),
        hidden=dice.choice([0, 0, 0, 2, 8]),
        notice=dice.choice([0, 0, 0, 6]),
        stale=dice.choice([0, 0, 0, 2]),
        refresh_ends=dice.choice(["", "", "Failed"]),
        suspended=dice.choice([(), (), ("AZRebalance",), ("AlarmNotification",)]),
        warm=warm,
        happenings=tuple(_happening(dice) for _ in range(dice.randint(0, 4))),
        runs=tuple(_run(dice, strategies) for _ in range(dice.randint(1, 3))),
    )


def _happening(dice: random.Random) -> Happening:
    return Happening(dice.randint(0, 80) / 2, dice.choice(get_args(Deed)), dice.randint(0, 7))


def _run(dice: random.Random, strategies: Sequence[str]) -> Run:
    return Run(
        image=dice.choice(["ami-new", "ami-new", "ami-new", "ami-next", "ami-old"]),
        strategy=dice.choice(["", "", "", *strategies]),
        troubles=tuple(
            (dice.randint(1, CALLS), dice.choice(get_args(Trouble))) for _ in range(dice.choice([0, 0, 1, 3]))
        ),
        dies_at=dice.choice([None, dice.randint(1, CALLS)]),
        dies_after=dice.random() < 0.5,
    )
