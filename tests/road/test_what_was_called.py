"""What the local cloud carried out while the road was walked, held against the IAM policies.

The last of the road's tests: what those before it called is held against them as well.
"""

import pytest

from tests.aws.iam import FREE, actions_of
from tests.road.conftest import CALLED, NEW, OLD, TOOLKIT, Repository

pytestmark = pytest.mark.machine

POLICIES = TOOLKIT / "docs" / "iam"
LOCAL = {"autoscaling:DescribeAutoScalingGroups"}
"""Every task looks whether the local cloud has the fleet."""


def test_the_baker_and_packer_called_nothing_that_their_policy_lacks(baked: Repository) -> None:
    called = CALLED["bake"]

    assert {"ec2:RunInstances", "ec2:CreateImage", "ec2:TerminateInstances"} <= called
    assert called - actions_of(POLICIES / "baker.json") - FREE - LOCAL == set()


def test_the_roller_called_nothing_that_its_policy_lacks(baked: Repository) -> None:
    for version in (NEW, OLD):
        ended = baked.fab("roll", f"--version={version}")
        assert ended.code == 0, ended.said
    called = set().union(*(CALLED[each] for each in ("roll", "rollback", "status", "history", "plan", "doctor")))

    assert {"ec2:RunInstances", "autoscaling:AttachInstances", "dynamodb:PutItem"} <= called
    assert called - actions_of(POLICIES / "roller.json") - FREE == set()
