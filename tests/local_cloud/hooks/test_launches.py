"""What groups launch from: templates, mixed instances policies, launch configurations."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami

from local_cloud.hooks.backends import ec2
from local_cloud.scaling.launches import is_next_spot
from tests.local_cloud.world import IMAGE, World

NAMED = {"AutoScalingGroupName": "links"}
ONE = {"LaunchTemplateName": "links", "Version": "1"}
OTHER = "ami-0ba5e000000000002"


def policy(*overrides: dict[str, Any], **distribution: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "LaunchTemplate": {"LaunchTemplateSpecification": ONE, "Overrides": list(overrides)},
    }
    return given | ({"InstancesDistribution": distribution} if distribution else {})


def shown(world: World) -> dict[str, Any]:
    found: dict[str, Any] = world.described()["MixedInstancesPolicy"]
    return found


def configuration(world: World, name: str, instance_type: str = "m5.large") -> None:
    world.asg.create_launch_configuration(LaunchConfigurationName=name, ImageId=IMAGE, InstanceType=instance_type)


def test_a_policy_is_shown_as_it_was_given_with_its_defaults(world: World) -> None:
    backend = ec2()
    backend.amis[OTHER] = Ami(backend, OTHER, name="other", region_name="eu-west-1")
    override = {"InstanceType": "m6i.large", "WeightedCapacity": "1", "ImageId": OTHER}
    world.scale()

    world.asg.update_auto_scaling_group(**NAMED, MixedInstancesPolicy=policy(override, OnDemandBaseCapacity=1))
    world.asg.set_desired_capacity(**NAMED, DesiredCapacity=3)
    world.cloud.settle()

    assert shown(world)["LaunchTemplate"]["Overrides"] == [override]
    assert shown(world)["LaunchTemplate"]["LaunchTemplateSpecification"]["Version"] == "1"
    assert shown(world)["InstancesDistribution"]["OnDemandBaseCapacity"] == 1
    assert shown(world)["InstancesDistribution"]["SpotInstancePools"] == 2
    assert "LaunchTemplate" not in world.described()
    assert [each["ImageId"] for each in world.instances()].count(OTHER) == 1


def test_an_override_may_have_a_template_of_its_own(world: World) -> None:
    version = world.version("t3.large")

    world.scale(MixedInstancesPolicy=policy({"LaunchTemplateSpecification": {**ONE, "Version": version}}))

    assert {each["LaunchTemplate"]["Version"] for each in world.described()["Instances"]} == {version}
    assert {each["InstanceType"] for each in world.described()["Instances"]} == {"t3.large"}


def test_a_type_that_is_not_to_be_had_leaves_the_place_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: Any = EC2Backend.run_instances

    def scarce(backend: Any, *rest: Any, **named: Any) -> Any:
        if named["instance_type"] == "m6i.large":
            raise EC2ClientError("InsufficientInstanceCapacity", "We do not have sufficient capacity.")
        return run(backend, *rest, **named)

    monkeypatch.setattr(EC2Backend, "run_instances", scarce)

    world.scale(MixedInstancesPolicy=policy({"InstanceType": "m6i.large"}, {"InstanceType": "m5.large"}))

    assert {each["InstanceType"] for each in world.instances()} == {"m5.large"}
    monkeypatch.undo()


def test_the_distribution_decides_which_are_spot(world: World) -> None:
    distribution = {"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 0}

    world.scale(DesiredCapacity=3, MixedInstancesPolicy=policy({"InstanceType": "m5.large"}, **distribution))

    assert sorted(each.get("InstanceLifecycle", "") for each in world.instances()) == ["", "spot", "spot"]


@pytest.mark.parametrize(
    ("sentence", "base", "share", "desired", "on_demand", "spot"),
    [
        ("the base comes first", 2, 0, 4, 1, False),
        ("then spot", 2, 0, 4, 2, True),
        ("on-demand's share is rounded up", 0, 50, 3, 1, False),
        ("and no further", 0, 50, 3, 2, True),
        ("all on-demand, if nothing is said", None, None, 3, 2, False),
    ],
)
def test_what_is_spot(
    sentence: str, base: int | None, share: int | None, desired: int, on_demand: int, spot: bool
) -> None:
    distribution = {"OnDemandBaseCapacity": base, "OnDemandPercentageAboveBaseCapacity": share}

    assert is_next_spot({"InstancesDistribution": distribution}, desired, on_demand) is spot, sentence


def test_a_group_goes_from_a_configuration_to_a_template_and_back(world: World) -> None:
    configuration(world, "first")
    world.scale(LaunchTemplate=ONE)
    first = set(world.members())

    world.asg.update_auto_scaling_group(**NAMED, LaunchConfigurationName="first", DesiredCapacity=3)
    world.cloud.settle()
    (new,) = [each for each in world.described()["Instances"] if each["InstanceId"] not in first]

    assert (new["LaunchConfigurationName"], new["InstanceType"]) == ("first", "m5.large")
    assert "LaunchTemplate" not in new
    assert world.described()["LaunchConfigurationName"] == "first"
    assert "LaunchTemplate" not in world.described()
    with pytest.raises(ClientError, match="ResourceInUse"):
        world.asg.delete_launch_configuration(LaunchConfigurationName="first")
    world.asg.update_auto_scaling_group(**NAMED, LaunchTemplate=ONE)
    assert world.described()["LaunchTemplate"]["Version"] == "1"
    assert "LaunchConfigurationName" not in world.described()
    world.asg.delete_launch_configuration(LaunchConfigurationName="first")


def test_launch_configurations_are_named_once_and_must_be_there(world: World) -> None:
    configuration(world, "first")
    world.scale()

    with pytest.raises(ClientError, match="AlreadyExists"):
        configuration(world, "first")
    for call in (world.asg.update_auto_scaling_group, world.asg.delete_launch_configuration):
        named = NAMED if call == world.asg.update_auto_scaling_group else {}
        with pytest.raises(ClientError, match="not found"):
            call(**named, LaunchConfigurationName="second")


def test_only_one_thing_is_launched_from(world: World) -> None:
    world.scale()

    with pytest.raises(ClientError, match="must contain either"):
        world.asg.update_auto_scaling_group(**NAMED, LaunchTemplate=ONE, MixedInstancesPolicy=policy())
