"""Reads an instance's console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bakeroll.aws.session import code_of, translated
from bakeroll.errors import CloudError

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client


def newest(ec2: EC2Client, instance: str) -> str:
    """The latest console output, of which AWS keeps 64 KB. Raises CloudError.

    If the instance is not on the Nitro system, it is the output of its last boot and may be minutes old:
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-console.html
    """
    try:
        return _output(ec2, instance, is_latest=True)
    except CloudError as error:
        if code_of(error) != "UnsupportedOperation":
            raise
        return _output(ec2, instance, is_latest=False)


def _output(ec2: EC2Client, instance: str, *, is_latest: bool) -> str:
    with translated("GetConsoleOutput", instance):
        return ec2.get_console_output(InstanceId=instance, Latest=is_latest).get("Output", "")
