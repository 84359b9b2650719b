"""What the local cloud carried out while the road was walked, held against the IAM policies.

`Repository.fab` holds every task of the road's tests against them as it ends; here it is seen to be something.
"""

import pytest

from tests.road.conftest import CALLED, Repository, permitted

pytestmark = pytest.mark.machine


def test_the_baker_and_packer_called_nothing_that_their_policy_lacks(serving: Repository) -> None:
    serving.commit()
    assert serving.fab("bake").code == 0
    called = CALLED["bake"]

    assert {"ec2:RunInstances", "ec2:CreateImage", "ec2:TerminateInstances"} <= called
    assert called <= permitted("baker")


def test_the_roller_called_nothing_that_its_policy_lacks(serving: Repository) -> None:
    serving.commit()
    assert serving.fab("bake").code == 0
    ended = serving.fab("roll")
    assert ended.code == 0, ended.said
    called = CALLED["roll"]

    assert {"ec2:RunInstances", "autoscaling:AttachInstances", "dynamodb:PutItem"} <= called
    assert called <= permitted("roller")
