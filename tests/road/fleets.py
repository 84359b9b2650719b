"""Fleets of every kind that a roll meets, made by AWS's API on the local cloud: each of SIZE instances."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.road.watch import Aws, eventually

SIZE = 4
SIZES = {"MinSize": 1, "MaxSize": 2 * SIZE, "DesiredCapacity": SIZE}
HEALTH = {
    "HealthCheckPath": "/health",
    "HealthCheckIntervalSeconds": 5,
    "HealthCheckTimeoutSeconds": 2,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 2,
}
HOOK = "install"


@dataclass
class Maker:
    """Makes a fleet of this name whose instances run this image. Each method is a kind of fleet.

    They return its target groups by ARN, or its classic load balancer's name, and what deploy.yml says of it.
    """

    aws: Aws
    name: str
    image: str

    def classic(self) -> tuple[str, Mapping[str, Any]]:
        listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 8000}
        self.aws.elb.create_load_balancer(LoadBalancerName=self.name, Listeners=[listener], Subnets=self.subnets)
        check = {"Target": "HTTP:8000/health", "Interval": 5, "Timeout": 2}
        self.aws.elb.configure_health_check(
            LoadBalancerName=self.name, HealthCheck=check | {"HealthyThreshold": 2, "UnhealthyThreshold": 2}
        )
        draining = {"ConnectionDraining": {"Enabled": True, "Timeout": 2}}
        self.aws.elb.modify_load_balancer_attributes(LoadBalancerName=self.name, LoadBalancerAttributes=draining)
        self._scale(LoadBalancerNames=[self.name], **self._template())
        return self.name, {}

    def network(self) -> tuple[str, Mapping[str, Any]]:
        arn = self._balanced("network", "TCP", Protocol="TCP", HealthCheckProtocol="HTTP")
        self._scale(TargetGroupARNs=[arn], **self._template())
        return arn, {}

    def addresses(self) -> tuple[str, Mapping[str, Any]]:
        """Auto Scaling registers nobody with such a target group: the roll does, and here who makes the fleet."""
        arn = self._balanced("application", "HTTP", Protocol="HTTP", TargetType="ip")
        self._scale(**self._template())
        found = self.aws.ec2.describe_instances(InstanceIds=self.aws.members(self.name, SIZE))["Reservations"]
        targets = [{"Id": each["PrivateIpAddress"]} for one in found for each in one["Instances"]]
        self.aws.elbv2.register_targets(TargetGroupArn=arn, Targets=targets)
        return arn, {"target_groups": [self.name]}

    def hooked(self) -> tuple[str, Mapping[str, Any]]:
        """With a launch lifecycle hook, which goes on by itself."""
        arn = self._balanced("application", "HTTP", Protocol="HTTP")
        hook = {"LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING", "HeartbeatTimeout": 30}
        hooks = [{"LifecycleHookName": HOOK, "DefaultResult": "CONTINUE", **hook}]
        self._scale(TargetGroupARNs=[arn], LifecycleHookSpecificationList=hooks, **self._template())
        return arn, {}

    def mixed(self) -> tuple[str, Mapping[str, Any]]:
        arn = self._balanced("application", "HTTP", Protocol="HTTP")
        specification = {"LaunchTemplateSpecification": self._template()["LaunchTemplate"]}
        overrides = [{"InstanceType": "t3.small"}, {"InstanceType": "t3.medium"}]
        self._scale(
            TargetGroupARNs=[arn],
            MixedInstancesPolicy={
                "LaunchTemplate": specification | {"Overrides": overrides},
                "InstancesDistribution": {"OnDemandBaseCapacity": 2, "OnDemandPercentageAboveBaseCapacity": 50},
            },
        )
        return arn, {}

    def configured(self) -> tuple[str, Mapping[str, Any]]:
        """Launching from a launch configuration."""
        arn = self._balanced("application", "HTTP", Protocol="HTTP")
        self.aws.asg.create_launch_configuration(
            LaunchConfigurationName=self.name, ImageId=self.image, InstanceType="t3.small"
        )
        self._scale(TargetGroupARNs=[arn], LaunchConfigurationName=self.name)
        return arn, {}

    def warm(self) -> tuple[str, Mapping[str, Any]]:
        """With a warm pool of two, which has them."""
        arn = self._balanced("application", "HTTP", Protocol="HTTP")
        self._scale(TargetGroupARNs=[arn], **self._template())
        self.aws.asg.put_warm_pool(AutoScalingGroupName=self.name, MinSize=2, MaxGroupPreparedCapacity=2)
        eventually(lambda: list(self.aws.warm(self.name).values()) == ["1", "1"])
        return arn, {}

    @property
    def subnets(self) -> list[str]:
        return [each["SubnetId"] for each in self.aws.ec2.describe_subnets()["Subnets"]]

    def _template(self) -> dict[str, Any]:
        data = {"ImageId": self.image, "InstanceType": "t3.small"}
        made = self.aws.ec2.create_launch_template(LaunchTemplateName=self.name, LaunchTemplateData=data)
        return {"LaunchTemplate": {"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"], "Version": "1"}}

    def _scale(self, **more: Any) -> None:
        self.aws.asg.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            VPCZoneIdentifier=",".join(self.subnets),
            HealthCheckType="ELB",
            HealthCheckGracePeriod=60,
            **SIZES,
            **more,
        )

    def _balanced(self, kind: str, listener: str, **more: Any) -> str:
        """A target group behind a load balancer of its own."""
        vpc = self.aws.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        made = self.aws.elbv2.create_target_group(Name=self.name, Port=8000, VpcId=vpc, **HEALTH, **more)
        arn: str = made["TargetGroups"][0]["TargetGroupArn"]
        delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "2"}]
        self.aws.elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=delay)
        balancer = self.aws.elbv2.create_load_balancer(Name=self.name, Type=kind, Subnets=self.subnets)
        self.aws.elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
            Protocol=listener,
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )
        return arn


KINDS: dict[str, Callable[[Maker], tuple[str, Mapping[str, Any]]]] = {
    "classic": Maker.classic,
    "network": Maker.network,
    "ip": Maker.addresses,
    "hook": Maker.hooked,
    "mixed": Maker.mixed,
    "configuration": Maker.configured,
    "warm": Maker.warm,
}
