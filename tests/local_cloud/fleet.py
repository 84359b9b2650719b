"""A fleet of real machines behind a real load balancer, made by the API alone, and a load on it."""

import base64
import http.client
import threading
import time
from collections.abc import Callable
from typing import Any

import boto3

from local_cloud.config import Config, endpoint

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
