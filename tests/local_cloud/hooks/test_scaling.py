"""Auto Scaling and load balancing by the API alone: moto in this process, machines and haproxy made up."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local_cloud.balancing.haproxy import HealthCheck, Listener, Stat
from local_cloud.balancing.target_health import Phase, Seen
from local_cloud.hooks import groups, load_balancers
from tests.local_cloud.world import IMAGE, World


def test_a_group_launches_over_its_zones_and_registers_what_runs(world: World) -> None:
    world.listen()

    world.scale(Tags=[{"Key": "fleet", "Value": "links", "PropagateAtLaunch": True}])

    assert set(world.members().values()) == {"InService"}
    assert {each["AvailabilityZone"] for each in world.described()["Instances"]} == {"eu-west-1a", "eu-west-1b"}
    assert world.targets() == dict.fromkeys(world.members(), "healthy")
    instance = world.ec2.describe_instances(InstanceIds=[next(iter(world.members()))])["Reservations"][0]["Instances"][
        0
    ]
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert tags["fleet"] == tags["aws:autoscaling:groupName"] == "links"


def test_a_launch_is_pending_until_the_machine_runs(world: World) -> None:
    world.asg.create_auto_scaling_group(
        AutoScalingGroupName="links", MinSize=1, MaxSize=1, LaunchTemplate={"LaunchTemplateName": "links"},
        AvailabilityZones=["eu-west-1a"], TargetGroupARNs=[world.group],
    )  # fmt: skip

    world.cloud.scaling.turn()

    assert list(world.members().values()) == ["Pending"]
    assert world.targets() == {}
    assert world.activities()[0]["StatusCode"] == "InProgress"
    world.cloud.settle()
    assert list(world.members().values()) == ["InService"]
    assert world.activities()[0]["StatusCode"] == "Successful"


def test_latest_and_default_are_resolved_when_an_instance_is_launched(world: World) -> None:
    world.scale()
    world.ec2.create_launch_template_version(
        LaunchTemplateName="links", LaunchTemplateData={"ImageId": IMAGE, "InstanceType": "t3.large"}
    )

    world.asg.set_desired_capacity(AutoScalingGroupName="links", DesiredCapacity=3)
    world.cloud.settle()

    versions = [each["LaunchTemplate"]["Version"] for each in world.described()["Instances"]]
    assert versions == ["1", "1", "2"]
    assert [each["InstanceType"] for each in world.described()["Instances"]][2] == "t3.large"


def test_a_mixed_group_launches_its_first_type_and_survives_an_update(world: World) -> None:
    specification = {"LaunchTemplateName": "links", "Version": "1"}
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": specification,
            "Overrides": [{"InstanceType": "m6i.large"}, {"InstanceType": "m5.large"}],
        }
    }
    world.scale(MixedInstancesPolicy=policy)

    world.asg.update_auto_scaling_group(AutoScalingGroupName="links", MaxSize=5)

    assert {each["InstanceType"] for each in world.described()["Instances"]} == {"m6i.large"}
    assert len(world.described()["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]) == 2
    assert "LaunchTemplate" not in world.described()


def test_an_image_that_is_not_there_leaves_failed_activities_and_ever_longer_pauses(world: World) -> None:
    world.ec2.create_launch_template_version(
        LaunchTemplateName="links", LaunchTemplateData={"ImageId": "ami-0123456789abcdef0"}
    )
    world.scale()
    world.cloud.now = 1.5
    world.cloud.settle()
    world.cloud.now = 2.5
    world.cloud.settle()

    assert world.described()["DesiredCapacity"] == 2
    assert world.members() == {}
    assert [each["StatusCode"] for each in world.activities()] == ["Failed", "Failed"]
    message = "The image id '[ami-0123456789abcdef0]' does not exist. Launching EC2 instance failed."
    assert world.activities()[0]["StatusMessage"] == message


def test_another_template_is_tried_at_once_after_failures(world: World) -> None:
    world.ec2.create_launch_template_version(
        LaunchTemplateName="links", LaunchTemplateData={"ImageId": "ami-0123456789abcdef0"}
    )
    world.scale()

    template = {"LaunchTemplateName": "links", "Version": "1"}
    world.asg.update_auto_scaling_group(AutoScalingGroupName="links", LaunchTemplate=template)
    world.cloud.settle()

    assert len(world.members()) == 2


def test_a_machine_that_does_not_boot_is_a_failed_launch(world: World) -> None:
    world.asg.create_auto_scaling_group(
        AutoScalingGroupName="links", MinSize=1, MaxSize=1, LaunchTemplate={"LaunchTemplateName": "links"},
        AvailabilityZones=["eu-west-1a"],
    )  # fmt: skip
    world.cloud.scaling.turn()

    world.cloud.machines.fail("Server.InternalError: the boot ended with 1")
    world.cloud.scaling.turn()

    assert world.members() == {}
    assert world.activities()[0]["StatusCode"] == "Failed"
    assert "the boot ended with 1" in world.activities()[0]["StatusMessage"]


def test_scaling_in_drains_before_it_terminates(world: World) -> None:
    world.scale()
    world.cloud.balancers.busy = set(world.members())

    world.asg.set_desired_capacity(AutoScalingGroupName="links", DesiredCapacity=1)
    world.cloud.settle()

    leaving = next(each for each, state in world.members().items() if state == "Terminating")
    assert world.cloud.machines.state(leaving) == "running"
    world.cloud.balancers.busy = set()
    world.cloud.settle()
    assert world.cloud.machines.state(leaving) == "terminated"
    assert list(world.members().values()) == ["InService"]


def test_what_dies_is_replaced(world: World) -> None:
    world.scale()
    victim = next(iter(world.members()))

    world.cloud.machines.die(victim)
    world.cloud.settle()

    assert victim not in world.members()
    assert len(world.members()) == 2


@pytest.mark.parametrize("process", ["HealthCheck", "ReplaceUnhealthy"])
def test_what_dies_stays_while_a_process_is_suspended(world: World, process: str) -> None:
    world.scale()
    victim = next(iter(world.members()))
    world.asg.suspend_processes(AutoScalingGroupName="links", ScalingProcesses=[process])

    world.cloud.machines.die(victim)
    world.cloud.settle()

    assert victim in world.members()
    world.asg.resume_processes(AutoScalingGroupName="links", ScalingProcesses=[process])
    world.cloud.settle()
    assert victim not in world.members()


def test_after_a_power_failure_a_group_begins_anew_even_if_its_health_check_is_suspended(world: World) -> None:
    world.scale()
    before = set(world.members())
    world.asg.suspend_processes(AutoScalingGroupName="links", ScalingProcesses=["HealthCheck", "ReplaceUnhealthy"])
    for instance in before:
        world.cloud.machines.terminate(instance)

    load_balancers.settle()
    groups.settle()
    world.cloud.settle()

    assert len(world.members()) == 2
    assert set(world.targets()) == set(world.members())
    assert not before & set(world.members())


def test_what_a_load_balancer_refuses_is_replaced_when_its_grace_is_over(world: World) -> None:
    world.listen()
    world.scale(HealthCheckType="ELB", HealthCheckGracePeriod=60)
    victim = next(iter(world.members()))
    world.cloud.balancers.refused = {victim}

    world.cloud.now = 59
    world.cloud.settle()
    assert victim in world.members()
    world.cloud.now = 61
    world.cloud.settle()

    assert victim not in world.members()
    assert any("ELB system health check failure" in each["Cause"] for each in world.activities())


def test_what_is_launched_while_add_to_load_balancer_is_suspended_is_never_registered(world: World) -> None:
    world.scale()
    before = set(world.members())
    world.asg.suspend_processes(AutoScalingGroupName="links", ScalingProcesses=["AddToLoadBalancer"])
    world.asg.set_desired_capacity(AutoScalingGroupName="links", DesiredCapacity=3)
    world.cloud.settle()

    world.asg.resume_processes(AutoScalingGroupName="links")
    world.cloud.settle()

    assert len(world.members()) == 3
    assert set(world.targets()) == before


def test_attached_instances_join_raise_the_desired_capacity_and_are_registered(world: World) -> None:
    world.scale()
    instance = world.run()

    world.asg.attach_instances(AutoScalingGroupName="links", InstanceIds=[instance])

    assert world.members()[instance] == "InService"
    assert world.described()["DesiredCapacity"] == 3
    assert instance in world.targets()


@pytest.mark.parametrize("decrement", [True, False])
def test_detached_instances_drain_and_live_on(world: World, decrement: bool) -> None:
    world.scale()
    instance = next(iter(world.members()))
    world.cloud.balancers.busy = {instance}

    world.asg.detach_instances(
        AutoScalingGroupName="links", InstanceIds=[instance], ShouldDecrementDesiredCapacity=decrement
    )

    assert world.members()[instance] == "Detaching"
    assert world.targets()[instance] == "draining"
    world.cloud.balancers.busy = set()
    world.cloud.settle()
    assert instance not in world.members()
    assert len(world.members()) == (1 if decrement else 2)
    assert world.cloud.machines.state(instance) == "running"


def test_standby_leaves_the_load_balancer_and_comes_back(world: World) -> None:
    world.scale()
    instance = next(iter(world.members()))
    named = {"AutoScalingGroupName": "links", "InstanceIds": [instance]}

    world.asg.enter_standby(**named, ShouldDecrementDesiredCapacity=True)
    world.cloud.settle()
    assert world.members()[instance] == "Standby"
    assert world.targets()[instance] == "draining"
    assert world.described()["DesiredCapacity"] == 1
    world.asg.exit_standby(**named)
    world.cloud.settle()

    assert world.members()[instance] == "InService"
    assert world.described()["DesiredCapacity"] == 2
    assert len(world.members()) == 2


def test_standby_without_decrement_is_replaced_and_its_end_is_not(world: World) -> None:
    world.scale()
    instance = next(iter(world.members()))
    world.asg.enter_standby(AutoScalingGroupName="links", InstanceIds=[instance], ShouldDecrementDesiredCapacity=False)
    world.cloud.settle()
    assert sorted(world.members().values()) == ["InService", "InService", "Standby"]

    world.asg.terminate_instance_in_auto_scaling_group(InstanceId=instance, ShouldDecrementDesiredCapacity=False)
    world.cloud.settle()

    assert list(world.members().values()) == ["InService", "InService"]
    assert instance not in world.members()
    assert world.described()["DesiredCapacity"] == 2


def test_whoever_leaves_standby_is_pending_and_passes_no_hook(world: World) -> None:
    world.scale()
    hooked(world, "autoscaling:EC2_INSTANCE_LAUNCHING")
    instance = next(iter(world.members()))
    named = {"AutoScalingGroupName": "links", "InstanceIds": [instance]}
    world.asg.enter_standby(**named, ShouldDecrementDesiredCapacity=True)

    world.asg.exit_standby(**named)

    assert world.members()[instance] == "Pending"
    assert world.targets()[instance] == "draining"
    world.cloud.scaling.turn()
    assert world.members()[instance] == "InService"
    assert world.targets()[instance] != "draining"


def test_the_members_are_those_with_the_groups_tag(world: World) -> None:
    world.scale()
    attached = world.run()
    world.asg.attach_instances(AutoScalingGroupName="links", InstanceIds=[attached])
    first = next(iter(world.members()))
    world.cloud.balancers.busy = {first}

    world.asg.detach_instances(AutoScalingGroupName="links", InstanceIds=[first], ShouldDecrementDesiredCapacity=True)

    assert tagged(world) == set(world.members())
    assert first in tagged(world)
    world.cloud.balancers.busy = set()
    world.cloud.settle()
    assert tagged(world) == set(world.members())
    assert first not in tagged(world)


def tagged(world: World) -> set[str]:
    member = [{"Name": "tag:aws:autoscaling:groupName", "Values": ["links"]}]
    found = world.ec2.describe_instances(Filters=member)["Reservations"]
    return {instance["InstanceId"] for reservation in found for instance in reservation["Instances"]}


def test_groups_are_found_by_tags_and_by_several_names(world: World) -> None:
    world.scale(Tags=[{"Key": "fleet", "Value": "links", "PropagateAtLaunch": True}])
    for name in ("rechts", "mitte"):
        world.asg.create_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=0, MaxSize=0, LaunchTemplate={"LaunchTemplateName": "links"},
            AvailabilityZones=["eu-west-1a"],
        )  # fmt: skip

    by_tag = world.asg.describe_auto_scaling_groups(Filters=[{"Name": "tag:fleet", "Values": ["links"]}])
    by_name = world.asg.describe_auto_scaling_groups(AutoScalingGroupNames=["links", "mitte"])

    assert [each["AutoScalingGroupName"] for each in by_tag["AutoScalingGroups"]] == ["links"]
    assert {each["AutoScalingGroupName"] for each in by_name["AutoScalingGroups"]} == {"links", "mitte"}


def test_groups_are_shown_without_their_instances_if_asked(world: World) -> None:
    world.scale()

    found = world.asg.describe_auto_scaling_groups(IncludeInstances=False)["AutoScalingGroups"][0]

    assert found["Instances"] == []
    assert len(world.members()) == 2


def test_what_moto_would_ignore_of_an_update_is_kept(world: World) -> None:
    world.scale(DefaultInstanceWarmup=30)

    world.asg.update_auto_scaling_group(
        AutoScalingGroupName="links", TerminationPolicies=["NewestInstance"], DefaultCooldown=10
    )

    assert world.described()["TerminationPolicies"] == ["NewestInstance"]
    assert world.described()["DefaultCooldown"] == 10
    assert world.described()["DefaultInstanceWarmup"] == 30


def test_terminating_with_decrement_is_asynchronous_and_launches_nothing(world: World) -> None:
    world.scale()
    instance = next(iter(world.members()))

    answer = world.asg.terminate_instance_in_auto_scaling_group(
        InstanceId=instance, ShouldDecrementDesiredCapacity=True
    )

    assert answer["Activity"]["StatusCode"] == "InProgress"
    assert world.members()[instance] == "Terminating"
    world.cloud.settle()
    assert len(world.members()) == 1


def hooked(world: World, transition: str, default: str = "ABANDON") -> None:
    world.asg.put_lifecycle_hook(
        AutoScalingGroupName="links", LifecycleHookName="word", LifecycleTransition=transition, HeartbeatTimeout=60,
        DefaultResult=default,
    )  # fmt: skip


def test_a_launch_hook_holds_an_instance_back_until_the_word_comes(world: World) -> None:
    world.scale()
    hooked(world, "autoscaling:EC2_INSTANCE_LAUNCHING")
    world.asg.set_desired_capacity(AutoScalingGroupName="links", DesiredCapacity=3)
    world.cloud.settle()
    waiting = next(each for each, state in world.members().items() if state == "Pending:Wait")
    assert waiting not in world.targets()
    assert len(world.members()) == 3

    word = {"AutoScalingGroupName": "links", "LifecycleHookName": "word", "InstanceId": waiting}
    world.asg.complete_lifecycle_action(**word, LifecycleActionResult="CONTINUE")
    world.cloud.settle()

    assert world.members()[waiting] == "InService"
    assert waiting in world.targets()
    with pytest.raises(ClientError, match="No active Lifecycle Action"):
        world.asg.record_lifecycle_action_heartbeat(**word)


def test_a_launch_that_nobody_answers_for_is_abandoned_and_repeated(world: World) -> None:
    world.scale()
    hooked(world, "autoscaling:EC2_INSTANCE_LAUNCHING")
    world.asg.set_desired_capacity(AutoScalingGroupName="links", DesiredCapacity=3)
    world.cloud.settle()
    waiting = next(each for each, state in world.members().items() if state == "Pending:Wait")

    world.cloud.now = 61
    world.cloud.settle()

    assert waiting not in world.members()
    world.cloud.now = 63
    world.cloud.settle()
    assert len(world.members()) == 3


def test_a_termination_hook_keeps_an_instance_out_of_service_but_alive(world: World) -> None:
    world.scale()
    hooked(world, "autoscaling:EC2_INSTANCE_TERMINATING")
    world.asg.set_desired_capacity(AutoScalingGroupName="links", DesiredCapacity=1)
    world.cloud.settle()
    waiting = next(each for each, state in world.members().items() if state == "Terminating:Wait")
    assert world.cloud.machines.state(waiting) == "running"

    word = {"AutoScalingGroupName": "links", "LifecycleHookName": "word", "InstanceId": waiting}
    world.asg.complete_lifecycle_action(**word, LifecycleActionResult="CONTINUE")
    world.cloud.settle()

    assert waiting not in world.members()
    assert world.cloud.machines.state(waiting) == "terminated"


def test_protected_instances_stay_when_the_group_scales_in(world: World) -> None:
    world.scale()
    protected, other = sorted(world.members())
    world.asg.set_instance_protection(AutoScalingGroupName="links", InstanceIds=[protected], ProtectedFromScaleIn=True)

    world.asg.set_desired_capacity(AutoScalingGroupName="links", DesiredCapacity=1)
    world.cloud.settle()

    assert list(world.members()) == [protected]
    assert other not in world.members()


def test_an_instance_called_unhealthy_is_replaced(world: World) -> None:
    world.scale()
    victim = next(iter(world.members()))

    world.asg.set_instance_health(InstanceId=victim, HealthStatus="Unhealthy")
    world.cloud.settle()

    assert victim not in world.members()
    assert len(world.members()) == 2


def test_a_lower_maximum_takes_the_desired_capacity_along(world: World) -> None:
    world.scale()

    world.asg.update_auto_scaling_group(AutoScalingGroupName="links", MaxSize=1)
    world.cloud.settle()

    assert world.described()["DesiredCapacity"] == 1
    assert len(world.members()) == 1


def test_a_group_with_instances_is_deleted_by_force_alone(world: World) -> None:
    world.scale()
    instances = list(world.members())

    with pytest.raises(ClientError, match="ResourceInUse"):
        world.asg.delete_auto_scaling_group(AutoScalingGroupName="links")
    world.asg.delete_auto_scaling_group(AutoScalingGroupName="links", ForceDelete=True)

    assert world.asg.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert {world.cloud.machines.state(each) for each in instances} == {"terminated"}


@pytest.mark.parametrize(
    ("call", "given", "code", "words"),
    [
        ("set_desired_capacity", {"DesiredCapacity": 9}, "ValidationError", "value 9 is above max value 4"),
        ("set_desired_capacity", {"DesiredCapacity": 0}, "ValidationError", "value 0 is below min value 1"),
        ("update_auto_scaling_group", {"DesiredCapacity": 9}, "ValidationError", "min size:1 and max size:4"),
        ("update_auto_scaling_group", {"MinSize": 5}, "ValidationError", "Max bound, 4"),
        ("attach_instances", {"InstanceIds": ["i-0123456789abcdef0"]}, "ValidationError", "Invalid Instance ID"),
        ("attach_instances", {"InstanceIds": [f"i-{n}" for n in range(21)]}, "ValidationError", "equal to 20"),
        ("set_instance_protection", {"InstanceIds": [f"i-{n}" for n in range(51)], "ProtectedFromScaleIn": True},
         "ValidationError", "equal to 50"),
        ("detach_instances", {"InstanceIds": ["i-0123456789abcdef0"], "ShouldDecrementDesiredCapacity": True},
         "ValidationError", "not part of Auto Scaling group links"),
        ("set_instance_protection", {"InstanceIds": ["i-0123456789abcdef0"], "ProtectedFromScaleIn": True},
         "ValidationError", "not part of Auto Scaling group links"),
        ("set_desired_capacity", {"DesiredCapacity": 2, "AutoScalingGroupName": "rechts"}, "ValidationError",
         "AutoScalingGroup 'rechts' not found"),
    ],
)  # fmt: skip
def test_what_the_group_cannot_do_is_the_clients_mistake(
    world: World, call: str, given: dict[str, Any], code: str, words: str
) -> None:
    world.scale()

    with pytest.raises(ClientError) as refused:
        getattr(world.asg, call)(**{"AutoScalingGroupName": "links", **given})

    assert refused.value.response["Error"]["Code"] == code
    assert words in refused.value.response["Error"]["Message"]


def test_attaching_above_the_maximum_names_the_sizes(world: World) -> None:
    world.scale(MaxSize=2)

    with pytest.raises(ClientError, match="desired capacity 2 is above max size 2 for group links"):
        world.asg.attach_instances(AutoScalingGroupName="links", InstanceIds=[world.run()])


def test_terminating_below_the_minimum_is_refused(world: World) -> None:
    world.scale(MinSize=2)

    with pytest.raises(ClientError, match=r"desiredSize equals minSize \(2\)"):
        world.asg.terminate_instance_in_auto_scaling_group(
            InstanceId=next(iter(world.members())), ShouldDecrementDesiredCapacity=True
        )


def test_a_load_balancer_answers_at_its_own_address(world: World) -> None:
    assert world.balancer["DNSName"] == "10.77.1.1"
    with pytest.raises(ClientError, match="DuplicateLoadBalancerName"):
        world.elbv2.create_load_balancer(Name="links", Subnets=list(world.subnets.values()))


def test_targets_must_be_instances_that_run(world: World) -> None:
    with pytest.raises(ClientError, match="InvalidTarget"):
        world.elbv2.register_targets(TargetGroupArn=world.group, Targets=[{"Id": "i-0123456789abcdef0"}])


def test_deregistering_what_is_not_registered_succeeds(world: World) -> None:
    world.elbv2.deregister_targets(TargetGroupArn=world.group, Targets=[{"Id": "i-0123456789abcdef0"}])


def test_without_a_listener_a_target_is_not_in_use(world: World) -> None:
    world.scale()

    assert set(world.targets().values()) == {"unused"}
    world.listen()
    assert set(world.targets().values()) == {"healthy"}


def test_rules_and_other_actions_are_refused_plainly(world: World) -> None:
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]

    with pytest.raises(ClientError, match="forward actions alone"):
        world.elbv2.create_listener(
            LoadBalancerArn=world.balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=fixed
        )


def test_a_port_that_another_program_holds_is_refused(world: World) -> None:
    world.cloud.free = False

    with pytest.raises(ClientError, match=r"listens on 10\.77\.1\.1:80 already"):
        world.listen()


def test_a_target_group_stays_known_by_its_load_balancers(world: World) -> None:
    world.listen()
    found = world.elbv2.describe_target_groups(TargetGroupArns=[world.group])["TargetGroups"][0]
    assert found["LoadBalancerArns"] == [world.balancer["LoadBalancerArn"]]

    world.elbv2.delete_load_balancer(LoadBalancerArn=world.balancer["LoadBalancerArn"])

    found = world.elbv2.describe_target_groups(TargetGroupArns=[world.group])["TargetGroups"][0]
    assert found["LoadBalancerArns"] == []


def test_the_balancer_reads_what_the_api_was_told(world: World) -> None:
    world.listen()
    world.scale()

    wanted = load_balancers.wanted_now()[0]

    assert wanted.layout.address == "10.77.1.1"
    assert [(each.port, each.mode, each.forwards) for each in wanted.layout.listeners] == [
        (80, "http", (("links", 1),))
    ]
    assert wanted.layout.groups[0].check.interval_ms == 3000
    assert sorted(wanted.registered["links"]) == sorted(f"{instance}:8000" for instance in world.members())
    assert wanted.delays == {"links": 300.0}
    assert not wanted.ends_idle


def test_a_classic_load_balancer_is_read_and_its_instances_are_registered(world: World) -> None:
    elb: Any = boto3.client("elb", "eu-west-1")
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 8000}
    elb.create_load_balancer(LoadBalancerName="old", Listeners=[listener], Subnets=list(world.subnets.values()))
    check = {"Target": "HTTP:8000/health", "Interval": 10, "Timeout": 2, "HealthyThreshold": 3, "UnhealthyThreshold": 2}
    elb.configure_health_check(LoadBalancerName="old", HealthCheck=check)
    world.scale(LoadBalancerNames=["old"])

    wanted = load_balancers.wanted_now()[-1]

    assert sorted(wanted.registered["old:8000"]) == sorted(f"{instance}:8000" for instance in world.members())
    assert wanted.layout.groups[0].check == HealthCheck("/health", "200", 1000, 2000, 3, 2, port=8000)
    assert wanted.layout.listeners == (Listener(80, "http", (("old:8000", 1),)),)
    assert wanted.ends_idle
    health = elb.describe_instance_health(LoadBalancerName="old")["InstanceStates"]
    assert {each["InstanceId"]: each["State"] for each in health} == dict.fromkeys(world.members(), "InService")


@pytest.mark.parametrize(
    ("draining", "seconds"),
    [
        (None, 0),
        ({"Enabled": False, "Timeout": 60}, 0),
        ({"Enabled": True, "Timeout": 60}, 60),
        ({"Enabled": True}, 300),
    ],
)
def test_a_classic_load_balancer_drains_as_long_as_it_was_told(
    world: World, draining: dict[str, Any] | None, seconds: float
) -> None:
    elb: Any = boto3.client("elb", "eu-west-1")
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 8000}
    elb.create_load_balancer(LoadBalancerName="old", Listeners=[listener], Subnets=list(world.subnets.values()))
    if draining:
        told = {"ConnectionDraining": draining}
        elb.modify_load_balancer_attributes(LoadBalancerName="old", LoadBalancerAttributes=told)

    assert load_balancers.wanted_now()[-1].delays == {"old:8000": seconds}


@pytest.mark.parametrize("phase", ["serving", "draining"])
def test_what_a_group_registered_with_a_classic_load_balancer_can_be_deregistered_by_hand_and_drains_from_then_on(
    world: World, monkeypatch: pytest.MonkeyPatch, phase: Phase
) -> None:
    elb: Any = boto3.client("elb", "eu-west-1")
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 8000}
    elb.create_load_balancer(LoadBalancerName="old", Listeners=[listener], Subnets=list(world.subnets.values()))
    world.scale(LoadBalancerNames=["old"])
    going, staying = world.members()
    for _ in range(2):
        elb.register_instances_with_load_balancer(LoadBalancerName="old", Instances=[{"InstanceId": staying}])
    monkeypatch.setattr(
        world.cloud.balancers, "seen",
        lambda _, name: Seen(phase if name.startswith(going) else "serving", Stat("UP", "L7OK", 200, 0)),
    )  # fmt: skip

    elb.deregister_instances_from_load_balancer(LoadBalancerName="old", Instances=[{"InstanceId": going}])

    assert list(load_balancers.wanted_now()[-1].registered["old:8000"]) == [f"{staying}:8000"]
    health = elb.describe_instance_health(LoadBalancerName="old")["InstanceStates"]
    assert {each["InstanceId"]: each["Description"] for each in health} == {
        staying: "N/A",
        going: "Instance deregistration currently in progress.",
    }


def test_target_health_is_told_while_another_call_registers_one_that_leaves(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.scale()
    member, other = world.members()
    world.elbv2.deregister_targets(TargetGroupArn=world.group, Targets=[{"Id": member}, {"Id": other}])
    seen = world.cloud.balancers.seen

    def registering(group: str, name: str) -> Seen | None:
        world.elbv2.register_targets(TargetGroupArn=world.group, Targets=[{"Id": member}])
        return seen(group, name)

    monkeypatch.setattr(world.cloud.balancers, "seen", registering)

    assert set(world.targets()) == {member, other}
