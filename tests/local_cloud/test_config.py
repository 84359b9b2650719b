"""Where a cloud lives, by its environment."""

import pytest

from local_cloud.config import Config, endpoint, from_environment, to_environment
from local_cloud.errors import LocalCloudError


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
