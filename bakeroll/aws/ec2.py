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
"""Of a filter: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html"""
GROUP_TAG = "aws:autoscaling:groupName"
"""Auto Scaling gives it to each of a group's instances, those that are attached too."""


class EC2:
    """What a roll does with instances."""

    def __init__(self, client: EC2Client, templates: Templates) -> None:
        self._client = client
        self._templates = templates

    def members(self, group: str) -> Sequence[Instance]:
        """The instances of an Auto Scaling group, the terminated that EC2 still knows among them."""
        return list(self._described(f"tag:{GROUP_TAG}", [group]))

    def launched_by(self, rolls: Sequence[str]) -> Sequence[Instance]:
        """Those tagged with one of these rolls, the terminated that are still known among them."""
        return list(self._described(f"tag:{ROLL_TAG}", list(rolls))) if rolls else []

    def ended(self, ids: Sequence[str]) -> Sequence[str]:
        """Those that are terminated or on their way there, or that EC2 does not know any more."""
        # By filter, since an unknown id among InstanceIds refuses all of them.
        chunks = [list(ids[at : at + VALUES_AT_MOST]) for at in range(0, len(ids), VALUES_AT_MOST)]
        found = {each.id: each.state for chunk in chunks for each in self._described("instance-id", chunk)}
        return [each for each in ids if found.get(each, "terminated") in ("shutting-down", "terminated")]

    def launch(self, slot: Slot) -> Sequence[str]:
        """The ids of the instances that the slot's token stands for, always in the same order."""
        told = self._templates.launching(slot.template, slot.template_version, slot.subnet)
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
                **told,
            )
        return [each["InstanceId"] for each in sorted(made["Instances"], key=lambda each: each["AmiLaunchIndex"])]

    def terminate(self, ids: Sequence[str]) -> None:
        """Terminate instances; those that are gone already are no error."""
        try:
            with translated("TerminateInstances", ", ".join(ids)):
                self._client.terminate_instances(InstanceIds=list(ids))
        except CloudError as error:
            if code_of(error) != "InvalidInstanceID.NotFound":
                raise

    def console(self, instance: str) -> str:
        """What the instance wrote on its console, the newest there is."""
        return console.newest(self._client, instance)

    def subnets(self, ids: Sequence[str]) -> Sequence[Subnet]:
        with translated("DescribeSubnets", ", ".join(ids)):
            found = self._client.describe_subnets(SubnetIds=list(ids))["Subnets"]
        zones = {each["SubnetId"]: each["AvailabilityZone"] for each in found}
        return [Subnet(each, zones[each]) for each in ids]

    def images(self, ids: Sequence[str]) -> Mapping[str, ImageState]:
        """By id; an image that does not exist is left out."""
        # By filter, since an unknown id among ImageIds refuses all of them.
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
