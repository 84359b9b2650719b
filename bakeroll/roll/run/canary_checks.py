"""Looks at the canaries: alarms, HTTP answers, commands and metrics.

Alarms, HTTP answers and commands are checked at every interval, and any that fails ends the watch. Metrics are compared
once, at the end: comparing at every interval would find a difference by chance.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bakeroll.fleet import Instance
from bakeroll.roll.engine.canary import canaries, compared
from bakeroll.roll.engine.turn import Turn
from bakeroll.roll.ports import Probes
from bakeroll.roll.state.memory import Memory
from bakeroll.settings import Check


def look(turn: Turn, probes: Probes) -> Memory:
    """The memory after a look at the canaries, where one is due."""
    memory, watched, policy = turn.memory, canaries(turn), turn.policy.canary
    if not watched:
        return memory if memory.watched_since is None else replace(memory, watched_since=None, looked_at=None)
    since = turn.now if memory.watched_since is None else memory.watched_since
    is_due = memory.looked_at is None or turn.now - memory.looked_at >= policy.interval
    is_over = turn.now - since >= policy.watch
    if not (is_due or is_over):
        return replace(memory, watched_since=since)
    found = next(_troubles(turn, watched, probes, is_over=is_over, seconds=turn.now - since), "")
    return replace(memory, watched_since=since, looked_at=turn.now, trouble=found, is_judged=is_over and not found)


def _troubles(
    turn: Turn, watched: Sequence[Instance], probes: Probes, *, is_over: bool, seconds: float
) -> Iterator[str]:
    checks = turn.policy.canary.checks
    yield from _alarms([each.alarm for each in checks if each.alarm], probes)
    for check in checks:
        yield from _one(turn, check, watched, probes)
        if check.metric and is_over:
            ids = [each.id for each in watched]
            old = [each.id for each in turn.at.wrong if turn.fleet.is_in_service(each)]
            yield from compared(check.metric, probes.samples(check.metric, [*ids, *old], seconds), ids, old)


def _alarms(names: Sequence[str], probes: Probes) -> Iterator[str]:
    states = probes.alarms(names) if names else {}
    for name in names:
        if states.get(name, "") in ("", "ALARM"):
            yield f"the alarm {name} is in ALARM" if name in states else f"there is no alarm {name}"


def _one(turn: Turn, check: Check, watched: Sequence[Instance], probes: Probes) -> Iterator[str]:
    for each in watched:
        if check.http and (said := probes.http(each.address, turn.goal.port, check.http)):
            yield f"{check.http} of {each.id}: {said}"
        if check.command and (said := probes.command(check.command, _environment(turn, each))):
            yield f"{check.command[0]} for {each.id}: {said}"


def _environment(turn: Turn, instance: Instance) -> Mapping[str, str]:
    return {
        "INSTANCE_ID": instance.id,
        "INSTANCE_ADDRESS": instance.address,
        "PORT": str(turn.goal.port),
        "VERSION": turn.goal.release.version,
    }
