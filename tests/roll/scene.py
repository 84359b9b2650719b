"""A fleet in memory, and rolls of it."""

from datetime import UTC, datetime
from typing import Any

from bakeroll.events import Event
from bakeroll.release import Release
from bakeroll.roll.model import Behaviour, World, ports, world
from bakeroll.roll.owner import Owner
from bakeroll.roll.ports import Ports
from bakeroll.roll.record import Goal
from bakeroll.roll.roll import Outcome, Poll, roll
from bakeroll.settings import Policy

GOOD = {"ami-old": Behaviour("1.0-1"), "ami-new": Behaviour("2.0-1"), "ami-next": Behaviour("3.0-1")}
SICK = GOOD | {"ami-new": Behaviour("2.0-1", is_sick=True)}
POLICY = Policy(in_service_timeout=20, drain_timeout=20)


def goal(image: str = "ami-new", version: str = "2.0-1") -> Goal:
    at = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
    return Goal("links-dev", Release("links", "dev", version, image, "1c9e2a7", "me", at), 8000, "/version")


def rolled(
    world: World,
    to: Goal | None = None,
    policy: Policy = POLICY,
    *,
    through: Ports | None = None,
    lines: list[str] | None = None,
    owner: str = "ops@build-7",
) -> Outcome:
    def report(event: Event) -> None:
        if lines is not None:
            lines.append(event.text)

    return roll(
        to or goal(),
        policy,
        through or ports(world),
        owner=Owner(owner),
        clock=world,
        report=report,
        poll=Poll(0.5, 2),
    )


def first_release(**changes: Any) -> World:
    """A group that wants two instances and whose template names an image that does not exist."""
    return world(2, {"ami-new": Behaviour("2.0-1"), "ami-next": Behaviour("3.0-1")}, serving=0, **changes)
