"""Instances. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from bakeroll.aws import console
from bakeroll.aws.session import code_of, translated
from bakeroll.aws.templates import Templates
from bakeroll.errors import CloudError
from bakeroll.fleet import ROLL_TAG, ImageState, Instance, Slot, Subnet

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import InstanceTypeDef, TagTypeDef

IDS_AT_MOST = 1000
VALUES_AT_MOST = 200
"""Values of one filter: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html"""
GROUP_TAG = "aws:autoscaling:groupName"
"""Auto Scaling gives this tag to each instance of a group, attached ones included."""


class EC2:
    """What a roll does with instances."""

    def __init__(self, client: EC2Client, templates: Templates) -> None:
        self._client = client
        self._templates = templates

    def members(self, group: str) -> Sequence[Instance]:
        """The instances of an Auto Scaling group, with terminated ones that EC2 still lists."""
        return list(self._described(f"tag:{GROUP_TAG}", [group]))

    def launched_by(self, rolls: Sequence[str]) -> Sequence[Instance]:
        """The instances tagged with one of these rolls, with terminated ones that EC2 still lists."""
        return list(self._described(f"tag:{ROLL_TAG}", list(rolls))) if rolls else []

    def ended(self, ids: Sequence[str]) -> Sequence[str]:
        """The instances that are terminated or terminating, or that EC2 no longer knows."""
        # By filter, because one unknown id in InstanceIds makes the whole call fail.
        chunks = [list(ids[at : at + VALUES_AT_MOST]) for at in range(0, len(ids), VALUES_AT_MOST)]
        found = {each.id: each.state for chunk in chunks for each in self._described("instance-id", chunk)}
        return [each for each in ids if found.get(each, "terminated") in ("shutting-down", "terminated")]

    def launch(self, slot: Slot) -> Sequence[str]:
        """Launch the slot's instances and return their ids. The same token gives the same ids in the same order."""
        parameters = self._templates.launching(slot.template, slot.template_version, slot.subnet)
        tags: list[TagTypeDef] = [{"Key": key, "Value": value} for key, value in slot.tags.items()]
        with translated("RunInstances", f"{slot.template} version {slot.template_version}"):
            made = self._client.run_instances(
                MinCount=slot.count,
                MaxCount=slot.count,
                ClientToken=slot.token,
                TagSpecifications=[
                    {"ResourceType": "instance", "Tags": tags},
                    {"ResourceType": "volume", "Tags": tags},
                ],
                **parameters,
            )
        return [each["InstanceId"] for each in sorted(made["Instances"], key=lambda each: each["AmiLaunchIndex"])]

    def terminate(self, ids: Sequence[str]) -> None:
        """Terminate instances. One that is gone already is no error."""
        try:
            with translated("TerminateInstances", ", ".join(ids)):
                self._client.terminate_instances(InstanceIds=list(ids))
        except CloudError as error:
            if code_of(error) != "InvalidInstanceID.NotFound":
                raise

    def console(self, instance: str) -> str:
        """The instance's latest console output."""
        return console.newest(self._client, instance)

    def subnets(self, ids: Sequence[str]) -> Sequence[Subnet]:
        with translated("DescribeSubnets", ", ".join(ids)):
            found = self._client.describe_subnets(SubnetIds=list(ids))["Subnets"]
        zones = {each["SubnetId"]: each["AvailabilityZone"] for each in found}
        return [Subnet(each, zones[each]) for each in ids]

    def images(self, ids: Sequence[str]) -> Mapping[str, ImageState]:
        """The images by id. An unknown image is left out."""
        # By filter, because one unknown id in ImageIds makes the whole call fail.
        with translated("DescribeImages", ", ".join(ids)):
            found = self._client.describe_images(Filters=[{"Name": "image-id", "Values": list(ids)}])["Images"]
        return {each["ImageId"]: ImageState(each.get("State", ""), each.get("Architecture", "")) for each in found}

    def _described(self, name: str, values: list[str]) -> Iterator[Instance]:
        with translated("DescribeInstances"):
            pages = self._client.get_paginator("describe_instances").paginate(
                Filters=[{"Name": name, "Values": values}], PaginationConfig={"PageSize": IDS_AT_MOST}
            )
            for page in pages:
                for reservation in page["Reservations"]:
                    yield from (_instance(each) for each in reservation["Instances"])


def _instance(raw: InstanceTypeDef) -> Instance:
    return Instance(
        id=raw["InstanceId"],
        image=raw["ImageId"],
        zone=raw.get("Placement", {}).get("AvailabilityZone", ""),
        address=raw.get("PrivateIpAddress", ""),
        state=raw["State"]["Name"],
        tags={each["Key"]: each["Value"] for each in raw.get("Tags", [])},
    )
