"""What AWS tells before a roll: on moto, and by botocore's stubs where moto has no such call."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from bakeroll.aws.group_facts import GroupFacts, needs, refusal
from bakeroll.aws.quotas import by_code
from bakeroll.aws.session import translated
from bakeroll.errors import CloudError
from bakeroll.facts import Balancer, Image, Launch, Quota
from bakeroll.roll.foresee.findings import Intent, findings
from bakeroll.roll.foresee.preflight import Unseen, look
from bakeroll.settings import Policy
from tests.aws.conftest import NAME, Account

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
METRIC = {
    "MetricNamespace": "AWS/Usage",
    "MetricName": "ResourceCount",
    "MetricDimensions": {"Class": "Standard/OnDemand", "Resource": "vCPU", "Service": "EC2", "Type": "Resource"},
    "MetricStatisticRecommendation": "Maximum",
}


@pytest.fixture
def around(account: Account) -> GroupFacts:
    image = account.clients.ec2.register_image(Name="links", Architecture="x86_64", EnaSupport=True)["ImageId"]
    return GroupFacts(account.clients, NAME, image, now=lambda: NOW)


def group(around: GroupFacts) -> Any:
    return around.aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[NAME])["AutoScalingGroups"][0]


def template(around: GroupFacts, account: Account, **data: Any) -> None:
    """Another version of the template, which the group names from now on."""
    made = around.aws.ec2.create_launch_template_version(
        LaunchTemplateId=account.template,
        LaunchTemplateData={"ImageId": "ami-00000000000000001", **data},  # type: ignore[typeddict-item]
    )["LaunchTemplateVersion"]
    around.aws.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=NAME,
        LaunchTemplate={"LaunchTemplateId": account.template, "Version": str(made["VersionNumber"])},
    )


def test_a_group_launches_what_its_template_names(around: GroupFacts) -> None:
    assert around.launch() == Launch(("t3.small",), on_demand=100, is_protected=False)
    assert [(each.name, each.vcpus, each.architectures) for each in around.types()] == [("t3.small", 2, ("x86_64",))]


def test_spot_and_termination_protection_stand_in_the_template(around: GroupFacts, account: Account) -> None:
    template(
        around,
        account,
        InstanceType="m6i.large",
        DisableApiTermination=True,
        InstanceMarketOptions={"MarketType": "spot"},
    )

    assert around.launch() == Launch(("m6i.large",), on_demand=0, is_protected=True)


def test_a_mixed_instances_policy_names_types_and_the_share_of_spot(around: GroupFacts, account: Account) -> None:
    around.aws.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=NAME,
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateId": account.template, "Version": "1"},
                "Overrides": [{"InstanceType": "m6i.large"}, {"InstanceType": "m5.large"}],
            },
            "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 25},
        },
    )

    assert around.launch() == Launch(("m6i.large", "m5.large"), on_demand=25)


def test_a_launch_configuration_names_its_type_and_cannot_be_tried(around: GroupFacts) -> None:
    around.aws.autoscaling.create_launch_configuration(
        LaunchConfigurationName="links-7", ImageId=around.image_id, InstanceType="m5.large"
    )
    around.aws.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="old",
        LaunchConfigurationName="links-7",
        MinSize=0,
        MaxSize=0,
        VPCZoneIdentifier=group(around)["VPCZoneIdentifier"],
    )
    old = replace(around, group="old")

    assert old.launch() == Launch(("m5.large",))
    assert old.trials() == {}


def test_subnets_tell_their_free_addresses(around: GroupFacts, account: Account) -> None:
    rooms = around.rooms()

    assert {each.subnet for each in rooms} == set(account.subnets)
    assert all(each.free > 4000 for each in rooms)


def test_an_image_is_told_and_one_that_is_not_there_has_no_state(around: GroupFacts) -> None:
    assert around.image().state == "available"
    assert replace(around, image_id="ami-0123456789abcdef0").image() == Image("ami-0123456789abcdef0")


def test_an_image_is_told_with_how_it_boots_and_since_when_it_is_deprecated(around: GroupFacts) -> None:
    raw = {
        "ImageId": around.image_id,
        "State": "available",
        "Architecture": "arm64",
        "BootMode": "uefi",
        "EnaSupport": True,
        "DeprecationTime": "2026-05-01T00:00:00.000Z",
    }
    with Stubber(around.aws.ec2) as stub:
        stub.add_response("describe_images", {"Images": [raw]})
        found = around.image()

    deprecated = datetime(2026, 5, 1, tzinfo=UTC)
    assert found == Image(around.image_id, "available", "arm64", "uefi", has_ena=True, deprecated=deprecated)


def test_a_dry_run_launches_nothing_and_tells_why_it_would_be_refused(around: GroupFacts, account: Account) -> None:
    def instances() -> int:
        return len(around.aws.ec2.describe_instances()["Reservations"])

    before = instances()

    assert around.trials() == dict.fromkeys(account.subnets, "")
    around.aws.autoscaling.update_auto_scaling_group(AutoScalingGroupName=NAME, VPCZoneIdentifier=account.subnets[0])
    assert list(replace(around).trials()) == [account.subnets[0]]
    assert instances() == before


def test_balancers_tell_how_long_they_drain_and_how_they_check(around: GroupFacts, account: Account) -> None:
    around.aws.elbv2.modify_target_group_attributes(
        TargetGroupArn=account.target_group,
        Attributes=[
            {"Key": "deregistration_delay.timeout_seconds", "Value": "60"},
            {"Key": "slow_start.duration_seconds", "Value": "30"},
        ],
    )

    assert around.balancers() == [Balancer(NAME, delay=60, interval=30, threshold=5, first=1, slow_start=30)]


def test_a_target_group_that_the_settings_name_is_looked_at_as_well(around: GroupFacts, account: Account) -> None:
    own = around.aws.elbv2.describe_target_groups(TargetGroupArns=[account.target_group])["TargetGroups"][0]
    made = around.aws.elbv2.create_target_group(Name="named", Protocol="HTTP", Port=80, VpcId=own["VpcId"])
    around.aws.elbv2.modify_target_group_attributes(
        TargetGroupArn=made["TargetGroups"][0]["TargetGroupArn"],
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "900"}],
    )

    found = replace(around, target_groups=["named"]).balancers()

    assert [(each.name, each.delay) for each in found] == [(NAME, 300), ("named", 900)]


def test_a_classic_balancer_drains_only_where_it_is_told_to(around: GroupFacts) -> None:
    cases: dict[str, Any] = {
        "drains": {"Enabled": True, "Timeout": 120},
        "cuts": {"Enabled": False, "Timeout": 300},
    }
    for name, draining in cases.items():
        around.aws.elb.create_load_balancer(
            LoadBalancerName=name,
            Listeners=[{"Protocol": "http", "LoadBalancerPort": 80, "InstancePort": 8000}],
            AvailabilityZones=["eu-west-1a"],
        )
        around.aws.elb.configure_health_check(
            LoadBalancerName=name,
            HealthCheck={
                "Target": "HTTP:8000/",
                "Interval": 10,
                "Timeout": 2,
                "UnhealthyThreshold": 2,
                "HealthyThreshold": 3,
            },
        )
        around.aws.elb.modify_load_balancer_attributes(
            LoadBalancerName=name,
            LoadBalancerAttributes={"ConnectionDraining": draining},
        )
    around.aws.autoscaling.attach_load_balancers(AutoScalingGroupName=NAME, LoadBalancerNames=["drains", "cuts"])

    found = {each.name: each for each in around.balancers()}

    assert found["drains"] == Balancer("drains", delay=120, interval=10, threshold=3, first=3)
    assert found["cuts"].delay == 0


def test_of_several_calls_the_one_that_is_not_permitted_is_named(around: GroupFacts, account: Account) -> None:
    described = around.aws.elbv2.describe_target_groups(TargetGroupArns=[account.target_group])["TargetGroups"]
    with Stubber(around.aws.elbv2) as stub:
        stub.add_response("describe_target_groups", {"TargetGroups": described})
        stub.add_client_error("describe_target_group_attributes", "AccessDenied", "no")
        with pytest.raises(CloudError, match=r"^not permitted: DescribeTargetGroupAttributes$"):
            around.balancers()


def alarm(around: GroupFacts, name: str, state: str) -> None:
    around.aws.cloudwatch.put_metric_alarm(
        AlarmName=name,
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        MetricName="m",
        Namespace="n",
        Period=60,
        Statistic="Sum",
        Threshold=1,
    )
    around.aws.cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test")  # type: ignore[arg-type]


def test_the_alarms_of_the_groups_policies_are_looked_at_but_for_target_trackings_low_one(
    around: GroupFacts,
) -> None:
    low, high = (f"TargetTracking-{NAME}-Alarm{which}-d4f0770c" for which in ("Low", "High"))
    for name in (low, high, "links-5xx", "somebody-elses"):
        alarm(around, name, "ALARM")
    policy = {"PolicyName": "cpu", "Alarms": [{"AlarmName": name} for name in (low, high)]}

    with Stubber(around.aws.autoscaling) as stub:
        stub.add_response("describe_policies", {"ScalingPolicies": [policy]}, {"AutoScalingGroupName": NAME})
        found = replace(around, alarm_names=("links-5xx", "typo")).alarms()

    assert found == {"links-5xx": "ALARM", "typo": "", high: "ALARM"}


def test_an_instance_refresh_counts_until_it_is_over(around: GroupFacts) -> None:
    with Stubber(around.aws.autoscaling) as stub:
        for status in ("Baking", "Successful"):
            refresh = {"InstanceRefreshId": "1", "AutoScalingGroupName": NAME, "Status": status}
            stub.add_response("describe_instance_refreshes", {"InstanceRefreshes": [refresh]})
        assert [around.refresh(), around.refresh()] == ["Baking", ""]


def test_a_quota_is_read_with_what_its_usage_metric_says_runs(around: GroupFacts) -> None:
    values = {"Id": "q0", "Label": "vCPU", "Timestamps": [NOW], "Values": [24.0], "StatusCode": "Complete"}
    with Stubber(around.aws.service_quotas) as quotas, Stubber(around.aws.cloudwatch) as cloudwatch:
        quotas.add_response(
            "get_service_quota",
            {"Quota": {"QuotaCode": "L-1216C47A", "Value": 64.0, "UsageMetric": METRIC}},
            {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"},
        )
        dimensions = [{"Name": key, "Value": value} for key, value in METRIC["MetricDimensions"].items()]  # type: ignore[attr-defined]
        metric = {"Namespace": "AWS/Usage", "MetricName": "ResourceCount", "Dimensions": dimensions}
        cloudwatch.add_response(
            "get_metric_data",
            {"MetricDataResults": [values]},
            {
                "MetricDataQueries": [
                    {"Id": "q0", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Maximum"}},
                ],
                "StartTime": NOW - timedelta(minutes=30),
                "EndTime": NOW,
                "ScanBy": "TimestampDescending",
            },
        )
        found = around.quotas()

    assert found == [Quota("L-1216C47A", ("t3.small",), 64, 24)]


def test_a_quota_whose_usage_is_not_published_is_read_alone(around: GroupFacts) -> None:
    with Stubber(around.aws.service_quotas) as quotas:
        quotas.add_response("get_service_quota", {"Quota": {"QuotaCode": "L-1216C47A", "Value": 64.0}})
        found = around.quotas()

    assert [each.used for each in found] == [None]


def test_types_are_sorted_to_their_quotas() -> None:
    types = ["t3.small", "im4gn.large", "gr6.4xlarge", "vt1.3xlarge", "hpc7g.4xlarge", "mac2.metal", "u-3tb1.56xlarge"]

    assert by_code(types, spot=False) == {
        "L-1216C47A": ["t3.small", "im4gn.large"],
        "L-DB2E81BA": ["gr6.4xlarge", "vt1.3xlarge"],
        "L-F7808C92": ["hpc7g.4xlarge"],
        "L-43DA4232": ["u-3tb1.56xlarge"],
    }
    assert set(by_code(types, spot=True)) == {"L-34B43A08", "L-3819A6DF"}


def decided(action: str, decision: str, *missing: str) -> dict[str, Any]:
    return {"EvalActionName": action, "EvalDecision": decision, "MissingContextValues": list(missing)}


def test_what_iam_denies_is_told_unless_it_hung_on_a_condition_that_is_not_known(around: GroupFacts) -> None:
    role = "arn:aws:iam::123456789012:role/ops/roller"
    answers = [
        [decided("autoscaling:AttachInstances", "implicitDeny"), decided("autoscaling:SuspendProcesses", "allowed")],
        [decided("ec2:CreateLaunchTemplateVersion", "implicitDeny", "aws:RequestedRegion")],
        [decided("ec2:TerminateInstances", "allowed")],
        [decided("elasticloadbalancing:RegisterTargets", "explicitDeny")],
        [decided("dynamodb:PutItem", "allowed")],
    ]
    asked = needs(group(around), group(around)["LaunchTemplate"], "bakeroll")
    with Stubber(around.aws.sts) as sts, Stubber(around.aws.iam) as iam:
        arn = "arn:aws:sts::123456789012:assumed-role/roller/me"
        sts.add_response("get_caller_identity", {"Account": "123456789012", "Arn": arn})
        made = {"Path": "/ops/", "RoleName": "roller", "RoleId": "A" * 16, "CreateDate": NOW, "Arn": role}
        iam.add_response("get_role", {"Role": made}, {"RoleName": "roller"})
        for need, results in zip(asked, answers, strict=True):
            context = [
                {"ContextKeyName": f"ec2:ResourceTag/{key}", "ContextKeyValues": [value], "ContextKeyType": "string"}
                for key, value in need.tags.items()
            ]
            iam.add_response(
                "simulate_principal_policy",
                {"EvaluationResults": results},
                {
                    "PolicySourceArn": role,
                    "ActionNames": list(need.actions),
                    "ResourceArns": list(need.resources),
                    "ContextEntries": context,
                },
            )
        found = around.denied()
        iam.assert_no_pending_responses()

    assert found == ["autoscaling:AttachInstances", "elasticloadbalancing:RegisterTargets"]


def test_what_is_in_a_warm_pool_is_terminated_by_its_groups_tag(around: GroupFacts) -> None:
    around.aws.autoscaling.put_warm_pool(AutoScalingGroupName=group(around)["AutoScalingGroupName"])

    asked = needs(group(around), group(around)["LaunchTemplate"], "bakeroll")

    tags = [dict(each.tags) for each in asked if "ec2:TerminateInstances" in each.actions]
    named = {"aws:autoscaling:groupName": group(around)["AutoScalingGroupName"]}
    assert tags == [{"bakeroll:roll": "simulated"}, named]


def refused(code: str, message: str, status: int = 403) -> CloudError:
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    try:
        with translated("RunInstances"):
            raise ClientError(answer, "RunInstances")
    except CloudError as error:
        return error


UNAUTHORIZED = (
    "You are not authorized to perform this operation. User: arn:aws:sts::1:assumed-role/roller/me is not authorized "
    "to perform: ec2:RunInstances on resource: arn:aws:ec2:eu-west-1:1:key-pair/ops because no identity-based policy "
    "allows the ec2:RunInstances action. Encoded authorization failure message: 4fTx9-Q"
)


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        ("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", ""),
        ("InvalidKeyPair.NotFound", "No key ops", "InvalidKeyPair.NotFound: No key ops"),
        (
            "UnauthorizedOperation",
            UNAUTHORIZED,
            "not permitted: ec2:RunInstances on arn:aws:ec2:eu-west-1:1:key-pair/ops, "
            "no identity-based policy allows the ec2:RunInstances action",
        ),
        ("UnauthorizedOperation", "No.", "not permitted: No."),
    ],
)
def test_a_dry_run_is_refused_in_the_words_that_matter(code: str, message: str, said: str) -> None:
    assert refusal(refused(code, message, 412)) == said


def test_a_dry_run_that_was_not_answered_is_no_refusal() -> None:
    with pytest.raises(CloudError, match="RequestLimitExceeded"):
        refusal(refused("RequestLimitExceeded", "Slow down", 503))


def test_looks_that_are_not_permitted_or_not_there_leave_the_others(around: GroupFacts) -> None:
    described = {"AutoScalingGroups": [group(around)]}
    with Stubber(around.aws.service_quotas) as quotas, Stubber(around.aws.autoscaling) as scaling:
        scaling.add_response("describe_auto_scaling_groups", described)
        quotas.add_client_error("get_service_quota", "AccessDeniedException", "no")
        scaling.add_client_error("describe_policies", "AccessDenied", "no")
        scaling.add_client_error("describe_instance_refreshes", "AccessDenied", "no")
        facts = look(around)

    assert facts.quotas == Unseen("not permitted: GetServiceQuota")
    assert facts.alarms == Unseen("not permitted: DescribePolicies")
    assert facts.refresh == Unseen("not permitted: DescribeInstanceRefreshes")
    told = [each.text for each in findings(facts, Intent(2, Policy(), NOW)) if each.level == "ok"]
    assert [each.split()[0] for each in told] == ["subnets", "image", "template", "drains"]
