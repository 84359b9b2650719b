"""Launch configurations: immutable, with names for versions. They carry no tags; the name tells which roll made one.

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
"""What RunInstances calls by the same name."""


class LaunchConfigurations:
    """Launch configurations by name; each is asked for once."""

    def __init__(self, client: AutoScalingClient) -> None:
        self._client = client
        self._found: dict[str, dict[str, Any]] = {}

    def version_of(self, name: str) -> TemplateVersion:
        return TemplateVersion(name, self._described(name)["ImageId"])

    def launching(self, name: str, subnet: Subnet) -> Mapping[str, Any]:
        """What RunInstances is told to launch what the group would, but for numbers and tags."""
        found = self._described(name)
        told = {key: found[key] for key in SAME_FOR_AN_INSTANCE if key in found}
        return {**told, **_translated(found), **_network(found, subnet)}

    def make_version(self, source: str, image: str, token: str) -> str:
        """The name of a new one: `source` with another image. The same token makes only one."""
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
        """The names of those that were made with one of these tokens."""
        endings = tuple(f"-bakeroll-{token}" for token in tokens)
        with translated("DescribeLaunchConfigurations"):
            pages = self._client.get_paginator("describe_launch_configurations").paginate()
            names = [each["LaunchConfigurationName"] for page in pages for each in page["LaunchConfigurations"]]
        return [each for each in names if each.endswith(endings)]

    def delete_version(self, name: str) -> None:
        """Delete one that a roll made; one that is not there, or is another's, is left alone."""
        if not MADE.search(name):
            return
        try:
            with translated("DeleteLaunchConfiguration", name):
                self._client.delete_launch_configuration(LaunchConfigurationName=name)
        except CloudError as error:
            if not is_not_found(error):
                raise

    def _described(self, name: str) -> dict[str, Any]:
        """Without what is empty, and its user data as it was given: boto3 encodes what it sends."""
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
    told: dict[str, Any] = {"Monitoring": {"Enabled": found.get("InstanceMonitoring", {}).get("Enabled", True)}}
    if "UserData" in found:
        told["UserData"] = found["UserData"]
    if profile := found.get("IamInstanceProfile"):
        told["IamInstanceProfile"] = {"Arn" if profile.startswith("arn:") else "Name": profile}
    if tenancy := found.get("PlacementTenancy"):
        told["Placement"] = {"Tenancy": tenancy}
    if price := found.get("SpotPrice"):
        told["InstanceMarketOptions"] = {"MarketType": "spot", "SpotOptions": {"MaxPrice": price}}
    return told


def _network(found: Mapping[str, Any], subnet: Subnet) -> dict[str, Any]:
    """A public address is asked for in a network interface, and then all of the network's is said there."""
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
