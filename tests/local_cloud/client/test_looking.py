"""What a person asks of a cloud that may be down, or of an instance that may be dead."""

from pathlib import Path

import pytest

from local_cloud.client import looking
from local_cloud.config import Config
from local_cloud.errors import LocalCloudError
from local_cloud.host import cgroup


def test_an_unknown_instance_is_answered_with_a_few_that_live_the_nearest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(state=tmp_path / "state", bridge="brnone")
    for dead in range(20):
        (config.instances / f"i-dead{dead:02}").mkdir(parents=True)
    monkeypatch.setattr(cgroup, "root", lambda: tmp_path)
    for name in ("i-0c0ffee1", "i-0c0ffee2", "i-4b1d0000", "i-4b1d0001", "i-4b1d0002", "i-4b1d0003", "i-4b1d0004"):
        (cgroup.of_cloud("brnone") / name).mkdir(parents=True)

    with pytest.raises(LocalCloudError) as refused:
        looking.must_be_there(config, "i-0c0ffee3")

    said = refused.value.what
    assert "There are: i-0c0ffee" in said
    assert said.endswith(", and 2 more.")
    assert "dead" not in said
    assert said.count("i-") == 6


def test_a_dead_instance_s_log_is_there_as_long_as_it_is_kept(tmp_path: Path) -> None:
    config = Config(state=tmp_path, bridge="brnone")
    (config.instances / "i-dead").mkdir(parents=True)
    (config.instances / "i-dead" / "console.log").write_text("its last words\n")

    assert list(looking.logs(config, "i-dead")) == ["its last words"]
