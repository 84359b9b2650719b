import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jinja2 import Template

from bakeroll.apt import index
from bakeroll.apt import repository as apt
from bakeroll.apt.index import Published, Sum
from bakeroll.apt.keys import GnupgKey
from bakeroll.aws.s3 import S3Objects
from bakeroll.bake.bakery import RepositoryAccess
from bakeroll.bake.folder import TOOLKIT
from bakeroll.errors import CloudError, PublishError
from bakeroll.events import Event
from bakeroll.process import ToolFailed, run
from bakeroll.release import Package
from bakeroll.settings import RepositorySettings

MakePackage = Callable[..., Package]

SOURCES = TOOLKIT / "ansible/roles/base/templates/bakeroll.sources.j2"
KEY = "/etc/apt/keyrings/bakeroll.asc"
"""Where a base image keeps the key."""


class Publisher:
    """A repository, its store and its key, in one hand."""

    def __init__(self, repository: RepositorySettings, store: S3Objects, key: GnupgKey) -> None:
        self.repository, self.store, self.key = repository, store, key
        self.events: list[Event] = []

    def publish(self, package: Package) -> None:
        apt.publish(
            package, self.repository, store=self.store, signer=self.key, run=run, report=self.events.append
        )  # fmt: skip

    def published(self, name: str = "links") -> list[Published]:
        return apt.published(name, self.repository, store=self.store, signer=self.key)

    def versions(self, name: str = "links") -> list[str]:
        return [each.version for each in self.published(name)]

    def access(self, endpoint: str) -> RepositoryAccess:
        """As an instance is given it."""
        address = apt.url(self.repository, endpoint=endpoint, region="")
        return RepositoryAccess(address, self.repository.suite, self.repository.component, self.key.public_key())


@pytest.fixture
def here(repository: RepositorySettings, store: S3Objects, key: GnupgKey) -> Publisher:
    return Publisher(repository, store, key)


def test_an_empty_bucket_holds_no_version(here: Publisher) -> None:
    assert here.versions() == []


def test_every_version_stays_in_debians_order(here: Publisher, make_package: MakePackage) -> None:
    for version in ("1.10-1", "1.9-1", "1.10~rc1-1", "1.10+3.g1c9e2a7-1"):
        here.publish(make_package(version))

    assert here.versions() == ["1.9-1", "1.10~rc1-1", "1.10-1", "1.10+3.g1c9e2a7-1"]


def test_a_published_version_is_found_with_its_hash_and_place(here: Publisher, make_package: MakePackage) -> None:
    package = make_package("1.0+1.gabcdef0-1")
    here.publish(package)

    [found] = here.published()

    assert (found.version, found.sha256) == ("1.0+1.gabcdef0-1", package.sha256)
    assert found.filename == "pool/main/l/links/links_1.0+1.gabcdef0-1_amd64.deb"
    content, _ = here.store.get(found.filename, 1000000) or (b"", "")
    assert content == package.path.read_bytes()


def test_publishing_again_writes_nothing(here: Publisher, make_package: MakePackage) -> None:
    package = make_package("1.0-1")
    here.publish(package)
    before = here.store.get("dists/dev/InRelease", 1000000)

    here.publish(package)

    assert here.store.get("dists/dev/InRelease", 1000000) == before
    assert "holds links 1.0-1" in here.events[-1].text


def test_a_version_never_changes(here: Publisher, make_package: MakePackage) -> None:
    here.publish(make_package("1.0-1", content="one"))

    with pytest.raises(PublishError, match="other content"):
        here.publish(make_package("1.0-1", content="two"))


def test_a_pool_file_of_a_killed_publication_is_taken_up(here: Publisher, make_package: MakePackage) -> None:
    package = make_package("1.0-1")
    here.store.put("pool/main/l/links/links_1.0-1_amd64.deb", package.path.read_bytes())

    here.publish(package)

    assert here.versions() == ["1.0-1"]


def test_a_pool_file_with_other_bytes_is_refused(here: Publisher, make_package: MakePackage) -> None:
    here.store.put("pool/main/l/links/links_1.0-1_amd64.deb", b"other")

    with pytest.raises(PublishError, match="other content"):
        here.publish(make_package("1.0-1"))


def test_architectures_and_applications_share_a_suite(here: Publisher, make_package: MakePackage) -> None:
    here.publish(make_package("1.0-1"))
    here.publish(make_package("1.0-1", architecture="arm64"))
    here.publish(make_package("2.0-1", name="counts"))

    assert (here.versions(), here.versions("counts")) == (["1.0-1", "1.0-1"], ["2.0-1"])
    content, _ = here.store.get("dists/dev/InRelease", 1000000) or (b"", "")
    assert "Architectures: amd64 arm64" in content.decode()


def test_who_publishes_at_once_loses_nothing(here: Publisher, make_package: MakePackage) -> None:
    packages = [make_package(f"1.{number}-1") for number in range(6)]
    together = threading.Barrier(len(packages))

    def publish(package: Package) -> None:
        together.wait()
        here.publish(package)

    with ThreadPoolExecutor(len(packages)) as threads:
        list(threads.map(publish, packages))

    assert here.versions() == [f"1.{number}-1" for number in range(6)]
    assert any("somebody else published" in event.text for event in here.events)


def test_a_suite_that_another_key_signed_is_left_alone(
    here: Publisher, stranger: GnupgKey, make_package: MakePackage
) -> None:
    here.publish(make_package("1.0-1"))
    theirs = Publisher(here.repository, here.store, stranger)

    with pytest.raises(PublishError, match="not signed by"):
        theirs.publish(make_package("2.0-1"))

    assert here.versions() == ["1.0-1"]


def test_a_damaged_index_is_named_and_not_built_upon(here: Publisher, make_package: MakePackage) -> None:
    here.publish(make_package("1.0-1"))
    _damage_index(here)

    with pytest.raises(PublishError, match="damaged"):
        here.publish(make_package("2.0-1"))


def test_where_apt_fetches_from() -> None:
    plain = RepositorySettings(bucket="acme-apt")
    named = RepositorySettings(bucket="acme-apt", url="https://apt.acme.example/")

    assert apt.url(plain, endpoint="", region="eu-west-1") == "https://acme-apt.s3.eu-west-1.amazonaws.com"
    assert apt.url(plain, endpoint="http://10.0.0.1:4566", region="x") == "http://10.0.0.1:4566/acme-apt"
    assert apt.url(named, endpoint="http://10.0.0.1:4566", region="x") == "https://apt.acme.example"


class AptRefused(Exception):
    """What apt-get said when it ended with a failure."""


class Apt:
    """apt itself, with all that it knows of the world below a folder; set up as a base image's."""

    def __init__(self, root: Path, access: RepositoryAccess) -> None:
        for folder in ("etc/sources.list.d", "etc/preferences.d", "state/lists/partial", "cache/archives/partial"):
            (root / folder).mkdir(parents=True)
        (root / "key.asc").write_text(access.public_key)
        sources = Template(SOURCES.read_text()).render(repository=access).replace(KEY, str(root / "key.asc"))
        (root / "etc/sources.list.d/links.sources").write_text(sources)
        (root / "status").touch()
        self.root = root
        self.options = [
            f"-oDir::Etc={root}/etc",
            f"-oDir::State={root}/state",
            f"-oDir::State::status={root}/status",
            f"-oDir::Cache={root}/cache",
            "-oAPT::Architecture=amd64",
            "-oAPT::Architectures=amd64",
            "-oAPT::Sandbox::User=root",
            "-oAcquire::Languages=none",
            "-oAPT::Update::Error-Mode=any",
        ]

    def get(self, *arguments: str) -> str:
        try:
            return run(["apt-get", *self.options, *arguments], cwd=self.root)
        except ToolFailed as error:
            raise AptRefused("\n".join(error.tail)) from None

    def versions(self, name: str) -> list[str]:
        lines = run(["apt-cache", *self.options, "madison", name]).splitlines()
        return [line.split("|")[1].strip() for line in lines]


@pytest.fixture
def apt_root(tmp_path: Path, here: Publisher, endpoint: str) -> Apt:
    return Apt(tmp_path / "apt", here.access(endpoint))


def test_apt_sees_every_version_and_fetches_an_earlier_one(
    here: Publisher, apt_root: Apt, make_package: MakePackage
) -> None:
    earlier = make_package("1.4.0+3.g1c9e2a7-1")
    here.publish(earlier)
    here.publish(make_package("1.5.0~rc1-1"))
    here.publish(make_package("1.5.0-1"))

    apt_root.get("update")
    apt_root.get("download", "links=1.4.0+3.g1c9e2a7-1")

    assert apt_root.versions("links") == ["1.5.0-1", "1.5.0~rc1-1", "1.4.0+3.g1c9e2a7-1"]
    assert next(apt_root.root.glob("*.deb")).read_bytes() == earlier.path.read_bytes()


def test_apt_sees_a_second_publication(here: Publisher, apt_root: Apt, make_package: MakePackage) -> None:
    here.publish(make_package("1.0-1"))
    apt_root.get("update")
    for each in (apt_root.root / "state/lists").glob("*_InRelease"):
        os.utime(each, (0, 0))  # as if it had been a while ago: HTTP tells times in whole seconds
    here.publish(make_package("2.0-1"))

    apt_root.get("update")

    assert apt_root.versions("links") == ["2.0-1", "1.0-1"]


def test_apt_takes_a_package_for_all_architectures(here: Publisher, apt_root: Apt, make_package: MakePackage) -> None:
    here.publish(make_package("1.0-1", architecture="all"))

    apt_root.get("update")

    assert apt_root.versions("links") == ["1.0-1"]


def test_apt_refuses_another_key(
    here: Publisher, tmp_path: Path, endpoint: str, stranger: GnupgKey, make_package: MakePackage
) -> None:
    here.publish(make_package("1.0-1"))
    distrusting = Apt(tmp_path / "apt", replace(here.access(endpoint), public_key=stranger.public_key()))

    with pytest.raises(AptRefused, match="NO_PUBKEY"):
        distrusting.get("update")


def test_apt_refuses_an_index_that_was_tampered_with(here: Publisher, apt_root: Apt, make_package: MakePackage) -> None:
    here.publish(make_package("1.0-1"))
    _damage_index(here)

    with pytest.raises(AptRefused, match="Hash Sum mismatch"):
        apt_root.get("update")


def test_apt_refuses_a_package_that_was_tampered_with(
    here: Publisher, apt_root: Apt, make_package: MakePackage
) -> None:
    here.publish(make_package("1.0-1"))
    there, _ = here.store.get("pool/main/l/links/links_1.0-1_amd64.deb", 1000000) or (b"", "")
    here.store.put("pool/main/l/links/links_1.0-1_amd64.deb", there[:-1] + b"x")
    apt_root.get("update")

    with pytest.raises(AptRefused, match="Hash Sum mismatch"):
        apt_root.get("download", "links=1.0-1")


def _damage_index(here: Publisher) -> None:
    content, _ = here.store.get("dists/dev/InRelease", 1000000) or (b"", "")
    listed = next(line.split() for line in content.decode().splitlines() if line.endswith("Packages.gz"))
    key = f"dists/dev/main/binary-amd64/by-hash/SHA256/{listed[0]}"
    there, _ = here.store.get(key, 1000000) or (b"", "")
    here.store.put(key, there[:-9] + b"x" + there[-8:])


def test_an_in_release_of_20_mb_is_refused_before_it_is_read(here: Publisher) -> None:
    here.store.put("dists/dev/InRelease", b"x" * 20_000_000)

    with pytest.raises(CloudError, match="InRelease has 20000000 bytes; it may have at most 1048576"):
        here.versions()


def test_an_in_release_that_is_no_text_is_damaged(here: Publisher) -> None:
    here.store.put("dists/dev/InRelease", b"\xff")

    with pytest.raises(PublishError, match=r"repository is damaged.*dists/dev/InRelease"):
        here.versions()


@pytest.mark.parametrize(
    ("packed", "unpacked", "said"),
    [
        pytest.param(10**12, 5, "a size of at most 67108864 bytes", id="too much to read"),
        pytest.param(5, 10**12, "a size of at most 67108864 bytes", id="too much to unpack"),
        pytest.param(5, None, "a size of at most 67108864 bytes", id="unpacks to who knows what"),
    ],
)
def test_a_package_index_of_no_size_that_can_be_read_is_refused(
    packed: int, unpacked: int | None, said: str, here: Publisher
) -> None:
    files = {"main/binary-amd64/Packages.gz": Sum("0" * 64, packed)}
    files |= {"main/binary-amd64/Packages": Sum("0" * 64, unpacked)} if unpacked else {}
    text = index.release(here.repository, files, datetime.now(UTC))
    here.store.put("dists/dev/InRelease", here.key.sign(text).encode())

    with pytest.raises(PublishError, match=said):
        here.versions()
