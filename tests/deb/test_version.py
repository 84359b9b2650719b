import string
from datetime import UTC, datetime, timedelta, timezone

import pytest
from debian.debian_support import Version
from hypothesis import given
from hypothesis import strategies as st

from bakeroll.deb.version import Description, debian_version, highest, is_lower, is_wanted, upstream

HASH = "1c9e2a7"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("v1.4.0", "1.4.0"),
        ("1.4.0", "1.4.0"),
        ("2", "2"),
        ("v1.2.3-rc1", "1.2.3~rc1"),
        ("v1.2.3rc1", "1.2.3~rc1"),
        ("1.2.3-rc.1", "1.2.3~rc1"),
        ("1.2.3_beta2", "1.2.3~beta2"),
        ("1.2.3-alpha", "1.2.3~alpha"),
        ("release-1.2", None),
        ("v2-beta-docs", None),
        ("2024-report", None),
        ("version", None),
        ("1.2.3-1", None),
        ("v١.٢", None),
        ("1.2rc٣", None),
        ("", None),
    ],
)
def test_a_tag_names_a_version_or_none(tag: str, version: str | None) -> None:
    assert upstream(tag) == version


def test_the_highest_tag_is_debians_highest_and_not_the_alphabets() -> None:
    assert highest(["v1.9.0", "v1.10.0", "v1.10.0-rc1", "nonsense", ""]) == "v1.10.0"
    assert highest(["nonsense"]) == ""
    assert highest(["v१.२", "v1.0"]) == "v1.0"


@pytest.mark.parametrize(
    ("description", "version"),
    [
        (Description("v1.4.0", 0, HASH), "1.4.0-1"),
        (Description("v1.4.0", 3, HASH), "1.4.0+3.g1c9e2a7-1"),
        (Description("v1.4.0-rc1", 0, HASH), "1.4.0~rc1-1"),
        (Description("v1.4.0-rc1", 2, HASH), "1.4.0~rc1+2.g1c9e2a7-1"),
        (Description("", 7, HASH), "0.0.0+7.g1c9e2a7-1"),
    ],
)
def test_a_commits_version(description: Description, version: str) -> None:
    assert debian_version(description) == version


def test_a_dirty_version_tells_the_time_in_utc_and_the_tree() -> None:
    changed = datetime(2026, 11, 21, 4, 15, 2, tzinfo=timezone(timedelta(hours=1)))

    version = debian_version(Description("v1.4.0", 3, HASH), dirty=(changed, "ab12cd3"))

    assert version == "1.4.0+3.g1c9e2a7+dirty20261121T031502.ab12cd3-1"


@pytest.mark.parametrize("wanted", ["1.2.3~rc1-1", "1.2.3~rc1", "v1.2.3-rc1", "1.2.3-rc1", "1.2.3rc1"])
def test_an_operator_may_name_a_version_in_several_ways(wanted: str) -> None:
    assert is_wanted(wanted, "1.2.3~rc1-1")
    assert not is_wanted(wanted, "1.2.3-1")


hashes = st.text("0123456789abcdef", min_size=7, max_size=7)
numbers = st.integers(0, 30)
phases = st.sampled_from(["", "a1", "alpha2", "beta", "rc1", "rc2", "rc10"])
bases = st.tuples(numbers, numbers, numbers, phases).map(
    lambda parts: f"v{parts[0]}.{parts[1]}.{parts[2]}" + (f"-{parts[3]}" if parts[3] else "")
)


@given(bases, st.lists(hashes, min_size=1, max_size=12))
def test_commits_after_a_tag_follow_it_in_order(tag: str, commits: list[str]) -> None:
    versions = [Version(debian_version(Description(tag, count, each))) for count, each in enumerate(commits)]

    assert versions == sorted(versions)
    assert len(set(versions)) == len(versions)


@given(bases, bases, numbers, hashes, hashes)
def test_a_higher_tag_stands_above_all_that_followed_a_lower_one(
    one: str, other: str, distance: int, first: str, second: str
) -> None:
    lower, higher = sorted([one, other], key=lambda tag: Version(upstream(tag) or ""))
    if upstream(lower) == upstream(higher):
        return
    after = Version(debian_version(Description(lower, distance, first)))

    assert after < Version(debian_version(Description(higher, 0, second)))


@given(bases, numbers, hashes, hashes, hashes, st.text(string.hexdigits.lower()[:16], min_size=7, max_size=7))
def test_a_dirty_tree_stands_between_its_commit_and_the_next(
    tag: str, distance: int, short: str, next_short: str, tree: str, later_tree: str
) -> None:
    here, after = Description(tag, distance, short), Description(tag, distance + 1, next_short)
    versions = [
        debian_version(here),
        debian_version(here, dirty=(NOON, tree)),
        debian_version(here, dirty=(NOON + timedelta(seconds=1), later_tree)),
        debian_version(after),
    ]

    assert sorted(versions, key=Version) == versions


@pytest.mark.parametrize(
    ("version", "other", "expected"),
    [
        ("0.0.0+7.g1c9e2a7-1", "2.0.0-1", True),
        ("2.0.0~rc1-1", "2.0.0-1", True),
        ("2.0.0-1", "2.0.0-1", False),
        ("2.0.0-1", "no version", False),
        ("", "2.0.0-1", False),
    ],
)
def test_versions_are_ordered_as_debian_does_and_what_is_none_is_not_lower(
    version: str, other: str, expected: bool
) -> None:
    assert is_lower(version, other) is expected
