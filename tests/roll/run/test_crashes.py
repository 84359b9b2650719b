"""A release whose service fails again and again is not waited for, and looking for that costs little."""

import pytest

from bakeroll.errors import CloudError, RolledBack
from bakeroll.roll.run.crashes import LOOKS_SECONDS, crash_in
from bakeroll.roll.simulate.model import world
from bakeroll.roll.simulate.parts import Behaviour
from bakeroll.roll.simulate.ports import ports
from tests.roll.cut import Cut
from tests.roll.scene import GOOD, POLICY, rolled
from tests.roll.watch import Watch

LONG = POLICY.model_copy(update={"in_service_timeout": 300})
CRASHING = GOOD | {"ami-new": Behaviour("", crashes=1.5)}


def failures(*counts: int, unit: str = "links.service") -> str:
    return "".join(f"bakeroll: {unit} ended with exit-code 1, failure {count} since boot\n" for count in counts)


@pytest.mark.parametrize(
    ("console", "told"),
    [
        ("", ""),
        (failures(1, 2, 3, 4), ""),
        (failures(1, 2, 3, 4, 5), "links.service ended with exit-code 1, 5 times"),
        (failures(4, 5, 6, 7), "links.service ended with exit-code 1, 7 times"),
        (failures(5).replace("\n", "\r\n"), "links.service ended with exit-code 1, 5 times"),
        (failures(9) + failures(1), ""),
        (
            failures(1) + failures(5, unit="links-worker.service"),
            "links-worker.service ended with exit-code 1, 5 times",
        ),
        ("links[412]: " + failures(5), ""),
    ],
    ids=[
        "nothing",
        "fewer than five",
        "five",
        "the last count",
        "a serial line",
        "since the last boot alone",
        "each unit by itself",
        "not what a program said in its name",
    ],
)
def test_a_console_tells_what_failed_too_often(console: str, told: str) -> None:
    assert crash_in(console) == told


def test_a_release_that_crashes_again_and_again_is_taken_away_at_once_with_its_console() -> None:
    fleet = world(2, CRASHING)
    watch = Watch.of(fleet)

    told = r"i-000[23] does not come into service: links\.service ended with exit-code 1, \d times"
    with pytest.raises(RolledBack, match=told) as error:
        rolled(fleet, policy=LONG, through=Cut(watch=watch).ports(ports(fleet)))

    assert error.value.exit_code == 3
    assert "last lines of its console:" in error.value.what
    assert fleet.time < 30
    watch.ended("ami-old", 2)


def test_one_that_crashes_seldom_is_waited_for() -> None:
    fleet = world(2, GOOD | {"ami-new": Behaviour("", crashes=6)})

    with pytest.raises(RolledBack, match="was not in service after 20 s"):
        rolled(fleet)


def test_consoles_are_looked_at_one_by_one_whatever_the_size_of_the_fleet() -> None:
    fleet, cut = world(40, GOOD | {"ami-new": Behaviour("")}, maximum=80), Cut()

    with pytest.raises(RolledBack):
        rolled(fleet, policy=POLICY, through=cut.ports(ports(fleet)))

    looks = cut.calls.count("console")
    assert 2 <= looks <= POLICY.in_service_timeout / LOOKS_SECONDS + 1  # the last for what the failure shows


def test_no_console_of_a_release_that_comes_into_service_soon_is_looked_at() -> None:
    fleet, cut = world(4, GOOD), Cut()

    rolled(fleet, through=cut.ports(ports(fleet)))

    assert "console" not in cut.calls


def test_a_console_that_aws_does_not_give_ends_no_roll() -> None:
    fleet, cut = world(2, CRASHING), Cut()
    denied = 0

    def deny() -> None:
        nonlocal denied
        if cut.calls[-1] == "console":
            denied += 1
            raise CloudError("GetConsoleOutput: UnauthorizedOperation")

    cut.watch = deny
    with pytest.raises(RolledBack, match="was not in service after 20 s"):
        rolled(fleet, through=cut.ports(ports(fleet)))

    assert denied
