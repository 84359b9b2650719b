"""moto's backends of the one account and region in which instances run."""

from typing import Any

from moto.backends import get_backend

from local_cloud.config import ACCOUNT, REGION


def ec2() -> Any:
    """EC2's backend."""
    return get_backend("ec2")[ACCOUNT][REGION]
