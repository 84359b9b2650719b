"""Whole rolls over the cloud in memory, in milliseconds."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bakeroll.errors import CloudError, LeaseHeld, RolledBack
from bakeroll.fleet import Slot
from bakeroll.roll.operate.status import status
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.parts import Behaviour
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.owner import Owner, this_process
from bakeroll.roll.store import lease
from bakeroll.roll.store.history import read_releases
from bakeroll.settings import Policy
from tests.roll.cut import Cut, Killed
from tests.roll.scene import GOOD, POLICY, SICK, first_release, goal, rolled
from tests.roll.watch import Watch


def watched(world: World) -> tuple[Watch, Cut]:
    watch = Watch.of(world)
    return watch, Cut(watch=watch)


@pytest.mark.parametrize("desired", [1, 2, 4])
def test_a_fleet_is_replaced_whole(desired: int) -> None:
    fleet = world(desired, GOOD)
    watch, cut = watched(fleet)

    outcome = rolled(fleet, through=cut.ports(ports(fleet)))

    assert (outcome.is_new, outcome.in_service, outcome.retired) == (True, desired, desired)
    watch.ended("ami-new", desired)
    assert fleet.group.template_version == "2"


def test_a_roll_describes_its_group_once_between_its_lease_and_its_record() -> None:
    fleet, cut = world(2, GOOD), Cut()

    rolled(fleet, through=cut.ports(ports(fleet)))

    writes = [number for number, call in enumerate(cut.calls) if call == "put"]
    assert cut.calls[writes[0] : writes[1]].count("describe") == 1


@pytest.mark.parametrize("surge", [1, 2, 3, "50%"])
def test_a_fleet_is_replaced_in_batches_no_larger_than_the_surge(surge: int | str) -> None:
    fleet = world(4, GOOD)
    watch, cut = watched(fleet)
    most = 0

    def look() -> None:
        nonlocal most
        watch()
        leaving = sum(1 for each in fleet.machines.values() if each.ends is not None)
        most = max(most, len(fleet.machines) - leaving)

    cut.watch = look
    rolled(fleet, policy=POLICY.model_copy(update={"max_surge": surge}), through=cut.ports(ports(fleet)))

    watch.ended("ami-new", 4)
    assert most <= 4 + (2 if surge == "50%" else int(surge))


def test_the_first_release_fills_a_group_whose_own_launches_fail() -> None:
    fleet = first_release()
    watch, cut = watched(fleet)

    rolled(fleet, through=cut.ports(ports(fleet)))

    watch.ended("ami-new", 2)
    assert len(fleet.machines) == 2


def test_a_group_that_lacks_some_of_its_instances_ends_with_as_many_as_it_wants() -> None:
    fleet = world(4, {"ami-new": Behaviour("2.0-1")}, serving=1)
    watch, cut = watched(fleet)

    rolled(fleet, through=cut.ports(ports(fleet)))

    watch.ended("ami-new", 4)


def test_a_full_group_is_given_room_and_gets_its_maximum_back() -> None:
    fleet = world(2, GOOD, maximum=2)
    watch, cut = watched(fleet)

    rolled(fleet, through=cut.ports(ports(fleet)))

    watch.ended("ami-new", 2)


def test_rebalancing_that_was_suspended_stays_suspended() -> None:
    fleet = world(2, GOOD)
    fleet.group = replace(fleet.group, suspended=frozenset({"AZRebalance", "ScheduledActions"}))
    watch, cut = watched(fleet)

    rolled(fleet, through=cut.ports(ports(fleet)))

    watch.ended("ami-new", 2)


def test_a_group_at_latest_is_pinned_and_rolled() -> None:
    fleet = world(2, GOOD)
    fleet.group = replace(fleet.group, template_version="$Latest")
    watch, cut = watched(fleet)

    rolled(fleet, through=cut.ports(ports(fleet)))

    watch.ended("ami-new", 2)
    assert fleet.group.template_version == "2"


def test_a_group_at_latest_is_given_back_so_when_the_release_fails() -> None:
    fleet = world(2, SICK)
    fleet.group = replace(fleet.group, template_version="$Latest")
    watch, cut = watched(fleet)

    with pytest.raises(RolledBack):
        rolled(fleet, through=cut.ports(ports(fleet)))

    assert fleet.group.template_version == "$Latest"
    assert fleet.versions == {"1": "ami-old"}
    watch.ended("ami-old", 2)


def test_zones_are_filled_evenly() -> None:
    fleet = world(4, GOOD)

    rolled(fleet)

    zones = sorted(fleet.machines[each].instance.zone for each in fleet.lifecycles if each > "i-0003")
    assert zones == ["a", "a", "b", "b"]


def test_what_is_launched_is_tagged_with_the_groups_tags_and_ours() -> None:
    fleet = world(1, GOOD)

    rolled(fleet)

    tags = dict(fleet.machines["i-0001"].instance.tags)
    assert tags.pop("bakeroll:roll")
    assert tags == {
        "Name": "links-dev",
        "application": "links",
        "bakeroll:application": "links",
        "bakeroll:environment": "dev",
        "bakeroll:version": "2.0-1",
        "bakeroll:slot": "0",
    }


def test_a_fleet_that_serves_the_release_is_left_alone_in_seven_calls() -> None:
    fleet = world(2, GOOD)
    rolled(fleet)
    fleet.sleep(30)
    before = replace(fleet.group)
    cut = Cut()

    outcome = rolled(fleet, through=cut.ports(ports(fleet)))

    assert not outcome.is_new
    assert fleet.group == before
    assert len(cut.calls) <= 7


def test_a_sick_release_is_taken_away_and_the_message_tells_why() -> None:
    fleet = world(2, SICK)
    watch, cut = watched(fleet)

    with pytest.raises(RolledBack) as error:
        rolled(fleet, through=cut.ports(ports(fleet)))

    assert error.value.exit_code == 3
    assert "i-0002 was not in service after 20 s: unhealthy, Target.ResponseCodeMismatch 503" in error.value.what
    assert "connection refused" in error.value.what
    assert "2 old instances (1.0-1) serve" in error.value.left
    watch.ended("ami-old", 2)
    assert fleet.versions == {"1": "ami-old"}
    assert read_releases(ports(fleet).table, "links", "dev") == []


@pytest.mark.parametrize(
    ("desired", "left"),
    [
        (1, "The new instance was terminated. 1 old instance (1.0-1) serves."),
        (2, "The 2 new instances were terminated. 2 old instances (1.0-1) serve."),
    ],
)
def test_one_instance_is_not_told_as_many(desired: int, left: str) -> None:
    with pytest.raises(RolledBack) as error:
        rolled(world(desired, SICK))

    assert error.value.left.splitlines()[0] == left


def test_what_an_instance_writes_on_its_console_is_printable_in_the_error_and_in_the_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fleet = world(2, SICK)
    through = ports(fleet)
    console = "\x1b[2J\x1b[0;32m  OK  \x1b[0m started\r\nlinks[1]: \x1b]0;owned\x07refused\u202e\r\n"
    monkeypatch.setattr(type(through.machines), "console", lambda *_: console)
    records: list[str] = []

    def look() -> None:
        records.extend(document.body for document in fleet.table.values())

    with pytest.raises(RolledBack) as error:
        rolled(fleet, through=Cut(watch=look).ports(through))

    assert error.value.what.endswith("last lines of its console:\n    OK   started\n  links[1]: refused")
    assert any("links[1]: refused" in each for each in records)
    assert not [each for each in records if re.search(r"\\u001b|\\u202e|[\x1b\u202e]", each)]


def test_a_first_release_that_is_sick_leaves_the_group_as_it_was() -> None:
    fleet = first_release()
    fleet.images = {"ami-new": Behaviour("2.0-1", is_sick=True)}
    watch, cut = watched(fleet)

    with pytest.raises(RolledBack, match="503"):
        rolled(fleet, through=cut.ports(ports(fleet)))

    watch.ended("none", 0)


def test_an_instance_that_tells_another_version_is_never_registered() -> None:
    fleet = world(2, GOOD | {"ami-new": Behaviour("1.9-1")})
    registered: list[str] = []
    watch, cut = watched(fleet)
    cut.watch = lambda: registered.extend(each for each in fleet.targets["tg-a"] if each > "i-0001")

    with pytest.raises(RolledBack, match=r"says that it runs 1\.9-1, not 2\.0-1"):
        rolled(fleet, through=cut.ports(ports(fleet)))

    assert registered == []
    watch.ended("ami-old", 2)


def test_an_image_that_is_gone_when_it_is_launched_is_told_so() -> None:
    fleet = world(2, GOOD)
    watch, cut = watched(fleet)

    def deregister() -> None:
        if "2" in fleet.versions:
            fleet.images = {"ami-old": GOOD["ami-old"]}
        watch()

    cut.watch = deregister
    with pytest.raises(RolledBack, match="ami-new: InvalidAMIID"):
        rolled(fleet, through=cut.ports(ports(fleet)))

    watch.ended("ami-old", 2)


def test_instances_that_die_at_boot_end_the_roll() -> None:
    fleet = world(2, GOOD | {"ami-new": Behaviour("", dies=2)})
    watch, cut = watched(fleet)

    with pytest.raises(RolledBack, match="new instances died"):
        rolled(fleet, through=cut.ports(ports(fleet)))

    watch.ended("ami-old", 2)
    assert len(fleet.machines) <= 2 + 4


def test_one_new_instance_that_dies_is_launched_again() -> None:
    fleet = world(2, GOOD)
    watch, cut = watched(fleet)

    def kill_once() -> None:
        watch()
        if fleet.machines.get("i-0002") and fleet.machines["i-0002"].instance.state == "running":
            fleet.set_state("i-0002", "terminated")

    cut.watch = kill_once
    rolled(fleet, through=cut.ports(ports(fleet)))

    watch.ended("ami-new", 2)


@pytest.mark.parametrize("victim", ["i-0000", "i-0002"])
@pytest.mark.parametrize("moment", [3.0, 6.0, 8.0, 9.0, 10.0, 12.0])
def test_a_member_that_dies_at_any_moment_leaves_no_instance_too_many_or_too_few(victim: str, moment: float) -> None:
    fleet = world(2, GOOD)
    watch, cut = watched(fleet)
    watch.is_strict = False
    is_over = False

    def kill() -> None:
        nonlocal is_over
        watch()
        if not is_over and fleet.time >= 5 + moment and victim in fleet.machines:
            is_over = True
            fleet.set_state(victim, "terminated")

    cut.watch = kill
    rolled(fleet, through=cut.ports(ports(fleet)))

    watch.ended("ami-new", 2)


@pytest.mark.parametrize("moment", range(12))
def test_capacity_that_somebody_raises_meanwhile_stays_raised(moment: int) -> None:
    fleet = world(2, GOOD)
    watch, cut = watched(fleet)

    def raise_once() -> None:
        if fleet.time >= 5 + moment and watch.wanted == 2:
            fleet.group = replace(fleet.group, desired=fleet.group.desired + 1)
            watch.wanted = 3
        watch()

    cut.watch = raise_once
    rolled(fleet, through=cut.ports(ports(fleet)))

    if watch.wanted == 3:
        watch.ended("ami-new", 3)


def test_an_old_straggler_of_the_group_is_replaced() -> None:
    fleet = world(2, GOOD)
    rolled(fleet)
    fleet.sleep(30)
    fleet.lifecycles[fleet.start("ami-old", "a", {})] = "Pending"
    fleet.group = replace(fleet.group, desired=3)
    fleet.sleep(10)
    watch, cut = watched(fleet)

    rolled(fleet, through=cut.ports(ports(fleet)))

    watch.ended("ami-new", 3)


def test_a_template_version_that_somebody_sets_meanwhile_ends_the_roll_and_stays() -> None:
    fleet = world(2, GOOD)
    watch, cut = watched(fleet)

    def edit() -> None:
        if fleet.time >= 8 and "9" not in fleet.versions:
            fleet.versions["9"] = "ami-old"
            fleet.group = replace(fleet.group, template_version="9")

    cut.watch = edit
    with pytest.raises(RolledBack, match="somebody set the launch template version of links-dev to 9"):
        rolled(fleet, through=cut.ports(ports(fleet)))

    assert fleet.group.template_version == "9"
    watch.ended("ami-old", 2)


def test_a_sick_second_batch_brings_the_old_release_back() -> None:
    fleet = world(4, GOOD)
    watch, cut = watched(fleet)

    def sicken() -> None:
        watch()
        if len(fleet.machines) > 6:
            fleet.images = {**GOOD, "ami-new": Behaviour("2.0-1", boots=99)}

    cut.watch = sicken
    with pytest.raises(RolledBack):
        rolled(fleet, policy=POLICY.model_copy(update={"max_surge": 2}), through=cut.ports(ports(fleet)))

    watch.ended("ami-old", 4)
    assert fleet.group.template_version == "1"


def test_the_lines_are_changes_of_state() -> None:
    fleet = world(2, GOOD)
    lines: list[str] = []

    rolled(fleet, lines=lines)

    assert lines == [
        "links-dev: 2 × ami-old to ami-new, surge 2, floor 2",
        "i-0002 in service (1 of 2)",
        "i-0003 in service (2 of 2)",
        "links-dev launches ami-new from now on (version 2)",
        "i-0000 drained and retired",
        "i-0001 drained and retired",
        "2 in service, 2 retired",
    ]


def test_a_long_wait_says_once_what_it_waits_for_and_until_when() -> None:
    fleet = world(1, SICK)
    lines: list[str] = []

    with pytest.raises(RolledBack):
        rolled(fleet, lines=lines)

    waits = [line for line in lines if line.startswith("waiting")]
    assert len(waits) == 1
    assert waits[0].startswith("waiting: i-0001 unhealthy, Target.ResponseCodeMismatch 503 for ")
    assert "; times out at 12:00:" in waits[0]


def test_ctrl_c_before_the_commit_point_puts_all_back_and_says_so_once() -> None:
    fleet = world(2, GOOD)
    lines: list[str] = []
    watch, cut = watched(fleet)
    cut.at, cut.error = 60, KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rolled(fleet, through=cut.ports(ports(fleet)), lines=lines)

    assert lines[-2:] == [
        "interrupted: backing out; press Ctrl-C again to stop at once",
        "interrupted: everything is restored",
    ]
    watch.ended("ami-old", 2)


def test_a_release_is_written_down_and_the_newest_stands_first() -> None:
    fleet = world(1, GOOD)
    rolled(fleet)
    later = goal("ami-next", "3.0-1")
    later = replace(later, release=replace(later.release, released_at=goal().release.released_at + timedelta(hours=1)))

    rolled(fleet, later)

    newest, first = read_releases(ports(fleet).table, "links", "dev")
    assert (newest.version, newest.image, newest.released_by, first.version) == ("3.0-1", "ami-next", "me", "2.0-1")


def test_a_release_serves_since_its_roll_ended_and_not_since_it_was_asked_for() -> None:
    fleet = world(2, GOOD)
    began = fleet.now()

    outcome = rolled(fleet)

    released = read_releases(ports(fleet).table, "links", "dev")[0].released_at
    assert outcome.seconds > 5
    assert timedelta(0) <= fleet.now() - released < timedelta(seconds=2)
    assert released > began + timedelta(seconds=5)


def test_a_release_asked_for_while_another_was_rolled_stands_above_it_when_it_serves() -> None:
    fleet = world(1, GOOD)
    early = goal("ami-next", "3.0-1")
    early = replace(early, release=replace(early.release, released_at=goal().release.released_at - timedelta(hours=1)))

    rolled(fleet)
    rolled(fleet, early)

    assert [each.version for each in read_releases(ports(fleet).table, "links", "dev")] == ["3.0-1", "2.0-1"]


@pytest.mark.parametrize("has_effect", [True, False])
def test_a_roll_that_died_while_it_wrote_its_release_is_written_down_once_by_who_goes_on(
    has_effect: bool,
) -> None:
    counted = Cut()
    rolled(fleet := world(1, GOOD), through=counted.ports(ports(fleet)))
    last_put = max(n for n, name in enumerate(counted.calls, 1) if name == "put")
    for call in range(last_put - 4, last_put + 1):
        fleet = world(1, GOOD)
        with pytest.raises(Killed):
            rolled(fleet, through=Cut(call, has_effect=has_effect).ports(ports(fleet)))
        again = replace(goal().release, released_at=fleet.now(), released_by="you")

        rolled(fleet, replace(goal(), release=again))

        assert len(read_releases(ports(fleet).table, "links", "dev")) == 1


def test_another_that_rolls_is_told_by_name() -> None:
    fleet = world(1, GOOD)
    held = lease.take(ports(fleet).table, "links-dev", Owner("ops@build-7"), "deploy 1.4.0+3", fleet)
    cut = Cut(watch=held.check)

    with pytest.raises(LeaseHeld) as error:
        rolled(fleet, through=cut.ports(ports(fleet)), owner="me@laptop")

    assert "ops@build-7 has been rolling links-dev since 12:00:" in str(error.value)
    assert "(“deploy 1.4.0+3”). Its last heartbeat was" in str(error.value)
    assert error.value.exit_code == 4


def test_a_cloud_that_refuses_for_a_moment_is_asked_again() -> None:
    fleet = world(2, GOOD)
    watch, cut = watched(fleet)
    cut.at, cut.error = 40, lambda: CloudError("AttachInstances: ResourceContention")

    rolled(fleet, through=cut.ports(ports(fleet)))

    watch.ended("ami-new", 2)


def test_status_tells_each_instance_and_why_it_is_not_in_service() -> None:
    fleet = world(2, GOOD)
    fleet.set_state("i-0001", "stopped")

    found = status("links-dev", ports(fleet), 8000, "/version").instances

    assert next((each.id, each.version, each.state) for each in found) == ("i-0000", "1.0-1", "in service")


def test_a_launch_of_the_same_slot_gives_the_same_instance() -> None:
    fleet = world(1, GOOD)
    machines = ports(fleet).machines
    slot = Slot("t", "lt-1", "1", machines.subnets(["subnet-a"])[0], {})

    assert machines.launch(slot) == machines.launch(slot)


def test_policies_that_allow_no_surge_still_surge_by_one() -> None:
    fleet = world(2, GOOD)
    watch, cut = watched(fleet)

    rolled(fleet, policy=Policy(max_surge=0, in_service_timeout=20), through=cut.ports(ports(fleet)))

    watch.ended("ami-new", 2)


def test_another_roll_is_waited_for_with_patience() -> None:
    fleet = world(2, GOOD)
    held = lease.take(ports(fleet).table, "links-dev", this_process("ops@desk"), "deploy", fleet)
    lines: list[str] = []
    began = fleet.time

    released: list[float] = []

    def look() -> None:
        if fleet.time - began <= 30:
            held.check()
        elif not released:
            released.append(fleet.time)
            held.release()

    rolled(fleet, through=Cut(watch=look).ports(ports(fleet)), lines=lines, patience=600)

    assert lines[0].startswith("waiting: ops@desk has been rolling links-dev since ")
    assert {fleet.machines[each].instance.image for each in fleet.members} == {"ami-new"}


def test_patience_ends() -> None:
    fleet = world(2, GOOD)
    held = lease.take(ports(fleet).table, "links-dev", this_process("ops@desk"), "deploy", fleet)
    began = fleet.time

    with pytest.raises(LeaseHeld):
        rolled(fleet, through=Cut(watch=held.check).ports(ports(fleet)), patience=20)

    assert 20 <= fleet.time - began < 40
