"""Translates the parameters and the state of an instance refresh. Pure.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from bakeroll.fleet import RefreshState
from bakeroll.settings import Policy

if TYPE_CHECKING:
    from types_boto3_autoscaling.type_defs import InstanceRefreshTypeDef


def preferences(policy: Policy, desired: int, *, can_roll_back: bool) -> dict[str, Any]:
    """The policy's amounts and its `refresh` as AWS's preferences."""
    refresh = policy.refresh
    lowest, highest = healthy_percentages(policy, desired)
    found: dict[str, Any] = {
        "MinHealthyPercentage": lowest,
        "MaxHealthyPercentage": highest,
        "SkipMatching": True,
        "AutoRollback": can_roll_back,
        "ScaleInProtectedInstances": "Refresh",
        "StandbyInstances": "Ignore",
    }
    if refresh.checkpoints:
        # Ascending, each once. Without 100 at the end, the rest would never be replaced.
        found["CheckpointPercentages"] = sorted({*refresh.checkpoints, 100})
        found["CheckpointDelay"] = math.ceil(refresh.checkpoint_delay)
    if refresh.alarms:
        found["AlarmSpecification"] = {"Alarms": list(refresh.alarms)}
    if refresh.warmup is not None:
        found["InstanceWarmup"] = math.ceil(refresh.warmup)
    return found


def healthy_percentages(policy: Policy, desired: int) -> tuple[int, int]:
    """The least and the most instances in service, in percent of desired capacity.

    AWS rounds the least up to whole instances, and refuses values that are more than 100 apart.

    >>> healthy_percentages(Policy(max_unavailable=1, max_surge=1), 3)
    (66, 134)
    >>> healthy_percentages(Policy(max_unavailable="50%", max_surge="100%"), 4)
    (50, 150)
    """
    wanted = max(1, desired)
    floor = max(0, wanted - _hundredths(policy.max_unavailable, wanted) // 100)
    lowest = 100 * floor // wanted
    if math.ceil(lowest * wanted / 100) < floor:
        lowest += 1
    highest = 100 + math.ceil(_hundredths(policy.max_surge, wanted) / wanted)
    return lowest, min(highest, lowest + 100, 200)


def state(raw: InstanceRefreshTypeDef) -> RefreshState:
    """The refresh in our words. A refresh of a launch configuration has no version, because AWS keeps none."""
    desired = raw.get("DesiredConfiguration", {})
    mixed = desired.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("LaunchTemplateSpecification", {})
    return RefreshState(
        id=raw["InstanceRefreshId"],
        status=raw["Status"],
        reason=raw.get("StatusReason", ""),
        percent=raw.get("PercentageComplete", 0),
        version=(mixed or desired.get("LaunchTemplate", {})).get("Version", ""),
    )


def _hundredths(amount: str | int, wanted: int) -> int:
    return amount * 100 if isinstance(amount, int) else wanted * int(amount.removesuffix("%"))
