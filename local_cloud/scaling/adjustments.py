"""What a scaling policy makes of a desired capacity. Pure.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html
https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-target-tracking.html
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

SLACK = 0.9
"""Target tracking scales in more cautiously than out; AWS gives no figure."""


def adjusted(desired: int, kind: str, adjustment: int, least: int = 0) -> int:
    """The capacity after an adjustment; `least` is the magnitude that a percentage has at least."""
    if kind == "ExactCapacity":
        return adjustment
    if kind == "ChangeInCapacity":
        return desired + adjustment
    change = desired * adjustment / 100
    # Below 1 it is rounded away from zero, above it towards zero.
    size = max(1, math.floor(abs(change)), least) if change else 0
    return desired + (size if change > 0 else -size)


def step(adjustments: Sequence[Mapping[str, Any]], breach: float) -> int:
    """The adjustment for a metric that is `breach` above the alarm's threshold; 0 where no step fits."""
    for each in adjustments:
        low, high = each.get("MetricIntervalLowerBound"), each.get("MetricIntervalUpperBound")
        low, high = -math.inf if low is None else float(low), math.inf if high is None else float(high)
        if low <= breach < high if breach >= 0 else low < breach <= high:
            return int(each["ScalingAdjustment"])
    return 0


def tracked(desired: int, value: float, target: float, *, scales_in: bool) -> int:
    """The capacity that would bring a metric, which falls in proportion to it, to its target."""
    if value > target or (scales_in and value < SLACK * target):
        return math.ceil(desired * value / target)
    return desired
