"""Documents of the table, damaged or of a newer writer: those who look tell, and those who act refuse or end."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakeroll import operations, pipeline, survey
from bakeroll.console.plan import doctor_lines
from bakeroll.console.tables import history_lines, status_lines
from bakeroll.errors import BakerollError
from bakeroll.release_request import ReleaseRequest
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.owner import this_process
from bakeroll.roll.store.history import write_release
from bakeroll.settings import Policy
from tests.fuzz.odd import TEXTS, mutated
from tests.pipeline.model_site import ModelSite, model_site
from tests.roll.cut import Cut, Killed
from tests.roll.scene import GOOD, POLICY, goal, rolled

pytestmark = pytest.mark.no_cover  # the same lines again and again, three times slower where they are counted

GONE = replace(this_process("ops@build-7"), pid=2**22 + 1)
NOW = datetime(2026, 1, 1, 13, tzinfo=UTC)
STRATEGIES: tuple[Any, ...] = ("surge", "rolling", "canary", "blue-green", "refresh")


@cache
def cut_off(strategy: Any, call: int) -> World:
    """A fleet whose roll died at a call, or ended before it, with every kind of document."""
    fleet, policy = world(2, GOOD), POLICY.model_copy(update={"strategy": strategy, "soak": 600})
    for version, image, year in (("1.0-1", "ami-old", 2024), ("3.0-1", "ami-next", 2025)):
        release = replace(goal(image, version).release, released_at=datetime(year, 1, 1, tzinfo=UTC))
        write_release(ports(fleet).table, release, release.released_at.isoformat())
    died(fleet, policy, call)
    site = model_site(fleet)
    if record := site.roller.steering.open_record():
        site.roller.steering.ask("pause", record, 5)
    return fleet


def died(fleet: World, policy: Policy, call: int) -> None:
    try:
        rolled(fleet, policy=policy, through=Cut(call).ports(ports(fleet)), as_owner=GONE)
    except Killed:
        return


@st.composite
def fleets(draw: st.DrawFn) -> World:
    """One of whose documents is another than was written."""
    fleet = copy.deepcopy(cut_off(draw(st.sampled_from(STRATEGIES)), draw(st.integers(25, 120))))
    key = draw(st.sampled_from(sorted(fleet.table)))
    there = fleet.table[key]
    if draw(st.integers(0, 4)):
        raw, _ = draw(mutated(json.loads(there.body)))
        body = json.dumps(raw)
    else:
        body = draw(TEXTS)
    fleet.table[key] = replace(there, body=body, token=draw(st.sampled_from([there.token, "", "another"])))
    return fleet


def ended(deed: Callable[[], object]) -> str:
    """Empty where it ended well; what it was refused with. Nothing else may happen."""
    try:
        deed()
    except BakerollError as error:
        return f"{error.what}\n{error.left}\n{error.next_step}"
    return ""


@given(fleets())
def test_status_history_and_doctor_tell_what_can_be_read(fleet: World) -> None:
    site = model_site(fleet)

    status, history = survey.status(site), survey.history(site)
    doctor = operations.doctor(site, is_fixing=False, confirm=lambda _: None)

    lines = [*status_lines(status, NOW), *history_lines(history, NOW), *doctor_lines(doctor, NOW)]
    assert len(status["instances"]) >= 2
    assert len(history["releases"]) + len(history["unreadable"]) >= 2
    assert all(line.encode() for line in lines)


@given(
    fleets(),
    st.sampled_from(
        [
            lambda site: pipeline.lead(site, goal().release),
            lambda site: pipeline.lead(site, goal("ami-next", "3.0-1").release),
            lambda site: pipeline.rollback(site, ReleaseRequest()),
            lambda site: pipeline.rollback(site, ReleaseRequest("1.0-1")),
            lambda site: operations.doctor(site, is_fixing=True, confirm=lambda _: None),
            lambda site: operations.resume(site, lambda _: None),
            lambda site: operations.abort(site, lambda _: None),
            lambda site: operations.pause(site, 5),
        ]
    ),
)
def test_whatever_is_done_then_ends_or_is_refused(fleet: World, deed: Callable[[ModelSite], object]) -> None:
    said = ended(lambda: deed(model_site(fleet)))

    assert all(each.isprintable() or each == "\n" for each in said)
    assert len(said) < 5_000
