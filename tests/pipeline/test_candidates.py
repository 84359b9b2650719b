"""Which commit, package and image a version means: real Git, a repository and a catalogue that keep state."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bakeroll import candidates, pipeline
from bakeroll.approval import approve
from bakeroll.errors import BakeError, BuildError, ConfirmationNeeded, SourceError
from bakeroll.release_request import ReleaseRequest
from bakeroll.wiring import LocalCloud
from tests.deb.conftest import Repository
from tests.pipeline.model_site import ModelSite, model_site
from tests.pipeline.shelf import Ami

OF_PROD = Ami("ami-of-prod", "1.0-1", environment="prod")


@pytest.fixture
def site(repository: Repository) -> ModelSite:
    repository.commit("First")
    repository.tag("v1.0")
    return model_site(source=repository.path, amis=())


def found(site: ModelSite, wanted: str) -> candidates.Candidate:
    return candidates.find(site, wanted)


def image(site: ModelSite, version: str = "1.0-1") -> str | None:
    there = candidates.find_image(site, candidates.Candidate(version, "1c9e2a7"))
    return there.id if there else None


@pytest.mark.parametrize("wanted", ["", "v1.0", "1.0"])
def test_a_tag_that_was_moved_after_its_version_was_published_is_refused_with_both_commits(
    site: ModelSite, repository: Repository, wanted: str
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
    site: ModelSite, repository: Repository
) -> None:
    first = repository.git("rev-parse", "HEAD")
    site.publish("1.0-1", first)
    repository.commit("Second")
    repository.git("tag", "--force", "v1.0")

    assert found(site, "1.0-1").commit == first


def test_a_published_version_of_the_same_commit_is_taken(site: ModelSite, repository: Repository) -> None:
    site.publish("1.0-1", repository.git("rev-parse", "HEAD"))

    assert [found(site, wanted).is_published for wanted in ("", "v1.0", "1.0", "1.0-1")] == [True] * 4


def test_a_published_version_is_found_where_no_repository_of_git_is(tmp_path: Path) -> None:
    site = model_site(source=tmp_path)
    site.publish("1.0-1", "1c9e2a7")

    assert [found(site, wanted).version for wanted in ("v1.0", "1.0-1")] == ["1.0-1", "1.0-1"]


@pytest.mark.parametrize("name", [lambda _: "topic", lambda commit: commit, lambda commit: commit[:7]])
def test_a_version_may_be_a_branch_or_a_commit(
    site: ModelSite, repository: Repository, name: Callable[[str], str]
) -> None:
    repository.git("switch", "--quiet", "--create", "topic")
    commit = repository.commit("On a branch")
    repository.git("switch", "--quiet", "main")

    assert found(site, name(commit)).version == f"1.0+1.g{commit[:7]}-1"


@pytest.mark.parametrize("wanted", ["no-such", "--help", "HEAD~1", "0000000"])
def test_what_is_neither_is_refused(site: ModelSite, wanted: str) -> None:
    with pytest.raises(SourceError, match=f"There is no version “{wanted}”"):
        found(site, wanted)


def test_the_image_of_another_environment_is_not_taken(site: ModelSite) -> None:
    site.bake(OF_PROD)

    assert image(site) is None


def test_the_newest_image_that_was_baked_for_the_environment_is_taken(site: ModelSite) -> None:
    site.bake(OF_PROD, Ami("ami-broken", "1.0-1", state="failed"), Ami("ami-2", "1.0-1"))

    assert image(site) == "ami-2"


def test_an_image_that_was_released_here_is_taken_whatever_it_was_baked_for(site: ModelSite) -> None:
    site.bake(OF_PROD)
    site.release("1.0-1", "ami-of-prod")

    assert image(site) == "ami-of-prod"


def test_an_image_that_was_not_baked_for_the_environment_is_not_rolled(site: ModelSite) -> None:
    site.bake(OF_PROD)

    with pytest.raises(BakeError, match=r"dev has no image of links 1\.0-1") as caught:
        pipeline.roll(site, ReleaseRequest())

    assert caught.value.next_step == "Bake one: fab bake --env=dev --version=1.0-1"


def agreed(site: ModelSite, version: str, **asked: Any) -> list[str]:
    request = ReleaseRequest(**asked)
    approve(site, request, candidates.Candidate(version, "1c9e2a7"))
    return [each.text for each in site.events if each.kind == "note"]


def test_a_version_below_the_one_that_serves_is_warned_of(site: ModelSite) -> None:
    site.release("2.0.0-1", "ami-2")

    assert agreed(site, "0.0.0+7.g1c9e2a7-1") == [
        "0.0.0+7.g1c9e2a7-1 is lower than 2.0.0-1, which serves dev; if this clone lacks tags: git fetch --tags"
    ]


def test_a_version_above_the_one_that_serves_is_not_warned_of(site: ModelSite) -> None:
    site.release("2.0.0-1", "ami-2")

    assert agreed(site, "2.0.1-1") == []


@pytest.mark.parametrize(("asked", "is_refused"), [({}, True), ({"is_agreed": True}, False), ({"is_dry": True}, False)])
def test_where_a_word_is_wanted_a_lower_version_is_refused_without_it(asked: dict[str, bool], is_refused: bool) -> None:
    site = model_site(confirm=True)
    site.release("2.0.0-1", "ami-2")

    if is_refused:
        with pytest.raises(ConfirmationNeeded, match=r"1\.0-1 is lower than 2\.0\.0-1"):
            agreed(site, "1.0-1", **asked)
    else:
        assert len(agreed(site, "1.0-1", **asked)) == 1


@pytest.fixture
def new() -> ModelSite:
    """A local environment that has nothing yet."""
    site = model_site(local=LocalCloud(Path("/nowhere"), "http://nowhere"))
    site.fleet.squads.clear()
    return site


def test_a_dry_run_makes_nothing_of_a_new_local_environment(new: ModelSite) -> None:
    agreed(new, "1.0-1", is_dry=True)

    assert not new.roller.has_fleet()


def test_a_word_that_is_refused_makes_nothing_of_a_new_local_environment(new: ModelSite) -> None:
    def refuse(_: str) -> None:
        raise ConfirmationNeeded("no")

    with pytest.raises(ConfirmationNeeded):
        agreed(new, "1.0-1", confirm=refuse)

    assert not new.roller.has_fleet()


def test_what_a_new_local_environment_lacks_is_made_once_the_word_is_given(new: ModelSite) -> None:
    agreed(new, "1.0-1")

    assert new.roller.has_fleet()


def test_a_dry_run_refuses_what_the_build_refuses(site: ModelSite, repository: Repository) -> None:
    with pytest.raises(BuildError, match=r"no pyproject\.toml"):
        pipeline.package(site, ReleaseRequest(is_dry=True))

    repository.commit(**{"pyproject.toml": "", "requirements.txt": ""})
    pipeline.package(site, ReleaseRequest(is_dry=True))
    assert site.events[-1].text.startswith("would build links 1.0+1.g")


def test_a_dry_run_refuses_a_submodule(
    site: ModelSite, repository: Repository, make_repository: Callable[[str], Repository], tmp_path: Path
) -> None:
    make_repository("library").commit()
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    repository.commit(**{"pyproject.toml": "", "requirements.txt": ""})

    with pytest.raises(SourceError, match="lib is a Git submodule"):
        pipeline.package(site, ReleaseRequest(is_dry=True))
