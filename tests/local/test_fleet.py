"""A fleet of real machines behind a real load balancer, driven by the API alone."""

import base64
import http.client
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import boto3
import pytest

from bakeroll.local import cgroup, client
from bakeroll.local.config import Config, endpoint
from bakeroll.local.shell import step_in
from bakeroll.local.sweep import leftovers

pytestmark = pytest.mark.machine

# Serves on 8000 from each boot on: /health, /slow (one second) and all else, HTTP/1.1 with connections kept. On SIGTERM
# it goes.
SERVER = """#!/bin/sh
cat > /srv/serve.py <<'EOF'
import http.server, os, socket, time
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(1)
        sick = self.path == "/health" and os.path.exists("/srv/sick")
        body = socket.gethostname().encode()
        self.send_response(503 if sick else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer.request_queue_size = 128
http.server.ThreadingHTTPServer(("", 8000), Answer).serve_forever()
EOF
cat > /etc/systemd/system/served.service <<'EOF'
[Service]
ExecStart=/usr/bin/python3 /srv/serve.py
[Install]
WantedBy=multi-user.target
EOF
systemctl enable --now --no-block served
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    config = Config(
        state=tmp_path_factory.mktemp("cloud"), bridge="brfleet", network=IPv4Network("10.97.0.0/16"), port=5697
    )
    client.up(config, print)
    yield config
    client.down(config, print)
    assert leftovers(config) == []


class Aws:
    """The API's clients, and one fleet."""

    def __init__(self, config: Config) -> None:
        self.config = config
        session = boto3.Session("local", "local", region_name="eu-west-1")
        self.ec2: Any = session.client("ec2", endpoint_url=endpoint(config).url)
        self.elbv2: Any = session.client("elbv2", endpoint_url=endpoint(config).url)
        self.asg: Any = session.client("autoscaling", endpoint_url=endpoint(config).url)

    def make(self, name: str, *, desired: int = 2, image: str = "", grace: int = 30) -> None:
        self.name = name
        named = [{"Name": "name", "Values": ["debian-*-local"]}]
        source = self.ec2.describe_images(Filters=named)["Images"][0]["ImageId"]
        user_data = base64.b64encode(SERVER.encode()).decode()
        data = {"ImageId": image or source, "InstanceType": "t3.small", "UserData": user_data}
        self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
        subnets = [each["SubnetId"] for each in self.ec2.describe_subnets()["Subnets"]]
        vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        group = self.elbv2.create_target_group(
            Name=name, Protocol="HTTP", Port=8000, VpcId=vpc, TargetType="instance", HealthCheckPath="/health",
            HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2, HealthyThresholdCount=2,
        )  # fmt: skip
        self.group = group["TargetGroups"][0]["TargetGroupArn"]
        delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "3"}]
        self.elbv2.modify_target_group_attributes(TargetGroupArn=self.group, Attributes=delay)
        made = self.elbv2.create_load_balancer(Name=name, Subnets=subnets)["LoadBalancers"][0]
        self.balancer, self.host = made["LoadBalancerArn"], made["DNSName"]
        forward = [{"Type": "forward", "TargetGroupArn": self.group}]
        self.elbv2.create_listener(LoadBalancerArn=self.balancer, Protocol="HTTP", Port=80, DefaultActions=forward)
        self.asg.create_auto_scaling_group(
            AutoScalingGroupName=name, MinSize=0, MaxSize=8, DesiredCapacity=desired,
            LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"}, VPCZoneIdentifier=",".join(subnets[:2]),
            TargetGroupARNs=[self.group], HealthCheckType="ELB", HealthCheckGracePeriod=grace,
            Tags=[{"Key": "fleet", "Value": name, "PropagateAtLaunch": True}],
        )  # fmt: skip

    def unmake(self) -> None:
        self.asg.delete_auto_scaling_group(AutoScalingGroupName=self.name, ForceDelete=True)
        self.elbv2.delete_load_balancer(LoadBalancerArn=self.balancer)
        self.elbv2.delete_target_group(TargetGroupArn=self.group)
        self.ec2.delete_launch_template(LaunchTemplateName=self.name)

    def members(self) -> dict[str, str]:
        found = self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"][0]
        return {each["InstanceId"]: each["LifecycleState"] for each in found["Instances"]}

    def health(self) -> dict[str, str]:
        found = self.elbv2.describe_target_health(TargetGroupArn=self.group)["TargetHealthDescriptions"]
        return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in found}

    def healthy(self) -> set[str]:
        return {target for target, state in self.health().items() if state == "healthy"}

    def targets(self, instances: list[str]) -> dict[str, Any]:
        return {"TargetGroupArn": self.group, "Targets": [{"Id": each} for each in instances]}

    def activities(self) -> list[Any]:
        found: list[Any] = self.asg.describe_scaling_activities(AutoScalingGroupName=self.name)["Activities"]
        return found


@pytest.fixture
def aws(config: Config) -> Iterator[Aws]:
    aws = Aws(config)
    aws.make(f"links-{time.time_ns() % 100000}")
    eventually(lambda: len(aws.healthy()) == 2)
    yield aws
    aws.unmake()


def eventually(holds: Callable[[], bool], seconds: float = 30) -> float:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "waited in vain"
        time.sleep(0.05)
    return time.monotonic() - began


class Load:
    """Kept connections, new connections and requests that take a second, until it ends."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.answered = 0
        self.failures: list[str] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        kinds = [("/", True)] * 4 + [("/", False)] * 3 + [("/slow", True), ("/slow", False)]
        self._threads = [threading.Thread(target=self._ask, args=kind) for kind in kinds]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, path: str, is_kept: bool) -> None:
        connection = http.client.HTTPConnection(self._host, timeout=15)
        while not self._ended.wait(0.01):
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                problem = "" if answer.status == 200 else f"{path} {answer.status}"
            except (OSError, http.client.HTTPException) as error:
                problem = f"{path} {error!r}"
                connection.close()
            with self._lock:
                self.answered += 1
                self.failures += [problem] if problem else []
            if not is_kept:
                connection.close()


def test_a_fleet_is_replaced_under_load_without_one_failed_request(aws: Aws) -> None:
    old = sorted(aws.members())

    with Load(aws.host) as load:
        aws.asg.set_desired_capacity(AutoScalingGroupName=aws.name, DesiredCapacity=4)
        eventually(lambda: len(aws.healthy()) == 4)
        for instance in old:
            aws.asg.terminate_instance_in_auto_scaling_group(InstanceId=instance, ShouldDecrementDesiredCapacity=True)
        assert {aws.members()[each] for each in old} == {"Terminating"}
        eventually(lambda: not set(aws.members()) & set(old))
        time.sleep(1)

    assert load.failures == []
    assert load.answered > 500
    assert len(aws.healthy()) == 2


def test_an_instance_refresh_replaces_a_fleet_under_load_without_one_failed_request(aws: Aws) -> None:
    old = set(aws.members())
    data = {"InstanceType": "t3.large"}
    aws.ec2.create_launch_template_version(LaunchTemplateName=aws.name, SourceVersion="1", LaunchTemplateData=data)
    desired = {"LaunchTemplate": {"LaunchTemplateName": aws.name, "Version": "2"}}
    preferences = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200, "InstanceWarmup": 0}

    with Load(aws.host) as load:
        aws.asg.start_instance_refresh(
            AutoScalingGroupName=aws.name, DesiredConfiguration=desired, Preferences=preferences
        )
        eventually(lambda: _refresh(aws)["Status"] == "Successful")

    assert load.failures == []
    assert not old & set(aws.members())
    assert len(aws.healthy()) == 2
    found = aws.asg.describe_auto_scaling_groups(AutoScalingGroupNames=[aws.name])["AutoScalingGroups"][0]
    assert found["LaunchTemplate"]["Version"] == "2"
    assert {each["InstanceType"] for each in found["Instances"]} == {"t3.large"}


def test_a_scale_out_starts_a_machine_that_was_prepared_in_the_warm_pool(aws: Aws) -> None:
    named = {"AutoScalingGroupName": aws.name}
    hook = {**named, "LifecycleHookName": "prepared"}
    aws.asg.put_lifecycle_hook(**hook, LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING", HeartbeatTimeout=300)
    aws.asg.put_warm_pool(**named, MinSize=1, MaxGroupPreparedCapacity=1)
    eventually(lambda: list(_warm(aws).values()) == ["Warmed:Pending:Wait"])
    (warm,) = _warm(aws)
    eventually(lambda: _serves(aws, warm))
    step_in(aws.config, warm, "touch /srv/prepared")
    aws.asg.complete_lifecycle_action(**hook, InstanceId=warm, LifecycleActionResult="CONTINUE")
    eventually(lambda: _warm(aws) == {warm: "Warmed:Stopped"})
    assert _states(aws, [warm]) == ["stopped"]
    assert warm not in aws.health()

    with Load(aws.host) as load:
        aws.asg.set_desired_capacity(**named, DesiredCapacity=3)
        eventually(lambda: aws.members().get(warm) == "Pending:Wait")
        aws.asg.complete_lifecycle_action(**hook, InstanceId=warm, LifecycleActionResult="CONTINUE")
        eventually(lambda: warm in aws.healthy())

    assert load.failures == []
    assert len(aws.healthy()) == 3
    assert step_in(aws.config, warm, "test -e /srv/prepared") == 0
    assert len(_warm(aws)) == 1


def _warm(aws: Aws) -> dict[str, str]:
    found = aws.asg.describe_warm_pool(AutoScalingGroupName=aws.name)["Instances"]
    return {each["InstanceId"]: each["LifecycleState"] for each in found}


def _serves(aws: Aws, instance: str) -> bool:
    found = aws.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    with socket.socket() as asking:
        return asking.connect_ex((found["PrivateIpAddress"], 8000)) == 0


def _refresh(aws: Aws) -> Any:
    return aws.asg.describe_instance_refreshes(AutoScalingGroupName=aws.name)["InstanceRefreshes"][0]


def test_new_machines_beside_the_group_take_over_by_register_and_deregister(aws: Aws) -> None:
    old = sorted(aws.members())
    new = [
        each["InstanceId"]
        for each in aws.ec2.run_instances(
            LaunchTemplate={"LaunchTemplateName": aws.name}, MinCount=2, MaxCount=2, SubnetId=_subnet(aws)
        )["Instances"]
    ]
    eventually(lambda: all(state == "running" for state in _states(aws, new)))

    with Load(aws.host) as load:
        aws.elbv2.register_targets(**aws.targets(new))
        eventually(lambda: set(new) <= aws.healthy())
        aws.asg.suspend_processes(AutoScalingGroupName=aws.name, ScalingProcesses=["AZRebalance"])
        aws.asg.attach_instances(AutoScalingGroupName=aws.name, InstanceIds=new)
        aws.elbv2.deregister_targets(**aws.targets(old))
        assert {aws.health()[each] for each in old} == {"draining"}
        eventually(lambda: not set(aws.health()) & set(old))
        for instance in old:
            aws.asg.terminate_instance_in_auto_scaling_group(InstanceId=instance, ShouldDecrementDesiredCapacity=True)
        eventually(lambda: sorted(aws.members()) == sorted(new))

    assert load.failures == []
    assert aws.healthy() == set(new)


def _subnet(aws: Aws) -> str:
    found = aws.ec2.describe_subnets(Filters=[{"Name": "availability-zone", "Values": ["eu-west-1a"]}])
    subnet: str = found["Subnets"][0]["SubnetId"]
    return subnet


def _states(aws: Aws, instances: list[str]) -> list[str]:
    found = aws.ec2.describe_instances(InstanceIds=instances)["Reservations"]
    return [each["State"]["Name"] for reservation in found for each in reservation["Instances"]]


def test_a_machine_that_dies_is_replaced(aws: Aws) -> None:
    victim = sorted(aws.members())[0]
    init = cgroup.init_of(cgroup.of_cloud(aws.config.bridge) / victim)
    assert init

    os.kill(init, 9)

    eventually(lambda: victim not in aws.members() and len(aws.healthy()) == 2)
    assert any("EC2 health check" in each["Cause"] for each in aws.activities())


def test_a_machine_that_answers_503_is_unhealthy_and_replaced_after_the_grace_period(aws: Aws) -> None:
    aws.asg.update_auto_scaling_group(AutoScalingGroupName=aws.name, HealthCheckGracePeriod=1)
    victim = sorted(aws.members())[0]
    aws.asg.suspend_processes(AutoScalingGroupName=aws.name, ScalingProcesses=["ReplaceUnhealthy"])

    step_in(aws.config, victim, "touch /srv/sick")

    eventually(lambda: aws.health()[victim] == "unhealthy")
    described = aws.elbv2.describe_target_health(**aws.targets([victim]))["TargetHealthDescriptions"][0]
    assert described["TargetHealth"]["Description"] == "Health checks failed with these codes: [503]"
    assert victim in aws.members()
    aws.asg.resume_processes(AutoScalingGroupName=aws.name)
    eventually(lambda: victim not in aws.members() and len(aws.healthy()) == 2)


def test_the_fleet_serves_again_after_the_daemon_was_killed(aws: Aws) -> None:
    before = set(aws.members())
    os.kill(client.status(aws.config)["pid"], 9)

    client.up(aws.config, print)

    eventually(lambda: len(aws.healthy()) == 2 and not before & set(aws.members()))
    with Load(aws.host) as load:
        time.sleep(1)
    assert load.failures == []


def test_a_group_whose_image_is_not_there_waits_with_failed_activities(config: Config) -> None:
    aws = Aws(config)
    aws.make("absent", image="ami-0123456789abcdef0")

    eventually(lambda: len(aws.activities()) >= 1)

    activity = aws.activities()[0]
    assert activity["StatusCode"] == "Failed"
    assert "does not exist" in activity["StatusMessage"]
    assert aws.members() == {}
    aws.unmake()


def test_load_is_seen(config: Config, tmp_path: Path) -> None:
    """The load of these tests counts what fails: against nothing, everything does."""
    with Load(str(config.gateway)) as load:
        time.sleep(0.1)

    assert load.failures
