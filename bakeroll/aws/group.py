"""Translates AWS's description of an Auto Scaling group, and makes the parameters for another version. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from bakeroll.fleet import HOLD_TAG, LAUNCH_CONFIGURATION, Group, LaunchesFrom, Warm

if TYPE_CHECKING:
    from types_boto3_autoscaling.type_defs import (
        AutoScalingGroupTypeDef,
        InstanceTypeDef,
        LaunchTemplateOverridesOutputTypeDef,
    )

ImageOf: TypeAlias = Callable[[str, str], str]
"""Gives the image of a template's version."""


def group(raw: AutoScalingGroupTypeDef, image_of: ImageOf) -> Group:
    """The group in our words. `image_of` is called only if an override names an image."""
    template, version = _version(raw)
    subnets = raw.get("VPCZoneIdentifier", "")
    return Group(
        name=raw["AutoScalingGroupName"],
        minimum=raw["MinSize"],
        maximum=raw["MaxSize"],
        desired=raw["DesiredCapacity"],
        template=template,
        template_version=version,
        suspended=frozenset(each["ProcessName"] for each in raw.get("SuspendedProcesses", [])),
        subnets=tuple(each.strip() for each in subnets.split(",")) if subnets else (),
        target_groups=tuple(raw.get("TargetGroupARNs", [])),
        tags={each["Key"]: each.get("Value", "") for each in raw.get("Tags", []) if each.get("PropagateAtLaunch")},
        lifecycles={each["InstanceId"]: each["LifecycleState"] for each in raw.get("Instances", [])},
        launches_from=_launches_from(raw),
        conflict=_conflict(raw, image_of),
        has_warm_pool="WarmPoolConfiguration" in raw,
        is_deleting=bool(raw.get("Status")),
        classic_balancers=tuple(raw.get("LoadBalancerNames", [])),
        hold=next((each.get("Value", "") for each in raw.get("Tags", []) if each["Key"] == HOLD_TAG), None),
        deletion_protection=raw.get("DeletionProtection", "none"),
    )


def launching(raw: AutoScalingGroupTypeDef, template: str, version: str, image_of: ImageOf) -> dict[str, Any]:
    """The parameters that make the group launch from the version, for creating, updating and refreshing a group.

    A mixed instances policy is passed whole, as AWS describes it. Overrides that name an image get the version's.
    """
    if template == LAUNCH_CONFIGURATION:
        return {"LaunchConfigurationName": version}
    specification = {"LaunchTemplateId": template, "Version": version}
    if "MixedInstancesPolicy" not in raw:
        return {"LaunchTemplate": specification}
    policy = raw["MixedInstancesPolicy"]
    launch_template: dict[str, Any] = {
        **policy.get("LaunchTemplate", {}),
        "LaunchTemplateSpecification": specification,
        "Overrides": [
            {**each, "ImageId": image_of(template, version)} if each.get("ImageId") else each
            for each in _overrides(raw)
        ],
    }
    return {"MixedInstancesPolicy": {**policy, "LaunchTemplate": launch_template}}


def warm(raw: InstanceTypeDef) -> Warm:
    """An instance of a warm pool, with the version that it was launched from."""
    if configuration := raw.get("LaunchConfigurationName"):
        return Warm(raw["InstanceId"], LAUNCH_CONFIGURATION, configuration)
    template = raw.get("LaunchTemplate", {})
    return Warm(raw["InstanceId"], template.get("LaunchTemplateId", ""), template.get("Version", ""))


def _launches_from(raw: AutoScalingGroupTypeDef) -> LaunchesFrom:
    if "MixedInstancesPolicy" in raw:
        return "mixed instances policy"
    return "launch configuration" if raw.get("LaunchConfigurationName") else "launch template"


def _version(raw: AutoScalingGroupTypeDef) -> tuple[str, str]:
    if configuration := raw.get("LaunchConfigurationName"):
        return LAUNCH_CONFIGURATION, configuration
    mixed = raw.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("LaunchTemplateSpecification", {})
    template = mixed or raw.get("LaunchTemplate", {})
    return template.get("LaunchTemplateId", ""), template.get("Version", "$Default")


def _overrides(raw: AutoScalingGroupTypeDef) -> list[LaunchTemplateOverridesOutputTypeDef]:
    return raw.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("Overrides", [])


def _conflict(raw: AutoScalingGroupTypeDef, image_of: ImageOf) -> str:
    """Why another image cannot be set. An override's own template or image wins over a new version's."""
    for each in _overrides(raw):
        if other := each.get("LaunchTemplateSpecification"):
            named = other.get("LaunchTemplateName") or other.get("LaunchTemplateId", "")
            return f"an override in its mixed instances policy names its own launch template, {named}"
    images = {each["ImageId"] for each in _overrides(raw) if each.get("ImageId")}
    if others := sorted(images - {image_of(*_version(raw))} if images else ()):
        return f"an override in its mixed instances policy names its own image, {', '.join(others)}"
    return ""
