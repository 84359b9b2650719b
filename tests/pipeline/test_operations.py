"""What operators do around a roll, over the cloud in memory: resume, abort, doctor; and how it is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bakeroll import operations
from bakeroll.console.plan import doctor_lines, plan_lines, steered_lines
from bakeroll.errors import ConfirmationNeeded, RollFailed
from bakeroll.events import Event
from bakeroll.release import Release
from bakeroll.roll import doctor
from bakeroll.roll.history import history
from bakeroll.roll.model import World, world
from bakeroll.roll.model_ports import ports
from bakeroll.roll.owner import this_process
from bakeroll.roll.record import Records
from bakeroll.roll.steering import Steering
from bakeroll.settings import Policy
from bakeroll.wiring import Site
from tests.roll.cut import Cut, Killed
from tests.roll.scene import GOOD, POLICY, goal, rolled
from tests.roll.watch import Watch

GONE = replace(this_process("ops@build-7"), pid=2**22 + 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class ModelSite:
    """A site whose cloud is the one in memory."""

    fleet: World
    policy: Policy = POLICY
    events: list[Event] = field(default_factory=list)
    timeline: None = None

    @property
    def environment(self) -> Any:
        return SimpleNamespace(name="dev", application="links", fleet="links-dev", policy=self.policy, target_groups=())

    @property
    def steering(self) -> Steering:
        return Steering("links-dev", "dev", ports(self.fleet), self.fleet, "me@laptop")

    def report(self, event: Event) -> None:
        self.events.append(event)

    def roll(self, release: Release, *, is_resumed: bool = False, patience: float = 0) -> bool:
        to = replace(goal(), release=release)
        return rolled(
            self.fleet, to, self.policy, as_owner=this_process("ops@desk"), is_resumed=is_resumed, patience=patience
        ).is_new

    def history(self) -> list[Release]:
        return history(ports(self.fleet).table, "links", "dev")

    def examine(self) -> doctor.Chart:
        return doctor.examine("links-dev", "links", "dev", ports(self.fleet), self.fleet.now())

    def take_away(self, instances: Sequence[str]) -> None:
        doctor.take_away("links-dev", (), instances, ports(self.fleet), this_process("ops@desk"), self.fleet)

    def url(self) -> str:
        return "http://here"

    def stands_by_until(self) -> str | None:
        record = Records(ports(self.fleet).table, "links-dev").read()
        return record.soaks_until if record else None


def cut_off(call: int) -> tuple[ModelSite, Watch]:
    fleet = world(2, GOOD)
    watch = Watch.of(fleet)
    with pytest.raises(Killed):
        rolled(fleet, through=Cut(call, watch=watch).ports(ports(fleet)), as_owner=GONE)
    return ModelSite(fleet), watch


def as_site(site: ModelSite) -> Site:
    return cast("Site", site)


def agree(_: str) -> None:
    pass


def refuse(_: str) -> None:
    raise ConfirmationNeeded("no")


def test_a_roll_that_was_cut_off_is_led_on_by_who_resumes_it() -> None:
    site, watch = cut_off(60)

    found = operations.resume(as_site(site), agree)

    assert found["release"]["version"] == "2.0-1"
    watch.ended("ami-new", 2)


def test_a_roll_that_was_cut_off_is_backed_out_by_who_aborts_it() -> None:
    site, watch = cut_off(60)

    found = operations.abort(as_site(site), agree)

    assert list(steered_lines(found, NOW)) == [
        "links-dev: the roll to 2.0-1 is aborted.",
        "Look: fab status --env=dev",
    ]
    watch.ended("ami-old", 2)


@pytest.mark.parametrize("operation", [operations.resume, operations.abort])
def test_nothing_is_changed_without_the_word_that_is_wanted(operation: Any) -> None:
    site, _ = cut_off(60)
    before = dict(site.fleet.table)

    with pytest.raises(ConfirmationNeeded):
        operation(as_site(site), refuse)

    assert site.fleet.table == before


@pytest.mark.parametrize(("call", "image"), [(60, "ami-old"), (130, "ami-new")])
def test_the_doctor_mends_a_dead_roll_back_before_its_commit_point_and_on_after_it(call: int, image: str) -> None:
    site, watch = cut_off(call)

    looked = operations.doctor(as_site(site), is_fixing=False, confirm=refuse)
    mended = operations.doctor(as_site(site), is_fixing=True, confirm=agree)

    assert [each["kind"] for each in looked["ailments"]] == ["cut off"]
    assert list(doctor_lines(looked, NOW))[-1] == "Mend it: fab doctor --env=dev --fix"
    assert [each["kind"] for each in mended["mended"]] == ["cut off"]
    assert mended["ailments"] == []
    assert list(doctor_lines(mended, NOW))[-1] == "links-dev: nothing is amiss."
    watch.ended(image, 2)


def test_the_doctor_gives_back_the_lease_of_a_dead_process_and_takes_strays_away() -> None:
    site, watch = cut_off(11)  # it has the lease, and nothing written
    tags = {"bakeroll:roll": "lost", "bakeroll:application": "links", "bakeroll:environment": "dev"}
    stray = site.fleet.start("ami-new", "a", tags)

    mended = operations.doctor(as_site(site), is_fixing=True, confirm=agree)

    assert [each["kind"] for each in mended["mended"]] == ["lease", "stray"]
    site.fleet.sleep(5)
    assert site.examine().ailments == ()
    assert site.fleet.machines[stray].instance.state == "terminated"
    watch.ended("ami-old", 2)


def test_a_soak_that_is_over_is_mended() -> None:
    site = ModelSite(world(2, GOOD), POLICY.model_copy(update={"soak": 30}))
    watch = Watch.of(site.fleet)
    rolled(site.fleet, policy=site.policy)
    site.fleet.sleep(60)

    mended = operations.doctor(as_site(site), is_fixing=True, confirm=agree)

    assert [each["kind"] for each in mended["mended"]] == ["soak"]
    assert mended["ailments"] == []
    assert len(site.history()) == 1
    watch.ended("ami-new", 2)


def test_pausing_what_is_not_rolled_is_refused() -> None:
    with pytest.raises(RollFailed, match="is not being rolled"):
        operations.pause(as_site(ModelSite(world(2, GOOD))), 10)


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
        "  warm      3 in the pool, replaced when the group launches ami-1",
        "  checks    ✓ template valid",
        "            ! alarm x is in ALARM",
        "    1  make a launch template version",
        "    2  launch 12 instances",
        "Nothing was changed. Do it: fab roll --env=prod --version=1.5.0-1",
    ]
