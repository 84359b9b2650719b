"""The distribution's own package sources among all that this machine has. Third parties' are left out."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from local_cloud.errors import LocalCloudError

_APT = Path("/etc/apt")
_KEYRINGS = ("/usr/share/keyrings/debian-archive", "/usr/share/keyrings/ubuntu-archive")


def distribution_sources(codename: str, directory: Path = _APT) -> str:
    """The sources of the release `codename` under `directory`, in one of apt's two formats (sources.list(5)).

    Deb822 files are taken where they name the distribution; else the lines of the other files that do.
    Raises LocalCloudError where there are none.
    """
    parts = directory / "sources.list.d"
    stanzas = [stanza for file in sorted(parts.glob("*.sources")) for stanza in _stanzas(file.read_text())]
    deb822 = [stanza for stanza in stanzas if _is_distributions(stanza, codename) and "deb" in _types(stanza)]
    if deb822:
        return "\n\n".join(deb822) + "\n"
    files = [file for file in (directory / "sources.list", *sorted(parts.glob("*.list"))) if file.exists()]
    lines = [line for file in files for line in file.read_text().splitlines()]
    chosen = [line for line in lines if line.startswith("deb ") and _is_distributions(line, codename)]
    if not chosen:
        raise LocalCloudError(
            f"{directory} names no package sources of {codename}, so no source image can be built.",
            next_step="Add the distribution's own sources to /etc/apt/sources.list.d.",
        )
    return "\n".join(chosen) + "\n"


def _is_distributions(text: str, codename: str) -> bool:
    """By the archive's keyring or no key at all, and by the suites: a third party's are called otherwise."""
    suites = {codename, *(f"{codename}-{part}" for part in ("updates", "security", "backports")), f"{codename}/updates"}
    foreign_key = "signed-by" in text.lower() and not any(keyring in text for keyring in _KEYRINGS)
    return not foreign_key and bool(suites & set(text.split()))


def _stanzas(text: str) -> Iterator[str]:
    """Stanzas without their comments and those that are switched off."""
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.strip() and not line.startswith("#")]
        if lines and not any(line.lower().replace(" ", "") == "enabled:no" for line in lines):
            yield "\n".join(lines)


def _types(stanza: str) -> Iterable[str]:
    for line in stanza.splitlines():
        if line.lower().startswith("types:"):
            return line.partition(":")[2].split()
    return ()
