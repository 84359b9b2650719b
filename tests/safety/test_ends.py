"""The ends of a local cloud that nobody wished for, and what the next start makes of them."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from local_cloud.client import asking, control
from local_cloud.config import Config, to_environment
from local_cloud.errors import LocalCloudError
from local_cloud.host import cgroup, network
from local_cloud.host.sweep import leftovers, sweep
from tests.local_cloud.cloud import Cloud, told, until

pytestmark = pytest.mark.machine

TOOLKIT = Path(__file__).parents[2]
UP = ("-m", "local_cloud", "up")


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    """A cloud that is down; whatever the test does, nothing of it is left."""
    config = Config(state=tmp_path / "state", bridge="brsafee", network=IPv4Network("10.105.0.0/16"), port=5705)
    yield config
    control.down(config, told)
    assert leftovers(config) == []


def kill_daemon(config: Config) -> None:
    os.kill(int(asking.status(config)["pid"]), signal.SIGKILL)
    until(lambda: not asking.is_locked(config))


@pytest.mark.parametrize("state", [b"", b"garbage", pickle.dumps({"moto": "of another series"}), b"cmoto.gone\nX\n."])
def test_a_state_that_cannot_be_read_is_told_with_the_way_out(config: Config, state: bytes) -> None:
    config.state.mkdir(mode=0o700)
    (config.state / "lock").touch()
    (config.state / "state.pickle").write_bytes(state)

    with pytest.raises(LocalCloudError, match="cannot be read") as failed:
        control.up(config, told)

    assert "local_cloud reset" in failed.value.next_step
    assert (config.state / "state.pickle").read_bytes() == state


def test_a_directory_of_other_things_is_neither_used_nor_removed(config: Config) -> None:
    config.state.mkdir()
    (config.state / "thesis.txt").write_text("years of work")

    with pytest.raises(LocalCloudError, match="holds other things"):
        control.up(config, told)
    with pytest.raises(LocalCloudError, match="holds other things"):
        control.reset(config, told)

    assert [each.name for each in config.state.iterdir()] == ["thesis.txt"]


def test_a_state_that_others_may_write_to_is_not_loaded(config: Config) -> None:
    config.state.mkdir()
    (config.state / "lock").touch()
    os.chown(config.state, 65534, 65534)

    with pytest.raises(LocalCloudError, match="other users may write"):
        control.up(config, told)


@contextmanager
def mounted(where: Path, *options: str) -> Iterator[None]:
    where.mkdir(exist_ok=True)
    subprocess.run(["mount", *options, where], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", where], check=True)


def test_a_disk_that_carries_no_overlays_is_told_before_anything_is_changed(config: Config, tmp_path: Path) -> None:
    for name in ("lower", "upper", "work"):
        (tmp_path / name).mkdir()
    layers = f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    with mounted(config.state, "-t", "overlay", "overlay", "-o", layers):
        with pytest.raises(LocalCloudError, match="cannot hold a machine's disk") as failed:
            control.up(config, told)
        assert list(config.state.iterdir()) == []

    assert "BAKEROLL_LOCAL_STATE" in failed.value.next_step
    assert leftovers(config) == []


def test_another_programs_bridge_of_that_name_is_not_touched(config: Config) -> None:
    subprocess.run(["ip", "link", "add", config.bridge, "type", "bridge"], check=True)
    try:
        with pytest.raises(LocalCloudError, match="not this cloud's"):
            control.up(config, told)
        control.down(config, told)
        assert sweep(config) == []
        assert [each for each in network.interfaces() if each["ifname"] == config.bridge]
    finally:
        subprocess.run(["ip", "link", "del", config.bridge], check=True)


def test_another_programs_network_namespace_is_not_touched(config: Config) -> None:
    name = f"{config.bridge}-mine"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        control.up(config, told)
        control.down(config, told)
        assert name in subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)


def test_a_daemon_killed_in_the_middle_of_calls_comes_up_again(config: Config, tmp_path: Path) -> None:
    cloud = Cloud(config, tmp_path)
    running = cloud.wait_for(cloud.launch()["InstanceId"], "running")["InstanceId"]
    calls: list[Callable[[], object]] = [
        lambda: cloud.launch(),
        lambda: cloud.ec2.create_image(InstanceId=running, Name="half"),
        lambda: cloud.ec2.terminate_instances(InstanceIds=[running]),
    ]
    for call in calls:
        call()
        kill_daemon(config)
        control.up(config, told)
        states = [each["state"] for each in asking.status(config)["instances"]]
        assert set(states) <= {"terminated"}, states
        running = cloud.wait_for(cloud.launch()["InstanceId"], "running")["InstanceId"]

    for image in cloud.ec2.describe_images(Owners=["self"])["Images"]:
        assert image["State"] in ("available", "failed"), image


def test_two_starts_at_once_make_one_cloud(config: Config) -> None:
    environment = os.environ | to_environment(config) | {"PYTHONPATH": str(TOOLKIT)}
    starts = [subprocess.Popen([sys.executable, *UP], env=environment) for _ in range(3)]

    assert [start.wait(60) for start in starts] == [0, 0, 0]
    assert asking.status(config)["state"] == str(config.state)


def test_a_start_during_the_end_waits_and_starts(config: Config) -> None:
    control.up(config, told)
    pid = int(asking.status(config)["pid"])
    os.kill(pid, signal.SIGTERM)
    until(lambda: asking.ask(config) is None)

    control.up(config, told)

    assert asking.status(config)["pid"] != pid


def test_after_a_power_failure_the_cloud_goes_on(config: Config, tmp_path: Path) -> None:
    cloud = Cloud(config, tmp_path)
    stopped = cloud.wait_for(cloud.launch()["InstanceId"], "running")["InstanceId"]
    cloud.ec2.stop_instances(InstanceIds=[stopped])
    cloud.wait_for(stopped, "stopped")
    cloud.wait_for(cloud.launch()["InstanceId"], "running")

    kill_daemon(config)
    cgroup.kill(cgroup.of_cloud(config.bridge))
    network.remove(config)

    control.up(config, told)
    cloud.ec2.start_instances(InstanceIds=[stopped])
    cloud.wait_for(stopped, "running")


def test_a_haproxy_that_is_killed_is_started_again(config: Config, tmp_path: Path) -> None:
    cloud = Cloud(config, tmp_path)
    elbv2 = cloud.service("elbv2")
    subnets = [each["SubnetId"] for each in cloud.ec2.describe_subnets()["Subnets"]]
    made = elbv2.create_load_balancer(Name="safe", Subnets=subnets)["LoadBalancers"][0]
    group = elbv2.create_target_group(
        Name="safe", Protocol="HTTP", Port=8000, VpcId=cloud.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    )["TargetGroups"][0]["TargetGroupArn"]
    forward = {"Type": "forward", "TargetGroupArn": group}
    elbv2.create_listener(LoadBalancerArn=made["LoadBalancerArn"], Protocol="HTTP", Port=80, DefaultActions=[forward])

    def haproxies() -> set[int]:
        return set(cgroup.processes(cgroup.of_cloud(config.bridge) / "balancers"))

    (first,) = until(haproxies)
    os.kill(first, signal.SIGKILL)

    until(lambda: haproxies() - {first})


def test_the_clone_a_daemon_was_started_from_may_go(config: Config, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    shutil.copytree(TOOLKIT / "local_cloud", clone / "local_cloud", ignore=shutil.ignore_patterns("__pycache__"))
    environment = os.environ | to_environment(config) | {"PYTHONPATH": str(clone)}
    subprocess.run([sys.executable, *UP], cwd=clone, env=environment, check=True)

    shutil.rmtree(clone)

    assert asking.status(config)["state"] == str(config.state)
    began = time.monotonic()
    control.down(config, told)
    assert time.monotonic() - began < 10


def test_a_build_of_the_source_image_ends_with_its_daemon(tmp_path: Path) -> None:
    (tmp_path / "mmdebstrap").write_text(
        "#!/bin/sh\nfor each; do case $each in */tree) tree=$each; esac; done\n"
        'mkdir "$tree"; mount -t tmpfs tmpfs "$tree"; sleep 63 & touch "${tree%tree}mounted"; wait\n'
    )
    (tmp_path / "mmdebstrap").chmod(0o755)
    script = (
        "from pathlib import Path; from local_cloud.programs import run\n"
        "from local_cloud.machines.source_image import provide\n"
        f"provide(Path('{tmp_path}/cache'), run, print)"
    )
    environment = os.environ | {"PYTHONPATH": str(TOOLKIT), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    building = subprocess.Popen([sys.executable, "-c", script], env=environment)
    until(lambda: list((tmp_path / "cache").glob("building-*/mounted")))

    building.kill()
    building.wait()

    until(lambda: subprocess.run(["pgrep", "-xf", "sleep 63"], capture_output=True, check=False).returncode)
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
