"""Reads what AWS knows about a group before a roll to an image. The number of calls does not grow with the group."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bakeroll.aws import permissions
from bakeroll.aws.autoscaling import AutoScaling
from bakeroll.aws.balancers import Balancers
from bakeroll.aws.cloudwatch import CloudWatch
from bakeroll.aws.ec2 import GROUP_TAG
from bakeroll.aws.permissions import Need
from bakeroll.aws.quotas import Quotas
from bakeroll.aws.session import FORBIDDEN, Clients, code_of, permitted, translated
from bakeroll.aws.templates import Templates
from bakeroll.errors import CloudError
from bakeroll.facts import Balancer, Image, InstanceType, Launch, Quota, Room
from bakeroll.fleet import ROLL_TAG

if TYPE_CHECKING:
    from types_boto3_autoscaling.type_defs import (
        AutoScalingGroupTypeDef,
        LaunchTemplateSpecificationTypeDef,
        MixedInstancesPolicyOutputTypeDef,
    )

ENCODED = re.compile(r"\s*Encoded authorization failure message: \S+")
UNAUTHORIZED = re.compile(r"to perform: (\S+) on resource: (\S+)(?: because (.+?))?\.?\s*$")


@dataclass(frozen=True)
class GroupFacts:
    """Facts about a group, the image of the roll, and the table of rolls.

    `alarm_names` and `target_groups` (ARNs or names) come from the settings. They are read in addition to the group's.
    """

    aws: Clients
    group: str
    image_id: str
    alarm_names: Sequence[str] = ()
    target_groups: Sequence[str] = ()
    table: str = "bakeroll"
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def launch(self) -> Launch:
        if configuration := self._group.get("LaunchConfigurationName"):
            return self._launch_of(configuration)
        mixed = self._group.get("MixedInstancesPolicy", {})
        share = mixed.get("InstancesDistribution", {}).get("OnDemandPercentageAboveBaseCapacity", 100)
        is_spot = self._data.get("InstanceMarketOptions", {}).get("MarketType") == "spot"
        is_protected = bool(self._data.get("DisableApiTermination"))
        return Launch(_types_of(mixed, self._data), 0 if is_spot else share, is_protected)

    def types(self) -> Sequence[InstanceType]:
        if not (names := self.launch().types):
            return []
        with permitted("DescribeInstanceTypes", ", ".join(names)):
            pages = self.aws.ec2.get_paginator("describe_instance_types").paginate(InstanceTypes=list(names))  # type: ignore[arg-type]
            return [_instance_type(each) for page in pages for each in page["InstanceTypes"]]

    def quotas(self) -> Sequence[Quota]:
        launch = self.launch()
        markets = [is_spot for is_spot, share in ((False, launch.on_demand), (True, 100 - launch.on_demand)) if share]
        return Quotas(self.aws.service_quotas, self.aws.cloudwatch, self.now).of(launch.types, markets=markets)

    def rooms(self) -> Sequence[Room]:
        if not self._subnets:
            return []
        with permitted("DescribeSubnets", ", ".join(self._subnets)):
            found = self.aws.ec2.describe_subnets(SubnetIds=list(self._subnets))["Subnets"]
        return [Room(each["SubnetId"], each["AvailabilityZone"], each["AvailableIpAddressCount"]) for each in found]

    def image(self) -> Image:
        # By filter, because an unknown id in ImageIds is an error.
        with permitted("DescribeImages", self.image_id):
            found = self.aws.ec2.describe_images(
                Filters=[{"Name": "image-id", "Values": [self.image_id]}], IncludeDeprecated=True
            )["Images"]
        return _image(found[0]) if found else Image(self.image_id)

    def trials(self) -> Mapping[str, str]:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html, DryRun."""
        if not self._template:
            return {}
        return {subnet: self._refusal(subnet) for subnet in self._subnets or ("",)}

    def balancers(self) -> Sequence[Balancer]:
        group = self._group
        with permitted("DescribeTargetGroups", self.group):
            arns = [*group.get("TargetGroupARNs", []), *self.target_groups]
            return Balancers(self.aws).facts(arns, group.get("LoadBalancerNames", []))

    def alarms(self) -> Mapping[str, str]:
        with permitted("DescribePolicies", self.group):
            pages = self.aws.autoscaling.get_paginator("describe_policies").paginate(AutoScalingGroupName=self.group)
            policies = [each for page in pages for each in page["ScalingPolicies"]]
        named = [alarm["AlarmName"] for policy in policies for alarm in policy.get("Alarms", [])]
        # Target tracking's AlarmLow is in ALARM whenever the fleet has little to do.
        own = [each for each in named if not re.match(r"TargetTracking-.*-AlarmLow-", each)]
        with permitted("DescribeAlarms", self.group):
            states = CloudWatch(self.aws).alarms(list(dict.fromkeys([*self.alarm_names, *own])))
        return {**dict.fromkeys(self.alarm_names, ""), **states}

    def refresh(self) -> str:
        with permitted("DescribeInstanceRefreshes", self.group):
            found = AutoScaling(self.aws, Templates(self.aws)).refreshes(self.group)
        return next((each.status for each in found if not each.is_over), "")

    def denied(self) -> Sequence[str]:
        return permissions.denied(self.aws, needs(self._group, self._template, self.table))

    @cached_property
    def _group(self) -> AutoScalingGroupTypeDef:
        with permitted("DescribeAutoScalingGroups", self.group):
            found = self.aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])
        if not found["AutoScalingGroups"]:
            raise CloudError(f"there is no Auto Scaling group {self.group}")
        return found["AutoScalingGroups"][0]

    @property
    def _subnets(self) -> tuple[str, ...]:
        return tuple(each.strip() for each in self._group.get("VPCZoneIdentifier", "").split(",") if each.strip())

    @property
    def _template(self) -> LaunchTemplateSpecificationTypeDef:
        """The group's launch template. Empty if there is none."""
        mixed = self._group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
        return mixed.get("LaunchTemplateSpecification") or self._group.get("LaunchTemplate") or {}

    @cached_property
    def _data(self) -> Any:
        """The data of the launch template version that the group names."""
        identifier, version = self._template.get("LaunchTemplateId", ""), self._template.get("Version", "$Default")
        with permitted("DescribeLaunchTemplateVersions", f"{identifier} version {version}"):
            found = self.aws.ec2.describe_launch_template_versions(LaunchTemplateId=identifier, Versions=[version])
        return found["LaunchTemplateVersions"][0].get("LaunchTemplateData", {})

    def _launch_of(self, configuration: str) -> Launch:
        with permitted("DescribeLaunchConfigurations", configuration):
            found = self.aws.autoscaling.describe_launch_configurations(LaunchConfigurationNames=[configuration])
        raw = found["LaunchConfigurations"][0]
        return Launch((raw["InstanceType"],), 0 if raw.get("SpotPrice") else 100)

    def _refusal(self, subnet: str) -> str:
        identifier, version = self._template.get("LaunchTemplateId", ""), self._template.get("Version", "$Default")
        request: dict[str, Any] = {"LaunchTemplate": {"LaunchTemplateId": identifier, "Version": version}}
        if types := self.launch().types:
            request["InstanceType"] = types[0]
        # AWS refuses a subnet together with the template's own network interfaces.
        interfaces = [dict(each) | {"SubnetId": subnet} for each in self._data.get("NetworkInterfaces", [])]
        if subnet:
            request |= {"NetworkInterfaces": interfaces} if interfaces else {"SubnetId": subnet}
        try:
            with translated("RunInstances"):
                self.aws.ec2.run_instances(DryRun=True, ImageId=self.image_id, MinCount=1, MaxCount=1, **request)
        except CloudError as error:
            return refusal(error)
        return ""


def needs(group: AutoScalingGroupTypeDef, template: LaunchTemplateSpecificationTypeDef, table: str) -> Sequence[Need]:
    """The actions that a roll needs, or it fails in the middle. What it only reads, it reads at the beginning."""
    _, partition, _, region, account, _ = group["AutoScalingGroupARN"].split(":", 5)
    ec2 = f"arn:{partition}:ec2:{region}:{account}"
    templates = [f"{ec2}:launch-template/{template['LaunchTemplateId']}"] if "LaunchTemplateId" in template else []
    instances = [f"{ec2}:instance/i-00000000000000000"]
    warm = Need(["ec2:TerminateInstances"], instances, {GROUP_TAG: group["AutoScalingGroupName"]})
    return [
        Need([f"autoscaling:{each}" for each in GROUP_ACTIONS], [group["AutoScalingGroupARN"]]),
        Need(["ec2:CreateLaunchTemplateVersion", "ec2:DeleteLaunchTemplateVersions"], templates),
        Need(["ec2:TerminateInstances"], instances, {ROLL_TAG: "simulated"}),
        *([warm] if "WarmPoolConfiguration" in group else ()),
        Need(
            ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"],
            group.get("TargetGroupARNs", []),
        ),
        Need(
            ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
            [f"arn:{partition}:dynamodb:{region}:{account}:table/{table}"],
        ),
    ]


GROUP_ACTIONS = (
    "AttachInstances",
    "ResumeProcesses",
    "SetDesiredCapacity",
    "SuspendProcesses",
    "TerminateInstanceInAutoScalingGroup",
    "UpdateAutoScalingGroup",
)


def refusal(error: CloudError) -> str:
    """Why a dry run was refused. Empty if it was allowed, which AWS also reports as an error. Raises other errors."""
    code = code_of(error)
    if code == "DryRunOperation":
        return ""
    if not code or error.is_passing:
        raise error
    message = ENCODED.sub("", error.what.partition(f"{code}: ")[2])
    if code in FORBIDDEN:
        found = UNAUTHORIZED.search(message)
        because = f", {found[3]}" if found and found[3] else ""
        return f"not permitted: {found[1]} on {found[2]}{because}" if found else f"not permitted: {message}"
    return f"{code}: {message}"


def _types_of(mixed: MixedInstancesPolicyOutputTypeDef, data: Any) -> tuple[str, ...]:
    overrides = mixed.get("LaunchTemplate", {}).get("Overrides", [])
    if named := [each["InstanceType"] for each in overrides if "InstanceType" in each]:
        return tuple(named)
    if any("InstanceRequirements" in each for each in overrides) or "InstanceType" not in data:
        return ()
    return (data["InstanceType"],)


def _instance_type(raw: Any) -> InstanceType:
    return InstanceType(
        name=raw["InstanceType"],
        vcpus=raw["VCpuInfo"]["DefaultVCpus"],
        architectures=tuple(raw.get("ProcessorInfo", {}).get("SupportedArchitectures", [])),
        boot_modes=tuple(raw.get("SupportedBootModes", [])) or ("legacy-bios", "uefi"),
        needs_ena=raw.get("NetworkInfo", {}).get("EnaSupport") == "required",
    )


def _image(raw: Any) -> Image:
    deprecated = raw.get("DeprecationTime")
    return Image(
        id=raw["ImageId"],
        state=raw.get("State", ""),
        architecture=raw.get("Architecture", ""),
        boot_mode=raw.get("BootMode", ""),
        has_ena=raw.get("EnaSupport", True),
        deprecated=datetime.fromisoformat(deprecated) if deprecated else None,
    )
