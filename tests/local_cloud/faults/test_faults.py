"""What faults may be asked for, and what those in force do."""

import pytest

from local_cloud.faults.fault import KINDS, Fault, Refused, fault_of, must_be_there
from local_cloud.faults.in_force import Capacity, Faults, Launched, begun, cut_off, dead, strike
from local_cloud.requests.calls import Call

REGISTER = Call("elasticloadbalancing", "RegisterTargets")
RUN = Call("ec2", "RunInstances")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_fault_is_read_from_text_as_from_numbers() -> None:
    asked = {"kind": "throttled", "action": "RegisterTargets", "times": "3", "chance": "0.5", "zone": ""}

    assert fault_of(asked) == Fault("throttled", action="RegisterTargets", times=3, chance=0.5)
    assert fault_of(asked | {"times": 3, "chance": 0.5}) == fault_of(asked)


def test_a_fault_is_told_in_the_words_it_was_asked_for_with() -> None:
    fault = fault_of({"kind": "no-capacity", "zone": "eu-west-1a", "instance_type": "t3.small", "seconds": 90})

    assert fault.words == "no-capacity --zone=eu-west-1a --instance-type=t3.small --seconds=90"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"kind": "flap"}, "There is no fault “flap”. Did you mean “flaps”? There are: unhealthy, late, flaps"),
        ({}, "There is no fault “”. There are: "),
        ({"kind": "throttled", "actoin": "x"}, "takes no “actoin”. Did you mean “action”? It takes: action, times"),
        ({"kind": "throttled", "zone": "a"}, "The fault “throttled” takes no “zone”"),
        ({"kind": "late"}, "The fault “late” needs “after”, in seconds"),
        ({"kind": "slow", "after": "soon"}, "“after” must be a number, not “soon”"),
        ({"kind": "slow", "after": "nan"}, "“after” must be a number, not “nan”"),
        ({"kind": "slow", "after": -1}, "“after” must be seconds, more than none, not “-1”"),
        ({"kind": "lost", "times": 0}, "“times” must be a whole number of at least 1, not “0”"),
        ({"kind": "lost", "times": True}, "“times” must be a number"),
        ({"kind": "lost", "chance": 2}, "“chance” must be more than 0 and at most 1, not “2”"),
        ({"kind": "lost", "action": 3}, "“action” must be text, not 3"),
        ({"kind": "dies", "instance": "i-1", "times": 1}, "An instance that is named needs no “times”"),
    ],
)
def test_what_makes_no_fault_is_refused_with_a_word_of_help(asked: dict[str, object], why: str) -> None:
    with pytest.raises(Refused) as refused:
        fault_of(asked)

    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault("lost", action="RegisterTarget"), "no action “RegisterTarget” here. Did you mean “RegisterTargets”?"),
        (Fault("dies", instance="i-9"), "no instance “i-9” here. There are: none."),
        (
            Fault("no-capacity", zone="eu-west-1x"),
            "no zone “eu-west-1x” here. Did you mean “eu-west-1a”? There are: eu",
        ),
    ],
)
def test_what_is_not_there_is_refused(fault: Fault, why: str) -> None:
    known = {"action": ["RegisterTargets", "RunInstances"], "instance": [], "zone": ["eu-west-1a"]}

    with pytest.raises(Refused) as refused:
        must_be_there(fault, known)

    assert why in str(refused.value)


@pytest.mark.parametrize("action", ["*", "ec2:*", "Run*", "ec2:RunInstances", "RunInstances"])
def test_a_pattern_of_actions_strikes_what_it_fits(action: str) -> None:
    fault = Fault("lost", action=action)
    must_be_there(fault, {"action": ["RunInstances"]})

    assert strike((begun(fault, 0),), RUN, 0)[0] == fault
    assert strike((begun(fault, 0),), REGISTER, 0)[0] == (fault if action == "*" else None)


def test_a_fault_strikes_as_often_as_asked_and_the_next_one_has_its_turn() -> None:
    faults = Faults(Clock())
    faults.add(Fault("throttled", times=2))
    faults.add(Fault("failing", times=1))

    struck = [faults.strike(RUN) for _ in range(4)]

    assert [each.kind if each else "" for each in struck] == ["throttled", "throttled", "failing", ""]
    assert faults.status() == []


def test_a_fault_ends_with_its_time() -> None:
    clock = Clock()
    faults = Faults(clock)
    faults.add(Fault("lost", seconds=5))

    clock.now = 4.9
    assert faults.strike(RUN)
    clock.now = 5

    assert faults.strike(RUN) is None


def test_chances_come_from_the_seed_alone() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults(Clock())
        faults.add(Fault("lost", chance=0.3, seed=seed))
        return [faults.strike(RUN) is not None for _ in range(200)]

    assert struck(1) == struck(1) != struck(2)
    assert 30 < sum(struck(1)) < 90


def test_capacity_is_refused_where_it_was_asked_to_be() -> None:
    faults = Faults(Clock())
    faults.add(Fault("no-capacity", zone="eu-west-1a", instance_type="t3.small"))

    assert faults.strike(Capacity("eu-west-1a", "t3.small"))
    assert faults.strike(Capacity("eu-west-1b", "t3.small")) is None
    assert faults.strike(Capacity("eu-west-1a", "m5.large")) is None


def test_the_next_instances_of_an_image_are_struck_and_no_others() -> None:
    clock = Clock()
    faults = Faults(clock)
    faults.add(Fault("unhealthy", image="ami-1", times=1))

    for instance, image in (("i-0", "ami-0"), ("i-1", "ami-1"), ("i-2", "ami-1")):
        faults.strike(Launched(instance, image))

    assert faults.of_instances() == (frozenset({"i-1"}), frozenset(), True)
    faults.forget("i-1")
    assert faults.status() == []


@pytest.mark.parametrize(
    ("fault", "cut_at", "dead_at"),
    [
        (Fault("unhealthy", instance="i-1"), [0, 1, 2, 3, 4, 5], []),
        (Fault("late", instance="i-1", after=2), [0, 1], []),
        (Fault("flaps", instance="i-1", after=2), [2, 3], []),
        (Fault("dies", instance="i-1", after=4), [], [4, 5]),
        (Fault("dies", instance="i-1"), [], [0, 1, 2, 3, 4, 5]),
    ],
)
def test_what_becomes_of_an_instance_depends_on_how_long_it_has_the_fault(
    fault: Fault, cut_at: list[int], dead_at: list[int]
) -> None:
    standing = (begun(fault, 100),)

    assert [age for age in range(6) if cut_off(standing, 100 + age)] == cut_at
    assert [age for age in range(6) if dead(standing, 100 + age)] == dead_at


def test_clearing_ends_all_and_frees_the_instances() -> None:
    faults = Faults(Clock())
    faults.add(Fault("unhealthy", instance="i-1"))
    faults.add(Fault("stale", action="Describe*", after=3))
    assert faults.staleness(Call("ec2", "DescribeInstances")) == 3

    assert faults.clear() == 2

    assert faults.of_instances() == (frozenset(), frozenset(), False)
    assert faults.staleness(Call("ec2", "DescribeInstances")) == 0


def test_every_kind_can_be_asked_for() -> None:
    for kind in KINDS:
        after = {} if kind in ("unhealthy", "throttled", "failing", "lost", "no-capacity") else {"after": 1}
        assert fault_of({"kind": kind, **after}).kind == kind
