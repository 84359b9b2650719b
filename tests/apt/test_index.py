import gzip
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from bakeroll.apt import index
from bakeroll.apt.index import Sum
from bakeroll.release import Package
from bakeroll.settings import RepositorySettings

CONTROL = "Package: links\nVersion: {}\nArchitecture: amd64\nDescription: one\n two\n"


def package(version: str, name: str = "links") -> Package:
    return Package(name, version, "amd64", Path("unused"), "0" * 64, 12)


def packages(*versions: str) -> str:
    text = ""
    for version in versions:
        text = index.with_stanza(text, index.stanza(CONTROL.format(version), package(version), "main"))
    return text


def test_an_entry_keeps_the_control_fields_and_adds_the_file() -> None:
    assert packages("1.0-1") == (
        "Package: links\nVersion: 1.0-1\nArchitecture: amd64\nDescription: one\n two\n"
        f"Filename: pool/main/l/links/links_1.0-1_amd64.deb\nSize: 12\nSHA256: {'0' * 64}\n"
    )


def test_entries_stand_in_debians_order_whatever_order_they_came_in() -> None:
    assert packages("1.10-1", "1.9-1", "1.10~rc1-1") == packages("1.9-1", "1.10~rc1-1", "1.10-1")
    assert [each.version for each in index.published(packages("1.10-1", "1.9-1"))] == ["1.9-1", "1.10-1"]


def test_the_pool_is_laid_out_as_debians() -> None:
    assert index.pool_path(package("1.0-1"), "main") == "pool/main/l/links/links_1.0-1_amd64.deb"
    assert index.pool_path(package("1:1.0-1", "liblink"), "x") == "pool/x/libl/liblink/liblink_1%3a1.0-1_amd64.deb"


def test_a_release_reads_as_it_was_written() -> None:
    files = {"main/binary-amd64/Packages.gz": Sum("a" * 64, 5), "extra/binary-arm64/Packages": Sum("b" * 64, 7)}
    noon = datetime(2026, 11, 21, 13, 0, tzinfo=timezone(timedelta(hours=1)))

    text = index.release(RepositorySettings(suite="dev"), files, noon)

    assert index.files_of(text) == files
    assert "Date: Sat, 21 Nov 2026 12:00:00 UTC\n" in text
    assert "Components: extra main\n" in text
    assert "Architectures: amd64 arm64\n" in text


def test_the_same_index_compresses_to_the_same_bytes() -> None:
    assert index.compressed("text")[4:8] == bytes(4), "gzip writes the time there, in seconds"
    assert index.uncompressed(index.compressed("tëxt"), 5) == "tëxt"


@pytest.mark.parametrize(
    ("content", "size"),
    [
        pytest.param(index.compressed("x" * 10_000_000), 100, id="a bomb"),
        pytest.param(index.compressed("text"), 5, id="less than was promised"),
        pytest.param(index.compressed("text") + b"more", 4, id="more than what was compressed"),
        pytest.param(index.compressed("text")[:-3], 4, id="cut off"),
        pytest.param(b"text", 4, id="not compressed"),
        pytest.param(gzip.compress(b"\xff"), 1, id="no text"),
    ],
)
def test_what_does_not_unpack_to_the_size_that_was_signed_is_damaged(content: bytes, size: int) -> None:
    with pytest.raises(index.Damaged):
        index.uncompressed(content, size)


@pytest.mark.parametrize("text", ["Version: 1", "Package: a\nVersion: :\nArchitecture: all\nFilename: f\nSHA256: 0"])
def test_an_entry_that_is_not_whole_is_damaged(text: str) -> None:
    with pytest.raises(index.Damaged, match="an entry is incomplete"):
        index.published(text)


def test_a_release_without_sizes_is_damaged() -> None:
    with pytest.raises(index.Damaged, match="it lists no files"):
        index.files_of("SHA256:\n abc many main/binary-amd64/Packages\n")


def test_an_empty_release_lists_nothing() -> None:
    assert index.files_of(index.release(RepositorySettings(), {}, datetime.now(UTC))) == {}
