"""What an Auto Scaling group does next, as a table."""

from dataclasses import replace

import pytest

from local_cloud.scaling.capacity import Action, Group, Launch, Member, Terminate, decide

A, B = "eu-west-1a", "eu-west-1b"
ONE, TWO = Member("i-1", A), Member("i-2", B)
THREE, FOUR = Member("i-3", A, template=2, launched_at=3), Member("i-4", B, template=2, launched_at=4)
SICK = replace(TWO, is_healthy=False)


def group(
    desired: int, *members: Member, suspended: str = "", policy: str = "Default", may_launch: bool = True
) -> Group:
    return Group(desired, (A, B), members, frozenset(suspended.split()), (policy,), may_launch)


@pytest.mark.parametrize(
    ("sentence", "given", "actions"),
    [
        ("an empty group launches over its zones", group(3), [Launch(A), Launch(B), Launch(A)]),
        ("a new one goes to the emptiest zone", group(2, ONE), [Launch(B)]),
        ("not while Launch is suspended", group(2, ONE, suspended="Launch"), []),
        ("nor while it waits after a failed launch", group(2, ONE, may_launch=False), []),
        ("one that boots counts", group(2, ONE, replace(TWO, lifecycle="Pending")), []),
        ("one in standby does not", group(2, ONE, replace(TWO, lifecycle="Standby")), [Launch(B)]),
        ("nor one that drains", group(2, ONE, replace(TWO, lifecycle="Terminating")), [Launch(B)]),
        ("a full group rests", group(2, ONE, TWO), []),
        ("the oldest template goes first, zones in balance", group(2, ONE, TWO, THREE, FOUR),
         [Terminate("i-1"), Terminate("i-2")]),
        ("zone balance comes before that", group(2, TWO, FOUR, THREE), [Terminate("i-2")]),
        ("even if it costs a new one", group(2, ONE, FOUR, replace(FOUR, id="i-5")), [Terminate("i-4")]),
        ("the newest, if asked", group(2, ONE, TWO, THREE, FOUR, policy="NewestInstance"),
         [Terminate("i-4"), Terminate("i-3")]),
        ("the protected stay", group(1, replace(ONE, is_protected=True), THREE), [Terminate("i-3")]),
        ("with all protected nobody goes",
         group(0, replace(ONE, is_protected=True), replace(TWO, is_protected=True)), []),
        ("not while Terminate is suspended", group(1, ONE, TWO, suspended="Terminate"), []),
        ("a surplus of those that boot waits until they serve",
         group(2, ONE, TWO, replace(THREE, lifecycle="Pending")), []),
        ("the unhealthy is replaced", group(2, ONE, SICK), [Terminate("i-2", is_replaced=True), Launch(B)]),
        ("not while ReplaceUnhealthy is suspended", group(2, ONE, SICK, suspended="ReplaceUnhealthy"), []),
        ("nor while Terminate is", group(2, ONE, SICK, suspended="Terminate"), []),
        ("unless it is dead", group(2, ONE, replace(SICK, is_alive=False), suspended="Terminate"),
         [Terminate("i-2", is_replaced=True), Launch(B)]),
        ("only taken away while Launch is suspended", group(2, ONE, SICK, suspended="Launch"),
         [Terminate("i-2", is_replaced=True)]),
        ("protection does not save the unhealthy", group(2, ONE, replace(SICK, is_protected=True)),
         [Terminate("i-2", is_replaced=True), Launch(B)]),
        ("a zone that holds two more is relieved: first launch", group(2, ONE, THREE), [Launch(B)]),
        ("then terminate in the fullest", group(2, ONE, THREE, TWO), [Terminate("i-1")]),
        ("not while AZRebalance is suspended", group(2, ONE, THREE, suspended="AZRebalance"), []),
        ("nor before all is at rest", group(2, ONE, THREE, replace(TWO, lifecycle="Terminating")), []),
        ("one more in a zone is balance", group(3, ONE, THREE, TWO), []),
    ],
)  # fmt: skip
def test_what_a_group_does_next(sentence: str, given: Group, actions: list[Action]) -> None:
    assert list(decide(given)) == actions, sentence
