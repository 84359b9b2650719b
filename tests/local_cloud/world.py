"""A cloud by its API alone: moto in this process, machines and load balancers made up, the clock in a test's hand."""

import functools
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
from moto.ec2.models.amis import Ami

from local_cloud.balancing.haproxy import Stat
from local_cloud.balancing.target_health import Seen
from local_cloud.config import Config
from local_cloud.faults.in_force import Faults
from local_cloud.hooks.backends import ec2
from local_cloud.hooks.groups import groups_now
from local_cloud.hooks.instances import machine_changed
from local_cloud.hooks.surroundings import InThisCloud
from local_cloud.host.room import Room
from local_cloud.scaling.engine import Scaling

IMAGE = "ami-0ba5e000000000001"


class FakeMachines:
    """Machines that become what a test says."""

    def __init__(self, cloud: "FakeCloud") -> None:
        self._cloud = cloud
        self.states: dict[str, str] = {}

    def launch(self, instance: str, *_: Any) -> None:
        self.states[instance] = "pending"

    def terminate(self, instance: str) -> None:
        self._become(instance, "terminated")

    def stop(self, instance: str) -> None:
        self.states[instance] = "stopping"

    def start(self, instance: str) -> None:
        self.states[instance] = "pending"

    def state(self, instance: str) -> str | None:
        return self.states.get(instance)

    def layers(self, _: str) -> tuple[str, ...]:
        return ()

    def boot(self) -> None:
        """What boots runs, what shuts down is stopped."""
        for instance, state in list(self.states.items()):
            if state in ("pending", "stopping"):
                self._become(instance, "running" if state == "pending" else "stopped")

    def fail(self, reason: str) -> None:
        for instance, state in list(self.states.items()):
            if state == "pending":
                self._become(instance, "terminated", reason)

    def die(self, instance: str) -> None:
        self._become(instance, "stopped", "Client.InstanceInitiatedShutdown: Instance initiated shutdown")

    def _become(self, instance: str, state: Any, reason: str = "") -> None:
        self.states[instance] = state
        machine_changed(self._cloud, instance, state, reason)  # type: ignore[arg-type]


class FakeBalancers:
    """Serves whoever is registered, at once; `refused` are unhealthy, `busy` are still asked something."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.busy: set[str] = set()

    def wake(self) -> None:
        pass

    def is_idle(self, instance: str) -> bool:
        return instance not in self.busy

    def seen(self, _: str, name: str) -> Seen | None:
        instance = name.partition(":")[0]
        stat = Stat("DOWN", "L7STS", 503, 0) if instance in self.refused else Stat("UP", "L7OK", 200, 0)
        return Seen("serving", stat)


class FakeCloud:
    """What the hooks need, and an engine that turns when it is told to."""

    def __init__(self) -> None:
        self.config = Config()
        self.machines = FakeMachines(self)
        self.left = 100
        self.images = SimpleNamespace(layers=lambda _: ("base",))
        self.balancers = FakeBalancers()
        self.now = 0.0
        self.faults = Faults(lambda: self.now)
        numbers = iter(range(1, 99))
        self.free = True
        self.addresses = SimpleNamespace(
            take=lambda: f"10.77.1.{next(numbers)}", give_back=lambda _: None, is_free=lambda *_: self.free
        )
        surroundings = InThisCloud(groups_now, self.balancers)  # type: ignore[arg-type]
        clock = lambda: self.now  # noqa: E731 - one line says it all
        self.scaling = Scaling(surroundings, self.changed, clock, self.date)

    def room(self) -> Room:
        return Room(self.left - len(self.machines.states), "there is little", "sysctl more=1")

    def date(self) -> datetime:
        return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=self.now)

    def changed(self) -> None:
        pass

    def settle(self) -> None:
        """Turn until all that was launched serves."""
        for _ in range(4):
            self.scaling.turn()
            self.machines.boot()


@functools.cache
def clients() -> tuple[Any, Any, Any]:
    """Made once: botocore reads its descriptions of the services anew for each session."""
    session = boto3.Session("local", "local", region_name="eu-west-1")
    return session.client("ec2"), session.client("elbv2"), session.client("autoscaling")


class World:
    """The cloud, its clients and one fleet called links."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud
        self.ec2, self.elbv2, self.asg = clients()
        backend = ec2()
        backend.amis[IMAGE] = Ami(backend, IMAGE, name="debian", region_name="eu-west-1")
        self.ec2.create_launch_template(
            LaunchTemplateName="links", LaunchTemplateData={"ImageId": IMAGE, "InstanceType": "t3.small"}
        )
        subnets = self.ec2.describe_subnets()["Subnets"]
        self.subnets = {each["AvailabilityZone"]: each["SubnetId"] for each in subnets}
        made = self.elbv2.create_target_group(
            Name="links", Protocol="HTTP", Port=8000, VpcId=subnets[0]["VpcId"], TargetType="instance"
        )
        self.group = made["TargetGroups"][0]["TargetGroupArn"]
        self.balancer = self.elbv2.create_load_balancer(Name="links", Subnets=list(self.subnets.values()))[
            "LoadBalancers"
        ][0]

    def listen(self) -> None:
        forward = [{"Type": "forward", "TargetGroupArn": self.group}]
        self.elbv2.create_listener(
            LoadBalancerArn=self.balancer["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=forward
        )

    def scale(self, **more: Any) -> None:
        given: dict[str, Any] = {
            "MinSize": 1,
            "MaxSize": 4,
            "DesiredCapacity": 2,
            "LaunchTemplate": {"LaunchTemplateName": "links", "Version": "$Latest"},
            "VPCZoneIdentifier": f"{self.subnets['eu-west-1a']},{self.subnets['eu-west-1b']}",
            "TargetGroupARNs": [self.group],
        }
        if "MixedInstancesPolicy" in more:
            del given["LaunchTemplate"]
        self.asg.create_auto_scaling_group(AutoScalingGroupName="links", **(given | more))
        self.cloud.settle()

    def described(self) -> dict[str, Any]:
        found: dict[str, Any] = self.asg.describe_auto_scaling_groups()["AutoScalingGroups"][0]
        return found

    def version(self, instance_type: str = "t3.small", image: str = IMAGE) -> str:
        """Another version of the launch template."""
        data = {"ImageId": image, "InstanceType": instance_type}
        made = self.ec2.create_launch_template_version(LaunchTemplateName="links", LaunchTemplateData=data)
        return str(made["LaunchTemplateVersion"]["VersionNumber"])

    def instances(self) -> list[dict[str, Any]]:
        """The members as EC2 describes them."""
        found = self.ec2.describe_instances(InstanceIds=list(self.members()))["Reservations"]
        return [instance for reservation in found for instance in reservation["Instances"]]

    def members(self) -> dict[str, str]:
        return {each["InstanceId"]: each["LifecycleState"] for each in self.described()["Instances"]}

    def warm(self) -> dict[str, str]:
        """The instances in the warm pool by their lifecycle states."""
        found = self.asg.describe_warm_pool(AutoScalingGroupName="links")["Instances"]
        return {each["InstanceId"]: each["LifecycleState"] for each in found}

    def targets(self) -> dict[str, str]:
        found = self.elbv2.describe_target_health(TargetGroupArn=self.group)["TargetHealthDescriptions"]
        return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in found}

    def run(self, zone: str = "eu-west-1a") -> str:
        made = self.ec2.run_instances(
            LaunchTemplate={"LaunchTemplateName": "links"}, MinCount=1, MaxCount=1, SubnetId=self.subnets[zone]
        )
        self.cloud.machines.boot()
        instance: str = made["Instances"][0]["InstanceId"]
        return instance

    def activities(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.asg.describe_scaling_activities(AutoScalingGroupName="links")["Activities"]
        return found
