"""What operators do around a roll, over the cloud in memory: resume, abort, doctor; and how it is told."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bakeroll import operations, pipeline, survey
from bakeroll.console.plan import doctor_lines, plan_lines, steered_lines
from bakeroll.errors import ConfirmationNeeded, RolledBack, RollFailed
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.owner import this_process
from bakeroll.roll.store.ended import EndedRoll
from tests.pipeline.model_site import ModelSite, model_site
from tests.roll.cut import Cut, Killed
from tests.roll.scene import GOOD, POLICY, SICK, goal, rolled
from tests.roll.watch import Watch

GONE = replace(this_process("ops@build-7"), pid=2**22 + 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def cut_off(call: int) -> tuple[ModelSite, Watch]:
    fleet = world(2, GOOD)
    watch = Watch.of(fleet)
    with pytest.raises(Killed):
        rolled(fleet, through=Cut(call, watch=watch).ports(ports(fleet)), as_owner=GONE)
    return model_site(fleet), watch


def agree(_: str) -> None:
    pass


def refuse(_: str) -> None:
    raise ConfirmationNeeded("no")


def test_a_roll_that_was_cut_off_is_led_on_by_who_resumes_it() -> None:
    site, watch = cut_off(60)

    found = operations.resume(site, agree)

    assert found["release"]["version"] == "2.0-1"
    watch.ended("ami-new", 2)


def test_a_roll_that_was_cut_off_is_backed_out_by_who_aborts_it() -> None:
    site, watch = cut_off(60)

    found = operations.abort(site, agree)

    assert list(steered_lines(found, NOW)) == [
        "links-dev: the roll to 2.0-1 is aborted.",
        "See the fleet: fab status --env=dev",
    ]
    watch.ended("ami-old", 2)


@pytest.mark.parametrize("operation", [operations.resume, operations.abort])
def test_nothing_is_changed_without_the_word_that_is_wanted(operation: Any) -> None:
    site, _ = cut_off(60)
    before = dict(site.fleet.table)

    with pytest.raises(ConfirmationNeeded):
        operation(site, refuse)

    assert site.fleet.table == before


@pytest.mark.parametrize(("call", "image"), [(60, "ami-old"), (130, "ami-new")])
def test_the_doctor_mends_a_dead_roll_back_before_its_commit_point_and_on_after_it(call: int, image: str) -> None:
    site, watch = cut_off(call)

    looked = operations.doctor(site, is_fixing=False, confirm=refuse)
    mended = operations.doctor(site, is_fixing=True, confirm=agree)

    assert [each["kind"] for each in looked["ailments"]] == ["cut off"]
    assert list(doctor_lines(looked, NOW))[-1] == "Repair it: fab doctor --env=dev --fix"
    assert [each["kind"] for each in mended["mended"]] == ["cut off"]
    assert mended["ailments"] == []
    assert list(doctor_lines(mended, NOW))[-1] == "links-dev: nothing is wrong."
    watch.ended(image, 2)


@pytest.mark.parametrize("call", range(25, 140, 5))
def test_status_names_the_way_that_the_doctor_goes(call: int) -> None:
    site, watch = cut_off(call)

    step = survey.next_step("dev", None, site.roller.status())
    operations.doctor(site, is_fixing=True, confirm=agree)

    goes_on = step == "It is past its commit point. Finish it: fab doctor --env=dev --fix"
    goes_back = step == "Back it out: fab doctor --env=dev --fix      Continue it instead: fab resume --env=dev"
    assert goes_on is not goes_back
    watch.ended("ami-new" if goes_on else "ami-old", 2)


def test_the_doctor_leads_on_a_roll_whose_pause_nobody_ended() -> None:
    site, watch = cut_off(130)
    site.roller.steering.ask("pause", site.roller.steering.record(), minutes=1)
    site.fleet.sleep(600)

    operations.doctor(site, is_fixing=True, confirm=agree)

    watch.ended("ami-new", 2)


def test_times_that_people_read_have_whole_seconds() -> None:
    site, _ = cut_off(60)
    site.fleet.sleep(0.123456)
    soaks = model_site(world(2, GOOD), POLICY.model_copy(update={"soak": 30.5}))
    rolled(soaks.fleet, policy=soaks.environment.policy)
    soaks.fleet.sleep(60)

    said = [*doctor_lines(operations.doctor(site, is_fixing=False, confirm=agree), NOW)]
    said += doctor_lines(operations.doctor(soaks, is_fixing=False, confirm=agree), NOW)

    assert said[0].startswith("✗ the roll to 2.0-1 of 12:00:0")
    assert re.fullmatch(r"✗ 2 instances stood by until 12:0\d:\d\d and are not retired", said[3])
    assert not [each for each in said if re.search(r"\d\.\d{3,}", each)]


def test_history_keeps_a_roll_that_was_aborted_apart_from_the_releases() -> None:
    site, _ = cut_off(60)

    operations.abort(site, agree)
    found = survey.history(site)

    assert found["releases"] == []
    roll = found["rolls"][0]
    assert (roll["version"], roll["image"], roll["by"], roll["revision"]) == ("2.0-1", "ami-new", "me", "1c9e2a7")
    assert (roll["outcome"], roll["why"]) == ("aborted", "aborted by me@laptop")
    assert roll["began"] < roll["at"]
    assert site.fleet.now() - datetime.fromisoformat(roll["at"]) < timedelta(seconds=3)


def test_history_tells_that_a_roll_failed_and_in_one_line_why() -> None:
    site = model_site(world(2, SICK))
    with pytest.raises(RolledBack):
        pipeline.lead(site, goal().release)

    roll = survey.history(site)["rolls"][0]

    assert (roll["outcome"], roll["why"]) == (
        "failed",
        "i-0002 was not in service after 20 s: unhealthy, Target.ResponseCodeMismatch 503",
    )


def test_history_tells_that_a_roll_was_interrupted_and_that_one_was_taken_over() -> None:
    fleet = world(2, GOOD)
    with pytest.raises(KeyboardInterrupt):
        rolled(fleet, through=Cut(60, error=KeyboardInterrupt).ports(ports(fleet)), as_owner=GONE)
    with pytest.raises(Killed):
        rolled(fleet, through=Cut(60).ports(ports(fleet)), as_owner=GONE)
    rolled(fleet, goal("ami-next", "3.0-1"), as_owner=this_process("ops@desk"))

    found = survey.history(model_site(fleet))

    assert [each["version"] for each in found["releases"]] == ["3.0-1"]
    assert [(each["outcome"], each["why"]) for each in found["rolls"]] == [
        ("taken over", "cut off, and me rolled to 3.0-1 in its place"),
        ("interrupted", "interrupted"),
    ]


@pytest.mark.parametrize("has_effect", [True, False])
def test_a_roll_that_died_while_it_wrote_its_end_is_told_once(has_effect: bool) -> None:
    def failing(call: int | None) -> tuple[World, Cut]:
        fleet = world(1, SICK)
        cut = Cut(call, has_effect=has_effect)
        with pytest.raises((RolledBack, Killed)):
            rolled(fleet, through=cut.ports(ports(fleet)), as_owner=GONE)
        return fleet, cut

    writes = [n for n, name in enumerate(failing(None)[1].calls, 1) if name == "put"][-4:]
    assert len(writes) == 4
    for call in writes:
        site = model_site(failing(call)[0])
        operations.doctor(site, is_fixing=True, confirm=agree)

        assert [each.outcome for each in site.roller.ended_rolls() if isinstance(each, EndedRoll)] == ["failed"]


def test_a_release_that_a_roll_failed_to_bring_is_none_to_go_back_to() -> None:
    site = model_site(world(2, SICK))
    with pytest.raises(RolledBack):
        pipeline.lead(site, goal().release)

    outcome = pipeline.serve(site, goal("ami-next", "3.0-1").release, pipeline.Stopwatch())

    assert (outcome["release"]["version"], outcome["before"]) == ("3.0-1", None)
    assert site.fleet.now() - datetime.fromisoformat(outcome["release"]["at"]) < timedelta(seconds=3)


def test_the_doctor_gives_back_the_lease_of_a_dead_process_and_takes_strays_away() -> None:
    site, watch = cut_off(11)  # it has the lease, and nothing written
    tags = {"bakeroll:roll": "lost", "bakeroll:application": "links", "bakeroll:environment": "dev"}
    stray = site.fleet.start("ami-new", "a", tags)

    mended = operations.doctor(site, is_fixing=True, confirm=agree)

    assert [each["kind"] for each in mended["mended"]] == ["lease", "stray"]
    site.fleet.sleep(5)
    assert site.roller.examine().ailments == ()
    assert site.fleet.machines[stray].instance.state == "terminated"
    watch.ended("ami-old", 2)


def test_a_soak_that_is_over_is_mended() -> None:
    site = model_site(world(2, GOOD), POLICY.model_copy(update={"soak": 30}))
    watch = Watch.of(site.fleet)
    rolled(site.fleet, policy=site.environment.policy)
    site.fleet.sleep(60)

    mended = operations.doctor(site, is_fixing=True, confirm=agree)

    assert [each["kind"] for each in mended["mended"]] == ["soak"]
    assert mended["ailments"] == []
    assert len(site.roller.history()) == 1
    watch.ended("ami-new", 2)


def test_pausing_what_is_not_rolled_is_refused() -> None:
    with pytest.raises(RollFailed, match="is not being rolled"):
        operations.pause(model_site(world(2, GOOD)), 10)


def test_a_plan_is_told_as_operators_read_it() -> None:
    found = {
        "application": "links",
        "environment": "prod",
        "where": "account 2, eu-west-1",
        "now": "1.4.0-1",
        "then": "1.5.0-1",
        "fleet": "links-prod",
        "image": "ami-1",
        "old": {"ami-0": 12},
        "strategy": "surge",
        "launcher": "roller",
        "because": "beside the group",
        "desired": 12,
        "surge": 12,
        "floor": 12,
        "peak": 24,
        "seconds": 160.0,
        "last_seconds": 151.0,
        "calls": 96,
        "extra_hours": 0.6,
        "usd": 0.07,
        "dated": "2026-01-19",
        "steps": ("make a launch template version", "launch 12 instances"),
        "findings": ({"level": "ok", "text": "template valid"}, {"level": "warning", "text": "alarm x is in ALARM"}),
        "why": "",
        "is_needed": True,
        "warm": 3,
    }

    assert list(plan_lines(found, NOW, is_whole=True)) == [
        "links: prod, account 2, eu-west-1",
        "  now       1.4.0-1   12 × ami-0",
        "  then      1.5.0-1   12 × ami-1",
        "  fleet     links-prod",
        "  launched  by the roller: beside the group",
        "  the roll  surge, surge 12, floor 12, peak 24 instances, about 2 min 40 s (last: 2 min 31 s), "
        "+0.60 instance-hours, ≈ $0.07 (prices of 2026-01-19), 96 API calls, 2 steps",
        "  warm      3 in the pool; the roll replaces them when the group launches ami-1",
        "  checks    ✓ template valid",
        "            ! alarm x is in ALARM",
        "    1  make a launch template version",
        "    2  launch 12 instances",
        "Nothing was changed. Roll it: fab roll --env=prod --version=1.5.0-1",
    ]
