"""Which of a machine's package sources are the distribution's own."""

from pathlib import Path

import pytest

from local_cloud.errors import LocalCloudError
from local_cloud.machines.apt_sources import distribution_sources

DEBIAN = """\
Types: deb
# a comment
URIs: http://deb.example.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://deb.example.org/debian
Suites: bookworm-backports
Components: main
"""
THIRD_PARTY = """\
Types: deb
URIs: https://node.example.org/node_20.x
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/node.gpg
"""


def apt(directory: Path, **files: str) -> Path:
    (directory / "sources.list.d").mkdir()
    for name, text in files.items():
        (directory / name.replace("__", "/").replace("_", ".")).write_text(text)
    return directory


def test_the_distributions_own_sources_are_taken_and_third_parties_left_out(tmp_path: Path) -> None:
    root = apt(tmp_path, sources_list_d__debian_sources=DEBIAN, sources_list_d__node_sources=THIRD_PARTY)

    sources = distribution_sources("bookworm", root)

    assert "Suites: bookworm bookworm-updates" in sources
    assert "node" not in sources
    assert "backports" not in sources


def test_the_old_format_is_read_as_well(tmp_path: Path) -> None:
    lines = "deb http://mirror.example.org/debian bookworm main\n# deb-src nothing\n"
    other = "deb https://packages.example.org/apt cloud-sdk-bookworm main\n"
    root = apt(tmp_path, sources_list=lines, sources_list_d__cloud_list=other)

    assert distribution_sources("bookworm", root) == "deb http://mirror.example.org/debian bookworm main\n"


def test_a_machine_without_debians_sources_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match="no package sources of bookworm"):
        distribution_sources("bookworm", apt(tmp_path, sources_list_d__node_sources=THIRD_PARTY))
