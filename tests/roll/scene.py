"""A fleet in memory, and rolls of it."""

from datetime import UTC, datetime
from typing import Any

from bakeroll.events import Event
from bakeroll.release import Release
from bakeroll.roll.ports import Ports
from bakeroll.roll.run.loop import Outcome, Poll, Witness, unwitnessed
from bakeroll.roll.run.roll import roll
from bakeroll.roll.simulate.model import Behaviour, World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.owner import Owner
from bakeroll.roll.state.record import Goal
from bakeroll.settings import Policy

GOOD = {"ami-old": Behaviour("1.0-1"), "ami-new": Behaviour("2.0-1"), "ami-next": Behaviour("3.0-1")}
SICK = GOOD | {"ami-new": Behaviour("2.0-1", is_sick=True)}
POLL = Poll(0.5, 2)
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
    poll: Poll = POLL,
    as_owner: Owner | None = None,
    is_resumed: bool = False,
    patience: float = 0,
    witness: Witness = unwitnessed,
) -> Outcome:
    def report(event: Event) -> None:
        if lines is not None and event.kind != "scene":
            lines.append(event.text)

    return roll(
        to or goal(),
        policy,
        through or ports(world),
        owner=as_owner or Owner(owner),
        clock=world,
        report=report,
        poll=poll,
        is_resumed=is_resumed,
        patience=patience,
        witness=witness,
    )


def first_release(**changes: Any) -> World:
    """A group that wants two instances and whose template names an image that does not exist."""
    return world(2, {"ami-new": Behaviour("2.0-1"), "ami-next": Behaviour("3.0-1")}, serving=0, **changes)
