"""Auto Scaling groups. https://docs.aws.amazon.com/autoscaling/ec2/APIReference/"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bakeroll.aws import clone, refresh
from bakeroll.aws.group import group, launching, warm
from bakeroll.aws.handover import HandOver
from bakeroll.aws.session import Clients, blocks, code_of, is_not_found, translated
from bakeroll.aws.templates import Templates
from bakeroll.errors import CloudError
from bakeroll.fleet import LAUNCH_CONFIGURATION, Group, RefreshState, Warm
from bakeroll.settings import Policy

if TYPE_CHECKING:
    from types_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef

STANDBY_AT_MOST = 20
REFRESHES = 10


class AutoScaling:
    """Auto Scaling groups, by name."""

    def __init__(
        self, clients: Clients, templates: Templates, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._clients = clients
        self._client = clients.autoscaling
        self._templates = templates
        self._now = now

    def describe(self, *names: str) -> Mapping[str, Group]:
        """The groups that exist, by name. Takes one call."""
        return {name: group(raw, self._image_of) for name, raw in self._described(*names).items()}

    def names(self) -> Sequence[str]:
        """The names of all groups of the account and region."""
        with translated("DescribeAutoScalingGroups"):
            pages = self._client.get_paginator("describe_auto_scaling_groups").paginate(IncludeInstances=False)
            return [each["AutoScalingGroupName"] for page in pages for each in page["AutoScalingGroups"]]

    def launch_hooks(self, name: str) -> Sequence[str]:
        """The names of the group's lifecycle hooks for launches."""
        with translated("DescribeLifecycleHooks", name):
            hooks = self._client.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"]
        starting = "autoscaling:EC2_INSTANCE_LAUNCHING"
        return [each["LifecycleHookName"] for each in hooks if each.get("LifecycleTransition") == starting]

    def warm(self, name: str) -> Sequence[Warm]:
        """The instances in the group's warm pool, without those that are leaving it. Takes one call per fifty."""
        with translated("DescribeWarmPool", name):
            pages = self._client.get_paginator("describe_warm_pool").paginate(AutoScalingGroupName=name)
            found = [each for page in pages for each in page["Instances"]]
        return [warm(each) for each in found if not each["LifecycleState"].startswith("Warmed:Terminat")]

    def attach(self, name: str, ids: Sequence[str]) -> None:
        """Attach at most 20 instances. Desired capacity grows by their number."""
        with translated("AttachInstances", name):
            self._client.attach_instances(AutoScalingGroupName=name, InstanceIds=list(ids))

    def set_maximum(self, name: str, maximum: int) -> None:
        with translated("UpdateAutoScalingGroup", name):
            self._client.update_auto_scaling_group(AutoScalingGroupName=name, MaxSize=maximum)

    def set_desired(self, name: str, desired: int) -> None:
        with translated("SetDesiredCapacity", name):
            self._client.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=desired, HonorCooldown=False)

    def set_sizes(self, name: str, minimum: int, desired: int, maximum: int) -> None:
        with translated("UpdateAutoScalingGroup", name):
            self._client.update_auto_scaling_group(
                AutoScalingGroupName=name, MinSize=minimum, DesiredCapacity=desired, MaxSize=maximum
            )

    def set_template(self, name: str, template: str, version: str) -> None:
        """Set what the group launches from. If it has a mixed instances policy, set it there and in the overrides."""
        parameters = launching(self._one(name), template, version, self._image_of)
        with translated("UpdateAutoScalingGroup", name):
            self._client.update_auto_scaling_group(AutoScalingGroupName=name, **parameters)

    def suspend(self, name: str, processes: Sequence[str]) -> None:
        """Suspend these processes. For AWS an empty list means all processes; here it means none."""
        if processes:
            with translated("SuspendProcesses", name):
                self._client.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=list(processes))

    def resume(self, name: str, processes: Sequence[str]) -> None:
        """Resume these processes. For AWS an empty list means all processes; here it means none."""
        if processes:
            with translated("ResumeProcesses", name):
                self._client.resume_processes(AutoScalingGroupName=name, ScalingProcesses=list(processes))

    def terminate(self, instance: str, *, decrement: bool) -> bool:
        """Terminate a member. Do nothing and return False if it is no longer a member."""
        try:
            with translated("TerminateInstanceInAutoScalingGroup", instance):
                self._client.terminate_instance_in_auto_scaling_group(
                    InstanceId=instance, ShouldDecrementDesiredCapacity=decrement
                )
        except CloudError as error:
            if not is_not_found(error):
                raise
            return False
        return True

    def enter_standby(self, name: str, ids: Sequence[str], *, decrement: bool) -> None:
        """Put members into standby: alive, deregistered and not counted."""
        for block in blocks(ids, STANDBY_AT_MOST):
            with translated("EnterStandby", name):
                self._client.enter_standby(
                    AutoScalingGroupName=name, InstanceIds=block, ShouldDecrementDesiredCapacity=decrement
                )

    def exit_standby(self, name: str, ids: Sequence[str]) -> None:
        """Return members from standby: desired capacity grows by their number, and they are registered."""
        for block in blocks(ids, STANDBY_AT_MOST):
            with translated("ExitStandby", name):
                self._client.exit_standby(AutoScalingGroupName=name, InstanceIds=block)

    def refreshes(self, name: str) -> Sequence[RefreshState]:
        """The latest instance refreshes of the group, newest first, as AWS lists them."""
        with translated("DescribeInstanceRefreshes", name):
            found = self._client.describe_instance_refreshes(AutoScalingGroupName=name, MaxRecords=REFRESHES)
        return [refresh.state(each) for each in found["InstanceRefreshes"]]

    def start_refresh(self, name: str, template: str, version: str, policy: Policy) -> str:
        """Start an instance refresh to the template version and return its id.

        If a refresh to that version is in progress, return its id. A refresh takes no launch configuration, so the
        group gets it first, and AWS cannot roll that back.
        """
        raw = self._one(name)
        goal: dict[str, Any] = {}
        if template == LAUNCH_CONFIGURATION:
            self.set_template(name, template, version)
        else:
            goal = {"DesiredConfiguration": launching(raw, template, version, self._image_of)}
        can_roll_back = bool(goal) and self._can_roll_back(raw)
        preferences: Any = refresh.preferences(policy, raw["DesiredCapacity"], can_roll_back=can_roll_back)
        try:
            with translated("StartInstanceRefresh", name):
                return self._client.start_instance_refresh(
                    AutoScalingGroupName=name, Strategy="Rolling", Preferences=preferences, **goal
                )["InstanceRefreshId"]
        except CloudError as error:
            if code_of(error) != "InstanceRefreshInProgress" or not (same := self._under_way(name, version)):
                raise
            return same

    def cancel_refresh(self, name: str) -> None:
        """Stop the refresh in progress and keep what it did. If none is in progress, that is no error."""
        try:
            with translated("CancelInstanceRefresh", name):
                self._client.cancel_instance_refresh(AutoScalingGroupName=name)
        except CloudError as error:
            if code_of(error) != "ActiveInstanceRefreshNotFound":
                raise

    def clone(self, name: str, to: str, version: str, tags: Mapping[str, str]) -> None:
        """Make the group `to` like `name`, without instances, launching from another template version."""
        raw = self._one(name)
        template = group(raw, self._image_of).template
        clone.make(self._client, raw, to, launching(raw, template, version, self._image_of), tags)

    def hand_over(self, name: str, to: str) -> None:
        """Give `to` the scaling policies, scheduled actions and notifications of `name`, and their alarms."""
        HandOver(self._clients, name, to).perform(self._now())

    def untag(self, name: str, keys: Sequence[str]) -> None:
        """Remove these tags from the group. Its instances keep theirs. A missing tag is no error."""
        kind = "auto-scaling-group"
        with translated("DeleteTags", name):
            self._client.delete_tags(Tags=[{"ResourceId": name, "ResourceType": kind, "Key": each} for each in keys])

    def delete(self, name: str) -> None:
        """Delete the group with everything in it, instances included. A missing group is no error."""
        try:
            with translated("DeleteAutoScalingGroup", name):
                self._client.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
        except CloudError as error:
            if not is_not_found(error):
                raise

    def _described(self, *names: str) -> Mapping[str, AutoScalingGroupTypeDef]:
        if not names:  # for AWS that would mean all groups
            return {}
        with translated("DescribeAutoScalingGroups", ", ".join(names)):
            found = self._client.describe_auto_scaling_groups(AutoScalingGroupNames=list(names))["AutoScalingGroups"]
        return {each["AutoScalingGroupName"]: each for each in found}

    def _one(self, name: str) -> AutoScalingGroupTypeDef:
        found = self._described(name)
        if name not in found:
            raise CloudError(f"There is no Auto Scaling group {name}.")
        return found[name]

    def _image_of(self, template: str, version: str) -> str:
        return self._templates.version_of(template, version).image

    def _can_roll_back(self, raw: AutoScalingGroupTypeDef) -> bool:
        """Whether AWS can roll back: only to a numbered version that names its image directly."""
        now = group(raw, self._image_of)
        if not now.template_version.isdigit():
            return False
        return not self._image_of(now.template, now.template_version).startswith("resolve:ssm:")

    def _under_way(self, name: str, version: str) -> str:
        """The refresh to this version that is in progress: from an earlier request whose answer was lost."""
        found = [each.id for each in self.refreshes(name) if not each.is_over and each.version == version]
        return found[0] if found else ""
