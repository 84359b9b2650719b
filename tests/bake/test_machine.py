"""Bakes for real: Packer and Ansible on machines of the local cloud, a signed repository, a booted image."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from bakeroll.aws.images import Ec2Images
from bakeroll.bake.bakery import RepositoryAccess, bake_application, bake_base
from bakeroll.bake.oven import Bakery
from bakeroll.errors import BakeError
from bakeroll.events import Event, Report
from bakeroll.process import run
from bakeroll.release import Image, Package
from bakeroll.settings import load
from local_cloud.client.control import reset, up
from local_cloud.config import Config, to_environment

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

pytestmark = pytest.mark.machine

CLOUD = Config(
    state=Path("/var/lib/bakeroll-test-bake"), bridge="brbake0", network=IPv4Network("10.92.0.0/16"), port=5692
)
TEMPORARY = Path("/tmp/bakeroll-test")
"""Short, for sockets are made in it."""
BUCKET = "apt"
PORT = 8000
REVISION = "1c9e2a7" + "0" * 33

UNIT = """[Unit]
Description=Says which instance it is
[Service]
ExecStart=/usr/bin/python3 -I /usr/lib/{name}/serve
DynamicUser=yes
[Install]
WantedBy=multi-user.target
"""
SERVE = f"""import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{{os.environ['INSTANCE_ID']}} {{os.environ['AVAILABILITY_ZONE']}}".encode())
http.server.HTTPServer(("", {PORT}), Handler).serve_forever()
"""
ENABLE = """#!/bin/sh -e
deb-systemd-helper enable {name}.service
deb-systemd-invoke start {name}.service
"""


def build(folder: Path, name: str, version: str, postinst: str = ENABLE, depends: str = "python3") -> Package:
    """A package with a service, made by dpkg-deb."""
    tree = folder / f"{name}_{version}"
    for path, text, mode in (
        ("DEBIAN/control", control(name, version, depends), 0o644),
        ("DEBIAN/postinst", postinst.format(name=name), 0o755),
        (f"usr/lib/systemd/system/{name}.service", UNIT.format(name=name), 0o644),
        (f"usr/lib/{name}/serve", SERVE, 0o644),
    ):
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
        (tree / path).chmod(mode)
    deb = folder / f"{name}_{version}_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, deb], check=True, capture_output=True)
    return Package(name, version, "all", deb, sha256(deb.read_bytes()).hexdigest(), deb.stat().st_size)


def control(name: str, version: str, depends: str) -> str:
    return (
        f"Package: {name}\nVersion: {version}\nArchitecture: all\nDepends: {depends}\n"
        "Maintainer: Nobody <nobody@example.invalid>\nDescription: says which instance it is\n"
    )


@dataclass
class Repository:
    """A signed apt repository in the cloud's own S3, as small as apt takes it."""

    folder: Path
    endpoint: str
    access: RepositoryAccess

    def publish(self, *packages: Package) -> None:
        index = b""
        for package in packages:
            self._put(f"pool/{package.path.name}", package.path.read_bytes())
            stanza = subprocess.run(["dpkg-deb", "-f", package.path], check=True, capture_output=True).stdout
            index += stanza + (
                f"Filename: pool/{package.path.name}\nSize: {package.size}\nSHA256: {package.sha256}\n\n".encode()
            )
        release = (
            f"Suite: test\nCodename: test\nComponents: main\nArchitectures: amd64\n"
            f"Date: {datetime.now(UTC):%a, %d %b %Y %H:%M:%S} UTC\n"
            f"SHA256:\n {sha256(index).hexdigest()} {len(index)} main/binary-amd64/Packages\n"
        )
        self._put("dists/test/main/binary-amd64/Packages", index)
        self._put("dists/test/InRelease", self._gpg("--clearsign", stdin=release))

    def _put(self, key: str, body: bytes) -> None:
        s3 = boto3.client("s3", region_name="eu-west-1", endpoint_url=self.endpoint)
        s3.put_object(Bucket=BUCKET, Key=key, Body=body, ACL="public-read")

    def _gpg(self, *arguments: str, stdin: str = "") -> bytes:
        return gpg(self.folder, *arguments, stdin=stdin)


def gpg(home: Path, *arguments: str, stdin: str = "") -> bytes:
    command = [
        "gpg",
        "--homedir",
        str(home),
        "--batch",
        "--quiet",
        "--pinentry-mode=loopback",
        "--passphrase=",
        *arguments,
    ]
    return subprocess.run(command, input=stdin.encode(), check=True, capture_output=True).stdout


@dataclass
class World:
    bakery: Bakery
    repository: Repository
    ec2: "EC2Client"
    events: list[Event]
    folder: Path

    def left(self) -> list[str]:
        """What a bake must not leave: builders, keys, groups, images without a digest, files with keys."""
        images = Ec2Images(self.ec2)
        groups = self.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["packer_*"]}])
        return [
            *(builder.id for builder in images.builders("bakeroll:bake")),
            *images.key_pairs("*"),
            *(group["GroupName"] for group in groups["SecurityGroups"]),
            *(ami.name for ami in images.own(name="hello-*") if "bakeroll:digest" not in ami.tags),
            *(str(path) for path in TEMPORARY.glob("bakeroll-*")),
            *(str(path) for path in (self.bakery.work / "bakes").glob("*/*")),
        ]


def tell(events: list[Event]) -> Report:
    """Keep events, and print them for `pytest -s`."""

    def report(event: Event) -> None:
        events.append(event)
        print(f"{time.monotonic():.2f} {event.kind} {event.text}")

    return report


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("bake")
    (folder / "deploy.yml").write_text("application: hello\nenvironments: {local: {cloud: local}}\n")
    reset(CLOUD, print)
    endpoint = up(CLOUD, print)
    home = TEMPORARY / "gpg"
    shutil.rmtree(TEMPORARY, ignore_errors=True)
    home.mkdir(mode=0o700, parents=True)
    previous, tempfile.tempdir = dict(os.environ), str(TEMPORARY)
    os.environ.update(endpoint.environment())
    try:
        gpg(home, "--quick-generate-key", "Test <test@example.invalid>", "ed25519", "sign", "never")
        key = gpg(home, "--armor", "--export").decode()
        boto3.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}, ACL="public-read"
        )
        access = RepositoryAccess(f"http://{CLOUD.gateway}:{CLOUD.port}/{BUCKET}", "test", "main", key)
        ec2 = boto3.client("ec2")
        events: list[Event] = []
        bakery = Bakery(
            environment=load(folder, "local"),
            region=endpoint.region,
            images=Ec2Images(ec2),
            run=run,
            report=tell(events),
            now=lambda: datetime.now(UTC),
            work=folder / ".bakeroll",
            operator="ops@desk",
            endpoint=endpoint.url,
            credentials=endpoint.environment(),
        )
        yield World(bakery, Repository(home, endpoint.url, access), ec2, events, folder)
    finally:
        os.environ.clear()
        os.environ.update(previous)
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], check=False)
        tempfile.tempdir = None
        shutil.rmtree(TEMPORARY, ignore_errors=True)
        reset(CLOUD, print)


@pytest.fixture(scope="module")
def base(world: World) -> Image:
    began = time.monotonic()
    image = bake_base(world.bakery, world.repository.access)
    print(f"base image: {time.monotonic() - began:.1f} s")
    return image


@pytest.fixture(scope="module")
def hello(world: World) -> Package:
    package = build(world.folder, "hello", "1.0-1")
    world.repository.publish(package)
    return package


@pytest.fixture(scope="module")
def application(world: World, base: Image, hello: Package) -> Image:
    began = time.monotonic()
    image = bake_application(world.bakery, hello, REVISION, base)
    print(f"application image: {time.monotonic() - began:.1f} s")
    return image


def ask(address: str) -> str:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://{address}:{PORT}/", timeout=2) as answer:
                return str(answer.read().decode())
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def test_the_baked_image_boots_and_its_service_knows_its_instance(world: World, application: Image) -> None:
    launched = world.ec2.run_instances(ImageId=application.id, MinCount=1, MaxCount=1)["Instances"][0]
    try:
        answer = ask(launched["PrivateIpAddress"])
    finally:
        world.ec2.terminate_instances(InstanceIds=[launched["InstanceId"]])
    assert answer == f"{launched['InstanceId']} {launched['Placement']['AvailabilityZone']}"


def test_nothing_but_the_images_is_left(world: World, application: Image) -> None:
    assert world.left() == []
    found = {ami.id: ami for ami in Ec2Images(world.ec2).own(tags={"bakeroll:environment": "local"})}
    assert found[application.id].tags["bakeroll:version"] == "1.0-1"
    assert found[application.base].tags["bakeroll:kind"] == "base"


def test_the_same_recipe_is_not_baked_again(world: World, application: Image, base: Image, hello: Package) -> None:
    began = time.monotonic()
    again = bake_application(world.bakery, hello, REVISION, bake_base(world.bakery, world.repository.access))
    print(f"second run: {time.monotonic() - began:.2f} s")
    assert again.id == application.id


def test_another_version_is_baked_on_the_same_base(world: World, base: Image, hello: Package) -> None:
    again = build(world.folder, "hello", "1.1-1")
    world.repository.publish(hello, again)
    began = time.monotonic()
    image = bake_application(world.bakery, again, REVISION, base)
    print(f"another version: {time.monotonic() - began:.2f} s")
    assert (image.base, image.version) == (base.id, "1.1-1")
    assert world.events[-1].text.endswith("package changed")


def test_a_package_that_cannot_be_installed_fails_the_bake_and_leaves_nothing(world: World, base: Image) -> None:
    broken = build(world.folder, "broken", "1.0-1", "#!/bin/sh\necho the database is not configured >&2\nexit 1\n")
    world.repository.publish(broken)

    with pytest.raises(BakeError) as caught:
        bake_application(world.bakery, broken, REVISION, base)

    assert "Ansible failed at “Install broken 1.0-1”" in caught.value.what
    assert "the database is not configured" in caught.value.what
    assert len(caught.value.what.splitlines()) < 15
    assert caught.value.log is not None
    assert caught.value.log.stat().st_mode & 0o777 == 0o600
    assert world.left() == []


def test_a_package_none_of_whose_units_is_enabled_fails_the_bake(world: World, base: Image) -> None:
    idle = build(world.folder, "idle", "1.0-1", "#!/bin/sh\n")
    world.repository.publish(idle)

    with pytest.raises(BakeError, match=r"no enabled unit of the package idle: .* Its units: idle\.service") as caught:
        bake_application(world.bakery, idle, REVISION, base)

    assert "Give debian/idle.service [Install] with WantedBy=multi-user.target" in caught.value.what
    assert world.left() == []


def test_a_repository_with_other_bytes_than_the_recipe_names_fails_the_bake(world: World, base: Image) -> None:
    package = build(world.folder, "other", "1.0-1")
    world.repository.publish(package)
    with pytest.raises(BakeError, match="the recipe names 0000"):
        bake_application(world.bakery, replace(package, sha256="0" * 64), REVISION, base)


def test_a_dependency_that_the_base_image_lacks_comes_from_the_archive(world: World, base: Image) -> None:
    package = build(world.folder, "depending", "1.0-1", depends="netcat-openbsd")
    world.repository.publish(package)
    assert bake_application(world.bakery, package, REVISION, base).version == "1.0-1"


@dataclass
class Bake:
    """A bake in a process group of its own, as `fab bake` is from a shell."""

    process: "multiprocessing.process.BaseProcess"

    def signal_group(self, number: int) -> None:
        assert self.process.pid
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


def begin(world: World, package: Package, base: Image, until: str) -> Bake:
    """Begin to bake `package`, and return when the bake has said `until`."""
    context = multiprocessing.get_context("fork")
    said: multiprocessing.Queue[str] = context.Queue()

    def child() -> None:
        os.setsid()
        images = Ec2Images(boto3.client("ec2"))
        bakery = replace(world.bakery, images=images, report=lambda event: said.put(event.text))
        with suppress(KeyboardInterrupt):
            bake_application(bakery, package, REVISION, base)

    process = context.Process(target=child)
    process.start()
    while until not in said.get(timeout=30):
        pass
    return Bake(process)


def packers(world: World) -> list[int]:
    """The processes that work in the bakes' folders."""
    return [int(each.parent.name) for each in Path("/proc").glob("[0-9]*/cwd") if _is_below(each, world.bakery.work)]


def _is_below(link: Path, folder: Path) -> bool:
    try:
        return link.readlink().is_relative_to(folder.resolve())
    except OSError:
        return False


@pytest.fixture
def next_hello(world: World, hello: Package, request: pytest.FixtureRequest) -> Package:
    """A version of hello that no image has yet."""
    version = f"2.{sha256(request.node.name.encode()).hexdigest()[:6]}-1"
    package = build(world.folder, "hello", version)
    world.repository.publish(hello, package)
    return package


@pytest.mark.parametrize("until", ["pending", "ansible: Install"])
def test_an_interrupted_bake_leaves_nothing(world: World, base: Image, next_hello: Package, until: str) -> None:
    bake = begin(world, next_hello, base, until)
    bake.signal_group(signal.SIGINT)
    bake.process.join(30)
    assert bake.process.exitcode == 0
    assert world.left() == []
    assert packers(world) == []


def test_packer_cleans_up_when_its_fab_is_killed_and_the_next_bake_goes_well(
    world: World, base: Image, next_hello: Package
) -> None:
    begin(world, next_hello, base, "ansible: Install").kill()

    image = bake_application(world.bakery, next_hello, REVISION, base)

    assert image.version == next_hello.version
    assert world.left() == []
    assert packers(world) == []


def test_what_a_killed_packer_left_is_swept_by_the_next_bake(world: World, base: Image, next_hello: Package) -> None:
    bake = begin(world, next_hello, base, "ansible: Install")
    bake.signal_group(signal.SIGSTOP)
    for pid in packers(world):
        os.kill(pid, signal.SIGKILL)
    bake.kill()
    assert len(world.left()) >= 4

    image = bake_application(world.bakery, next_hello, REVISION, base)

    assert image.version == next_hello.version
    assert any("deleted what a killed bake had left: i-" in event.text for event in world.events)
    assert world.left() == []


def test_two_bakes_of_one_recipe_at_once_make_one_image(world: World, base: Image, next_hello: Package) -> None:
    other = begin(world, next_hello, base, "launching")
    image = bake_application(world.bakery, next_hello, REVISION, base)
    other.process.join(30)
    found = Ec2Images(world.ec2).own(tags={"bakeroll:digest": image.digest})
    assert [ami.id for ami in found] == [image.id]


def test_an_image_holds_nothing_that_is_one_machines_own(world: World, application: Image) -> None:
    asked = """
        cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub
        grep -h bakeroll- /home/*/.ssh/authorized_keys || echo no key of a bake
        ls /usr/sbin/policy-rc.d /var/lib/apt/base-lists 2>/dev/null || echo no policy, no lists
        systemctl is-enabled hello instance-identity
        stat -c %a /run/instance.env
    """
    one, other = (inside(world, application, asked) for _ in range(2))
    assert one[2:] == other[2:] == ["no key of a bake", "no policy, no lists", "enabled", "enabled", "644"]
    assert one[0] != other[0]
    assert one[1] != other[1]


def inside(world: World, image: Image, script: str) -> list[str]:
    """What `script` prints on a machine of `image`."""
    launched = world.ec2.run_instances(ImageId=image.id, MinCount=1, MaxCount=1)["Instances"][0]
    instance = launched["InstanceId"]
    try:
        ask(launched["PrivateIpAddress"])
        step_in = "import sys; from local_cloud.client import shell; from local_cloud.config import from_environment; "
        step_in += "sys.exit(shell.step_in(from_environment(), sys.argv[1], sys.argv[2]))"
        command = [sys.executable, "-c", step_in, instance, script]
        shell = subprocess.run(command, env=os.environ | to_environment(CLOUD), capture_output=True, text=True)
        return shell.stdout.splitlines()
    finally:
        world.ec2.terminate_instances(InstanceIds=[instance])
