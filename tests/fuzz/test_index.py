"""The signed index: whatever an InRelease or a Packages holds, it is as it was signed, or refused in words."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakeroll.apt import index, repository
from bakeroll.apt.index import Sum
from bakeroll.apt.keys import GnupgKey, local_key
from bakeroll.errors import PublishError
from bakeroll.process import run
from bakeroll.settings import RepositorySettings

pytestmark = pytest.mark.no_cover  # the same lines again and again, three times slower where they are counted

FILES = {"main/binary-amd64/Packages": Sum("a" * 64, 5), "main/binary-amd64/Packages.gz": Sum("b" * 64, 7)}
TEXT = index.release(RepositorySettings(suite="dev"), FILES, datetime(2026, 1, 1, tzinfo=UTC))
ENTRY = f"Package: links\nVersion: 1.0-1\nArchitecture: amd64\nFilename: pool/x.deb\nSize: 12\nSHA256: {'0' * 64}\n"
PIECES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            *(
                "\n",
                "\r\n",
                "\n\n",
                "-----BEGIN PGP SIGNED MESSAGE-----\n",
                "Hash: SHA512\n",
                "Hash: SHA1\n",
                "- ",
                " ",
            ),
            *(
                "-----BEGIN PGP SIGNATURE-----\n",
                "-----END PGP SIGNATURE-----\n",
                "SHA256:\n",
                f" {'c' * 64} 9 x\n",
                "\t",
            ),
            *(
                "Version: ~\n",
                "Version: 1:\n",
                "Package:\n",
                "Size: -1\n",
                ": x\n",
                " .\n",
                "#",
                "\x00",
                "\x0c",
                "\x1c",
            ),
        ]
    ),
)


def edited(text: str) -> st.SearchStrategy[str]:
    """The text with pieces put in, taken out or doubled."""
    edit = st.tuples(st.integers(0, len(text)), st.integers(0, 40), PIECES, st.booleans())

    def done(edits: list[tuple[int, int, str, bool]]) -> str:
        found = text
        for at, length, piece, doubled in edits:
            found = (
                found[:at] + (found[at : at + length] if doubled else "") + piece + found[at + length * (not doubled) :]
            )
        return found

    return st.lists(edit, min_size=1, max_size=3).map(done)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> GnupgKey:
    return local_key(tmp_path_factory.mktemp("key"), run=run)


@pytest.fixture(scope="module")
def signed(key: GnupgKey) -> str:
    return key.sign(TEXT)


@contextmanager
def refused_in_words() -> Iterator[None]:
    try:
        yield
    except (PublishError, index.Damaged) as error:
        said = str(error)
    else:
        said = ""
    assert all(each.isprintable() or each == "\n" for each in said)


@given(data=st.data())
def test_a_signed_text_that_was_touched_is_the_same_or_refused(data: st.DataObject, key: GnupgKey, signed: str) -> None:
    found = data.draw(edited(signed))
    with suppress(UnicodeEncodeError):
        found.encode()
        with refused_in_words():
            assert key.verify(found).split() == TEXT.split()


@given(
    st.sampled_from([(TEXT, index.files_of), (ENTRY * 2, index.published), (ENTRY, index.published)]).flatmap(
        lambda each: st.tuples(edited(each[0]), st.just(each[1]))
    )
)
def test_what_was_signed_and_is_not_whole_is_damaged(found: tuple[str, Callable[[str], object]]) -> None:
    text, read = found
    with refused_in_words():
        read(text)


@given(edited(ENTRY))
def test_an_entry_that_can_be_read_can_be_sorted_among_others(text: str) -> None:
    with refused_in_words():
        index.published(text)
        index.published(index.with_stanza(text, ENTRY))


@given(st.binary(max_size=60), st.integers(0, 70), st.integers(0, 70), st.integers(0, 2_000_000))
def test_no_more_is_unpacked_than_was_signed(content: bytes, at: int, cut: int, size: int) -> None:
    packed = gzip.compress(content + b"\0" * (10**6 if at % 2 else 0), 1)
    with refused_in_words():
        index.uncompressed(packed[:at] + packed[at + cut :], size)


class Bucket:
    """Whose objects are all alike."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def get(self, _key: str, largest: int) -> tuple[bytes, str]:
        return self.content[:largest], "tag"

    def put(self, *_: object, **__: object) -> bool:
        raise AssertionError("nothing is written")


class Believer:
    """A signer to whom all is signed."""

    def sign(self, text: str) -> str:
        return text

    def verify(self, signed: str) -> str:
        return signed


@given(st.one_of(edited(TEXT).map(str.encode), st.binary(max_size=99)))
def test_a_bucket_that_holds_anything_is_read_or_refused(content: bytes) -> None:
    with refused_in_words():
        repository.published("links", RepositorySettings(), store=Bucket(content), signer=Believer())
