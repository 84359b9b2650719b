"""The Auto Scaling group. https://docs.aws.amazon.com/autoscaling/ec2/APIReference/"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bakeroll.aws.session import code_of, translated
from bakeroll.errors import CloudError
from bakeroll.fleet import HOLD_TAG, Group

if TYPE_CHECKING:
    from types_boto3_autoscaling import AutoScalingClient
    from types_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef


class AutoScaling:
    """Auto Scaling groups, by name."""

    def __init__(self, client: AutoScalingClient) -> None:
        self._client = client

    def describe(self, name: str) -> Group | None:
        with translated("DescribeAutoScalingGroups", name):
            found = self._client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        return _group(found[0]) if found else None

    def names(self) -> Sequence[str]:
        """The names of all groups of the account and region."""
        with translated("DescribeAutoScalingGroups"):
            pages = self._client.get_paginator("describe_auto_scaling_groups").paginate(IncludeInstances=False)
            return [each["AutoScalingGroupName"] for page in pages for each in page["AutoScalingGroups"]]

    def launch_hooks(self, name: str) -> Sequence[str]:
        """The names of the group's lifecycle hooks for launches."""
        with translated("DescribeLifecycleHooks", name):
            hooks = self._client.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"]
        launching = "autoscaling:EC2_INSTANCE_LAUNCHING"
        return [each["LifecycleHookName"] for each in hooks if each.get("LifecycleTransition") == launching]

    def attach(self, name: str, ids: Sequence[str]) -> None:
        """Desired capacity grows by as many; at most 20 ids."""
        with translated("AttachInstances", name):
            self._client.attach_instances(AutoScalingGroupName=name, InstanceIds=list(ids))

    def set_maximum(self, name: str, maximum: int) -> None:
        with translated("UpdateAutoScalingGroup", name):
            self._client.update_auto_scaling_group(AutoScalingGroupName=name, MaxSize=maximum)

    def set_desired(self, name: str, desired: int) -> None:
        with translated("SetDesiredCapacity", name):
            self._client.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=desired, HonorCooldown=False)

    def set_template(self, name: str, template: str, version: str) -> None:
        with translated("UpdateAutoScalingGroup", name):
            self._client.update_auto_scaling_group(
                AutoScalingGroupName=name, LaunchTemplate={"LaunchTemplateId": template, "Version": version}
            )

    def suspend(self, name: str, processes: Sequence[str]) -> None:
        """Suspend these processes; none are named by an empty list, which to AWS would mean all."""
        if processes:
            with translated("SuspendProcesses", name):
                self._client.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=list(processes))

    def resume(self, name: str, processes: Sequence[str]) -> None:
        """Resume these processes; none are named by an empty list, which to AWS would mean all."""
        if processes:
            with translated("ResumeProcesses", name):
                self._client.resume_processes(AutoScalingGroupName=name, ScalingProcesses=list(processes))

    def terminate(self, instance: str, *, decrement: bool) -> bool:
        """Terminate a member; False where it is no member any more, and nothing was done."""
        try:
            with translated("TerminateInstanceInAutoScalingGroup", instance):
                self._client.terminate_instance_in_auto_scaling_group(
                    InstanceId=instance, ShouldDecrementDesiredCapacity=decrement
                )
        except CloudError as error:
            if code_of(error) != "ValidationError" or "not found" not in error.what.lower():
                raise
            return False
        return True


def _group(raw: AutoScalingGroupTypeDef) -> Group:
    template = raw.get("LaunchTemplate", {})
    subnets = raw.get("VPCZoneIdentifier", "")
    return Group(
        name=raw["AutoScalingGroupName"],
        minimum=raw["MinSize"],
        maximum=raw["MaxSize"],
        desired=raw["DesiredCapacity"],
        template=template.get("LaunchTemplateId", ""),
        template_version=template.get("Version", "$Default"),
        suspended=frozenset(each["ProcessName"] for each in raw.get("SuspendedProcesses", [])),
        subnets=tuple(each.strip() for each in subnets.split(",")) if subnets else (),
        zones=tuple(raw.get("AvailabilityZones", [])),
        target_groups=tuple(raw.get("TargetGroupARNs", [])),
        tags={each["Key"]: each.get("Value", "") for each in raw.get("Tags", []) if each.get("PropagateAtLaunch")},
        lifecycles={each["InstanceId"]: each["LifecycleState"] for each in raw.get("Instances", [])},
        launches_from=_launches_from(raw),
        has_warm_pool="WarmPoolConfiguration" in raw,
        classic_balancers=tuple(raw.get("LoadBalancerNames", [])),
        hold=next((each.get("Value", "") for each in raw.get("Tags", []) if each["Key"] == HOLD_TAG), None),
    )


def _launches_from(raw: AutoScalingGroupTypeDef) -> str:
    if "MixedInstancesPolicy" in raw:
        return "a mixed instances policy"
    if name := raw.get("LaunchConfigurationName"):
        return f"the launch configuration {name}"
    return "a launch template"
