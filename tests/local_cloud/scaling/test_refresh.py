"""What an instance refresh does next, as a table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_cloud.scaling.refresh import Member, Preferences, Refresh, Scene
from local_cloud.scaling.refresh_steps import decide, roll_back

START = datetime(2026, 11, 21, tzinfo=UTC)
OLD = tuple(Member(f"i-{number}") for number in range(1, 5))
NEW = tuple(Member(f"i-{number}", is_former=False) for number in range(11, 17))
BOOTING = replace(NEW[0], lifecycle="Pending", is_ready=False)
LAST = replace(OLD[3], is_protected=True)
ASIDE = replace(OLD[3], lifecycle="Standby", is_ready=False)


def refresh(more: Any = None, **preferences: Any) -> Refresh:
    given = Preferences(**{"min_healthy": 75, **preferences})
    return Refresh("r", START, given, frozenset(each.id for each in OLD), 4, status="InProgress", **(more or {}))


def scene(*members: Member, seconds: float = 0, **more: Any) -> Scene:
    return Scene(4, members, START + timedelta(seconds=seconds), **more)


@pytest.mark.parametrize(
    ("sentence", "given", "seen", "replaced", "surge"),
    [
        ("one in four may lack", refresh(), scene(*OLD), ["i-1"], 0),
        ("not another while its successor boots", refresh(), scene(*OLD[1:], BOOTING), [], 0),
        ("the next when it is ready", refresh(), scene(*OLD[1:], NEW[0]), ["i-2"], 0),
        ("with a minimum of 100 it launches first", refresh(min_healthy=100), scene(*OLD), [], 1),
        ("and takes one away for each that is ready", refresh(min_healthy=100, max_healthy=150),
         scene(*OLD, *NEW[:2]), ["i-1", "i-2"], 2),
        ("never more at the end than are left", refresh(min_healthy=100, max_healthy=150),
         scene(OLD[3], *NEW[:3]), [], 1),
        ("one that goes already counts no more", refresh(min_healthy=0),
         scene(replace(OLD[0], lifecycle="Terminating"), *OLD[1:]), ["i-2", "i-3", "i-4"], 0),
        ("90 % of four is all four: one at a time goes first", refresh(min_healthy=90), scene(*OLD), ["i-1"], 0),
        ("those that serve nobody go freely", refresh(), scene(*OLD[:3], replace(OLD[3], is_ready=False)), ["i-4"], 0),
        ("the fullest zone first", refresh(), scene(replace(OLD[0], zone="b"), *OLD[1:]), ["i-2"], 0),
        ("the protected are waited for", refresh(min_healthy=0), scene(*OLD[:3], LAST), ["i-1", "i-2", "i-3"], 0),
        ("or replaced", refresh(min_healthy=0, protected="Refresh"), scene(LAST), ["i-4"], 0),
        ("those in Standby are waited for", refresh(), scene(*NEW[:4], ASIDE), [], 0),
        ("or taken away", refresh(standby="Terminate"), scene(*NEW[:4], ASIDE), ["i-4"], 0),
        ("up to the checkpoint and no further", refresh(min_healthy=0, checkpoints=(50, 100)),
         scene(*OLD), ["i-1", "i-2"], 0),
        ("while it is paused nobody goes", refresh(), scene(*OLD, is_paused=True), [], 0),
        ("and the surge that is there stays", refresh(max_healthy=125), scene(*OLD, NEW[0], is_paused=True), [], 1),
    ],
)  # fmt: skip
def test_whom_it_replaces(sentence: str, given: Refresh, seen: Scene, replaced: list[str], surge: int) -> None:
    turn = decide(given, seen)

    assert (sorted(turn.replaced), turn.surge) == (replaced, surge), sentence


DONE = scene(*NEW[:4])
TURNED = roll_back(refresh({"percentage": 50, "to_update": 2}), "asked", scene(*OLD[:2], *NEW[:2]))


@pytest.mark.parametrize(
    ("sentence", "given", "seen", "status"),
    [
        ("all are replaced", refresh(), DONE, "Successful"),
        ("not before the last is ready", refresh(), scene(*NEW[1:4], BOOTING), "InProgress"),
        ("nor before the last old one is gone", refresh(),
         scene(*NEW[:4], replace(OLD[0], lifecycle="Terminating")), "InProgress"),
        ("it bakes", refresh(bake=60), DONE, "Baking"),
        ("until that is over", refresh({"reached_at": START}, bake=60), scene(*NEW[:4], seconds=60), "Successful"),
        ("a last checkpoint under 100 is the end", refresh(checkpoints=(50,)), scene(*OLD[:2], *NEW[:2]), "Successful"),
        ("the ignored do not count", refresh(protected="Ignore"), scene(*NEW[:3], LAST), "Successful"),
        ("an alarm fails it", refresh(), replace(DONE, alarm="errors"), "Failed"),
        ("or turns it around", refresh(auto_rollback=True), replace(DONE, alarm="errors"), "RollbackInProgress"),
        ("so do launches that fail", refresh({"failures": 3}), scene(*OLD), "Failed"),
        ("an hour of waiting for the protected", refresh({"held_since": START}), scene(LAST, seconds=3600), "Failed"),
        ("a rollback ends when the former serve", TURNED, scene(*OLD[:2], *NEW[2:4]), "RollbackSuccessful"),
        ("an alarm does not stop it", TURNED, scene(*OLD[:2], *NEW[:2], alarm="errors"), "RollbackInProgress"),
        ("it may fail", replace(TURNED, failures=3), scene(*OLD[:2], *NEW[:2]), "RollbackFailed"),
        ("cancelling ends what is under way", replace(refresh(), status="Cancelling"), scene(*OLD[1:], BOOTING),
         "Cancelling"),
        ("and is over then", replace(refresh(), status="Cancelling"), scene(*OLD[1:], NEW[0]), "Cancelled"),
        ("one that leaves is waited for", replace(refresh(), status="Cancelling"),
         scene(*OLD[1:], replace(OLD[0], lifecycle="Terminating:Wait")), "Cancelling"),
        ("one that nobody has begun to launch is not", replace(refresh(), status="Cancelling"),
         scene(*OLD[1:], is_paused=True), "Cancelled"),
    ],
)  # fmt: skip
def test_how_it_goes_on(sentence: str, given: Refresh, seen: Scene, status: str) -> None:
    assert decide(given, seen).refresh.status == status, sentence


def test_a_rollback_replaces_the_new_and_counts_back_to_zero() -> None:
    turn = decide(TURNED, scene(*OLD[:2], NEW[1], NEW[2]))

    assert TURNED.old == {"i-11", "i-12"}
    assert turn.replaced == ("i-12",)
    assert turn.refresh.percentage == 25
    assert turn.refresh.to_update == 2


def test_a_checkpoint_is_left_when_its_delay_is_over() -> None:
    given = refresh(checkpoints=(50, 100), checkpoint_delay=60)
    at_checkpoint = scene(*OLD[:2], *NEW[:2])

    waiting = decide(given, at_checkpoint).refresh
    on = decide(waiting, replace(at_checkpoint, now=START + timedelta(seconds=60))).refresh

    assert (waiting.checkpoint, waiting.reached_at, waiting.percentage) == (0, START, 50)
    assert decide(on, at_checkpoint).replaced == ("i-1",)
