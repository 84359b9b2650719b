"""Instances and launch templates. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bakeroll.aws.session import code_of, translated
from bakeroll.errors import CloudError
from bakeroll.fleet import ROLL_TAG, ImageState, Instance, Slot, Subnet, TemplateVersion

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import InstanceTypeDef, LaunchTemplateVersionTypeDef, TagTypeDef

IDS_AT_MOST = 1000
MARK = "bakeroll:roll="
"""Launch template versions carry no tags; their description tells which roll made them."""


class EC2:
    """What a roll does with instances and launch templates."""

    def __init__(self, client: EC2Client) -> None:
        self._client = client
        self._versions: dict[tuple[str, str], LaunchTemplateVersionTypeDef] = {}

    def instances(self, ids: Sequence[str]) -> Sequence[Instance]:
        """Those that exist; one that is not known yet or any more is left out."""
        # By filter, since an unknown id among InstanceIds refuses all of them.
        blocks = [list(ids[at : at + 200]) for at in range(0, len(ids), 200)]
        return [each for block in blocks for each in self._described("instance-id", block)]

    def launched_by(self, rolls: Sequence[str]) -> Sequence[Instance]:
        """Those tagged with one of these rolls, the terminated that are still known among them."""
        return list(self._described(f"tag:{ROLL_TAG}", list(rolls))) if rolls else []

    def launch(self, slot: Slot) -> str:
        """The id of the instance that the slot's token stands for."""
        where = self._where(slot)
        tags: list[TagTypeDef] = [{"Key": key, "Value": value} for key, value in slot.tags.items()]
        with translated("RunInstances", f"{slot.template} version {slot.template_version}"):
            made = self._client.run_instances(
                MinCount=1,
                MaxCount=1,
                ClientToken=slot.token,
                LaunchTemplate={"LaunchTemplateId": slot.template, "Version": slot.template_version},
                TagSpecifications=[
                    {"ResourceType": "instance", "Tags": tags},
                    {"ResourceType": "volume", "Tags": tags},
                ],
                **where,
            )
        return made["Instances"][0]["InstanceId"]

    def terminate(self, ids: Sequence[str]) -> None:
        """Terminate instances; those that are gone already are no error."""
        try:
            with translated("TerminateInstances", ", ".join(ids)):
                self._client.terminate_instances(InstanceIds=list(ids))
        except CloudError as error:
            if code_of(error) != "InvalidInstanceID.NotFound":
                raise

    def console(self, instance: str) -> str:
        """What the instance wrote on its console, the newest there is; AWS keeps the last 64 KB."""
        with translated("GetConsoleOutput", instance):
            return self._client.get_console_output(InstanceId=instance, Latest=True).get("Output", "")

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

    def version_of(self, template: str, version: str) -> TemplateVersion:
        """What the version is; a numbered one never changes and is asked for once."""
        found = self._version(template, version)
        return TemplateVersion(str(found["VersionNumber"]), found.get("LaunchTemplateData", {}).get("ImageId", ""))

    def make_version(self, template: str, source: str, image: str, token: str) -> str:
        """The number of a new version: `source` with another image. The same token makes only one."""
        data = {**self._version(template, source).get("LaunchTemplateData", {}), "ImageId": image}
        if made := self.versions_made(template, [token]):
            return made[0]
        with translated("CreateLaunchTemplateVersion", template):
            created = self._client.create_launch_template_version(
                LaunchTemplateId=template,
                ClientToken=token,
                VersionDescription=f"{MARK}{token}",
                LaunchTemplateData=data,  # type: ignore[arg-type]
            )["LaunchTemplateVersion"]
        return str(created["VersionNumber"])

    def versions_made(self, template: str, tokens: Sequence[str]) -> Sequence[str]:
        """The numbers of the versions that were made with one of these tokens."""
        marks = {f"{MARK}{token}" for token in tokens}
        with translated("DescribeLaunchTemplateVersions", template):
            pages = self._client.get_paginator("describe_launch_template_versions").paginate(LaunchTemplateId=template)
            versions = [each for page in pages for each in page["LaunchTemplateVersions"]]
        return [str(each["VersionNumber"]) for each in versions if each.get("VersionDescription") in marks]

    def delete_version(self, template: str, version: str) -> None:
        """Delete a version that a roll made; one that is not there, or is another's, is left alone."""
        try:
            found = self._version(template, version)
        except CloudError as error:
            if error.__cause__ is None or code_of(error) == "InvalidLaunchTemplateId.VersionNotFound":
                return
            raise
        if found.get("VersionDescription", "").startswith(MARK):
            with translated("DeleteLaunchTemplateVersions", f"{template} version {version}"):
                self._client.delete_launch_template_versions(LaunchTemplateId=template, Versions=[version])

    def _described(self, name: str, values: list[str]) -> Iterator[Instance]:
        with translated("DescribeInstances"):
            pages = self._client.get_paginator("describe_instances").paginate(
                Filters=[{"Name": name, "Values": values}], PaginationConfig={"PageSize": IDS_AT_MOST}
            )
            for page in pages:
                for reservation in page["Reservations"]:
                    yield from (_instance(each) for each in reservation["Instances"])

    def _version(self, template: str, version: str) -> LaunchTemplateVersionTypeDef:
        if known := self._versions.get((template, version)):
            return known
        with translated("DescribeLaunchTemplateVersions", f"{template} version {version}"):
            found = self._client.describe_launch_template_versions(LaunchTemplateId=template, Versions=[version])
        if not found["LaunchTemplateVersions"]:
            raise CloudError(f"Launch template {template} has no version {version}.")
        if version.isdigit():
            self._versions[template, version] = found["LaunchTemplateVersions"][0]
        return found["LaunchTemplateVersions"][0]

    def _where(self, slot: Slot) -> Mapping[str, Any]:
        """The subnet, in the template's own network interface where it has one: AWS refuses both side by side."""
        if not slot.subnet.id:
            return {}
        data = self._version(slot.template, slot.template_version).get("LaunchTemplateData", {})
        interfaces = [dict(each) for each in data.get("NetworkInterfaces", [])]
        if not interfaces:
            return {"SubnetId": slot.subnet.id}
        return {"NetworkInterfaces": [each | {"SubnetId": slot.subnet.id} for each in interfaces]}


def _instance(raw: InstanceTypeDef) -> Instance:
    return Instance(
        id=raw["InstanceId"],
        image=raw["ImageId"],
        zone=raw.get("Placement", {}).get("AvailabilityZone", ""),
        address=raw.get("PrivateIpAddress", ""),
        state=raw["State"]["Name"],
        tags={each["Key"]: each["Value"] for each in raw.get("Tags", [])},
    )
