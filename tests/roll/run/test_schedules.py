"""Random fleets, random misfortunes, random crashes: the promises hold at every call.

The same few hundred schedules each time; BAKEROLL_SCHEDULES=10000 plays so many new ones.
"""

import os
from typing import get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.roll.happening import Deed, Happening
from tests.roll.schedule import NEW, STRATEGIES, Run, Schedule, play

NUMBER = int(os.environ.get("BAKEROLL_SCHEDULES", "0"))

happenings = st.builds(
    Happening,
    time=st.integers(0, 80).map(lambda half: half / 2),
    what=st.sampled_from(get_args(Deed)),
    which=st.integers(0, 7),
)
troubles = st.tuples(st.integers(1, 400), st.sampled_from(["refused", "lost", "passing", "passing lost"]))
runs = st.builds(
    Run,
    image=st.sampled_from(["ami-new", "ami-new", "ami-new", "ami-next", "ami-old"]),
    strategy=st.sampled_from(["", "", "", *STRATEGIES]),
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
    strategy=st.sampled_from(STRATEGIES),
    soak=st.sampled_from([0, 0, 30]),
    hooks=st.sampled_from([False, False, True]),
    targets=st.sampled_from(["instance", "ip", "ip", "classic"]),
    launches_from=st.sampled_from([*["launch template"] * 3, "mixed instances policy", "launch configuration"]),
    hidden=st.sampled_from([0, 0, 0, 2, 8]),
    notice=st.sampled_from([0, 0, 0, 6]),
    stale=st.sampled_from([0, 0, 0, 2]),
    refresh_ends=st.sampled_from(["", "", "Failed"]),
    suspended=st.sampled_from([(), (), ("AZRebalance",), ("AlarmNotification",)]),
    warm=st.sampled_from([0, 0, 0, 1, 3]),
    happenings=st.lists(happenings, max_size=4).map(tuple),
    runs=st.lists(runs, min_size=1, max_size=3).map(tuple),
).filter(lambda each: not each.warm or "blue-green" not in (each.strategy, *(run.strategy for run in each.runs)))
"""Blue-green is refused with a warm pool."""


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
    "somebody has one stand by that the roll had just brought back": Schedule(
        desired=1,
        lacking=0,
        minimum=2,
        spare=0,
        surge=0,
        unavailable=0,
        checks=2,
        template="1",
        new="slow",
        strategy="rolling",
        soak=30,
        hooks=False,
        targets="ip",
        launches_from="mixed instances policy",
        hidden=0,
        refresh_ends="",
        suspended=("AlarmNotification",),
        happenings=(Happening(time=25.0, what="replaced standby", which=4), Happening(time=23.5, what="lack", which=6)),
        runs=(
            Run(
                image="ami-next",
                strategy="",
                troubles=((349, "passing"), (205, "passing lost"), (104, "passing lost")),
                dies_at=None,
                dies_after=True,
            ),
            Run(image="ami-old", strategy="", troubles=(), dies_at=None, dies_after=False),
        ),
    ),
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
    "old ones killed while a dead roll's sick one is taken away have all their time to serve": Schedule(
        desired=3,
        new="sick",
        targets="ip",
        launches_from="launch configuration",
        happenings=(Happening(33.0, "kill", 6),),
        runs=(Run(dies_at=195),),
    ),
    "one that soaks is brought back and soaks again": Schedule(
        desired=6,
        surge=1,
        soak=30,
        launches_from="launch configuration",
        happenings=(Happening(26.5, "edit"),),
        runs=(Run("ami-next"),),
    ),
    "a dead blue-green roll that had switched is rolled back over a killed old one": Schedule(
        desired=3,
        strategy="blue-green",
        happenings=(Happening(19.5, "kill", 7),),
        runs=(Run("ami-next", dies_at=122, dies_after=True), Run("ami-old")),
    ),
    "a blue-green roll takes over with the surge of a dead one": Schedule(
        runs=(Run(dies_at=143), Run("ami-old", "blue-green"))
    ),
    "a refresh takes over from a dead one to something else": Schedule(
        new="sick", strategy="refresh", runs=(Run(dies_at=128, dies_after=True), Run("ami-old"))
    ),
    "EC2 does not show yet what the group launched": Schedule(new="other", strategy="refresh", hidden=8),
    "what the group launches dies before EC2 shows it": Schedule(new="dies", strategy="rolling", hidden=20),
    "surplus that goes is no death": Schedule(
        desired=6, lacking=2, strategy="rolling", happenings=(Happening(14.5, "edit", 1),)
    ),
    "somebody edits the template of a group that took over": Schedule(
        strategy="blue-green", happenings=(Happening(14.5, "edit", 1),)
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
    "three of the second group die when the old one has drained": Schedule(
        desired=5, checks=1, new="slow", strategy="blue-green", happenings=(Happening(23.0, "zone", 5),)
    ),
    "an empty fleet has no canary to watch": Schedule(desired=0, strategy="canary"),
    "a refresh of a fleet that was not whole fails": Schedule(
        strategy="refresh", refresh_ends="Failed", happenings=(Happening(0.0, "zone", 1),)
    ),
    "a group describes itself as it was before its refresh failed": Schedule(
        desired=0, strategy="refresh", stale=2, refresh_ends="Failed", runs=(Run(dies_at=35),)
    ),
    "a group does not show yet that it launches from another version": Schedule(
        desired=3, lacking=6, new="dies", strategy="refresh", stale=2
    ),
    "what the group launches dies for ever, one after the other": Schedule(
        desired=1,
        checks=1,
        new="dies",
        strategy="rolling",
        suspended=("AZRebalance",),
        happenings=(Happening(37.5, "raise"),),
        runs=(Run(), Run("ami-old", troubles=((54, "refused"),)), Run()),
    ),
    "one dies in the moment in which it is to stand by": Schedule(
        spare=0,
        unavailable=1,
        strategy="rolling",
        soak=30,
        happenings=(Happening(33.5, "kill", 1),),
        runs=(Run("ami-old"), Run(dies_at=152)),
    ),
    "a dead roll is backed out over what its own version was found as": Schedule(
        desired=1,
        lacking=6,
        checks=1,
        new="sick",
        strategy="blue-green",
        stale=2,
        runs=(Run("ami-next", dies_at=129, dies_after=True), Run(strategy="rolling")),
    ),
    "a group lists a dead one as its member": Schedule(
        desired=1, unavailable=1, new="dies", strategy="rolling", soak=30, stale=2
    ),
    "a blue-green roll is backed out over a straggler of the same release": Schedule(
        desired=1,
        lacking=1,
        new="stuck",
        hooks=True,
        runs=(Run(dies_at=55, dies_after=True), Run(strategy="blue-green", dies_at=128, dies_after=True)),
    ),
    "one dies in the group when its successor serves": Schedule(
        spare=0, surge=0, checks=1, strategy="canary", suspended=("AZRebalance",), happenings=(Happening(27.5, "kill"),)
    ),
    "one of several that leave at once dies before its turn": Schedule(
        desired=5,
        lacking=6,
        unavailable=1,
        checks=1,
        hooks=True,
        stale=2,
        suspended=("AZRebalance",),
        happenings=(Happening(38.0, "zone", 1),),
        runs=(Run("ami-next", troubles=((51, "refused"),)), Run(strategy="rolling", dies_at=178, dies_after=True)),
    ),
    "more is wanted since a dead roll chose one to go": Schedule(
        desired=1,
        strategy="rolling",
        targets="ip",
        hidden=8,
        happenings=(Happening(4.5, "standby", 5), Happening(14.5, "raise", 6)),
        runs=(Run(dies_at=131),),
    ),
    "somebody raises desired capacity while the maximum is put back, and lowers it again": Schedule(
        desired=4,
        spare=0,
        surge="50%",
        hooks=True,
        targets="ip",
        happenings=(Happening(29.5, "raise", 3), Happening(32.5, "standby")),
        runs=(Run(troubles=((141, "refused"),)),),
    ),
    "a dead roll left its own among the members of a group that blue-green is to leave as it is": Schedule(
        desired=3,
        surge=0,
        new="other",
        strategy="blue-green",
        hidden=8,
        happenings=(Happening(31.5, "zone", 3),),
        runs=(Run("ami-next", "surge", dies_at=154), Run(dies_at=394, dies_after=True)),
    ),
    "old ones die before the refresh that fails": Schedule(
        desired=3,
        surge=0,
        strategy="refresh",
        refresh_ends="Failed",
        happenings=(Happening(1.0, "zone", 5),),
        runs=(Run("ami-old"), Run()),
    ),
    "the group that took over never serves, and the one before it does": Schedule(
        desired=3, checks=1, new="dies", strategy="blue-green", hooks=True, runs=(Run(dies_at=131),)
    ),
    "back to the group that was switched away from": Schedule(
        checks=1, new="dies", strategy="blue-green", hooks=True, runs=(Run(dies_at=131), Run("ami-old"))
    ),
    "what is gone back to dies for ever": Schedule(
        desired=0,
        new="dies",
        strategy="refresh",
        notice=6,
        hidden=8,
        refresh_ends="Failed",
        happenings=(Happening(7.0, "raise", 5),),
        runs=(Run(strategy="surge"), Run("ami-old")),
    ),
    "one that was brought back stands by again, and another takes its capacity": Schedule(
        desired=3,
        surge=1,
        new="stuck",
        soak=30,
        hooks=True,
        targets="ip",
        stale=2,
        runs=(Run("ami-next", troubles=((240, "passing"),), dies_at=370, dies_after=True), Run()),
    ),
    "one entered the group while it was kept from registering it": Schedule(
        warm=3, happenings=(Happening(5.0, "suspend", 4), Happening(32.5, "resume", 4)), runs=(Run(strategy="refresh"),)
    ),
    "a group misses late what it launches and what dies": Schedule(desired=1, new="dies", hooks=True, notice=6),
    "the end of a roll cannot be written at once": Schedule(
        desired=3,
        lacking=2,
        checks=1,
        hooks=True,
        suspended=("AZRebalance",),
        runs=(Run(troubles=((158, "passing lost"),), dies_at=231, dies_after=True),),
    ),
    "somebody edits the template that a dead roll's group was found with": Schedule(
        checks=1,
        happenings=(Happening(2.5, "lower", 4), Happening(30.5, "edit")),
        runs=(Run(strategy="blue-green", dies_at=131, dies_after=True), Run("ami-old")),
    ),
    "a zone lacks capacity while the last of a roll is done, and the group evens out its zones afterwards": Schedule(
        spare=0, checks=1, hidden=8, happenings=(Happening(0.0, "lack", 0), Happening(17.0, "lack", 0))
    ),
    "a group replaces one that is registered by address and notices it late": Schedule(
        targets="ip", notice=6, happenings=(Happening(8.0, "kill", 6),), runs=(Run("ami-next", strategy="rolling"),)
    ),
    "what a group launches dies, registered by address": Schedule(
        unavailable=1, new="dies", strategy="rolling", targets="ip"
    ),
    "AWS's instance refresh replaces what is registered by address": Schedule(strategy="refresh", targets="ip"),
    "a zone is lost in the moment in which a roll of what is registered by address begins": Schedule(
        targets="ip", happenings=(Happening(0.5, "zone", 4),)
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_what_long_runs_found_stays_mended(name: str) -> None:
    play(FOUND[name])


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("soak", [0, 30])
def test_a_group_that_describes_itself_as_it_was_two_seconds_ago_is_no_harm(strategy: str, soak: int) -> None:
    there, back = Run(), Run("ami-old")
    for runs in ((there,), (Run(dies_at=150), there), (there, back)):
        play(Schedule(desired=4, strategy=strategy, soak=soak, stale=2, runs=runs))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("time", [2.0, 9.0, 12.0, 16.0, 22.0])
def test_a_group_that_misses_its_dead_late_ends_no_larger(strategy: str, time: float) -> None:
    for which in (0, 5):
        play(Schedule(desired=4, strategy=strategy, notice=6, happenings=(Happening(time, "kill", which),)))
