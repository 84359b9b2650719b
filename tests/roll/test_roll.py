"""Whole rolls over the cloud in memory, in milliseconds."""

from datetime import UTC, datetime

import pytest

from bakeroll.release import Release
from bakeroll.roll.model import Behaviour, ports, world
from bakeroll.roll.owner import Owner
from bakeroll.roll.record import Goal
from bakeroll.roll.roll import roll
from bakeroll.settings import Policy


def goal(image="ami-new", version="2.0-1"):
    return Goal(
        "links-dev",
        Release("links", "dev", version, image, "abc", "me", datetime(2026, 1, 1, tzinfo=UTC)),
        8000,
        "/version",
    )


@pytest.mark.parametrize("n", [1, 2, 4])
def test_x(n):
    w = world(n, {"ami-old": Behaviour("1.0-1"), "ami-new": Behaviour("2.0-1")})
    out = roll(goal(), Policy(), ports(w), owner=Owner("me"), clock=w, report=lambda e: print(w.time, e.text))
    print(out, w.group, w.lifecycles)
    assert w.group.desired == n
    w.sleep(60)
    assert [w.machines[i].instance.image for i in w.lifecycles] == ["ami-new"] * n
