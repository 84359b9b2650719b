"""How many machines fit, and what becomes of those that do not."""

import ctypes
import os
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from pytest_mock import MockerFixture

from local_cloud.host import room as host
from tests.local_cloud.world import World


@pytest.fixture
def limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture) -> Path:
    """The sysctl, as a file of the test's."""
    monkeypatch.setattr(host, "_LIMIT", tmp_path / "max_user_instances")
    monkeypatch.setattr(host, "_available", lambda: 100 * 1024**3)
    mocker.patch.object(host, "_watches", return_value=8)
    host._LIMIT.write_text("128\n")
    return host._LIMIT


def test_as_many_machines_fit_as_systemds_can_watch_their_control_groups(limited: Path) -> None:
    assert (host.room(0, []).left, host.room(38, []).left, host.room(41, []).left) == (40, 2, 0)
    assert host.room(0, []).bound == "fs.inotify.max_user_instances is 128"
    assert host.room(0, []).remedy == "sysctl fs.inotify.max_user_instances=1024"


def test_no_more_machines_fit_than_there_is_memory_for(limited: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_available", lambda: 120 * 1024**2)

    assert host.room(0, []) == host.Room(2, "120 MB of memory are free", "free some memory")


def test_what_a_process_watches_is_counted() -> None:
    libc, this = ctypes.CDLL(None), Path("/proc/self")
    before = host._of(this)

    opened = [libc.inotify_init() for _ in range(3)]

    try:
        assert host._of(this) == before + 3
    finally:
        for descriptor in opened:
            os.close(descriptor)


def test_a_launch_that_does_not_fit_is_refused_in_awss_words_with_the_sysctl(world: World) -> None:
    world.cloud.left = 2

    with pytest.raises(
        ClientError, match=r"InstanceLimitExceeded.*room for 2: there is little.*sysctl more=1"
    ) as error:
        launch(world, 3, 99_999)

    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert world.cloud.machines.states == {}


def test_a_launch_takes_what_fits_where_that_is_enough(world: World) -> None:
    world.cloud.left = 2

    assert len(launch(world, 1, 99_999)) == 2


def launch(world: World, least: int, most: int) -> list[str]:
    made = world.ec2.run_instances(
        LaunchTemplate={"LaunchTemplateName": "links"}, MinCount=least, MaxCount=most, ImageId="ami-0ba5e000000000001"
    )
    return [each["InstanceId"] for each in made["Instances"]]


def test_a_group_that_is_refused_room_says_so_and_goes_on(world: World) -> None:
    world.cloud.left = 1

    world.scale()

    assert len(world.members()) == 1
    assert any("there is little" in each.get("StatusMessage", "") for each in world.activities())
