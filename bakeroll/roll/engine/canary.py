"""Canaries: which instances they are, how long they are watched, and when their metrics are worse. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bakeroll.fleet import Instance
from bakeroll.roll.engine.rank_test import p_of_greater
from bakeroll.roll.state.amounts import canaries_of
from bakeroll.roll.state.decision import Decision, Failed, Wait
from bakeroll.roll.view.view import View
from bakeroll.settings import Metric

SAMPLES_AT_LEAST = 5
"""Values on either side. With fewer, no difference can be significant at the usual level."""


def canaries(view: View) -> Sequence[Instance]:
    """The canaries to check now. Empty if the roll has none, or if they are not all in service."""
    if view.record.intended.strategy != "canary" or not view.is_forward or view.record.is_watched:
        return ()
    needed = min(view.target, canaries_of(view.policy, view.wanted))
    serving = [each for each in view.serving if each.is_member]
    return serving if len(serving) >= needed == view.limit and len(serving) == len(view.incoming) else ()


def watch(view: View) -> Decision | None:
    """Wait while the canaries are watched. Then fail with the check that failed, or let the rest follow."""
    watched = canaries(view)
    if view.record.intended.strategy != "canary" or not view.is_forward or view.record.is_watched or not watched:
        return None
    if view.memory.trouble:
        return Failed(f"the canary {watched[0].id}: {view.memory.trouble}", watched[0].id)
    since = view.now if view.memory.watched_since is None else view.memory.watched_since
    if view.memory.is_judged:
        return view.do(record=replace(view.record, is_watched=True))
    until = since + view.policy.canary.watch
    ids = ", ".join(each.id for each in watched)
    return Wait(ids, f"watched for {view.policy.canary.watch:.0f} s", since, until + view.policy.in_service_timeout)


def compared(
    metric: Metric, samples: Mapping[str, Sequence[float]], new: Sequence[str], old: Sequence[str]
) -> Iterator[str]:
    """Why new instances are worse than old ones by a rank test of the metric, or why they cannot be compared."""
    mine = [value for each in new for value in samples.get(each, ())]
    theirs = [value for each in old for value in samples.get(each, ())]
    if min(len(mine), len(theirs)) < SAMPLES_AT_LEAST:
        yield f"{metric.namespace} {metric.name} has {len(mine)} new and {len(theirs)} old values: too few to compare"
        return
    worse, better = (mine, theirs) if metric.worse == "higher" else (theirs, mine)
    chance = p_of_greater(worse, better)
    if chance < metric.significance:
        yield f"{metric.namespace} {metric.name} is worse than on the old instances (p = {chance:.2g})"
