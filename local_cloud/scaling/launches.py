"""What a group launches its instances from: a launch template, a mixed instances policy, or a launch configuration.

A `Configuration` has the API's own form, with one key: LaunchTemplate, MixedInstancesPolicy or
LaunchConfigurationName.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from local_cloud.scaling.group import ScalingGroup

Configuration = dict[str, Any]

# https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstancesDistribution.html
_DISTRIBUTION = {
    "OnDemandAllocationStrategy": "prioritized",
    "OnDemandBaseCapacity": 0,
    "OnDemandPercentageAboveBaseCapacity": 100,
    "SpotAllocationStrategy": "lowest-price",
}


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to launch from, resolved: `template` is pinned to a number; `rest` are arguments of run_instances."""

    image: str
    instance_type: str
    template: dict[str, str] | None = None
    configuration: str = ""
    is_spot: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)


def configuration(group: ScalingGroup) -> Configuration:
    """What the group is set to launch from."""
    if group.mixed_instances_policy:
        return {"MixedInstancesPolicy": group.mixed_instances_policy}
    if group.ec2_launch_template:
        template = {"LaunchTemplateId": group.ec2_launch_template.id, "Version": group.launch_template_version}
        return {"LaunchTemplate": template}
    return {"LaunchConfigurationName": group.launch_configuration_name}


def completed(group: Any, given: Configuration) -> Configuration:
    """What is given, completed as AWS does: a policy keeps what it does not say, and has defaults for the rest."""
    if "MixedInstancesPolicy" not in given:
        return given
    before = getattr(group, "mixed_instances_policy", None) or {}
    policy = given["MixedInstancesPolicy"]
    template = {**(before.get("LaunchTemplate") or {}), **(policy.get("LaunchTemplate") or {})}
    distribution = {
        **_DISTRIBUTION,
        **(before.get("InstancesDistribution") or {}),
        **(policy.get("InstancesDistribution") or {}),
    }
    if distribution["SpotAllocationStrategy"] == "lowest-price":
        distribution.setdefault("SpotInstancePools", 2)
    else:
        distribution.pop("SpotInstancePools", None)
    return {"MixedInstancesPolicy": {"LaunchTemplate": template, "InstancesDistribution": distribution}}


def is_next_spot(policy: dict[str, Any] | None, desired: int, on_demand: int) -> bool:
    """Whether a group that has `on_demand` on-demand instances launches a spot instance next. On-demand's share of
    what is above the base is rounded up."""
    given = (policy or {}).get("InstancesDistribution") or {}
    base = int(given.get("OnDemandBaseCapacity") or 0)
    share = given.get("OnDemandPercentageAboveBaseCapacity")
    above = max(0, desired - base) * (100 if share is None else int(share)) / 100
    return on_demand >= min(desired, base) + math.ceil(above)
