"""Launch template versions. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bakeroll.aws.session import code_of, translated
from bakeroll.errors import CloudError
from bakeroll.fleet import LAUNCH_TAG, Subnet, TemplateVersion

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import LaunchTemplateVersionTypeDef, ResponseLaunchTemplateDataTypeDef

MARK = "bakeroll:roll="
"""Launch template versions have no tags, so their description says which roll made them."""


class LaunchTemplates:
    """Versions of launch templates. A numbered version never changes and is read once."""

    def __init__(self, client: EC2Client) -> None:
        self._client = client
        self._versions: dict[tuple[str, str], LaunchTemplateVersionTypeDef] = {}

    def version_of(self, template: str, version: str) -> TemplateVersion:
        found = self._version(template, version)
        data = found.get("LaunchTemplateData", {})
        return TemplateVersion(str(found["VersionNumber"]), data.get("ImageId", ""), _launch_tag(data))

    def launching(self, template: str, version: str, subnet: Subnet) -> Mapping[str, Any]:
        """The parameters for RunInstances, without count and tags."""
        specification = {"LaunchTemplate": {"LaunchTemplateId": template, "Version": version}}
        if not subnet.id:
            return specification
        # If the template has network interfaces, the subnet goes there: AWS refuses both together.
        interfaces = self._version(template, version).get("LaunchTemplateData", {}).get("NetworkInterfaces", [])
        if not interfaces:
            return specification | {"SubnetId": subnet.id}
        return specification | {"NetworkInterfaces": [{**each, "SubnetId": subnet.id} for each in interfaces]}

    def make_version(self, template: str, source: str, image: str, token: str) -> str:
        """Make a copy of `source` with another image and return its number. The same token makes only one."""
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
        """Delete a version that a roll made. Leave others alone. A missing one is no error."""
        try:
            found = self._version(template, version)
        except CloudError as error:
            if error.__cause__ is None or code_of(error) == "InvalidLaunchTemplateId.VersionNotFound":
                return
            raise
        if found.get("VersionDescription", "").startswith(MARK):
            with translated("DeleteLaunchTemplateVersions", f"{template} version {version}"):
                self._client.delete_launch_template_versions(LaunchTemplateId=template, Versions=[version])

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


def _launch_tag(data: ResponseLaunchTemplateDataTypeDef) -> str:
    """The LAUNCH_TAG that the version gives its instances. Empty if it gives none."""
    of_instances = (each for each in data.get("TagSpecifications", ()) if each.get("ResourceType") == "instance")
    tags = (tag for each in of_instances for tag in each.get("Tags", ()))
    return next((tag.get("Value", "") for tag in tags if tag.get("Key") == LAUNCH_TAG), "")
