"""The local cloud, for real: a daemon, machines, images, and nothing left when it is down."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_cloud.client import asking, control
from local_cloud.client.shell import step_in
from local_cloud.config import Config
from local_cloud.errors import LocalCloudError
from local_cloud.host.network import namespaces
from local_cloud.host.sweep import leftovers
from tests.local_cloud.cloud import Cloud, told, until

pytestmark = pytest.mark.machine

NETWORK = IPv4Network("10.91.0.0/16")
METADATA = "http://169.254.169.254/latest"
TOKEN = f"TOKEN=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' {METADATA}/api/token)"


def traces() -> dict[str, list[str]]:
    """What a cloud could leave on this machine, but for other people's clouds."""
    ours = ("brlocal", "10.91.")
    seen = {
        "links": subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout,
        "namespaces": subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout,
        "routes": subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout,
        "mounts": Path("/proc/mounts").read_text(),
        "cgroups": "\n".join(path for path, _, _ in os.walk("/sys/fs/cgroup") if "/bakeroll-" in path),
        "processes": subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout,
    }
    return {what: [line for line in text.splitlines() if any(o in line for o in ours)] for what, text in seen.items()}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    directory = tmp_path_factory.mktemp("brlocal")
    config = Config(state=directory / "state", bridge="brlocal", network=NETWORK, port=5691)
    try:
        yield Cloud(config, directory)
    finally:
        control.reset(config, told)
    assert leftovers(config) == []
    assert {what: lines for what, lines in traces().items() if lines} == {}


@pytest.fixture(scope="module")
def instance(cloud: Cloud) -> dict[str, Any]:
    """A machine that many tests look at and none harms."""
    user_data = "#!/bin/sh\necho once >> /root/user-data\n"
    launched = cloud.launch(UserData=user_data, MetadataOptions={"InstanceMetadataTags": "enabled"},
                            TagSpecifications=[{"ResourceType": "instance",
                                                "Tags": [{"Key": "Name", "Value": "looked-at"}]}])  # fmt: skip
    return cloud.wait_for(launched["InstanceId"], "running")


def test_an_instance_is_reached_by_ssh_soon_after_its_launch(cloud: Cloud) -> None:
    def seconds() -> float:
        began = time.monotonic()
        launched = cloud.launch()
        assert launched["State"]["Name"] == "pending"
        running = cloud.wait_for(launched["InstanceId"], "running")
        assert cloud.ssh(running, "id -un") == "root"
        cloud.ec2.terminate_instances(InstanceIds=[launched["InstanceId"]])
        return time.monotonic() - began

    assert min(seconds() for _ in range(3)) < 3  # about 0.7 s on an idle machine; others may be busy on this one


def test_a_machine_is_up_with_no_failed_unit(cloud: Cloud, instance: dict[str, Any]) -> None:
    said = until(lambda: (s := cloud.ssh(instance, "systemctl is-system-running || true")) != "starting" and s)

    assert said == "running"
    assert cloud.ssh(instance, "hostname") == instance["PrivateDnsName"].partition(".")[0]
    assert cloud.ssh(instance, "systemd-detect-virt --container") != "none"


def test_a_machine_can_turn_no_knob_of_this_machine(cloud: Cloud, instance: dict[str, Any]) -> None:
    assert "Read-only" in cloud.ssh(instance, "(echo 1 > /proc/sys/vm/drop_caches) 2>&1 || true")
    assert "not permitted" in cloud.ssh(instance, "mknod /root/disk b 254 0 2>&1 || true")
    assert "not permitted" in cloud.ssh(instance, "date -s 2020-01-01 2>&1 || true")
    assert "not permitted" in cloud.ssh(instance, "ip addr add 10.91.16.250/32 dev eth0 2>&1 || true")


_BOUNDS = "grep -E '^Cap(Inh|Bnd)' /proc/self/status"


def test_a_shell_in_a_machine_may_do_what_the_machine_may_and_packets_of_its_own_beside(
    cloud: Cloud, instance: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    def by_shell(command: str) -> str:
        step_in(cloud.config, instance["InstanceId"], command)
        return capfd.readouterr().out.strip()

    def by_unit(command: str) -> str:
        return cloud.run(instance, f"systemd-run --quiet --wait --pipe sh <<'END'\n{command}\nEND")

    def by_ssh(command: str) -> str:
        return cloud.ssh(instance, command)

    def bounds(ask: Callable[[str], str]) -> list[int]:
        return [int(line.split()[1], 16) for line in ask(_BOUNDS).splitlines()]

    init = bounds(lambda _: by_shell(_BOUNDS.replace("self", "1")))
    raw = 1 << 13  # CAP_NET_RAW, capabilities(7)
    assert bounds(by_unit) == bounds(by_ssh) == init
    assert bounds(by_shell) == [init[0], init[1] | raw]
    assert not init[1] & raw
    for ask in (by_shell, by_unit, by_ssh):
        said = ask(f"(date -s @{time.time():.0f}; dmesg; mknod /root/disk b 254 0) 2>&1 || true").splitlines()
        assert [line.rpartition(": ")[2] for line in said if "not permitted" in line] == ["Operation not permitted"] * 3
    assert by_shell("cat /proc/self/cgroup").endswith("0::/init.scope")


def test_a_shell_in_a_machine_takes_a_whole_line_and_tells_how_it_ended(
    cloud: Cloud, instance: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    ended = step_in(cloud.config, instance["InstanceId"], "echo 'a  b'; echo \"c\" | tr c d; exit 7")

    assert (ended, capfd.readouterr().out) == (7, "a  b\nd\n")
    assert step_in(cloud.config, instance["InstanceId"], "kill -KILL $$") == 137
    assert step_in(cloud.config, instance["InstanceId"], "echo 'open") == 2


def test_user_data_runs_once_even_over_a_reboot(cloud: Cloud, instance: dict[str, Any]) -> None:
    until(lambda: cloud.ssh(instance, "cat /root/user-data || true") == "once")
    boot = cloud.ssh(instance, "stat -c %Y /proc/1")

    cloud.ec2.reboot_instances(InstanceIds=[instance["InstanceId"]])

    def has_booted_again() -> bool:
        try:
            return cloud.ssh(instance, "stat -c %Y /proc/1") != boot
        except subprocess.CalledProcessError:
            return False

    until(has_booted_again)
    until(lambda: cloud.ssh(instance, "systemctl is-active ec2-user-data || true") == "active")
    assert cloud.ssh(instance, "cat /root/user-data") == "once"


def test_metadata_is_served_with_and_without_a_token(cloud: Cloud, instance: dict[str, Any]) -> None:
    def get(path: str) -> str:
        return cloud.run(instance, f'{TOKEN}; curl -sf -H "X-aws-ec2-metadata-token: $TOKEN" {METADATA}/{path}')

    assert get("meta-data/instance-id") == instance["InstanceId"]
    assert cloud.run(instance, f"curl -sf {METADATA}/meta-data/ami-id") == cloud.source
    assert get("meta-data/local-ipv4") == instance["PrivateIpAddress"]
    assert get("meta-data/public-ipv4") == instance["PublicIpAddress"]
    assert get("meta-data/placement/availability-zone") == instance["Placement"]["AvailabilityZone"]
    assert get("meta-data/public-keys") == "0=test"
    assert get("meta-data/tags/instance/Name") == "looked-at"
    assert json.loads(get("dynamic/instance-identity/document"))["instanceId"] == instance["InstanceId"]
    assert get("user-data").startswith("#!/bin/sh")


def test_metadata_that_requires_tokens_refuses_without_one(cloud: Cloud, instance: dict[str, Any]) -> None:
    ask = f"curl -s -o /dev/null -w '%{{http_code}}' {METADATA}/meta-data/"
    cloud.ec2.modify_instance_metadata_options(InstanceId=instance["InstanceId"], HttpTokens="required")
    try:
        assert cloud.run(instance, ask) == "401"
        assert cloud.run(instance, f'{TOKEN}; {ask} -H "X-aws-ec2-metadata-token: $TOKEN"') == "200"
    finally:
        cloud.ec2.modify_instance_metadata_options(InstanceId=instance["InstanceId"], HttpTokens="optional")


def test_an_instance_has_no_way_out_but_the_proxy_which_keeps_it_from_this_machine(
    cloud: Cloud, instance: dict[str, Any]
) -> None:
    def status(url: str) -> str:
        return cloud.run(instance, f"curl -s -o /dev/null -w '%{{http_code}}' -x http://169.254.169.254:3128 {url}")

    assert "Couldn't connect" in cloud.run(instance, "curl -sS http://192.0.2.1/ 2>&1")
    assert status(f"http://127.0.0.1:{cloud.config.port}/") == "403"
    assert status(f"http://{cloud.config.gateway}:{cloud.config.port}/") == "403"
    assert status(f"http://localhost:{cloud.config.port}/") == "403"


def test_apt_works_inside_through_the_proxy(cloud: Cloud, instance: dict[str, Any]) -> None:
    said = cloud.run(instance, "apt-get update 2>&1 && apt-cache policy hello | head -3; rm -rf /var/lib/apt/lists/*")

    assert "Candidate: 2" in said, said


def test_instances_read_from_s3_at_the_gateway_and_can_do_nothing_else_there(
    cloud: Cloud, instance: dict[str, Any]
) -> None:
    s3 = cloud.service("s3")
    s3.create_bucket(Bucket="packages", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="packages", Key="dists/Release", Body=b"Suite: local\n")
    gateway = f"http://{cloud.config.gateway}:{cloud.config.port}"

    assert cloud.run(instance, f"curl -sf {gateway}/packages/dists/Release") == "Suite: local"
    for attempt in (f"-X PUT -d x {gateway}/packages/x", f"{gateway}/", f"{gateway}/bakeroll/status",
                    f"-d Action=DescribeInstances {gateway}/", f"{gateway}/moto-api/data.json"):  # fmt: skip
        assert cloud.run(instance, f"curl -s -o /dev/null -w '%{{http_code}}' {attempt}") == "403", attempt


def test_an_image_of_a_running_instance_holds_its_files_and_the_instance_goes_on(
    cloud: Cloud, instance: dict[str, Any]
) -> None:
    cloud.ssh(instance, "echo kept > /root/kept; rm /etc/motd; sync")

    image = cloud.image(
        instance["InstanceId"],
        "with-a-file",
        TagSpecifications=[
            {"ResourceType": kind, "Tags": [{"Key": "of", "Value": kind}]} for kind in ("image", "snapshot")
        ],
    )

    described = cloud.ec2.describe_images(ImageIds=[image])["Images"][0]
    snapshot = described["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert described["RootDeviceType"] == "ebs"
    assert described["Tags"] == [{"Key": "of", "Value": "image"}]
    tags = cloud.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["Tags"]
    assert tags == [{"Key": "of", "Value": "snapshot"}]
    copy = cloud.wait_for(cloud.launch(ImageId=image)["InstanceId"], "running")
    assert cloud.ssh(copy, "cat /root/kept; test ! -e /etc/motd && echo removed") == "kept\nremoved"
    assert cloud.ssh(copy, "cat /etc/ssh/ssh_host_ed25519_key.pub") != until(
        lambda: cloud.run(instance, "cat /etc/ssh/ssh_host_ed25519_key.pub")
    )
    cloud.ec2.terminate_instances(InstanceIds=[copy["InstanceId"]])


def test_a_deregistered_images_layer_goes_with_its_last_user(cloud: Cloud) -> None:
    builder = cloud.wait_for(cloud.launch()["InstanceId"], "running")
    before = {path.name for path in (cloud.config.state / "images/layers").iterdir()}
    image = cloud.image(builder["InstanceId"], "short-lived")
    cloud.ec2.terminate_instances(InstanceIds=[builder["InstanceId"]])
    cloud.wait_for(builder["InstanceId"], "terminated")

    cloud.ec2.deregister_image(ImageId=image)

    assert {path.name for path in (cloud.config.state / "images/layers").iterdir()} == before
    with pytest.raises(ClientError, match="InvalidAMIID"):
        cloud.launch(ImageId=image)


def test_stop_and_start_keep_the_disk_and_the_address(cloud: Cloud) -> None:
    running = cloud.wait_for(cloud.launch()["InstanceId"], "running")
    cloud.ssh(running, "echo kept > /root/kept")

    cloud.ec2.stop_instances(InstanceIds=[running["InstanceId"]])
    cloud.wait_for(running["InstanceId"], "stopped")
    cloud.ec2.start_instances(InstanceIds=[running["InstanceId"]])
    again = cloud.wait_for(running["InstanceId"], "running")

    assert again["PrivateIpAddress"] == running["PrivateIpAddress"]
    assert cloud.ssh(again, "cat /root/kept") == "kept"
    cloud.ec2.terminate_instances(InstanceIds=[running["InstanceId"]])


@pytest.mark.parametrize(("behaviour", "state"), [("stop", "stopped"), ("terminate", "terminated")])
def test_a_guest_that_powers_itself_off_ends_as_its_shutdown_behaviour_says(
    cloud: Cloud, behaviour: str, state: str
) -> None:
    running = cloud.wait_for(cloud.launch(InstanceInitiatedShutdownBehavior=behaviour)["InstanceId"], "running")

    cloud.run(running, "systemctl poweroff")

    ended = cloud.wait_for(running["InstanceId"], state)
    assert ended["StateReason"]["Code"].startswith("Client.")
    cloud.ec2.terminate_instances(InstanceIds=[running["InstanceId"]])
    cloud.wait_for(running["InstanceId"], "terminated")


def test_terminating_answers_at_once_and_the_disk_goes(cloud: Cloud) -> None:
    running = cloud.wait_for(cloud.launch()["InstanceId"], "running")
    began = time.monotonic()

    change = cloud.ec2.terminate_instances(InstanceIds=[running["InstanceId"]])["TerminatingInstances"][0]

    assert time.monotonic() - began < 1
    assert change["CurrentState"]["Name"] == "shutting-down"
    cloud.wait_for(running["InstanceId"], "terminated")
    assert [p.name for p in (cloud.config.instances / running["InstanceId"]).iterdir()] == ["console.log"]


def test_an_instance_can_be_terminated_while_it_boots(cloud: Cloud) -> None:
    launched = cloud.launch()["InstanceId"]

    cloud.ec2.terminate_instances(InstanceIds=[launched])

    cloud.wait_for(launched, "terminated")
    assert f"{cloud.config.bridge}-{launched}" not in namespaces(cloud.config.bridge)


def test_an_image_that_does_not_boot_ends_with_the_reason(cloud: Cloud) -> None:
    builder = cloud.wait_for(cloud.launch()["InstanceId"], "running")
    cloud.run(builder, "rm /sbin/init")
    image = cloud.image(builder["InstanceId"], "broken", NoReboot=True)

    ended = cloud.wait_for(cloud.launch(ImageId=image)["InstanceId"], "terminated")

    assert ended["StateReason"]["Code"] == "Server.InternalError"
    assert "/sbin/init" in ended["StateReason"]["Message"]
    assert "/sbin/init" in cloud.ec2.get_console_output(InstanceId=ended["InstanceId"])["Output"]
    cloud.ec2.terminate_instances(InstanceIds=[builder["InstanceId"]])


def test_the_console_shows_a_services_last_words(cloud: Cloud, instance: dict[str, Any]) -> None:
    cloud.ssh(instance, "systemd-run --wait sh -c 'echo connection to the database refused; exit 3' || true")

    def output() -> str:
        return str(cloud.ec2.get_console_output(InstanceId=instance["InstanceId"])["Output"])

    until(lambda: "connection to the database refused" in output())
    assert "status=3" in output()


def test_four_boot_at_once(cloud: Cloud) -> None:
    launched = cloud.ec2.run_instances(ImageId=cloud.source, MinCount=1, MaxCount=4, KeyName="test")["Instances"]
    assert len(launched) == 4
    with ThreadPoolExecutor() as pool:
        running = list(pool.map(lambda each: cloud.wait_for(each["InstanceId"], "running"), launched))
    assert len({each["PrivateIpAddress"] for each in running}) == 4
    cloud.ec2.terminate_instances(InstanceIds=[each["InstanceId"] for each in running])


def test_a_client_token_launches_once(cloud: Cloud) -> None:
    first = cloud.launch(ClientToken="one")

    assert cloud.launch(ClientToken="one")["InstanceId"] == first["InstanceId"]
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        cloud.launch(ClientToken="one", InstanceType="t3.large")
    cloud.ec2.terminate_instances(InstanceIds=[first["InstanceId"]])


def test_a_launch_template_is_honoured_whole(cloud: Cloud) -> None:
    template = cloud.ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={
            "ImageId": "ami-00000000000000000",
            "InstanceType": "t3.small",
            "KeyName": "test",
            "UserData": "IyEvYmluL3NoCmVjaG8gb2xkID4gL3Jvb3Qvd2hpY2gK",
            "MetadataOptions": {"HttpTokens": "required"},
            "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}],
        },
    )["LaunchTemplate"]["LaunchTemplateId"]
    version = cloud.ec2.create_launch_template_version(
        LaunchTemplateId=template, SourceVersion="1", LaunchTemplateData={"ImageId": cloud.source}
    )["LaunchTemplateVersion"]
    assert version["LaunchTemplateData"]["InstanceType"] == "t3.small"

    reservation = cloud.ec2.run_instances(
        LaunchTemplate={"LaunchTemplateId": template, "Version": "2"}, MinCount=1, MaxCount=1
    )

    running = cloud.wait_for(reservation["Instances"][0]["InstanceId"], "running")
    assert running["ImageId"] == cloud.source
    assert running["InstanceType"] == "t3.small"
    assert running["MetadataOptions"]["HttpTokens"] == "required"
    assert {"Key": "Name", "Value": "web"} in running["Tags"]
    until(lambda: cloud.ssh(running, "cat /root/which || true") == "old")
    cloud.ec2.terminate_instances(InstanceIds=[running["InstanceId"]])


def test_what_cannot_be_done_is_refused_in_awss_words(cloud: Cloud, instance: dict[str, Any]) -> None:
    ec2 = cloud.ec2
    image = cloud.image(instance["InstanceId"], "only-one", NoReboot=True)
    one = {"ImageId": cloud.source, "MinCount": 1, "MaxCount": 1}
    refused: list[tuple[str, Callable[[], Any]]] = [
        ("InvalidAMIID.NotFound", lambda: ec2.run_instances(**one | {"ImageId": "ami-0123456789abcdef0"})),
        ("InvalidAMIID.NotFound", lambda: ec2.run_instances(**one | {"ImageId": "ami-0123456789abcdef0"}, DryRun=True)),
        ("DryRunOperation", lambda: ec2.run_instances(**one, DryRun=True)),
        ("DryRunOperation", lambda: ec2.create_image(InstanceId=instance["InstanceId"], Name="new", DryRun=True)),
        ("InvalidAMIName.Duplicate", lambda: ec2.create_image(InstanceId=instance["InstanceId"], Name="only-one")),
        ("InvalidAMIName.Duplicate", lambda: ec2.register_image(Name="only-one")),
        ("InvalidInstanceID.NotFound", lambda: ec2.create_image(InstanceId="i-0123456789abcdef0", Name="new")),
        ("InvalidKeyPair.NotFound", lambda: ec2.run_instances(**one, KeyName="nobody's")),
        ("InvalidLaunchTemplateId.NotFound", lambda: ec2.run_instances(
            LaunchTemplate={"LaunchTemplateId": "lt-0123456789abcdef0"}, MinCount=1, MaxCount=1)),
        ("IncorrectInstanceState", lambda: ec2.start_instances(InstanceIds=[terminated])),
        ("InvalidAction", lambda: ec2.describe_fast_launch_images()),
    ]  # fmt: skip
    terminated = cloud.launch()["InstanceId"]
    ec2.terminate_instances(InstanceIds=[terminated])
    for code, call in refused:
        with pytest.raises(ClientError) as refusal:
            call()
        assert refusal.value.response["Error"]["Code"] == code
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    ec2.deregister_image(ImageId=image)


def test_a_protected_image_stays(cloud: Cloud, instance: dict[str, Any]) -> None:
    image = cloud.image(instance["InstanceId"], "protected", NoReboot=True)
    cloud.ec2.enable_image_deprecation(ImageId=image, DeprecateAt="2030-01-01T00:00:00Z")
    cloud.ec2.enable_image_deregistration_protection(ImageId=image)

    with pytest.raises(ClientError, match="OperationNotPermitted"):
        cloud.ec2.deregister_image(ImageId=image)

    assert "2030" in cloud.ec2.describe_images(ImageIds=[image])["Images"][0]["DeprecationTime"]
    cloud.ec2.disable_image_deregistration_protection(ImageId=image)
    cloud.ec2.deregister_image(ImageId=image)


def test_a_second_daemon_and_a_taken_network_are_refused(cloud: Cloud, tmp_path: Path) -> None:
    assert control.up(cloud.config, told) == cloud.endpoint  # up already: nothing happens
    with pytest.raises(LocalCloudError, match="already runs, at port 5691"):
        control.up(replace(cloud.config, port=5710), told)
    other = Config(state=tmp_path, bridge="brlocal2", network=NETWORK, port=5710)

    with pytest.raises(LocalCloudError, match="in use by brlocal"):
        control.up(other, told)
    with pytest.raises(LocalCloudError, match="port 5691 is in use"):
        control.up(Config(state=tmp_path, bridge="brlocal2", network=IPv4Network("10.110.0.0/16"), port=5691), told)

    assert list(tmp_path.iterdir()) == []


def test_all_that_was_told_outlives_a_killed_daemon(cloud: Cloud, instance: dict[str, Any]) -> None:
    s3, dynamodb = cloud.service("s3"), cloud.service("dynamodb")
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    dynamodb.create_table(
        TableName="kept",
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    stopped = cloud.wait_for(cloud.launch()["InstanceId"], "running")
    cloud.ssh(stopped, "echo kept > /root/kept; sync")
    cloud.ec2.stop_instances(InstanceIds=[stopped["InstanceId"]])
    cloud.wait_for(stopped["InstanceId"], "stopped")
    image = cloud.image(instance["InstanceId"], "before-the-kill", NoReboot=True)
    value = os.urandom(300_000)
    s3.put_object(Bucket="kept", Key="object", Body=value)
    dynamodb.put_item(TableName="kept", Item={"key": {"S": "lease"}, "token": {"N": "7"}})

    os.kill(asking.status(cloud.config)["pid"], signal.SIGKILL)
    until(lambda: not asking.is_locked(cloud.config))
    control.up(cloud.config, told)

    assert s3.get_object(Bucket="kept", Key="object")["Body"].read() == value
    assert dynamodb.get_item(TableName="kept", Key={"key": {"S": "lease"}})["Item"]["token"] == {"N": "7"}
    assert cloud.describe(instance["InstanceId"])["State"]["Name"] == "terminated"
    booted = cloud.wait_for(cloud.launch(ImageId=image)["InstanceId"], "running")
    assert cloud.ssh(booted, "cat /root/user-data").startswith("once")
    cloud.ec2.start_instances(InstanceIds=[stopped["InstanceId"]])
    again = cloud.wait_for(stopped["InstanceId"], "running")
    assert cloud.ssh(again, "cat /root/kept") == "kept"


def test_down_leaves_nothing_but_the_state(cloud: Cloud) -> None:
    cloud.wait_for(cloud.launch()["InstanceId"], "running")

    control.down(cloud.config, told)

    assert leftovers(cloud.config) == []
    assert {what: lines for what, lines in traces().items() if lines} == {}
    with pytest.raises(LocalCloudError, match="is down"):
        asking.status(cloud.config)
    control.up(cloud.config, told)
    assert cloud.service("s3").head_object(Bucket="kept", Key="object")["ContentLength"] == 300_000


def test_down_sweeps_after_a_killed_daemon(cloud: Cloud) -> None:
    cloud.wait_for(cloud.launch()["InstanceId"], "running")
    os.kill(asking.status(cloud.config)["pid"], signal.SIGKILL)
    until(lambda: not asking.is_locked(cloud.config))
    assert leftovers(cloud.config) != []

    control.down(cloud.config, told)

    assert leftovers(cloud.config) == []
    assert {what: lines for what, lines in traces().items() if lines} == {}
