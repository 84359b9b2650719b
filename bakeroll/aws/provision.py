"""Makes what the toolkit needs in an account, and the fleet of a local environment.

If a thing exists already, nothing changes. Each function yields a sentence for each thing that it makes or finds. On
AWS you make the fleet (CloudFormation, Terraform); only a local environment gets one here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bakeroll.aws.session import Clients, translated
from bakeroll.settings import EnvironmentSettings
from bakeroll.wording import counted

if TYPE_CHECKING:
    from types_boto3_autoscaling import AutoScalingClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_s3 import S3Client

# No image has this id. Until the first roll, the group keeps its desired capacity and its launches fail.
NO_IMAGE = "ami-00000000000000000"


def missing(environment: EnvironmentSettings, aws: Clients, region: str) -> Iterator[str]:
    """All that an environment lacks: the table and the bucket, in a local environment the fleet too."""
    with translated(f"making table {environment.table}"):
        yield from table(aws.dynamodb, environment.table)
    with translated(f"making bucket {environment.repository.bucket}"):
        yield from bucket(aws.s3, environment.repository.bucket, region)
    if environment.cloud == "local":
        with translated(f"making fleet {environment.fleet}"):
            yield from fleet(environment, aws.ec2, aws.elbv2, aws.autoscaling)


def table(dynamodb: DynamoDBClient, name: str) -> Iterator[str]:
    """Make the DynamoDB table of releases, rolls and leases: keys `pk` and `sk`, billed per request."""
    if name in (each for page in dynamodb.get_paginator("list_tables").paginate() for each in page["TableNames"]):
        yield f"table {name} exists"
        return
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
    )
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    yield f"table {name} made"


def bucket(s3: S3Client, name: str, region: str) -> Iterator[str]:
    """Make the S3 bucket of the apt repository: private, encrypted, versioned."""
    if name in (each["Name"] for each in s3.list_buckets()["Buckets"]):
        yield f"bucket {name} exists"
        return
    if region == "us-east-1":  # S3 refuses a location constraint for this region
        s3.create_bucket(Bucket=name)
    else:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})  # type: ignore[typeddict-item]
    s3.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    yield f"bucket {name} made"


def fleet(
    environment: EnvironmentSettings,
    ec2: EC2Client,
    elbv2: ElasticLoadBalancingv2Client,
    autoscaling: AutoScalingClient,
) -> Iterator[str]:
    """Make a launch template, a load balancer with a target group, and the Auto Scaling group that uses them."""
    name = environment.fleet
    if autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]:
        yield f"fleet {name} exists"
        return
    subnets = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    identifiers = [subnet["SubnetId"] for subnet in subnets]
    target_group = _target_group(environment, elbv2, subnets[0]["VpcId"])
    _load_balancer(name, elbv2, identifiers, target_group)
    _launch_template(environment, ec2)
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateName": name, "Version": "1"},
        MinSize=min(1, environment.local.desired),
        MaxSize=environment.local.maximum,
        DesiredCapacity=environment.local.desired,
        VPCZoneIdentifier=",".join(identifiers),
        TargetGroupARNs=[target_group],
        HealthCheckType="ELB",
        HealthCheckGracePeriod=60,
        Tags=[{"Key": "application", "Value": environment.application, "PropagateAtLaunch": True}],
    )
    desired = counted(environment.local.desired, "instance")
    yield f"fleet {name} made: {desired} desired, at most {environment.local.maximum}"


def _launch_template(environment: EnvironmentSettings, ec2: EC2Client) -> None:
    name = environment.fleet
    there = ec2.describe_launch_templates(Filters=[{"Name": "launch-template-name", "Values": [name]}])
    if not there["LaunchTemplates"]:
        ec2.create_launch_template(
            LaunchTemplateName=name,
            LaunchTemplateData={
                "ImageId": NO_IMAGE,
                "InstanceType": environment.local.instance_type,  # type: ignore[typeddict-item]
                "MetadataOptions": {"HttpTokens": "required"},
            },
        )


def _target_group(environment: EnvironmentSettings, elbv2: ElasticLoadBalancingv2Client, vpc: str) -> str:
    there = [
        group["TargetGroupArn"]
        for page in elbv2.get_paginator("describe_target_groups").paginate()
        for group in page["TargetGroups"]
        if group["TargetGroupName"] == environment.fleet
    ]
    if there:
        return there[0]
    made = elbv2.create_target_group(
        Name=environment.fleet,
        Protocol="HTTP",
        Port=environment.port,
        VpcId=vpc,
        TargetType="instance",
        HealthCheckPath=environment.health,
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    delay = str(environment.local.deregistration_delay)
    elbv2.modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": delay}]
    )
    return arn


def _load_balancer(name: str, elbv2: ElasticLoadBalancingv2Client, subnets: Sequence[str], target_group: str) -> None:
    there = [
        balancer["LoadBalancerArn"]
        for page in elbv2.get_paginator("describe_load_balancers").paginate()
        for balancer in page["LoadBalancers"]
        if balancer["LoadBalancerName"] == name
    ]
    if there:
        arn = there[0]
    else:
        made = elbv2.create_load_balancer(Name=name, Subnets=subnets, Type="application", Scheme="internal")
        arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    if elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
        return
    elbv2.create_listener(
        LoadBalancerArn=arn,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
    )
