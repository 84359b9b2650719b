"""EC2's images, and what else a bake makes: builders, key pairs, security groups."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from bakeroll.aws import console
from bakeroll.errors import CloudError

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import FilterTypeDef, ImageTypeDef, InstanceTypeDef

TERMINATED_DELAY = 1
TERMINATED_ATTEMPTS = 300


@contextmanager
def _translated(operation: str) -> Iterator[None]:
    """Turn an error of EC2, or a missing answer, into a CloudError."""
    try:
        yield
    except ClientError as error:
        answer = error.response["Error"]
        raise CloudError(f"EC2 refused {operation}: {answer['Code']}: {answer['Message']}") from error
    except BotoCoreError as error:
        raise CloudError(f"EC2 did not answer {operation}: {error}") from error


@dataclass(frozen=True, slots=True)
class Ami:
    """An AMI as EC2 describes it."""

    id: str
    name: str
    state: str
    created_at: datetime
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Builder:
    """An instance that Packer bakes in: the bake that launched it, and the names of its security groups."""

    id: str
    bake: str
    groups: Sequence[str]


@dataclass(frozen=True, slots=True)
class LastWords:
    """Why an instance ended, and the lines of its console if the credentials may read it."""

    id: str
    reason: str
    console: Sequence[str]


class Ec2Images:
    """Images of one account and region, through one EC2 client."""

    def __init__(self, ec2: "EC2Client") -> None:
        self._ec2 = ec2

    @_translated("DescribeImages")
    def newest(self, owner: str, name: str) -> Ami | None:
        """The newest available image of `owner` (an account id, "self" or an alias) whose name matches `name`."""
        filters: list[FilterTypeDef] = [
            {"Name": "name", "Values": [name]},
            {"Name": "state", "Values": ["available"]},
        ]
        found = self._described(Owners=[owner], Filters=filters)
        return found[0] if found else None

    @_translated("DescribeImages")
    def get(self, image_id: str) -> Ami | None:
        """One image by its id. None if EC2 does not know it."""
        try:
            found = self._described(ImageIds=[image_id])
        except ClientError as error:
            if _is_gone(error):
                return None
            raise
        return found[0] if found else None

    @_translated("DescribeImages")
    def own(self, *, name: str = "*", tags: Mapping[str, str] | None = None) -> Sequence[Ami]:
        """This account's images with that name (`*` and `?`) and all of `tags`, in any state, newest first."""
        filters: list[FilterTypeDef] = [
            {"Name": f"tag:{key}", "Values": [value]} for key, value in (tags or {}).items()
        ]
        if name != "*":
            filters.append({"Name": "name", "Values": [name]})
        return self._described(Owners=["self"], Filters=filters)

    @_translated("DescribeInstances")
    def builders(self, tag: str) -> Sequence[Builder]:
        """The instances that have the tag `tag`, which names their bake, and are not terminated."""
        filters: list[FilterTypeDef] = [
            {"Name": "tag-key", "Values": [tag]},
            {"Name": "instance-state-name", "Values": ["pending", "running", "shutting-down", "stopping", "stopped"]},
        ]
        pages = self._ec2.get_paginator("describe_instances").paginate(Filters=filters)
        reservations = [reservation for page in pages for reservation in page["Reservations"]]
        return [_builder(instance, tag) for reservation in reservations for instance in reservation["Instances"]]

    @_translated("DescribeInstances")
    def last_words(self, tag: str, bake: str) -> LastWords | None:
        """Why the instance whose tag `tag` is `bake` ended, and its console. None if there is no such instance."""
        found = self._ec2.describe_instances(Filters=[{"Name": f"tag:{tag}", "Values": [bake]}])["Reservations"]
        if not found:
            return None
        instance = found[0]["Instances"][0]
        reason = instance.get("StateReason", {}).get("Message", "")
        return LastWords(instance["InstanceId"], reason, self._console(instance["InstanceId"]))

    @_translated("DescribeKeyPairs")
    def key_pairs(self, name: str) -> Sequence[str]:
        """The names of the key pairs whose name matches `name` (`*` and `?`)."""
        found = self._ec2.describe_key_pairs(Filters=[{"Name": "key-name", "Values": [name]}])
        return [pair["KeyName"] for pair in found["KeyPairs"]]

    @_translated("DescribeSecurityGroups")
    def security_groups(self, names: Sequence[str]) -> Sequence[str]:
        """The ids of the security groups with these names."""
        if not names:  # an empty filter would mean all groups
            return []
        filters: list[FilterTypeDef] = [{"Name": "group-name", "Values": list(names)}]
        pages = self._ec2.get_paginator("describe_security_groups").paginate(Filters=filters)
        return [group["GroupId"] for page in pages for group in page["SecurityGroups"]]

    @_translated("TerminateInstances")
    def terminate(self, instance_ids: Sequence[str]) -> None:
        """Terminate instances and wait for the end. What they use cannot be deleted before."""
        self._ec2.terminate_instances(InstanceIds=list(instance_ids))
        self._ec2.get_waiter("instance_terminated").wait(
            InstanceIds=list(instance_ids),
            WaiterConfig={"Delay": TERMINATED_DELAY, "MaxAttempts": TERMINATED_ATTEMPTS},
        )

    @_translated("DeleteKeyPair")
    def delete_key_pair(self, name: str) -> None:
        """Delete a key pair. A missing one is no error."""
        self._ec2.delete_key_pair(KeyName=name)

    @_translated("DeleteSecurityGroup")
    def delete_security_group(self, group_id: str) -> None:
        """Delete a security group. A missing one is no error."""
        try:
            self._ec2.delete_security_group(GroupId=group_id)
        except ClientError as error:
            if not _is_gone(error):
                raise

    @_translated("DeregisterImage")
    def deregister(self, image_id: str) -> None:
        """Deregister an image and delete its snapshots. A missing one is no error."""
        try:
            images = self._ec2.describe_images(ImageIds=[image_id])["Images"]
            self._ec2.deregister_image(ImageId=image_id)
        except ClientError as error:
            if _is_gone(error):
                return
            raise
        for mapping in (mapping for image in images for mapping in image.get("BlockDeviceMappings", [])):
            if snapshot := mapping.get("Ebs", {}).get("SnapshotId"):
                self._delete_snapshot(snapshot)

    def _console(self, instance_id: str) -> Sequence[str]:
        try:
            output = console.newest(self._ec2, instance_id)
        except CloudError:  # no console, or not permitted; the failure itself is reported anyway
            return ()
        return [line.strip() for line in output.splitlines() if line.strip()]

    def _delete_snapshot(self, snapshot_id: str) -> None:
        try:
            self._ec2.delete_snapshot(SnapshotId=snapshot_id)
        except ClientError as error:
            # InUse: another image uses it, and it is deleted with that image.
            if error.response["Error"]["Code"] != "InvalidSnapshot.InUse" and not _is_gone(error):
                raise

    def _described(self, **request: object) -> list[Ami]:
        pages = self._ec2.get_paginator("describe_images").paginate(**request)  # type: ignore[arg-type]
        found = [_ami(image) for page in pages for image in page["Images"]]
        return sorted(found, key=lambda ami: ami.created_at, reverse=True)


def _builder(instance: "InstanceTypeDef", tag: str) -> Builder:
    return Builder(
        id=instance["InstanceId"],
        bake=next(each["Value"] for each in instance["Tags"] if each["Key"] == tag),
        groups=[group["GroupName"] for group in instance.get("SecurityGroups", [])],
    )


def _ami(image: "ImageTypeDef") -> Ami:
    return Ami(
        id=image["ImageId"],
        name=image.get("Name", ""),
        state=image["State"],
        created_at=datetime.fromisoformat(image["CreationDate"]),
        tags={tag["Key"]: tag["Value"] for tag in image.get("Tags", [])},
    )


def _is_gone(error: ClientError) -> bool:
    code = error.response["Error"]["Code"]
    return code.endswith((".NotFound", ".Unavailable"))
