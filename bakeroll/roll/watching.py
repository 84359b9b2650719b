"""Canaries: what they have to stand before the rest follows. The looking is an effect, the verdict is pure.

Alarms, HTTP answers and commands are asked again and again while the canaries are watched, and any that fails ends it.
Metrics are compared once, at the end: looking again and again would find a difference by chance.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bakeroll.fleet import Instance
from bakeroll.roll.decision import Decision, Failed, Wait
from bakeroll.roll.health import Memory
from bakeroll.roll.policy import canaries_of
from bakeroll.roll.ports import Probes
from bakeroll.roll.ranks import p_of_greater
from bakeroll.roll.turn import Turn
from bakeroll.settings import Check, Metric

SAMPLES_AT_LEAST = 5
"""Values on either side; with fewer, no difference could be told from chance at the usual significance."""


def canaries(turn: Turn) -> Sequence[Instance]:
    """Those to look at now; empty where none is due: the roll has no canaries, or they are not all in service."""
    if turn.record.strategy != "canary" or not turn.is_forward or turn.record.is_watched:
        return ()
    needed = min(turn.at.target, canaries_of(turn.policy, turn.at.wanted))
    serving = [each for each in turn.serving if each.is_member]
    return serving if len(serving) >= needed == turn.limit and len(serving) == len(turn.at.right) else ()


def watch(turn: Turn) -> Decision | None:
    """Wait while the canaries are watched, fail with what they did not stand, or let the rest follow."""
    watched = canaries(turn)
    if turn.record.strategy != "canary" or not turn.is_forward or turn.record.is_watched or not watched:
        return None
    if turn.memory.trouble:
        return Failed(f"the canary {watched[0].id}: {turn.memory.trouble}", watched[0].id)
    since = turn.now if turn.memory.watched_since is None else turn.memory.watched_since
    if turn.memory.is_judged:
        return turn.do(is_watched=True)
    until = since + turn.policy.canary.watch
    ids = ", ".join(each.id for each in watched)
    return Wait(ids, f"watched for {turn.policy.canary.watch:.0f} s", since, until + turn.policy.in_service_timeout)


def looked(turn: Turn, probes: Probes) -> Memory:
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


def compared(
    metric: Metric, samples: Mapping[str, Sequence[float]], new: Sequence[str], old: Sequence[str]
) -> Iterator[str]:
    """Why the new ones are worse than the old ones by a rank test of the metric's values, or cannot be compared."""
    mine = [value for each in new for value in samples.get(each, ())]
    theirs = [value for each in old for value in samples.get(each, ())]
    if min(len(mine), len(theirs)) < SAMPLES_AT_LEAST:
        yield f"{metric.namespace} {metric.name} has {len(mine)} and {len(theirs)} values: too few to compare"
        return
    worse, better = (mine, theirs) if metric.worse == "higher" else (theirs, mine)
    chance = p_of_greater(worse, better)
    if chance < metric.significance:
        yield f"{metric.namespace} {metric.name} is worse than the old instances' (p = {chance:.2g})"
