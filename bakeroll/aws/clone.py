"""Makes a copy of an Auto Scaling group.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bakeroll.aws.session import code_of, taken_by, translated
from bakeroll.errors import CloudError

if TYPE_CHECKING:
    from types_boto3_autoscaling import AutoScalingClient
    from types_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef

LAUNCHES_FROM = frozenset({"LaunchTemplate", "LaunchConfigurationName", "MixedInstancesPolicy"})
ZONES = frozenset({"AvailabilityZones", "AvailabilityZoneIds"})
"""AWS also lists the zones of a group with subnets. They follow from the subnets."""
BALANCERS = frozenset({"elb", "elbv2"})
"""Traffic sources of these types are listed twice: also as load balancers' names and target groups' ARNs."""
GRANULARITY = "1Minute"
"""The only granularity that AWS has."""


def make(
    client: AutoScalingClient,
    raw: AutoScalingGroupTypeDef,
    to: str,
    launching: Mapping[str, Any],
    tags: Mapping[str, str],
) -> None:
    """Make the group `to` without instances, then its hooks, metrics and suspended processes. Can be repeated.

    Raises CloudError if another group, one without these tags, has that name.
    """
    try:
        with translated("CreateAutoScalingGroup", to):
            client.create_auto_scaling_group(**_parameters(client, raw, to, launching, tags))
    except CloudError as error:
        if code_of(error) != "AlreadyExists" or not _has_tags(client, to, tags):
            raise
    _suspend(client, raw, to)
    _hooks(client, raw["AutoScalingGroupName"], to)
    if metrics := [each["Metric"] for each in raw.get("EnabledMetrics", [])]:
        with translated("EnableMetricsCollection", to):
            client.enable_metrics_collection(AutoScalingGroupName=to, Metrics=metrics, Granularity=GRANULARITY)


def _parameters(
    client: AutoScalingClient,
    raw: AutoScalingGroupTypeDef,
    to: str,
    launching: Mapping[str, Any],
    tags: Mapping[str, str],
) -> dict[str, Any]:
    left = LAUNCHES_FROM | {"TrafficSources"} | (ZONES if raw.get("VPCZoneIdentifier") else set())
    copied = {key: value for key, value in taken_by(client, "CreateAutoScalingGroup", raw).items() if key not in left}
    sizes = {"MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0}
    sources = [each for each in raw.get("TrafficSources", []) if each.get("Type") not in BALANCERS]
    others = {"TrafficSources": sources} if sources else {}
    return {**copied, **launching, **sizes, **others, "AutoScalingGroupName": to, "Tags": _tags(raw, to, tags)}


def _tags(raw: AutoScalingGroupTypeDef, to: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """The group's tags without AWS's own, which only AWS may set, and `tags`, which its instances get too."""
    values = {
        each["Key"]: (each.get("Value", ""), each.get("PropagateAtLaunch", False))
        for each in raw.get("Tags", [])
        if not each["Key"].startswith("aws:")
    }
    values |= {key: (value, True) for key, value in tags.items()}
    of = {"ResourceId": to, "ResourceType": "auto-scaling-group"}
    return [{**of, "Key": key, "Value": value, "PropagateAtLaunch": on} for key, (value, on) in values.items()]


def _has_tags(client: AutoScalingClient, name: str, tags: Mapping[str, str]) -> bool:
    with translated("DescribeAutoScalingGroups", name):
        found = client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    there = {each["Key"]: each.get("Value", "") for group in found for each in group.get("Tags", [])}
    return tags.items() <= there.items()


def _suspend(client: AutoScalingClient, raw: AutoScalingGroupTypeDef, to: str) -> None:
    processes = {each["ProcessName"] for each in raw.get("SuspendedProcesses", [])} | {"AddToLoadBalancer"}
    with translated("SuspendProcesses", to):
        client.suspend_processes(AutoScalingGroupName=to, ScalingProcesses=sorted(processes))


def _hooks(client: AutoScalingClient, name: str, to: str) -> None:
    with translated("DescribeLifecycleHooks", name):
        hooks = client.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"]
    for each in hooks:
        with translated("PutLifecycleHook", to):
            client.put_lifecycle_hook(**taken_by(client, "PutLifecycleHook", each) | {"AutoScalingGroupName": to})
