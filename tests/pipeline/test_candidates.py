"""Which commit, package and image a version means: real Git, a repository and a catalogue that keep state."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bakeroll import candidates, pipeline
from bakeroll.approval import approve
from bakeroll.apt.index import Published
from bakeroll.bake import catalogue
from bakeroll.errors import BakeError, BuildError, CloudError, ConfirmationNeeded, SourceError
from bakeroll.events import Event
from bakeroll.process import run
from bakeroll.release import Release
from bakeroll.release_request import ReleaseRequest
from bakeroll.wiring import LocalCloud, Site
from tests.deb.conftest import Repository

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Ami:
    id: str
    environment: str
    version: str = "1.0-1"
    state: str = "available"
    name: str = ""
    created_at: datetime = BEGAN

    @property
    def tags(self) -> Mapping[str, str]:
        return {catalogue.KIND: "application", catalogue.VERSION: self.version, catalogue.ENVIRONMENT: self.environment}


@dataclass
class FakeSite:
    """An environment over a real Git repository; no source AMI, so that no recipe can be told and nothing baked."""

    source: Path
    published_here: list[Published] = field(default_factory=list)
    amis: list[Ami] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    confirm: bool = False
    local: LocalCloud | None = None
    is_provisioned: bool = True
    run = staticmethod(run)
    repository = None

    @property
    def environment(self) -> Any:
        return SimpleNamespace(
            name="dev",
            application="links",
            source=self.source,
            fleet="links-dev",
            confirm=self.confirm,
            bake=SimpleNamespace(source_ami=SimpleNamespace(owner="self", name="none")),
            repository=SimpleNamespace(bucket="acme-apt", suite="dev"),
        )

    @property
    def bakery(self) -> Any:
        return SimpleNamespace(images=self, environment=self.environment, region="eu-west-1")

    def newest(self, *_: str) -> None:
        return None

    def own(self, *, tags: Mapping[str, str]) -> Sequence[Ami]:
        return [each for each in self.amis if each.version == tags[catalogue.VERSION]]

    def published(self) -> list[Published]:
        return self.published_here

    def history(self) -> list[Release]:
        return self.releases

    def report(self, event: Event) -> None:
        self.events.append(event)

    def where(self) -> str:
        return "account 1, eu-west-1"

    def has_fleet(self) -> bool:
        return self.is_provisioned

    def provision(self) -> list[str]:
        self.is_provisioned = True
        return ["fleet links-dev made"]

    def publish(self, version: str, commit: str) -> None:
        self.published_here.append(Published("links", version, f"links_{version}.deb", "9f" * 32, commit))


@pytest.fixture
def site(repository: Repository) -> FakeSite:
    repository.commit("First")
    repository.tag("v1.0")
    return FakeSite(repository.path)


def found(site: FakeSite, wanted: str) -> candidates.Candidate:
    return candidates.find(cast("Site", site), wanted)


def image(site: FakeSite, version: str = "1.0-1") -> str | None:
    there = candidates.find_image(cast("Site", site), candidates.Candidate(version, "1c9e2a7"))
    return there.id if there else None


@pytest.mark.parametrize("wanted", ["", "v1.0", "1.0"])
def test_a_tag_that_was_moved_after_its_version_was_published_is_refused_with_both_commits(
    site: FakeSite, repository: Repository, wanted: str
) -> None:
    first = repository.git("rev-parse", "HEAD")
    site.publish("1.0-1", first)
    second = repository.commit("Second")
    repository.git("tag", "--force", "v1.0")

    with pytest.raises(SourceError) as caught:
        found(site, wanted)

    assert f"from commit {first[:7]}" in caught.value.what
    assert f"is commit {second[:7]}" in caught.value.what
    assert "--version=1.0-1" in caught.value.next_step


def test_a_moved_tag_leaves_the_published_version_to_who_names_it_as_the_repository_does(
    site: FakeSite, repository: Repository
) -> None:
    first = repository.git("rev-parse", "HEAD")
    site.publish("1.0-1", first)
    repository.commit("Second")
    repository.git("tag", "--force", "v1.0")

    assert found(site, "1.0-1").commit == first


def test_a_published_version_of_the_same_commit_is_taken(site: FakeSite, repository: Repository) -> None:
    site.publish("1.0-1", repository.git("rev-parse", "HEAD"))

    assert [found(site, wanted).is_published for wanted in ("", "v1.0", "1.0", "1.0-1")] == [True] * 4


def test_a_published_version_is_found_where_no_repository_of_git_is(tmp_path: Path) -> None:
    site = FakeSite(tmp_path)
    site.publish("1.0-1", "1c9e2a7")

    assert [found(site, wanted).version for wanted in ("v1.0", "1.0-1")] == ["1.0-1", "1.0-1"]


@pytest.mark.parametrize("name", [lambda _: "topic", lambda commit: commit, lambda commit: commit[:7]])
def test_a_version_may_be_a_branch_or_a_commit(
    site: FakeSite, repository: Repository, name: Callable[[str], str]
) -> None:
    repository.git("switch", "--quiet", "--create", "topic")
    commit = repository.commit("On a branch")
    repository.git("switch", "--quiet", "main")

    assert found(site, name(commit)).version == f"1.0+1.g{commit[:7]}-1"


@pytest.mark.parametrize("wanted", ["no-such", "--help", "HEAD~1", "0000000"])
def test_what_is_neither_is_refused(site: FakeSite, wanted: str) -> None:
    with pytest.raises(SourceError, match=f"There is no version “{wanted}”"):
        found(site, wanted)


def test_the_image_of_another_environment_is_not_taken(site: FakeSite) -> None:
    site.amis = [Ami("ami-of-prod", "prod")]

    assert image(site) is None


def test_the_newest_image_that_was_baked_for_the_environment_is_taken(site: FakeSite) -> None:
    site.amis = [Ami("ami-of-prod", "prod"), Ami("ami-broken", "dev", state="failed"), Ami("ami-2", "dev")]

    assert image(site) == "ami-2"


def test_an_image_that_was_released_here_is_taken_whatever_it_was_baked_for(site: FakeSite) -> None:
    site.amis = [Ami("ami-of-prod", "prod")]
    site.releases = [Release("links", "dev", "1.0-1", "ami-of-prod", "1c9e2a7", "me", BEGAN)]

    assert image(site) == "ami-of-prod"


def test_an_image_that_was_not_baked_for_the_environment_is_not_rolled(site: FakeSite) -> None:
    site.amis = [Ami("ami-of-prod", "prod")]

    with pytest.raises(BakeError, match=r"dev has no image of links 1\.0-1") as caught:
        pipeline.roll(cast("Site", site), ReleaseRequest())

    assert caught.value.next_step == "Bake one: fab bake --env=dev --version=1.0-1"


def agreed(site: FakeSite, version: str, **asked: Any) -> list[str]:
    request = ReleaseRequest(**asked)
    approve(cast("Site", site), request, candidates.Candidate(version, "1c9e2a7"))
    return [each.text for each in site.events if each.kind == "note"]


def test_a_version_below_the_one_that_serves_is_warned_of(site: FakeSite) -> None:
    site.releases = [Release("links", "dev", "2.0.0-1", "ami-2", "1c9e2a7", "me", BEGAN)]

    assert agreed(site, "0.0.0+7.g1c9e2a7-1") == [
        "0.0.0+7.g1c9e2a7-1 is lower than 2.0.0-1, which serves dev; if this clone lacks tags: git fetch --tags"
    ]
    assert agreed(FakeSite(site.source, releases=site.releases), "2.0.1-1") == []


@pytest.mark.parametrize(("asked", "is_refused"), [({}, True), ({"is_agreed": True}, False), ({"is_dry": True}, False)])
def test_where_a_word_is_wanted_a_lower_version_is_refused_without_it(
    site: FakeSite, asked: dict[str, bool], is_refused: bool
) -> None:
    site.confirm = True
    site.releases = [Release("links", "dev", "2.0.0-1", "ami-2", "1c9e2a7", "me", BEGAN)]

    if is_refused:
        with pytest.raises(ConfirmationNeeded, match=r"1\.0-1 is lower than 2\.0\.0-1"):
            agreed(site, "1.0-1", **asked)
    else:
        assert len(agreed(site, "1.0-1", **asked)) == 1


LOCAL = LocalCloud(Path("/nowhere"), "http://nowhere")


def test_a_dry_run_makes_nothing_of_a_new_local_environment(site: FakeSite) -> None:
    site.local, site.is_provisioned = LOCAL, False

    agreed(site, "1.0-1", is_dry=True)

    assert not site.is_provisioned


def test_a_word_that_is_refused_makes_nothing_of_a_new_local_environment(site: FakeSite) -> None:
    site.local, site.is_provisioned = LOCAL, False

    def refuse(_: str) -> None:
        raise ConfirmationNeeded("no")

    with pytest.raises(ConfirmationNeeded):
        agreed(site, "1.0-1", confirm=refuse)

    assert not site.is_provisioned


def test_what_a_new_local_environment_lacks_is_made_once_the_word_is_given(site: FakeSite) -> None:
    site.local, site.is_provisioned = LOCAL, False

    agreed(site, "1.0-1")

    assert site.is_provisioned


@pytest.mark.parametrize(
    ("local", "is_unmade", "is_empty"), [(LOCAL, True, True), (LOCAL, False, False), (None, True, False)]
)
def test_only_a_local_environment_may_have_no_table_yet(
    local: LocalCloud | None, is_unmade: bool, is_empty: bool
) -> None:
    site = Site(cast("Any", SimpleNamespace()), lambda _: None, operator="me", local=local)
    error = CloudError("no table")
    error.is_unmade = is_unmade

    def look() -> list[Release]:
        raise error

    if is_empty:
        assert site._where_made(look) == []
    else:
        with pytest.raises(CloudError):
            site._where_made(look)


def test_a_dry_run_refuses_what_the_build_refuses(site: FakeSite, repository: Repository) -> None:
    with pytest.raises(BuildError, match=r"no pyproject\.toml"):
        pipeline.package(cast("Site", site), ReleaseRequest(is_dry=True))

    repository.commit(**{"pyproject.toml": "", "requirements.txt": ""})
    pipeline.package(cast("Site", site), ReleaseRequest(is_dry=True))
    assert site.events[-1].text.startswith("would build links 1.0+1.g")


def test_a_dry_run_refuses_a_submodule(
    site: FakeSite, repository: Repository, make_repository: Callable[[str], Repository], tmp_path: Path
) -> None:
    make_repository("library").commit()
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    repository.commit(**{"pyproject.toml": "", "requirements.txt": ""})

    with pytest.raises(SourceError, match="lib is a Git submodule"):
        pipeline.package(cast("Site", site), ReleaseRequest(is_dry=True))
