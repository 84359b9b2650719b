from pathlib import Path

import pytest

from local_cloud.config import Config, endpoint, from_environment, to_environment
from local_cloud.errors import LocalCloudError
from local_cloud.machines.apt_sources import distribution_sources


def test_the_network_is_divided_without_overlap() -> None:
    config = Config()
    parts = [*config.subnets.values(), config.public_network, config.balancer_network]

    assert [str(part) for part in config.subnets.values()] == ["10.77.16.0/20", "10.77.32.0/20", "10.77.48.0/20"]
    assert str(config.gateway) == "10.77.0.1"
    assert all(part.subnet_of(config.network) for part in parts)
    assert not any(a.overlaps(b) for a in parts for b in parts if a != b)


def test_a_cloud_is_told_by_its_environment_and_passes_itself_on() -> None:
    given = {
        "BAKEROLL_LOCAL_STATE": "/tmp/state",
        "BAKEROLL_LOCAL_CACHE": "/tmp/cache",
        "BAKEROLL_LOCAL_BRIDGE": "br7",
        "BAKEROLL_LOCAL_NETWORK": "10.9.0.0/16",
        "BAKEROLL_LOCAL_PORT": "5999",
        "BAKEROLL_LOCAL_COMMAND": "fab local.",
    }

    assert to_environment(from_environment(given)) == given
    assert from_environment({}) == Config()


@pytest.mark.parametrize(
    ("name", "value"),
    [("BRIDGE", "a-b"), ("BRIDGE", "much-too-long-a-name"), ("NETWORK", "10.77.0.0/24"), ("NETWORK", "8.8.0.0/16"),
     ("NETWORK", "169.254.0.0/16"), ("NETWORK", "127.0.0.0/16"), ("NETWORK", "198.18.0.0/16"), ("NETWORK", "here"),
     ("PORT", "80"), ("PORT", "x"), ("PORT", "٥٦٠٠"), ("PORT", "56²0"), ("PORT", "5" * 5000)],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(LocalCloudError, match=f"{name}={value}" if value != "here" else "settings"):
        from_environment({f"BAKEROLL_LOCAL_{name}": value})


def test_the_endpoint_is_exported_for_every_aws_client() -> None:
    assert endpoint(Config(port=5999)).environment()["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5999"


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
