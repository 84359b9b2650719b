"""A local cloud of real machines under test: started, and asked by its API, by ssh and from within its machines."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config as BotoConfig

from local_cloud.client import control
from local_cloud.config import Config
from local_cloud.host import cgroup


def told(text: str) -> None:
    print(text)


class Cloud:
    """One cloud under test, and what one does to it."""

    def __init__(self, config: Config, directory: Path) -> None:
        self.config, self.key = config, directory / "key"
        self.endpoint = control.up(config, told)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        self.ec2 = self.service("ec2")
        self.ec2.import_key_pair(KeyName="test", PublicKeyMaterial=self.key.with_suffix(".pub").read_bytes())

    def service(self, name: str) -> Any:
        return boto3.client(
            name,  # type: ignore[call-overload]
            endpoint_url=self.endpoint.url,
            region_name=self.endpoint.region,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=BotoConfig(retries={"total_max_attempts": 1}),
        )

    @property
    def source(self) -> str:
        images = self.ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-*-local"]}])["Images"]
        return str(images[0]["ImageId"])

    def launch(self, **more: Any) -> dict[str, Any]:
        asked = {"ImageId": self.source, "MinCount": 1, "MaxCount": 1, "KeyName": "test"} | more
        instance: dict[str, Any] = self.ec2.run_instances(**asked)["Instances"][0]
        return instance

    def describe(self, instance: str) -> dict[str, Any]:
        reservations = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        found: dict[str, Any] = reservations[0]["Instances"][0]
        return found

    def wait_for(self, instance: str, state: str) -> dict[str, Any]:
        until(lambda: self.describe(instance)["State"]["Name"] == state)
        return self.describe(instance)

    def image(self, instance: str, name: str, **more: Any) -> str:
        image: str = self.ec2.create_image(InstanceId=instance, Name=name, **more)["ImageId"]
        until(lambda: self.ec2.describe_images(ImageIds=[image])["Images"][0]["State"] == "available")
        return image

    def ssh(self, instance: dict[str, Any], command: str) -> str:
        options = ["-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR"]
        address = f"admin@{instance['PrivateIpAddress']}"
        argv = ["ssh", *options, "-i", str(self.key), address, f"sudo sh -c {json.dumps(command)}"]
        return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout.strip()

    def run(self, instance: dict[str, Any], script: str) -> str:
        """By stdin, so that the script needs no quoting."""
        init = cgroup.init_of(cgroup.of_cloud(self.config.bridge) / instance["InstanceId"])
        entered = ["nsenter", f"--target={init}", "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd", "sh"]
        done = subprocess.run(entered, input=script, check=False, capture_output=True, text=True, timeout=60)
        return (done.stdout + done.stderr).strip()


def until(done: Callable[[], Any], within: float = 30) -> Any:
    deadline = time.monotonic() + within
    while not (found := done()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)
    return found
