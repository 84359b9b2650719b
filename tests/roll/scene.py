"""A fleet in memory, and rolls of it."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bakeroll.events import Event
from bakeroll.release import Release
from bakeroll.roll.foresee.plan import Plan
from bakeroll.roll.foresee.preflight import Facts
from bakeroll.roll.ports import Ports
from bakeroll.roll.roller import RolledFleet, Roller
from bakeroll.roll.run.leader import Leader, Witness, unwitnessed
from bakeroll.roll.run.outcome import Outcome
from bakeroll.roll.run.poll import Poll
from bakeroll.roll.run.roll import roll
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.parts import Behaviour
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.owner import Owner, this_process
from bakeroll.roll.state.record import Goal
from bakeroll.roll.store.heartbeat import Beating
from bakeroll.settings import Policy
from tests.roll.fake_preflight import QUICK, FakePreflight

GOOD = {"ami-old": Behaviour("1.0-1"), "ami-new": Behaviour("2.0-1"), "ami-next": Behaviour("3.0-1")}
SICK = GOOD | {"ami-new": Behaviour("2.0-1", is_sick=True)}
POLL = Poll(0.5, 2)
FLEET = RolledFleet("links-dev", "links", "dev", 8000, "/version")
POLICY = Policy(in_service_timeout=20, drain_timeout=20)


def goal(image: str = "ami-new", version: str = "2.0-1") -> Goal:
    at = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
    return FLEET.goal(Release("links", "dev", version, image, "1c9e2a7", "me", at))


def rolled(  # noqa: PLR0913 (a test names the one or two that it is about)
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

    leader = Leader(through or ports(world), as_owner or Owner(owner), world, report, poll, witness=witness)
    return roll(to or goal(), policy, leader, is_resumed=is_resumed, patience=patience)


def roller(
    world: World,
    policy: Policy = POLICY,
    *,
    through: Ports | None = None,
    facts: Facts = QUICK,
    by: str = "me@laptop",
    beating: Beating = nullcontext,
) -> Roller:
    """A real Roller over the model."""

    def preflight(*_: object) -> FakePreflight:
        return FakePreflight(facts)

    made_of = through or ports(world)
    return Roller(FLEET, policy, made_of, world, this_process(by), preflight, "eu-west-1", POLL, beating)


def planned(
    fleet: World, policy: Policy, to: Goal | None = None, *, through: Ports | None = None, facts: Facts = QUICK
) -> Plan:
    to = to or goal()
    mine = replace(FLEET, target_groups=to.target_groups)
    its = replace(roller(fleet, policy, through=through, facts=facts), fleet=mine)
    return its.plan(to.release)


def first_release(**changes: Any) -> World:
    """A group that desires two instances and whose template names an image that does not exist."""
    return world(2, {"ami-new": Behaviour("2.0-1"), "ami-next": Behaviour("3.0-1")}, serving=0, **changes)
