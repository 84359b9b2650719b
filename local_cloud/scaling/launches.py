"""What a group launches its instances from: a launch template, a mixed instances policy, or a launch configuration.

A `Configuration` has the API's own form, with one key: LaunchTemplate, MixedInstancesPolicy or
LaunchConfigurationName.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.ec2.models.instances import Instance

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


def configuration(group: FakeAutoScalingGroup) -> Configuration:
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


def configure(group: Any, given: Configuration) -> None:
    """Set the group to launch from this, and from nothing else."""
    wanted = completed(group, given)
    policy = wanted.get("MixedInstancesPolicy")
    group.launch_config = group.launch_configuration_name = group.ec2_launch_template = None
    group.mixed_instances_policy = policy
    group._set_launch_configuration(wanted.get("LaunchConfigurationName"), wanted.get("LaunchTemplate"), policy)


def sources(group: FakeAutoScalingGroup, chosen: Configuration) -> list[Source]:
    """What to launch from, the first choice first. Resolved now: $Latest is what is the latest now.
    Raises moto's ServiceException for what is not there."""
    if "LaunchConfigurationName" in chosen:
        return [_of_configuration(group, chosen["LaunchConfigurationName"])]
    if "LaunchTemplate" in chosen:
        return [_of_template(group, chosen["LaunchTemplate"], {})]
    policy = chosen["MixedInstancesPolicy"]["LaunchTemplate"]
    given = policy["LaunchTemplateSpecification"]
    overrides = policy.get("Overrides") or [{}]
    return [_of_template(group, each.get("LaunchTemplateSpecification") or given, each) for each in overrides]


def is_launched_from(instance: Instance, source: Source) -> bool:
    if source.configuration:
        return getattr(instance, "launch_configuration_name", None) == source.configuration
    tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
    launched = {"LaunchTemplateId": tags.get("aws:ec2launchtemplate:id"), "Version": tags.get(_VERSION)}
    type_fits = not source.instance_type or instance.instance_type == source.instance_type
    return launched == source.template and instance.image_id == source.image and type_fits


_VERSION = "aws:ec2launchtemplate:version"


def is_next_spot(policy: dict[str, Any] | None, desired: int, on_demand: int) -> bool:
    """Whether a group that has `on_demand` on-demand instances launches a spot instance next. On-demand's share of
    what is above the base is rounded up."""
    given = (policy or {}).get("InstancesDistribution") or {}
    base = int(given.get("OnDemandBaseCapacity") or 0)
    share = given.get("OnDemandPercentageAboveBaseCapacity")
    above = max(0, desired - base) * (100 if share is None else int(share)) / 100
    return on_demand >= min(desired, base) + math.ceil(above)


def _of_configuration(group: FakeAutoScalingGroup, name: str) -> Source:
    # One that was deleted while a group has it: the group's own copy goes on.
    config = group.autoscaling_backend.launch_configurations.get(name) or group.launch_config
    rest = {key: getattr(config, key) for key in ("user_data", "security_groups", "key_name")}
    rest |= {"launch_config": config, "associate_public_ip": config.associate_public_ip_address}
    return Source(config.image_id, config.instance_type, None, name, bool(config.spot_price), {}, rest)


def _of_template(group: FakeAutoScalingGroup, given: dict[str, Any], override: dict[str, Any]) -> Source:
    if "LaunchTemplateId" in given:
        template = group.ec2_backend.get_launch_template(given["LaunchTemplateId"])
    else:
        template = group.ec2_backend.get_launch_template_by_name(given["LaunchTemplateName"])
    version = template.get_version(given.get("Version") or "$Default")
    pinned = {"LaunchTemplateId": template.id, "Version": str(version.number)}
    return Source(
        image=override.get("ImageId") or version.image_id,
        instance_type=override.get("InstanceType") or version.instance_type or "",
        template=pinned,
        is_spot=version.data.get("InstanceMarketOptions", {}).get("MarketType") == "spot",
        tags=version.instance_tags,
        rest={"user_data": version.user_data, "launch_template": pinned},
    )
