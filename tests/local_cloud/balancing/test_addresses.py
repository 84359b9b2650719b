"""Each load balancer has an address of its own, also those that are made at the same moment."""

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from local_cloud.balancing.addresses import Addresses
from local_cloud.config import Config
from local_cloud.host.network import Network


@pytest.fixture
def addresses(mocker: MockerFixture) -> Addresses:
    """Nobody names the address yet that was handed out."""
    return Addresses(Config(state=Path("/nonexistent")), mocker.create_autospec(Network, instance=True), list)


def test_an_address_is_handed_out_once_though_nobody_names_it_yet(addresses: Addresses) -> None:
    assert addresses.take() != addresses.take()


def test_an_address_that_was_given_back_is_handed_out_again(addresses: Addresses) -> None:
    first = addresses.take()

    addresses.give_back(first)

    assert addresses.take() == first
