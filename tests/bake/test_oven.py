"""Bakes against moto's EC2, with a Packer that only calls the API: digests, locks, failures, sweeping."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws
from pytest_mock import MockerFixture

from bakeroll.aws.images import Ec2Images, LastWords
from bakeroll.bake import bakery
from bakeroll.bake.bakery import RepositoryAccess, bake_application, bake_base
from bakeroll.bake.oven import Bakery
from bakeroll.bake.sweep import Bake
from bakeroll.errors import BakeError, CloudError
from bakeroll.events import Event
from bakeroll.process import ToolFailed, alone
from bakeroll.release import Image, Package
from bakeroll.settings import SourceAmi, load

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

REPOSITORY = RepositoryAccess("http://apt.example.invalid/", "dev", "main", "-----BEGIN PGP PUBLIC KEY BLOCK-----")
PACKAGE = Package("links", "1.4.0+3.g1c9e2a7-1", "amd64", Path("links.deb"), "9f86d081" * 8, 2_900_000)
REVISION = "1c9e2a7" + "0" * 33


@dataclass
class Packer:
    """Makes the image that it is told to make, as far as the API goes; `fails` before that, or is killed."""

    ec2: "EC2Client"
    lines: Sequence[str] = ()
    fails: BaseException | None = None
    version: str = "1.6.6"
    plugins: str = ""
    given: list[dict[str, object]] = field(default_factory=list)
    seen: list[Mapping[str, str]] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    busy: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event | None = None

    def __call__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,  # noqa: ARG002  part of the Run protocol
        log: Path | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> str:
        if list(argv) == ["packer", "version"]:
            return f"Packer v{self.version}\n"
        if list(argv) == ["packer", "plugins", "installed"]:
            return self.plugins
        assert cwd is not None
        assert log is not None
        assert on_line is not None
        self.busy.set()
        if self.hold:
            assert self.hold.wait(10)
        self.folders.append(cwd)
        self.seen.append(env or {})
        self.given.append(json.loads((cwd / "bake.auto.pkrvars.json").read_text()))
        self._begin(log)
        for line in self.lines:
            on_line(line)
        if self.fails:
            raise self.fails
        on_line(f"1,amazon-ebs.image,artifact,0,id,eu-west-1:{self._bake()}")
        return ""

    def _begin(self, log: Path) -> None:
        told = self.given[-1]
        group = f"packer_{log.stem[-8:]}"
        log.write_text(
            f"1,,ui,say,==> amazon-ebs.image: Creating temporary security group for this instance: {group}\n"
        )
        self.ec2.create_key_pair(KeyName=str(told["key_pair"]))
        made = self.ec2.create_security_group(GroupName=group, Description="Temporary group for Packer")
        source = self.ec2.register_image(Name=f"source {log.stem}", RootDeviceName="/dev/xvda")["ImageId"]
        launched = self.ec2.run_instances(ImageId=source, MinCount=1, MaxCount=1, SecurityGroupIds=[made["GroupId"]])
        self._tag(launched["Instances"][0]["InstanceId"], told["run_tags"])

    def _bake(self) -> str:
        told = self.given[-1]
        image = self.ec2.register_image(Name=str(told["image_name"]), RootDeviceName="/dev/xvda")["ImageId"]
        self._tag(image, told["image_tags"])
        self.clean_up()
        return image

    def clean_up(self) -> None:
        images = Ec2Images(self.ec2)
        images.terminate([builder.id for builder in images.builders("bakeroll:bake")])
        for key in images.key_pairs("bakeroll-*"):
            images.delete_key_pair(key)
        groups = self.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["packer_*"]}])
        for group in groups["SecurityGroups"]:
            images.delete_security_group(group["GroupId"])

    def _tag(self, resource: str, tags: object) -> None:
        assert isinstance(tags, dict)
        self.ec2.create_tags(Resources=[resource], Tags=[{"Key": key, "Value": tags[key]} for key in tags])


@dataclass
class World:
    """A bakery over moto, and what is seen of it from outside."""

    bakery: Bakery
    packer: Packer
    events: list[Event]
    ec2: "EC2Client"

    def left(self) -> list[str]:
        """Builders, keys, groups and the images without a digest, by name."""
        groups = self.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["packer_*"]}])
        images = Ec2Images(self.ec2)
        return [
            *(builder.id for builder in images.builders("bakeroll:bake")),
            *images.key_pairs("bakeroll-*"),
            *(group["GroupName"] for group in groups["SecurityGroups"]),
            *(ami.name for ami in images.own() if "links-" in ami.name and "bakeroll:digest" not in ami.tags
              and not ami.name.startswith("source")),
        ]  # fmt: skip

    def at(self, moment: datetime) -> Bakery:
        return replace(self.bakery, now=lambda: moment)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "deploy.yml").write_text("application: links\nenvironments: {dev: {cloud: aws, region: eu-west-1}}\n")
    events: list[Event] = []
    with mock_aws():
        ec2 = boto3.client("ec2", region_name="eu-west-1")
        packer = Packer(ec2)
        bakery = Bakery(
            environment=load(tmp_path, "dev"),
            region="eu-west-1",
            images=Ec2Images(ec2),
            run=packer,
            report=events.append,
            now=lambda: datetime.now(UTC),
            work=tmp_path / ".bakeroll",
            operator="ops@desk",
        )
        yield World(bakery, packer, events, ec2)


def base(world: World, repository: RepositoryAccess = REPOSITORY) -> Image:
    return bake_base(world.bakery, repository, source_ami="ami-0123")


def test_a_base_image_is_tagged_with_what_it_was_made_of(world: World) -> None:
    image = base(world)

    assert (image.base, image.application, image.version) == ("ami-0123", "", "")
    assert len(image.digest) == 64
    told = world.packer.given[0]["image_tags"]
    assert isinstance(told, dict)
    assert told["bakeroll:kind"] == "base"
    assert told["bakeroll:application"] == "links"
    assert told["bakeroll:baked-by"] == "ops@desk"
    assert world.left() == []


def test_an_application_image_is_tagged_with_its_release(world: World) -> None:
    image = bake_application(world.bakery, PACKAGE, REVISION, base(world))

    assert (image.application, image.version, image.revision) == ("links", PACKAGE.version, REVISION)
    assert image.name.startswith("links-1.4.0-3.g1c9e2a7-1-")
    assert world.events[-1].kind == "done"
    assert world.events[-1].text.endswith(": the first")


def test_a_second_bake_of_the_same_recipe_bakes_nothing(world: World) -> None:
    first = bake_application(world.bakery, PACKAGE, REVISION, base(world))
    baked = len(world.packer.given)

    again = bake_application(world.bakery, PACKAGE, REVISION, base(world))

    assert again.id == first.id
    assert len(world.packer.given) == baked
    assert "exists already" in world.events[-1].text


def with_source_ami(world: World) -> str:
    """Have one of this account's own, which the settings name; its id."""
    mine = world.bakery.environment.bake.model_copy(update={"source_ami": SourceAmi(owner="123456789012")})
    world.bakery = replace(world.bakery, environment=replace(world.bakery.environment, bake=mine))
    return world.ec2.register_image(Name="debian-12-amd64-1", RootDeviceName="/dev/xvda")["ImageId"]


def standing(world: World, repository: RepositoryAccess = REPOSITORY) -> str | None:
    image = bakery.find_image(world.bakery, repository, PACKAGE)
    return image.id if image else None


def test_the_image_of_the_recipe_in_force_is_found_for_every_environment_with_that_recipe(world: World) -> None:
    ami = with_source_ami(world)
    assert standing(world) is None
    baked = bake_application(world.bakery, PACKAGE, REVISION, bake_base(world.bakery, REPOSITORY))

    world.bakery = replace(world.bakery, environment=replace(world.bakery.environment, name="prod"))

    assert standing(world) == baked.id
    assert standing(world, replace(REPOSITORY, suite="prod")) is None
    assert bake_base(world.bakery, REPOSITORY).base == ami


def test_where_there_is_no_packer_no_image_is_told_by_its_recipe(world: World) -> None:
    def run(argv: Sequence[str], **_: object) -> str:
        raise FileNotFoundError(argv[0])

    with_source_ami(world)
    world.bakery = replace(world.bakery, run=run)

    assert standing(world) is None


def test_another_package_is_baked_and_the_reason_told(world: World) -> None:
    first = base(world)
    bake_application(world.bakery, PACKAGE, REVISION, first)
    bake_application(world.bakery, replace(PACKAGE, version="1.4.1-1", sha256="0" * 64), REVISION, first)
    assert world.events[-1].text.endswith("package changed")


def test_another_key_of_the_repository_makes_another_base_image(world: World) -> None:
    first = base(world)
    second = base(world, replace(REPOSITORY, public_key="another"))
    assert second.id != first.id
    assert "repository changed" in world.events[-1].text


def test_a_base_image_that_is_too_old_is_baked_anew(world: World) -> None:
    first = base(world)
    later = world.at(datetime.now(UTC) + timedelta(days=31))

    second = bake_base(later, REPOSITORY, source_ami="ami-0123")

    assert second.id != first.id
    assert second.digest == first.digest
    assert "the last is 31 days old" in world.events[-1].text


def test_the_newest_source_ami_is_taken_and_a_missing_one_named(world: World) -> None:
    with pytest.raises(BakeError, match="no available image of owner 136693071363 named debian-12-amd64-"):
        bake_base(world.bakery, REPOSITORY)


def test_credentials_are_in_the_environment_and_in_no_file(world: World) -> None:
    secret = "wJalrXUtnFEMI"
    kept: list[str] = []
    bakery = replace(world.bakery, credentials={"AWS_SECRET_ACCESS_KEY": secret})

    def run(argv: Sequence[str], *, cwd: Path | None = None, **options: object) -> str:
        kept.extend(path.read_text() for path in (cwd.rglob("*") if cwd else ()) if path.is_file())
        return world.packer(argv, cwd=cwd, **options)  # type: ignore[arg-type]

    bake_base(replace(bakery, run=run), REPOSITORY, source_ami="ami-0123")

    assert kept
    assert not any(secret in text for text in kept)
    assert world.packer.seen[0]["AWS_SECRET_ACCESS_KEY"] == secret


def test_nothing_is_kept_of_a_bake_but_its_log(world: World) -> None:
    base(world)
    assert not world.packer.folders[0].exists()
    assert list(world.bakery.work.parent.glob("bakeroll-*")) == []
    assert len(list((world.bakery.work / "logs").iterdir())) == 1


def test_a_failed_bake_says_why_and_leaves_nothing(world: World) -> None:
    world.packer.lines = [
        "    amazon-ebs.image: TASK [application : Install links 1.4.0-1] ***",
        '    amazon-ebs.image: fatal: [default]: FAILED! => {"msg": "dpkg returned an error code (1)"}',
    ]
    world.packer.fails = ToolFailed(["packer"], 1, [])

    with pytest.raises(BakeError, match="dpkg returned an error code") as caught:
        base(world)

    assert caught.value.log is not None
    assert caught.value.log.exists()
    assert "Packer had left i-" in caught.value.left
    assert world.left() == []


def test_a_bake_whose_builder_dies_tells_why_and_what_its_console_shows(world: World, mocker: MockerFixture) -> None:
    world.packer.lines = ["1,,error,ResourceNotReady: failed waiting for successful resource state"]
    world.packer.fails = ToolFailed(["packer"], 1, [])
    console = [f"line {number}" for number in range(30)] + ["Failed to create control group inotify object"]
    said = LastWords("i-1", "Server.InternalError: the boot ended with 255", console)
    asked = mocker.patch.object(Ec2Images, "last_words", autospec=True, return_value=said)

    with pytest.raises(BakeError) as caught:
        base(world)

    first, second, third, *lines = caught.value.what.splitlines()
    assert first == "ResourceNotReady: failed waiting for successful resource state"
    assert second == "The builder i-1 ended: Server.InternalError: the boot ended with 255"
    assert third == "The last lines of the console of i-1:"
    assert [line.strip() for line in lines] == console[-10:]
    assert asked.call_args.args[1:] == ("bakeroll:bake", world.packer.given[0]["run_tags"]["bakeroll:bake"])  # type: ignore[index]


def test_a_bake_that_ansible_failed_asks_nothing_of_the_builder(world: World, mocker: MockerFixture) -> None:
    world.packer.lines = ['    amazon-ebs.image: fatal: [default]: FAILED! => {"msg": "no such package"}']
    world.packer.fails = ToolFailed(["packer"], 1, [])
    asked = mocker.patch.object(Ec2Images, "last_words", autospec=True)

    with pytest.raises(BakeError, match=r"no such package$"):
        base(world)

    assert not asked.called


def test_an_interrupted_bake_leaves_nothing(world: World) -> None:
    world.packer.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        base(world)
    assert world.left() == []
    assert not world.packer.folders[0].exists()


def killed(world: World, name: str) -> Bake:
    """What a bake of that name leaves when it is killed after CreateImage and before its tags."""
    bake = Bake("links-dev", name, world.bakery.work)
    bake.folder.mkdir(parents=True)
    bake.temporary.mkdir()
    bake.log.parent.mkdir(parents=True, exist_ok=True)
    told = {"key_pair": bake.key_pair, "image_name": f"links-base-{name}", "run_tags": {"bakeroll:bake": bake.id}}
    world.packer.given.append(dict(told))
    world.packer._begin(bake.log)
    world.ec2.register_image(Name=f"links-base-{name}", RootDeviceName="/dev/xvda")
    return bake


def test_the_next_bake_sweeps_what_a_killed_one_left(world: World) -> None:
    bake = killed(world, "20261121T033537-caf1851f")
    assert len(world.left()) == 4

    image = base(world)

    assert world.left() == []
    assert not bake.folder.exists()
    assert not bake.temporary.exists()
    assert any("deleted what a killed bake had left: i-" in event.text for event in world.events)
    assert image.digest


def test_another_machines_bake_is_swept_only_when_it_is_older_than_any_bake_lasts(world: World) -> None:
    bake = killed(world, "20261121T033537-caf1851f")
    bake.forget()
    bake.log.unlink()
    world.packer.fails = ToolFailed(["packer"], 1, [])
    began = datetime(2026, 11, 21, 3, 35, 37, tzinfo=UTC)

    with pytest.raises(BakeError):
        bake_base(world.at(began + timedelta(hours=2)), REPOSITORY, source_ami="ami-0123")
    assert [name for name in world.left() if name == bake.key_pair]

    with pytest.raises(BakeError):
        bake_base(world.at(began + timedelta(hours=4)), REPOSITORY, source_ami="ami-0123")
    assert world.left() == ["links-base-20261121T033537-caf1851f"]


def test_who_comes_second_waits_and_takes_the_firsts_image(world: World) -> None:
    world.packer.hold = threading.Event()
    images: list[Image] = []
    first, second = (threading.Thread(target=lambda: images.append(base(world))) for _ in range(2))

    first.start()
    assert world.packer.busy.wait(10)
    second.start()
    while not any("waiting for another bake" in event.text for event in world.events):
        assert second.is_alive()
    world.packer.hold.set()
    first.join()
    second.join()

    assert images[0].id == images[1].id
    assert len(world.packer.given) == 1


def test_a_bake_that_does_not_end_is_waited_for_no_longer_than_an_hour(world: World, mocker: MockerFixture) -> None:
    mocker.patch("bakeroll.bake.oven.LONGEST_BAKE_SECONDS", -1)
    world.bakery.work.mkdir()

    with (
        alone(world.bakery.work / "bake-links-dev.lock"),
        pytest.raises(BakeError, match="Another bake of links-dev on this machine has not ended"),
    ):
        base(world)

    assert world.packer.given == []


def test_a_modern_packer_without_its_plugins_is_told_how_to_get_them(world: World) -> None:
    world.packer.version = "1.11.2"
    world.packer.plugins = (
        "/root/.config/packer/plugins/github.com/hashicorp/ansible/packer-plugin-ansible_v1.1.2_x5.0\n"
    )

    with pytest.raises(BakeError, match="no plugin github") as caught:
        base(world)

    assert caught.value.next_step == "packer plugins install github.com/hashicorp/amazon"


def test_a_modern_packer_with_its_plugins_gets_their_file(world: World) -> None:
    world.packer.version = "1.11.2"
    world.packer.plugins = "".join(f"/p/github.com/hashicorp/{name}/x\n" for name in ("amazon", "ansible"))
    seen: list[str] = []

    def run(argv: Sequence[str], *, cwd: Path | None = None, **options: object) -> str:
        seen.extend(path.name for path in (cwd.iterdir() if cwd else ()))
        return world.packer(argv, cwd=cwd, **options)  # type: ignore[arg-type]

    bake_base(replace(world.bakery, run=run), REPOSITORY, source_ami="ami-0123")

    assert "plugins.pkr.hcl" in seen


def test_a_cloud_that_does_not_answer_leaves_the_sweeping_to_the_next_bake(world: World, mocker: MockerFixture) -> None:
    world.packer.fails = ToolFailed(["packer"], 1, [])
    mocker.patch.object(Ec2Images, "builders", side_effect=[[], CloudError("EC2 did not answer DescribeInstances")])

    with pytest.raises(BakeError) as caught:
        base(world)

    assert "the next bake will. EC2 did not answer" in caught.value.left
    mocker.stopall()
    world.packer.fails = None
    base(world)
    assert world.left() == []
