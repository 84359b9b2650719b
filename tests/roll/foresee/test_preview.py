"""What a dry run and status say of a roll, from the fleet itself."""

import pytest

from bakeroll.roll.foresee.preview import preview
from bakeroll.roll.operate.status import status
from bakeroll.roll.simulate.model import world
from bakeroll.roll.simulate.ports import ports
from tests.roll.scene import GOOD, POLICY, goal, rolled


def test_a_preview_names_what_is_replaced_by_what() -> None:
    said = preview("links-dev", goal(), POLICY, ports(world(2, GOOD)))

    assert said == "replace in links-dev 2 × ami-old by 2 × ami-new, surge 2, floor 2"


def test_a_preview_of_what_serves_already_changes_nothing() -> None:
    fleet = world(2, GOOD)
    rolled(fleet)

    assert preview("links-dev", goal(), POLICY, ports(fleet)) == "change nothing: 2.0-1 serves already, 2 in service"


def test_a_preview_changes_nothing() -> None:
    fleet = world(2, GOOD)

    preview("links-dev", None, POLICY, ports(fleet))

    assert (fleet.table, len(fleet.machines)) == ({}, 2)


def test_status_tells_a_roll_that_was_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = world(2, GOOD)
    monkeypatch.setattr("bakeroll.roll.run.loop.Loop.run", lambda _: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        rolled(fleet)

    found = status("links-dev", ports(fleet), 8000, "/version").roll

    assert found is not None
    assert (found.version, found.by, found.is_cut_off) == ("2.0-1", "ops@build-7", True)


def test_status_tells_no_roll_where_the_last_has_ended() -> None:
    fleet = world(2, GOOD)
    rolled(fleet)

    found = status("links-dev", ports(fleet), 8000, "/version")

    assert (found.roll, found.in_service, found.launches) == (None, 2, "ami-new")
