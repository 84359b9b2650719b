"""The end of a cloud that is down: what is deleted, and what is not."""

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from local_cloud.client import control
from local_cloud.config import Config
from local_cloud.errors import LocalCloudError


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A cloud that is down and holds something."""
    config = Config(state=tmp_path / "state", cache=tmp_path / "cache", bridge="brnone")
    for directory in (config.state, config.cache):
        directory.mkdir()
        (directory / "lock").touch()
    return config


def test_a_reset_deletes_what_the_cloud_holds_and_leaves_what_clouds_share(
    config: Config, mocker: MockerFixture
) -> None:
    down = mocker.patch.object(control, "down", autospec=True)

    control.reset(config, lambda _: None)

    assert down.called
    assert not config.state.exists()
    assert config.cache.exists()


def test_a_reset_deletes_the_source_image_where_it_is_told_to(config: Config, mocker: MockerFixture) -> None:
    mocker.patch.object(control, "down", autospec=True)

    control.reset(config, lambda _: None, cache=True)

    assert not config.cache.exists()


def test_a_reset_touches_no_other_programs_folder(config: Config, mocker: MockerFixture) -> None:
    down = mocker.patch.object(control, "down", autospec=True)
    (config.state / "lock").rename(config.state / "thesis.txt")

    with pytest.raises(LocalCloudError, match="holds other things"):
        control.reset(config, lambda _: None)

    assert not down.called
    assert (config.state / "thesis.txt").exists()
