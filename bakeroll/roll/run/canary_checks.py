"""Checks the canaries: alarms, HTTP answers, commands and metrics.

Alarms, HTTP answers and commands are checked at every interval. A failed check ends the watch. Metrics are compared
once, at the end: comparing at every interval would find a difference by chance.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bakeroll.fleet import Instance
from bakeroll.roll.engine.canary import canaries, compared
from bakeroll.roll.ports import Probes
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.view.view import View
from bakeroll.settings import Check


def check_canaries(view: View, probes: Probes) -> Memory:
    """Check the canaries if that is due, and return the memory with the result."""
    memory, watched, policy = view.memory, canaries(view), view.policy.canary
    if not watched:
        return memory if memory.watched_since is None else replace(memory, watched_since=None, looked_at=None)
    since = view.now if memory.watched_since is None else memory.watched_since
    is_due = memory.looked_at is None or view.now - memory.looked_at >= policy.interval
    is_over = view.now - since >= policy.watch
    if not (is_due or is_over):
        return replace(memory, watched_since=since)
    found = next(_troubles(view, watched, probes, is_over=is_over, seconds=view.now - since), "")
    return replace(memory, watched_since=since, looked_at=view.now, trouble=found, is_judged=is_over and not found)


def _troubles(
    view: View, watched: Sequence[Instance], probes: Probes, *, is_over: bool, seconds: float
) -> Iterator[str]:
    checks = view.policy.canary.checks
    yield from _alarms([each.alarm for each in checks if each.alarm], probes)
    for check in checks:
        yield from _one(view, check, watched, probes)
        if check.metric and is_over:
            ids = [each.id for each in watched]
            old = [each.id for each in (*view.outgoing, *view.retiring) if view.fleet.is_in_service(each)]
            yield from compared(check.metric, probes.samples(check.metric, [*ids, *old], seconds), ids, old)


def _alarms(names: Sequence[str], probes: Probes) -> Iterator[str]:
    states = probes.alarms(names) if names else {}
    for name in names:
        if states.get(name, "") in ("", "ALARM"):
            yield f"the alarm {name} is in ALARM" if name in states else f"the alarm {name} does not exist"


def _one(view: View, check: Check, watched: Sequence[Instance], probes: Probes) -> Iterator[str]:
    for each in watched:
        if check.http and (said := probes.http(each.address, view.goal.port, check.http)):
            yield f"{check.http} of {each.id}: {said}"
        if check.command and (said := probes.command(check.command, _environment(view, each))):
            yield f"{check.command[0]} for {each.id}: {said}"


def _environment(view: View, instance: Instance) -> Mapping[str, str]:
    return {
        "INSTANCE_ID": instance.id,
        "INSTANCE_ADDRESS": instance.address,
        "PORT": str(view.goal.port),
        "VERSION": view.goal.release.version,
    }
