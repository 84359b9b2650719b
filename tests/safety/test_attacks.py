"""What root in an instance, another user of this machine, or a curious program finds out and reaches."""

import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from local_cloud.client import asking
from local_cloud.host import cgroup, memory
from tests.local_cloud.cloud import Cloud, until
from tests.safety.conftest import SECRET, Machine

pytestmark = pytest.mark.machine


@pytest.fixture(scope="module")
def service() -> Iterator[int]:
    """The port of a service of this machine that listens at all of its addresses."""
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:

        def answer() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nours\n")
                    connection.close()

        threading.Thread(target=answer, daemon=True).start()
        yield listener.getsockname()[1]


def daemon(cloud: Cloud) -> int:
    return int(asking.status(cloud.config)["pid"])


def own_address() -> str:
    """An address of this machine that is no cloud's."""
    lines = subprocess.run(["ip", "-4", "-o", "addr"], capture_output=True, text=True, check=True).stdout.splitlines()
    found = [line.split() for line in lines]
    return next(words[3].partition("/")[0] for words in found if not words[1].startswith(("br", "lo", "docker")))


def test_the_callers_secrets_do_not_outlive_it_in_the_daemon_or_its_children(cloud: Cloud, machine: Machine) -> None:
    ours = [daemon(cloud), *cgroup.processes(cgroup.of_cloud(cloud.config.bridge))]

    environments = [Path(f"/proc/{process}/environ").read_text(errors="replace") for process in ours]

    assert not [each for each in environments if SECRET in each]
    assert SECRET not in cloud.config.log.read_text()


def test_the_daemons_memory_is_bounded_and_a_machines_is_its_own(cloud: Cloud, machine: Machine) -> None:
    def most(limits: str) -> str:
        return next(line.split()[3] for line in limits.splitlines() if line.startswith("Max data size"))

    assert most(Path(f"/proc/{daemon(cloud)}/limits").read_text()) == str(memory.limit())
    assert most(machine.root("cat /proc/1/limits")) == most(machine.root("cat /proc/self/limits")) == "unlimited"


def test_nobody_else_sees_into_the_state(cloud: Cloud) -> None:
    assert cloud.config.state.stat().st_mode & 0o077 == 0


def test_everything_listens_on_loopback_or_in_the_clouds_own_network(cloud: Cloud, balancer: str) -> None:
    until(lambda: cgroup.processes(cgroup.of_cloud(cloud.config.bridge) / "balancers"))
    ours = [daemon(cloud), *cgroup.processes(cgroup.of_cloud(cloud.config.bridge) / "balancers")]
    lines = subprocess.run(["ss", "-Hlntup"], capture_output=True, text=True, check=True).stdout.splitlines()

    listening = {line.split()[4] for line in lines if any(f"pid={process}," in line for process in ours)}

    gateway, port = cloud.config.gateway, cloud.config.port
    assert listening >= {f"127.0.0.1:{port}", f"{gateway}:{port}"}
    assert all(re.match(r"127\.0\.0\.1:|10\.104\.[01]\.", each) for each in listening), listening


def test_instances_reach_s3_and_load_balancers_and_nothing_else_of_this_machine(
    cloud: Cloud, machine: Machine, balancer: str, service: int
) -> None:
    gateway, port = cloud.config.gateway, cloud.config.port
    link_local = subprocess.run(
        ["ip", "-6", "-o", "addr", "show", "dev", cloud.config.bridge], capture_output=True, text=True, check=True
    ).stdout.split()[3:4]

    assert machine.status(f"http://{gateway}:{port}/nothing") == "404"
    assert until(lambda: machine.status(f"http://{balancer}/") == "503")
    assert machine.status(f"http://{gateway}:{service}/") == "000"
    assert machine.status(f"http://{balancer}:{service}/") == "000"
    assert machine.status(f"http://{own_address()}:{service}/") == "000"
    assert machine.status("--interface eth0", f"http://{own_address()}:{service}/") == "000"
    for address in link_local:
        assert machine.status(f"'http://[{address.partition('/')[0]}%25eth0]:{service}/'") == "000"


def test_a_door_closes_with_its_listener(cloud: Cloud, machine: Machine, balancer: str) -> None:
    listed = ["nft", "list", "set", "netdev", f"bakeroll-{cloud.config.bridge}", "doors"]
    elbv2 = cloud.service("elbv2")
    arn = elbv2.describe_load_balancers(Names=["safe"])["LoadBalancers"][0]["LoadBalancerArn"]
    first = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"][0]
    second = elbv2.create_listener(
        LoadBalancerArn=arn, Protocol="HTTP", Port=8081, DefaultActions=first["DefaultActions"]
    )["Listeners"][0]["ListenerArn"]

    def is_open() -> bool:
        return f"{balancer} . 8081" in subprocess.run(listed, capture_output=True, text=True, check=True).stdout

    until(is_open)
    elbv2.delete_listener(ListenerArn=second)
    until(lambda: not is_open())


@pytest.mark.parametrize(
    "attempt",
    [
        "--path-as-is {at}//moto-api/data.json",
        "--path-as-is {at}//bakeroll/status",
        "--path-as-is {at}/x/../moto-api/data.json",
        "-H 'Host: ec2.eu-west-1.amazonaws.com' '{at}/x?Action=DescribeInstances'",
        "-H 'Host: 127.0.0.1:5704' -H 'X-Amz-Target: DynamoDB_20120810.ListTables' {at}/x",
        "-H 'Host: motoapi.amazonaws.com' {at}/data.json",
        "-X GET -d Action=DescribeInstances {at}/x",
        "-X GET -H 'X-HTTP-Method-Override: DELETE' {at}/x",
        "-X POST {at}/x",
        "-X OPTIONS {at}/x",
        "'{at}/x?uploads'",
    ],
)
def test_the_gateway_gives_instances_nothing_but_s3_to_read(cloud: Cloud, machine: Machine, attempt: str) -> None:
    at = f"http://{cloud.config.gateway}:{cloud.config.port}"

    assert machine.status(attempt.format(at=at)) in ("403", "404")


def test_metadata_is_an_instances_own(cloud: Cloud, machine: Machine, neighbour: Machine) -> None:
    path = "http://169.254.169.254/latest/meta-data/instance-id"
    there = neighbour.described["PrivateIpAddress"]

    assert machine.root(f"curl -s -m 1 {path}") == machine.id
    assert neighbour.id not in machine.root(f"curl -s -m 1 --interface eth0 {path}")
    assert machine.status(f"http://{there}/latest/meta-data/") == "000"
    assert machine.status(f"http://{there}:3128/") == "000"
    outside = ["curl", "-s", "-m", "1", "--interface", cloud.config.bridge, path]
    assert subprocess.run(outside, capture_output=True, text=True, check=False).stdout == ""


def test_an_instance_cannot_take_anothers_address(machine: Machine, neighbour: Machine) -> None:
    address = neighbour.described["PrivateIpAddress"]
    packet = "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)"
    raw = "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 6)"

    assert "not permitted" in machine.root(f"ip addr add {address}/32 dev eth0")
    assert "not permitted" in machine.root("ip route add 192.0.2.0/24 dev eth0")
    assert "not permitted" in machine.root(f"python3 -c '{packet}'")
    assert "not permitted" in machine.root(f"python3 -c '{raw}'")


def test_root_in_an_instance_does_not_turn_this_machines_knobs_by_accident(machine: Machine) -> None:
    before = Path("/proc/sys/kernel/core_pattern").read_text()

    assert "Read-only" in machine.root("echo x > /proc/sys/kernel/core_pattern")
    assert "Read-only" in machine.root("echo 1 > /sys/kernel/mm/ksm/run")
    assert "cannot create" in machine.root("echo h > /proc/sysrq-trigger")
    assert "not permitted" in machine.root("mknod /root/disk b 254 0")
    assert "not permitted" in machine.root("date -s 2020-01-01")
    assert "not permitted" in machine.root("dmesg")
    assert machine.root("cat /proc/kcore > /dev/null") != ""
    assert machine.root("ls /dev").find("vda") == -1
    assert Path("/proc/sys/kernel/core_pattern").read_text() == before


def test_root_in_an_instance_sees_no_process_and_changes_no_mount_of_this_machine(machine: Machine) -> None:
    def mounted() -> list[str]:
        """Where a machine's mounts would be seen; others come and go with other people's machines."""
        points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        return [each for each in points if each.endswith(("/mnt/x", "/srv"))]

    before = mounted()
    assert machine.root(f"kill -0 {os.getpid()} && readlink /proc/{os.getpid()}/exe | grep python").find("python") < 0
    machine.root("mount --make-rshared /; mkdir -p /mnt/x; mount -t tmpfs tmpfs /mnt/x; mount --bind / /srv")

    assert mounted() == before
    machine.root("umount /mnt/x /srv")


def test_root_in_an_instance_cannot_leave_its_control_group(cloud: Cloud, machine: Machine) -> None:
    own = cgroup.of_cloud(cloud.config.bridge) / machine.id
    script = "mkdir -p /mnt/g; mount -t cgroup2 g /mnt/g; sleep 61 > /dev/null 2>&1 & echo $! > /mnt/g/cgroup.procs"

    machine.root(f"{script}; umount /mnt/g")

    sleeping = subprocess.run(["pgrep", "-xf", "sleep 61"], capture_output=True, text=True, check=True).stdout.split()
    assert {int(each) for each in sleeping} <= set(cgroup.processes(own))
    machine.root("pkill -xf 'sleep 61'")
