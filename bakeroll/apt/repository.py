"""Publishes packages to a suite, and reads what a suite holds. Every read checks the suite's signature."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bakeroll.apt import index
from bakeroll.apt.index import Published, Sum
from bakeroll.apt.store import ObjectStore, Signer
from bakeroll.errors import PublishError
from bakeroll.events import Event, Report
from bakeroll.process import Run
from bakeroll.release import Package
from bakeroll.settings import RepositorySettings

# Each lost race means that another publication succeeded, so this many may publish at once.
ATTEMPTS = 30
LARGEST_RELEASE = 1024 * 1024
"""Bytes of an InRelease. Ours has a few lines for each component and architecture."""
LARGEST_PACKAGES = 64 * 1024 * 1024
"""Bytes of a Packages, compressed or not: about 100,000 versions."""
NEVER_CHANGES = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite as it was read. `tag` is the entity tag of its InRelease, empty before the first publication."""

    tag: str
    files: dict[str, Sum]


@dataclass(frozen=True, slots=True)
class Packages:
    """A `Packages` as it was read: its text and its entries."""

    text: str
    entries: list[Published]


def publish(
    package: Package, repository: RepositorySettings, *, store: ObjectStore, signer: Signer, run: Run, report: Report,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:  # fmt: skip
    """Add `package` to the suite and keep every version that it holds. Do nothing if the package is there.

    If it is killed, the suite is as it was, and the next run continues. Raises PublishError if the version is there
    with other content, if another key signed the suite, or if others publish at every attempt.
    """
    where = f"s3://{repository.bucket} suite {repository.suite}"
    added = index.stanza(run(["dpkg-deb", "--field", str(package.path)]), package, repository.component)
    for attempt in range(ATTEMPTS):
        suite = _read(repository, store, signer)
        path = index.packages_path(repository.component, package.architecture)
        packages = _packages(suite, path, repository, store)
        if _holds(packages.entries, package):
            report(Event("publish", f"{where} holds {package.name} {package.version}", kind="done"))
            return
        if attempt == 0:
            _put_pool(package, repository, store)
        if _swap(suite, path, index.with_stanza(packages.text, added), repository, store, signer, now()):
            report(Event("publish", where, kind="done"))
            return
        report(Event("publish", f"somebody else published to {where}; trying again"))
    raise PublishError(
        f"{where}: others published at each of {ATTEMPTS} attempts.", left=f"{package.version} is not in the suite."
    )


def published(name: str, repository: RepositorySettings, *, store: ObjectStore, signer: Signer) -> list[Published]:
    """Every version of a package that the suite holds."""
    return [each for each in _all(repository, store, signer) if each.name == name]


def url(repository: RepositorySettings, *, endpoint: str, region: str) -> str:
    """Where apt fetches packages: the setting, or the bucket at `endpoint`, or the bucket on AWS."""
    if repository.url:
        return repository.url.rstrip("/")
    if endpoint:
        return f"{endpoint.rstrip('/')}/{repository.bucket}"
    return f"https://{repository.bucket}.s3.{region}.amazonaws.com"


def _all(repository: RepositorySettings, store: ObjectStore, signer: Signer) -> list[Published]:
    suite = _read(repository, store, signer)
    paths = [path.removesuffix(".gz") for path in suite.files if path.endswith("/Packages.gz")]
    return [each for path in paths for each in _packages(suite, path, repository, store).entries]


def _read(repository: RepositorySettings, store: ObjectStore, signer: Signer) -> Suite:
    key = _in_release(repository)
    found = store.get(key, LARGEST_RELEASE)
    if found is None:
        return Suite("", {})
    content, tag = found
    with _damage_reported(repository, key):
        return Suite(tag, index.files_of(signer.verify(content.decode())))


def _packages(suite: Suite, path: str, repository: RepositorySettings, store: ObjectStore) -> Packages:
    """One `Packages`, checked against the signed Release. Empty if the Release lists none."""
    packed, text = suite.files.get(f"{path}.gz"), suite.files.get(path)
    if packed is None:
        return Packages("", [])
    key = _by_hash(repository, path, packed)
    with _damage_reported(repository, key):
        if text is None or max(packed.size, text.size) > LARGEST_PACKAGES:
            raise index.Damaged(f"the signed InRelease must give it a size of at most {LARGEST_PACKAGES} bytes")
        found = store.get(key, packed.size)
        if found is None or index.checksum(found[0]) != packed:
            raise index.Damaged("it is missing" if found is None else "its content does not match its hash")
        unpacked = index.uncompressed(found[0], text.size)
        return Packages(unpacked, index.published(unpacked))


@contextmanager
def _damage_reported(repository: RepositorySettings, key: str) -> Iterator[None]:
    try:
        yield
    except (index.Damaged, UnicodeDecodeError) as error:
        raise PublishError(
            f"The repository is damaged. s3://{repository.bucket}/{key}: {error}.", left="Nothing was written."
        ) from None


def _holds(entries: Sequence[Published], package: Package) -> bool:
    for each in entries:
        if (each.name, each.version) == (package.name, package.version):
            if each.sha256 != package.sha256:
                raise _immutable(package, each.filename)
            return True
    return False


def _put_pool(package: Package, repository: RepositorySettings, store: ObjectStore) -> None:
    key = index.pool_path(package, repository.component)
    content = package.path.read_bytes()
    if index.checksum(content).sha256 != package.sha256:
        raise PublishError(f"{package.path} has changed since it was built.", left="Nothing was published.")
    if store.put(key, content, if_absent=True, cache_control=NEVER_CHANGES):
        return
    there = store.get(key, len(content))
    if there is None or index.checksum(there[0]).sha256 != package.sha256:
        raise _immutable(package, key)


def _swap(
    suite: Suite, path: str, packages: str, repository: RepositorySettings, store: ObjectStore, signer: Signer,
    now: datetime,
) -> bool:  # fmt: skip
    """Write the new index, then the InRelease that lists it. Return False if the suite has changed since the read."""
    content = index.compressed(packages)
    # Release must also list the uncompressed file, even if it does not exist.
    new = {path: index.checksum(packages.encode()), f"{path}.gz": index.checksum(content)}
    store.put(_by_hash(repository, path, new[f"{path}.gz"]), content, cache_control=NEVER_CHANGES)
    signed = signer.sign(index.release(repository, {**suite.files, **new}, now))
    return store.put(
        _in_release(repository),
        signed.encode(),
        if_match=suite.tag,
        if_absent=not suite.tag,
        cache_control=ASK_EACH_TIME,
    )


def _immutable(package: Package, key: str) -> PublishError:
    return PublishError(
        f"{key} is in the repository already, with other content. A published version never changes.",
        left="Nothing was published.",
        next_step=f"Commit to get a new version, or deploy the published one: --version={package.version}",
    )


def _in_release(repository: RepositorySettings) -> str:
    return f"dists/{repository.suite}/InRelease"


def _by_hash(repository: RepositorySettings, path: str, expected: Sum) -> str:
    return f"dists/{repository.suite}/{path.rpartition('/')[0]}/by-hash/SHA256/{expected.sha256}"
