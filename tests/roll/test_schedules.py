"""Random fleets, random misfortunes, random crashes: the promises hold at every call.

The same few hundred schedules each time; BAKEROLL_SCHEDULES=10000 plays so many new ones.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.roll.schedule import NEW, Happening, Run, Schedule, play

NUMBER = int(os.environ.get("BAKEROLL_SCHEDULES", "0"))

happenings = st.builds(
    Happening,
    time=st.integers(0, 60).map(lambda half: half / 2),
    what=st.sampled_from(["raise", "lower", "kill", "terminate", "flap", "full", "edit"]),
    which=st.integers(0, 7),
)
troubles = st.tuples(st.integers(1, 400), st.sampled_from(["refused", "lost", "passing", "passing lost"]))
runs = st.builds(
    Run,
    image=st.sampled_from(["ami-new", "ami-new", "ami-new", "ami-next", "ami-old"]),
    troubles=st.lists(troubles, max_size=4, unique_by=lambda each: each[0]).map(tuple),
    dies_at=st.none() | st.integers(1, 400),
    dies_after=st.booleans(),
)
schedules = st.builds(
    Schedule,
    desired=st.integers(0, 6),
    lacking=st.sampled_from([0, 0, 0, 1, 2, 6]),
    minimum=st.integers(0, 3),
    spare=st.sampled_from([0, 1, 2, 8]),
    surge=st.sampled_from(["100%", "100%", 1, 2, "50%", 0]),
    unavailable=st.sampled_from([0, 0, 1]),
    checks=st.sampled_from([1, 2]),
    template=st.sampled_from(["1", "1", "$Latest"]),
    new=st.sampled_from(["good", "good", *NEW]),
    happenings=st.lists(happenings, max_size=4).map(tuple),
    runs=st.lists(runs, min_size=1, max_size=3).map(tuple),
)


@settings(
    max_examples=NUMBER or 250,
    derandomize=not NUMBER,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(schedules)
def test_every_promise_holds_whatever_happens(schedule: Schedule) -> None:
    play(schedule)


FOUND: dict[str, Schedule] = {
    "one dies before it is attached": Schedule(desired=1, spare=0, checks=1, new="dies"),
    "an old one is terminated in the moment of its retirement": Schedule(
        desired=1, spare=0, new="slow", template="$Latest", happenings=(Happening(24.5, "terminate"),)
    ),
    "somebody lowers desired capacity while the roll lowers it": Schedule(
        desired=4,
        lacking=6,
        spare=0,
        checks=1,
        happenings=(Happening(8.0, "lower"),),
        runs=(Run(troubles=((8, "lost"),)),),
    ),
    "backing out after the group replaced an old one": Schedule(
        surge=1,
        spare=0,
        checks=1,
        happenings=(Happening(14.5, "kill"), Happening(25.0, "full")),
        runs=(Run(troubles=((8, "lost"),)),),
    ),
    "backing out over what a dead roll to something else launched": Schedule(
        lacking=1, spare=0, checks=1, new="sick", runs=(Run("ami-next", dies_at=71), Run("ami-new"))
    ),
    "a dead one is left in one of two target groups": Schedule(
        desired=0,
        lacking=1,
        spare=0,
        checks=1,
        template="$Latest",
        new="sick",
        happenings=(Happening(0.0, "raise"), Happening(21.5, "terminate")),
        runs=(Run(troubles=((101, "refused"), (131, "lost"))),),
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_long_runs_found_stays_mended(name: str) -> None:
    play(FOUND[name])
