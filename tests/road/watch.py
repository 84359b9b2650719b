"""A fleet seen from outside: its groups, its instances, and how many are in service while it is rolled."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

PAUSE_SECONDS = 0.1


class Aws:
    """Clients of the local cloud that an environment's variables name."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        url = f"http://127.0.0.1:{environment['BAKEROLL_LOCAL_PORT']}"
        session = boto3.Session("local", "local", region_name="eu-west-1")
        self.ec2: Any = session.client("ec2", endpoint_url=url)
        self.elb: Any = session.client("elb", endpoint_url=url)
        self.elbv2: Any = session.client("elbv2", endpoint_url=url)
        self.asg: Any = session.client("autoscaling", endpoint_url=url)

    def groups(self, fleet: str) -> Sequence[Mapping[str, Any]]:
        """The fleet's Auto Scaling groups: one, or two while it is blue-green."""
        names = [fleet, f"{fleet}-green"]
        found = self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=names)["AutoScalingGroups"]
        return [each for each in found if not each.get("Status")]

    def members(self, group: str, number: int) -> list[str]:
        """The group's instances when there are so many in service by its own word."""

        def in_service() -> list[str]:
            instances = self.groups(group)[0]["Instances"]
            return [each["InstanceId"] for each in instances if each["LifecycleState"] == "InService"]

        eventually(lambda: len(in_service()) == number)
        return in_service()

    def warm(self, group: str) -> Mapping[str, str]:
        """What the prepared instances of the group's warm pool were launched from."""
        found = self.asg.describe_warm_pool(AutoScalingGroupName=group)["Instances"]
        ready = [each for each in found if each["LifecycleState"] == "Warmed:Stopped"]
        return {each["InstanceId"]: each["LaunchTemplate"]["Version"] for each in ready}

    def in_service(self, target_group: str) -> int:
        if not target_group.startswith("arn:"):
            states = self.elb.describe_instance_health(LoadBalancerName=target_group)["InstanceStates"]
            told = [each["Description"] for each in states if each["State"] == "InService"]
            return sum("deregistration" not in each for each in told)
        found = self.elbv2.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
        return sum(each["TargetHealth"]["State"] == "healthy" for each in found)

    def alive(self, fleet: str) -> set[str]:
        """Instances of the fleet's groups, or launched beside them by a roll."""
        groups = {"Name": "tag:aws:autoscaling:groupName", "Values": [fleet, f"{fleet}-green"]}
        named = {"Name": "tag:Name", "Values": [fleet]}
        states = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "shutting-down"]}
        found = [self.ec2.describe_instances(Filters=[each, states])["Reservations"] for each in (groups, named)]
        return {each["InstanceId"] for reservations in found for one in reservations for each in one["Instances"]}

    def versions(self, group: Mapping[str, Any]) -> set[str]:
        """Of the group's launch template, or of the launch configurations there are."""
        if "LaunchConfigurationName" in group:
            found = self.asg.describe_launch_configurations()["LaunchConfigurations"]
            return {each["LaunchConfigurationName"] for each in found}
        mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("LaunchTemplateSpecification")
        identifier = (mixed or group["LaunchTemplate"])["LaunchTemplateId"]
        found = self.ec2.describe_launch_template_versions(LaunchTemplateId=identifier)["LaunchTemplateVersions"]
        return {str(each["VersionNumber"]) for each in found}


def launches(group: Mapping[str, Any]) -> str:
    """The version that the group launches."""
    mixed = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {}).get("LaunchTemplateSpecification")
    configured: str = group.get("LaunchConfigurationName", "")
    return configured or str((mixed or group["LaunchTemplate"])["Version"])


def eventually(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(PAUSE_SECONDS)


class Watch:
    """For the length of the block, the fewest instances in service in the target group (or the classic balancer).

    A call that fails says nothing and is asked again.
    """

    def __init__(self, aws: Aws, target_group: str) -> None:
        self.aws, self.target_group = aws, target_group
        self.seen: list[int] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def lowest(self) -> int:
        return min(self.seen)

    def _look(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            try:
                self.seen.append(self.aws.in_service(self.target_group))
            except (BotoCoreError, ClientError):
                continue
