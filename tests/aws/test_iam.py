"""The IAM policies allow what the source calls, and nothing else."""

from pathlib import Path

import pytest

from tests.aws.conftest import Account
from tests.aws.iam import called_in, difference, record

ROOT = Path(__file__).parents[2]
AWS = ROOT / "bakeroll" / "aws"
MODULES = {
    "roller": (
        "autoscaling",
        "balancers",
        "classic_balancers",
        "clone",
        "cloudwatch",
        "dynamodb",
        "console",
        "ec2",
        "group",
        "guard",
        "handover",
        "launch_configurations",
        "launch_templates",
        "permissions",
        "group_facts",
        "quotas",
        "refresh",
        "session",
        "target_groups",
        "templates",
        "url",
    ),
    "baker": ("console", "images", "s3", "session"),
}
PACKER = {
    f"ec2:{each}"
    for each in (
        "AuthorizeSecurityGroupIngress",
        "CreateImage",
        "CreateKeyPair",
        "CreateSecurityGroup",
        "DescribeRegions",
        "DescribeSubnets",
        "DescribeVolumes",
        "RunInstances",
        "StopInstances",
    )
}
"""What Packer's amazon-ebs builder calls besides, as the local cloud saw it with and without a subnet
(tests/road/test_what_was_called.py): fewer than its documentation asks for."""
TAGS = {"ec2:CreateTags"}
"""Asked where a launch or a bake gives tags."""
REPOSITORY = {"s3:GetObject"}
"""A roll asks the repository which commit a version stands for, and changes nothing there."""
CALLED = {"roller": TAGS | REPOSITORY, "baker": TAGS | PACKER}


@pytest.mark.parametrize("who", MODULES)
def test_a_policy_allows_exactly_what_is_called(who: str) -> None:
    called = set().union(*(called_in(AWS / f"{each}.py") for each in MODULES[who])) | CALLED[who]

    assert difference(called, ROOT / "docs" / "iam" / f"{who}.json") == (set(), set())


def test_every_module_is_somebodys() -> None:
    whose = {each for modules in MODULES.values() for each in modules}

    assert {each.stem for each in AWS.glob("*.py")} - whose == {"__init__", "provision"}  # an administrator's


def test_calls_are_recorded_by_iams_names(account: Account) -> None:
    called: set[str] = set()
    record(account.clients.elbv2, called)
    record(account.clients.ec2, called)

    account.clients.elbv2.describe_target_groups()
    list(account.clients.ec2.get_paginator("describe_instances").paginate())

    assert called == {"elasticloadbalancing:DescribeTargetGroups", "ec2:DescribeInstances"}


def test_an_action_that_does_not_exist_and_one_too_many_or_few_are_found(tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text('{"Statement": [{"Action": ["ec2:DescribeRegion*", "iam:PassRole"]}]}')

    assert difference({"ec2:RunInstances"}, policy) == ({"ec2:RunInstances"}, {"ec2:DescribeRegions"})
    policy.write_text('{"Statement": [{"Action": "ec2:DescribeInstancez"}]}')
    with pytest.raises(AssertionError, match="DescribeInstancez"):
        difference(set(), policy)
