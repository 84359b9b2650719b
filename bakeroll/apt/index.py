"""The texts of a suite, `Packages` and `Release`, read and written. Pure: no input or output.

Format: https://wiki.debian.org/DebianRepository/Format
"""

import gzip
import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from debian.deb822 import Deb822, Release
from debian.debian_support import Version

from bakeroll.release import Package
from bakeroll.settings import RepositorySettings
from bakeroll.wording import excerpt

GZIP = 16 + zlib.MAX_WBITS
"""Makes zlib expect gzip's header."""


class Damaged(ValueError):
    """A text is not what its signature or its sum promises. The message says why."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What a Release says about one file."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Published:
    """A package in the repository. `filename` is relative to the repository's root."""

    name: str
    version: str
    filename: str
    sha256: str
    commit: str = ""


def checksum(content: bytes) -> Sum:
    """What a Release says of a file with this content."""
    return Sum(hashlib.sha256(content).hexdigest(), len(content))


def packages_path(component: str, architecture: str) -> str:
    """Where a suite keeps an index, from the suite's own folder."""
    return f"{component}/binary-{architecture}/Packages"


def pool_path(package: Package, component: str) -> str:
    """The path of a package, as in Debian's own pool: pool/main/l/links/links_1.4.0-1_amd64.deb.

    S3 reads a "+" in an address as a space. A "+" in a version does no harm, because apt requests "%2b"
    (https://bugs.launchpad.net/bugs/1003633).
    """
    prefix = package.name[:4] if package.name.startswith("lib") else package.name[:1]
    file = f"{package.name}_{package.version.replace(':', '%3a')}_{package.architecture}.deb"
    return f"pool/{component}/{prefix}/{package.name}/{file}"


def stanza(control: str, package: Package, component: str) -> str:
    """A package's entry in `Packages`: its control fields, and its file's path, size and sum."""
    entry = Deb822(control)
    entry["Filename"] = pool_path(package, component)
    entry["Size"] = str(package.size)
    entry["SHA256"] = package.sha256
    return str(entry.dump())


def with_stanza(packages: str, added: str) -> str:
    """`Packages` with one more entry, ordered by name and version. Every earlier version stays."""
    entries = sorted(Deb822.iter_paragraphs(f"{packages}\n{added}", use_apt_pkg=False), key=_order)
    return "\n".join(str(entry.dump()) for entry in entries)


def published(packages: str) -> list[Published]:
    """The entries of `Packages`. Raises Damaged if an entry lacks a required field."""
    return [_published(entry) for entry in Deb822.iter_paragraphs(packages, use_apt_pkg=False)]


def _published(entry: Deb822) -> Published:
    try:
        _order(entry)
        return Published(
            name=entry["Package"],
            version=entry["Version"],
            filename=entry["Filename"],
            sha256=entry["SHA256"],
            commit=entry.get("Git-Commit", ""),
        )
    except (KeyError, ValueError) as error:
        raise Damaged(f"an entry is incomplete: {excerpt(error)}") from None


def compressed(packages: str) -> bytes:
    """The same bytes for the same text, on any day."""
    return gzip.compress(packages.encode(), mtime=0)


def uncompressed(content: bytes, size: int) -> str:
    """The uncompressed text of `size` bytes. Raises Damaged for another size, before it unpacks more."""
    unpacker = zlib.decompressobj(wbits=GZIP)
    try:
        text = unpacker.decompress(content, size + 1)
        if len(text) != size or not unpacker.eof or unpacker.unused_data:
            raise Damaged(f"it does not unpack to {size} bytes")
        return text.decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise Damaged(str(error)) from None


def release(repository: RepositorySettings, files: Mapping[str, Sum], now: datetime) -> str:
    """The `Release` of a suite that holds `files`, by their paths below it."""
    fields = {
        "Origin": "bakeroll",
        "Label": "bakeroll",
        "Suite": repository.suite,
        "Codename": repository.suite,
        "Date": now.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S UTC"),
        "Acquire-By-Hash": "yes",
        "Architectures": " ".join(sorted({path.split("/")[1].removeprefix("binary-") for path in files})),
        "Components": " ".join(sorted({path.split("/")[0] for path in files})),
    }
    sums = [f" {each.sha256} {each.size} {path}" for path, each in sorted(files.items())]
    return "\n".join([*(f"{name}: {value}" for name, value in fields.items()), "SHA256:", *sums, ""])


def files_of(release_text: str) -> dict[str, Sum]:
    """The files that a `Release` lists, by path. Raises Damaged."""
    try:
        listed = Release(release_text).get("SHA256", [])
        return {_path(each["name"]): Sum(_sha256(each["sha256"]), int(each["size"])) for each in listed}
    except (KeyError, ValueError, TypeError) as error:
        raise Damaged(f"it lists no files: {excerpt(error)}") from None


def _sha256(text: str) -> str:
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise ValueError(f"{excerpt(text)} is no SHA256")
    return text


def _path(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"{excerpt(text)} is no path")
    return text


def _order(entry: Deb822) -> tuple[str, Version, str]:
    return entry["Package"], Version(entry["Version"]), entry["Architecture"]
