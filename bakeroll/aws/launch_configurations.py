"""Launch configurations. They are immutable and have names instead of versions. They have no tags, so the name says
which roll made one.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateLaunchConfiguration.html
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bakeroll.aws.session import code_of, is_not_found, taken_by, translated
from bakeroll.errors import CloudError
from bakeroll.fleet import Subnet, TemplateVersion

if TYPE_CHECKING:
    from types_boto3_autoscaling import AutoScalingClient

NAME_AT_MOST = 255
MADE = re.compile(r"-bakeroll-[0-9a-f]{4,}$")
SAME_FOR_AN_INSTANCE = (
    "ImageId",
    "InstanceType",
    "KeyName",
    "KernelId",
    "RamdiskId",
    "BlockDeviceMappings",
    "EbsOptimized",
    "MetadataOptions",
)
"""The fields that have the same name in RunInstances."""


class LaunchConfigurations:
    """Launch configurations by name. Each is read once."""

    def __init__(self, client: AutoScalingClient) -> None:
        self._client = client
        self._found: dict[str, dict[str, Any]] = {}

    def version_of(self, name: str) -> TemplateVersion:
        return TemplateVersion(name, self._described(name)["ImageId"])

    def launching(self, name: str, subnet: Subnet) -> Mapping[str, Any]:
        """The parameters for RunInstances to launch what the group would, without count and tags."""
        found = self._described(name)
        same = {key: found[key] for key in SAME_FOR_AN_INSTANCE if key in found}
        return {**same, **_translated(found), **_network(found, subnet)}

    def make_version(self, source: str, image: str, token: str) -> str:
        """Make a copy of `source` with another image and return its name. The same token makes only one."""
        ending = f"-bakeroll-{token}"
        name = MADE.sub("", source)[: NAME_AT_MOST - len(ending)] + ending
        data = taken_by(self._client, "CreateLaunchConfiguration", self._described(source))
        try:
            with translated("CreateLaunchConfiguration", name):
                self._client.create_launch_configuration(**{**data, "LaunchConfigurationName": name, "ImageId": image})
        except CloudError as error:
            if code_of(error) != "AlreadyExists":
                raise
        return name

    def versions_made(self, tokens: Sequence[str]) -> Sequence[str]:
        """The names of the launch configurations that were made with one of these tokens."""
        endings = tuple(f"-bakeroll-{token}" for token in tokens)
        with translated("DescribeLaunchConfigurations"):
            pages = self._client.get_paginator("describe_launch_configurations").paginate()
            names = [each["LaunchConfigurationName"] for page in pages for each in page["LaunchConfigurations"]]
        return [each for each in names if each.endswith(endings)]

    def delete_version(self, name: str) -> None:
        """Delete a launch configuration that a roll made. Leave others alone. A missing one is no error."""
        if not MADE.search(name):
            return
        try:
            with translated("DeleteLaunchConfiguration", name):
                self._client.delete_launch_configuration(LaunchConfigurationName=name)
        except CloudError as error:
            if not is_not_found(error):
                raise

    def _described(self, name: str) -> dict[str, Any]:
        """AWS's description without empty fields, with decoded user data. boto3 encodes it again when it sends it."""
        if name not in self._found:
            with translated("DescribeLaunchConfigurations", name):
                found = self._client.describe_launch_configurations(LaunchConfigurationNames=[name])
            if not found["LaunchConfigurations"]:
                raise CloudError(f"There is no launch configuration {name}.")
            data = {key: value for key, value in found["LaunchConfigurations"][0].items() if value not in ("", [])}
            if "UserData" in data:
                data["UserData"] = b64decode(str(data["UserData"]))
            self._found[name] = data
        return self._found[name]


def _translated(found: Mapping[str, Any]) -> dict[str, Any]:
    parameters: dict[str, Any] = {"Monitoring": {"Enabled": found.get("InstanceMonitoring", {}).get("Enabled", True)}}
    if "UserData" in found:
        parameters["UserData"] = found["UserData"]
    if profile := found.get("IamInstanceProfile"):
        parameters["IamInstanceProfile"] = {"Arn" if profile.startswith("arn:") else "Name": profile}
    if tenancy := found.get("PlacementTenancy"):
        parameters["Placement"] = {"Tenancy": tenancy}
    if price := found.get("SpotPrice"):
        parameters["InstanceMarketOptions"] = {"MarketType": "spot", "SpotOptions": {"MaxPrice": price}}
    return parameters


def _network(found: Mapping[str, Any], subnet: Subnet) -> dict[str, Any]:
    """The network's parameters. A public address needs a network interface, which then holds all of them."""
    groups = found.get("SecurityGroups", [])
    if "AssociatePublicIpAddress" not in found or not subnet.id:
        by_id = all(each.startswith("sg-") for each in groups)
        where = {"SubnetId": subnet.id} if subnet.id else {}
        return {**where, **({"SecurityGroupIds" if by_id else "SecurityGroups": groups} if groups else {})}
    interface = {
        "DeviceIndex": 0,
        "SubnetId": subnet.id,
        "AssociatePublicIpAddress": found["AssociatePublicIpAddress"],
        **({"Groups": groups} if groups else {}),
    }
    return {"NetworkInterfaces": [interface]}
