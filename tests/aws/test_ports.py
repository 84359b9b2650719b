"""The ports of a roll, met by the adapters on moto: what is beyond a plain group behind a target group."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bakeroll.aws.cloudwatch import CloudWatch
from bakeroll.aws.refresh import healthy_percentages
from bakeroll.errors import CloudError
from bakeroll.fleet import LAUNCH_CONFIGURATION, Slot, Subnet
from bakeroll.settings import Metric, Policy, Refresh
from tests.aws.conftest import NAME, Account
from tests.aws.lacking import Lacking

GREEN = "links-dev-green"
TAGS = {"bakeroll:roll": "0a1b"}
TOPIC = "arn:aws:sns:eu-west-1:123456789012:scaling"


@pytest.fixture
def lacking(account: Account) -> Lacking:
    return Lacking(account.clients.autoscaling)


def make_mixed(account: Account, *overrides: Any) -> str:
    account.clients.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="mixed",
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateId": account.template, "Version": "1"},
                "Overrides": list(overrides),
            },
            "InstancesDistribution": {"OnDemandBaseCapacity": 1},
        },
        MinSize=0,
        MaxSize=4,
        VPCZoneIdentifier=account.subnets[0],
    )
    return "mixed"


def make_configured(account: Account) -> str:
    account.clients.autoscaling.create_launch_configuration(
        LaunchConfigurationName="links", ImageId="ami-00000000000000001", InstanceType="t3.small", UserData="echo 1"
    )
    account.clients.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="configured",
        LaunchConfigurationName="links",
        MinSize=0,
        MaxSize=4,
        VPCZoneIdentifier=account.subnets[0],
    )
    return "configured"


def test_the_adapters_are_the_ports_of_a_roll(account: Account) -> None:
    assert account.ports.scaling.describe(NAME)[NAME] == account.group


def test_a_mixed_group_is_given_another_version_and_keeps_the_rest_of_its_policy(account: Account) -> None:
    name = make_mixed(account, {"InstanceType": "t3.small"}, {"InstanceType": "t3.large", "WeightedCapacity": "2"})
    account.templates.make_version(account.template, "1", "ami-new", "0a1b")
    before = account.scaling.describe(name)[name]

    account.scaling.set_template(name, account.template, "2")

    raw = account.clients.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]
    group = account.scaling.describe(name)[name]
    assert (before.launches_from, before.template, before.template_version) == (
        "mixed instances policy",
        account.template,
        "1",
    )
    assert (group.template, group.template_version, group.conflict) == (account.template, "2", "")
    assert raw["MixedInstancesPolicy"]["InstancesDistribution"]["OnDemandBaseCapacity"] == 1
    assert [each["InstanceType"] for each in raw["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"]] == [
        "t3.small",
        "t3.large",
    ]


def test_an_overrides_image_follows_the_version_and_another_image_is_a_conflict(account: Account) -> None:
    name = make_mixed(account, {"InstanceType": "t3.small", "ImageId": "ami-00000000000000001"})
    account.templates.make_version(account.template, "1", "ami-new", "0a1b")
    assert account.scaling.describe(name)[name].conflict == ""

    account.scaling.set_template(name, account.template, "2")

    raw = account.clients.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"][0]
    assert raw["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"][0]["ImageId"] == "ami-new"
    assert account.scaling.describe(name)[name].conflict == ""


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ({"InstanceType": "t3.small", "ImageId": "ami-theirs"}, "names its own image, ami-theirs"),
        (
            {"InstanceType": "t3.small", "LaunchTemplateSpecification": {"LaunchTemplateName": NAME, "Version": "1"}},
            f"names its own launch template, {NAME}",
        ),
    ],
)
def test_an_override_that_beats_the_version_is_a_conflict(account: Account, override: Any, said: str) -> None:
    name = make_mixed(account, override)

    assert said in account.scaling.describe(name)[name].conflict


def test_a_launch_configuration_is_copied_with_another_image_and_made_once(account: Account) -> None:
    name = make_configured(account)
    templates = account.templates

    made = {templates.make_version(LAUNCH_CONFIGURATION, "links", "ami-new", "0a1b") for _ in range(2)}
    account.scaling.set_template(name, LAUNCH_CONFIGURATION, "links-bakeroll-0a1b")

    group = account.scaling.describe(name)[name]
    assert made == {"links-bakeroll-0a1b"}
    assert (group.launches_from, group.template, group.template_version) == (
        "launch configuration",
        LAUNCH_CONFIGURATION,
        "links-bakeroll-0a1b",
    )
    assert templates.version_of(LAUNCH_CONFIGURATION, "links-bakeroll-0a1b").image == "ami-new"
    assert templates.make_version(LAUNCH_CONFIGURATION, "links-bakeroll-0a1b", "ami-3", "2c3d") == "links-bakeroll-2c3d"
    assert list(templates.versions_made(LAUNCH_CONFIGURATION, ["0a1b", "ffff"])) == ["links-bakeroll-0a1b"]


def test_only_launch_configurations_that_a_roll_made_are_deleted(account: Account) -> None:
    make_configured(account)
    account.templates.make_version(LAUNCH_CONFIGURATION, "links", "ami-new", "0a1b")

    for name in ("links", "links-bakeroll-0a1b", "links-bakeroll-0a1b"):
        account.templates.delete_version(LAUNCH_CONFIGURATION, name)

    left = account.clients.autoscaling.describe_launch_configurations()["LaunchConfigurations"]
    assert [each["LaunchConfigurationName"] for each in left] == ["links"]


def test_an_instance_is_launched_as_its_launch_configuration_says(account: Account) -> None:
    make_configured(account)
    slot = Slot("0a1b-0", LAUNCH_CONFIGURATION, "links", Subnet(account.subnets[0], ""), TAGS)

    (launched,) = account.machines.launch(slot)

    found = account.clients.ec2.describe_instances(InstanceIds=[launched])["Reservations"][0]["Instances"][0]
    assert (found["ImageId"], found["InstanceType"]) == ("ami-00000000000000001", "t3.small")
    assert found["SubnetId"] == account.subnets[0]


def test_members_go_to_standby_and_come_back(account: Account) -> None:
    members = sorted(account.group.lifecycles)

    account.scaling.enter_standby(NAME, members[:1], decrement=True)
    out = account.group
    account.scaling.exit_standby(NAME, members[:1])

    assert (out.desired, out.lifecycles[members[0]]) == (1, "Standby")
    assert (account.group.desired, account.group.lifecycles[members[0]]) == (2, "InService")


def test_a_refresh_is_started_once_told_and_cancelled(account: Account, lacking: Lacking) -> None:
    account.templates.make_version(account.template, "1", "ami-new", "0a1b")
    policy = Policy(max_surge=1, refresh=Refresh(checkpoints=(50,), alarms=("errors",), warmup=30))

    started = {account.scaling.start_refresh(NAME, account.template, "2", policy) for _ in range(2)}
    running = account.scaling.refreshes(NAME)
    for _ in range(2):
        account.scaling.cancel_refresh(NAME)

    assert started == {"refresh-0"}
    assert [(each.id, each.version, each.percent, each.is_over) for each in running] == [("refresh-0", "2", 40, False)]
    assert account.scaling.refreshes(NAME)[0].is_over
    assert lacking.asked[0]["Preferences"] == {
        "MinHealthyPercentage": 100,
        "MaxHealthyPercentage": 150,
        "SkipMatching": True,
        "AutoRollback": True,
        "ScaleInProtectedInstances": "Refresh",
        "StandbyInstances": "Ignore",
        "CheckpointPercentages": [50, 100],
        "CheckpointDelay": 300,
        "AlarmSpecification": {"Alarms": ["errors"]},
        "InstanceWarmup": 30,
    }


def test_a_refresh_to_another_version_is_in_the_way(account: Account, lacking: Lacking) -> None:
    account.scaling.start_refresh(NAME, account.template, "1", Policy())

    with pytest.raises(CloudError, match="InstanceRefreshInProgress"):
        account.scaling.start_refresh(NAME, account.template, "2", Policy())


def test_a_group_is_refreshed_to_a_launch_configuration_that_it_is_given_first(
    account: Account, lacking: Lacking
) -> None:
    name = make_configured(account)
    version = account.templates.make_version(LAUNCH_CONFIGURATION, "links", "ami-new", "0a1b")

    account.scaling.start_refresh(name, LAUNCH_CONFIGURATION, version, Policy())

    assert account.scaling.describe(name)[name].template_version == version
    assert "DesiredConfiguration" not in lacking.asked[0]
    assert not lacking.asked[0]["Preferences"]["AutoRollback"]


@pytest.mark.parametrize(
    ("unavailable", "surge", "desired", "expected"),
    [
        (0, "100%", 4, (100, 200)),
        (1, 1, 3, (66, 134)),
        ("50%", "100%", 4, (50, 150)),
        ("14%", "14%", 50, (86, 114)),
        (5, 0, 1000, (100, 100)),
        (3, 9, 2, (0, 100)),
        (0, 1, 0, (100, 200)),
    ],
)
def test_amounts_are_percentages_that_aws_takes(
    unavailable: str | int, surge: str | int, desired: int, expected: tuple[int, int]
) -> None:
    assert healthy_percentages(Policy(max_unavailable=unavailable, max_surge=surge), desired) == expected


def test_a_clone_is_like_its_original_with_no_instance_and_can_be_repeated(account: Account, lacking: Lacking) -> None:
    hook: Any = {"LifecycleHookName": "warm", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}
    account.clients.autoscaling.put_lifecycle_hook(AutoScalingGroupName=NAME, HeartbeatTimeout=77, **hook)
    account.scaling.suspend(NAME, ["AZRebalance"])
    account.templates.make_version(account.template, "1", "ami-new", "0a1b")

    for _ in range(2):
        account.scaling.clone(NAME, GREEN, "2", TAGS)

    blue, green = (account.scaling.describe(NAME, GREEN)[each] for each in (NAME, GREEN))
    hooks = account.clients.autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=GREEN)["LifecycleHooks"]
    assert (green.minimum, green.desired, green.maximum, green.lifecycles) == (0, 0, 0, {})
    assert (green.template_version, blue.template_version) == ("2", "1")
    assert (green.subnets, green.target_groups) == (blue.subnets, blue.target_groups)
    assert green.tags == {**blue.tags, **TAGS}
    assert green.suspended == {"AZRebalance", "AddToLoadBalancer"}
    assert [(each["LifecycleHookName"], each["HeartbeatTimeout"]) for each in hooks] == [("warm", 77)]


def test_a_group_of_that_name_that_the_roll_did_not_make_is_left_alone(account: Account, lacking: Lacking) -> None:
    account.scaling.clone(NAME, GREEN, "1", {})

    with pytest.raises(CloudError, match="AlreadyExists"):
        account.scaling.clone(NAME, GREEN, "1", TAGS)


def test_sizes_are_set_together_and_a_group_is_deleted_once(account: Account) -> None:
    account.scaling.set_sizes(NAME, 0, 1, 3)
    sized = account.group

    for _ in range(2):
        account.scaling.delete(NAME)

    assert (sized.minimum, sized.desired, sized.maximum) == (0, 1, 3)
    assert account.scaling.names() == []


def test_policies_alarms_schedules_and_notifications_are_handed_over_and_back(
    account: Account, lacking: Lacking
) -> None:
    scaling, cloudwatch = account.clients.autoscaling, account.clients.cloudwatch
    account.scaling.clone(NAME, GREEN, "1", TAGS)
    scaling.put_scaling_policy(
        AutoScalingGroupName=NAME,
        PolicyName="out",
        PolicyType="StepScaling",
        AdjustmentType="ChangeInCapacity",
        StepAdjustments=[{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 2}],
    )
    policy = scaling.describe_policies(AutoScalingGroupName=NAME)["ScalingPolicies"][0]["PolicyARN"]
    cloudwatch.put_metric_alarm(
        AlarmName="busy",
        AlarmActions=[policy, TOPIC],
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Statistic="Average",
        Dimensions=[{"Name": "AutoScalingGroupName", "Value": NAME}],
        Period=60,
        EvaluationPeriods=2,
        Threshold=70,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="breaching",
    )
    scaling.put_scheduled_update_group_action(
        AutoScalingGroupName=NAME, ScheduledActionName="night", Recurrence="0 22 * * *", MinSize=1, TimeZone="Etc/UTC"
    )
    scaling.put_notification_configuration(
        AutoScalingGroupName=NAME, TopicARN=TOPIC, NotificationTypes=["autoscaling:EC2_INSTANCE_LAUNCH"]
    )
    before = cloudwatch.describe_alarms()["MetricAlarms"][0]

    for _ in range(2):
        account.scaling.hand_over(NAME, GREEN)
    alarm = cloudwatch.describe_alarms()["MetricAlarms"][0]
    made = scaling.describe_policies(AutoScalingGroupName=GREEN)["ScalingPolicies"][0]
    action = scaling.describe_scheduled_actions(AutoScalingGroupName=GREEN)["ScheduledUpdateGroupActions"][0]
    account.scaling.hand_over(GREEN, NAME)

    assert alarm["AlarmActions"] == [made["PolicyARN"], TOPIC]
    assert alarm["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": GREEN}]
    assert (alarm["Threshold"], alarm["TreatMissingData"]) == (70, "breaching")
    assert made["StepAdjustments"] == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 2}]
    assert (action["Recurrence"], action["MinSize"], action["TimeZone"]) == ("0 22 * * *", 1, "Etc/UTC")
    assert lacking.notifications[GREEN] == lacking.notifications[NAME]
    back = cloudwatch.describe_alarms()["MetricAlarms"][0]
    assert (back["AlarmActions"], back["Dimensions"]) == (before["AlarmActions"], before["Dimensions"])


def test_a_classic_balancer_is_a_target_group_of_its_own_type(account: Account) -> None:
    account.clients.elb.create_load_balancer(
        LoadBalancerName="old",
        Listeners=[
            {"Protocol": "HTTP", "LoadBalancerPort": 8080, "InstanceProtocol": "HTTP", "InstancePort": 8000},
        ],
        Subnets=[account.subnets[0]],
    )
    member = min(account.group.lifecycles)

    by_name, classic = account.balancers.target_groups([NAME], ["old"])
    account.balancers.register(classic, [member])
    registered = account.balancers.health(classic)
    account.balancers.deregister(classic, [member])

    assert by_name.arn == account.target_group
    assert (classic.arn, classic.port, classic.type) == ("old", 8000, "classic")
    assert registered[member].state == "healthy"
    assert account.balancers.health(classic) == {}
    assert account.balancers.url([account.target_group], ["old"]).endswith(":8080")


def test_alarms_are_told_by_name_and_missing_ones_left_out(account: Account) -> None:
    for name, state in (("errors", "ALARM"), ("slow", "OK")):
        account.clients.cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="links",
            MetricName=name,
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        account.clients.cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")  # type: ignore[arg-type]

    assert account.ports.probes.alarms(["errors", "slow", "gone"]) == {"errors": "ALARM", "slow": "OK"}


def test_samples_are_told_by_instance_the_oldest_first(account: Account) -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for age, instance, value in ((150, "i-a", 3.0), (90, "i-a", 5.0), (9000, "i-a", 9.0), (90, "i-b", 7.0)):
        dimensions = [{"Name": "InstanceId", "Value": instance}]
        datum: Any = {"MetricName": "errors", "Dimensions": dimensions, "Value": value}
        account.clients.cloudwatch.put_metric_data(
            Namespace="links",
            MetricData=[datum | {"Timestamp": now - timedelta(seconds=age)}],
        )
    metric = Metric(namespace="links", name="errors")

    found = CloudWatch(account.clients, now=lambda: now).samples(metric, ["i-a", "i-b", "i-c"], 300)

    assert found == {"i-a": [3.0, 5.0], "i-b": [7.0], "i-c": []}
