"""What prevents a roll, by the facts of the preflight. Pure. A fact that is not known is a warning."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from bakeroll.facts import Balancer, Image, InstanceType, Launch, Quota
from bakeroll.roll.foresee.preflight import Facts, Unseen
from bakeroll.settings import Policy
from bakeroll.wording import counted

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Intent:
    """The intended roll. `surge` is the largest number of new instances beside the old ones."""

    surge: int
    policy: Policy
    now: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """What one fact means for a roll. A failure says that the roll would not succeed."""

    level: Literal["ok", "warning", "failure"]
    text: str


def findings(facts: Facts, intent: Intent) -> tuple[Finding, ...]:
    """What the facts mean for the roll, in the order of JUDGES."""
    return tuple(each for name, judge in JUDGES.items() for each in _judged(name, judge, facts, intent))


class _NotKnown(Exception):
    """A judge needs a fact that no check found."""


def _known(fact: T | Unseen) -> T:
    if isinstance(fact, Unseen):
        raise _NotKnown(fact.why)
    return fact


Judge = Callable[[Facts, Intent], Iterator[Finding]]


def _judged(name: str, judge: Judge, facts: Facts, intent: Intent) -> Iterator[Finding]:
    try:
        yield from judge(facts, intent)
    except _NotKnown as error:
        yield Finding("warning", f"{name} not checked: {error}")


def _quota(facts: Facts, intent: Intent) -> Iterator[Finding]:
    launch, quotas = _known(facts.launch), _known(facts.quotas)
    if not launch.types:
        raise _NotKnown("AWS chooses the instance types")
    vcpus = {each.name: each.vcpus for each in _known(facts.types)}
    if unknown := sorted(set(launch.types) - {name for quota in quotas for name in quota.types}):
        yield Finding("warning", f"quota of {', '.join(unknown)} is not known")
    for quota in quotas:
        # The whole surge may be launched as any of its types, so the largest counts.
        added = _share(launch, intent.surge, quota) * max(vcpus.get(name, 0) for name in quota.types)
        yield _of_quota(quota, added)


def _share(launch: Launch, surge: int, quota: Quota) -> int:
    """AWS rounds the on-demand share up.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/mixed-instances-groups-set-up-overview.html
    """
    on_demand = math.ceil(surge * launch.on_demand / 100)
    return surge - on_demand if quota.is_spot else on_demand


def _of_quota(quota: Quota, added: int) -> Finding:
    name = "spot quota" if quota.is_spot else "quota"
    if quota.used is None and added <= quota.limit:
        return Finding("warning", f"{name} {quota.limit} vCPU, the surge adds {added}; the vCPUs in use are not known")
    peak = (quota.used or 0) + added
    if peak <= quota.limit:
        return Finding("ok", f"{name} {peak} of {quota.limit} vCPU")
    return Finding(
        "failure", f"{name} {peak} of {quota.limit} vCPU, of which the surge adds {added}: raise {quota.code}"
    )


def _subnets(facts: Facts, intent: Intent) -> Iterator[Finding]:
    free: dict[str, int] = defaultdict(int)
    for room in _known(facts.rooms):
        free[room.zone] += room.free
    if not free:
        return
    share = math.ceil(intent.surge / len(free))  # new instances are spread over the zones
    lacking = [f"{count} in {zone}" for zone, count in sorted(free.items()) if count < share]
    if lacking:
        yield Finding(
            "failure",
            f"subnets hold {', '.join(lacking)}; the surge needs {counted(share, 'address', 'es')} in each zone",
        )
    else:
        yield Finding("ok", f"subnets hold {counted(sum(free.values()), 'address', 'es')}")


def _image(facts: Facts, intent: Intent) -> Iterator[Finding]:
    image = _known(facts.image)
    if image.state != "available":
        why = f"is {image.state}" if image.state else "does not exist, or is not shared with this account"
        yield Finding("failure", f"image {image.id} {why}")
        return
    misfits = [why for each in _known(facts.types) for why in _misfits(image, each)]
    for why in misfits:
        yield Finding("failure", f"image {image.id} {why}")
    if image.deprecated and image.deprecated <= intent.now:
        yield Finding("warning", f"image {image.id} is deprecated since {image.deprecated:%Y-%m-%d}")
    elif not misfits:
        yield Finding("ok", f"image {image.id} available")


def _misfits(image: Image, kind: InstanceType) -> Iterator[str]:
    if image.architecture not in ("", *kind.architectures):
        yield f"is for {image.architecture}, and {kind.name} is {' or '.join(kind.architectures)}"
    elif image.boot_mode in ("uefi", "legacy-bios") and image.boot_mode not in kind.boot_modes:
        yield f"boots by {image.boot_mode}, and {kind.name} by {' or '.join(kind.boot_modes)}"
    if kind.needs_ena and not image.has_ena:
        yield f"lacks ENA, which {kind.name} needs"


def _template(facts: Facts, _: Intent) -> Iterator[Finding]:
    if _known(facts.launch).is_protected:
        yield Finding("failure", "template enables termination protection: a roll could not terminate its instances")
    trials = _known(facts.trials)
    if not trials:
        raise _NotKnown("a dry run needs a launch template")
    refused: dict[str, list[str]] = defaultdict(list)
    for subnet, why in trials.items():
        if why:
            refused[why].append(subnet)
    for why, subnets in refused.items():
        where = f" in {', '.join(subnets)}" if all(subnets) else ""
        yield Finding("failure", f"template refused{where}: {why}")
    if not refused:
        yield Finding("ok", "template valid")


def _balancers(facts: Facts, intent: Intent) -> Iterator[Finding]:
    balancers = _known(facts.balancers)
    amiss = [finding for each in balancers for finding in _of_balancer(each, intent.policy)]
    yield from amiss
    if balancers and not amiss:
        longest = max(each.delay for each in balancers)
        yield Finding("ok", f"drains in {longest} s of {intent.policy.drain_timeout:.0f} s")


def _of_balancer(balancer: Balancer, policy: Policy) -> Iterator[Finding]:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html"""
    drain, in_service = policy.drain_timeout, policy.in_service_timeout
    if balancer.delay > drain:
        yield Finding(
            "failure",
            f"{balancer.name} drains for {balancer.delay} s, and drain_timeout is {drain:.0f} s: requests would be cut",
        )
    elif not balancer.delay:
        yield Finding("warning", f"{balancer.name} drains for 0 s: requests that run would be cut")
    if balancer.slow_start:
        yield Finding("warning", f"{balancer.name} starts new instances slowly, for {balancer.slow_start} s")
    soonest, latest = balancer.interval * balancer.first, balancer.interval * balancer.threshold
    timeout = f"and in_service_timeout is {in_service:.0f} s"
    if soonest > in_service:
        yield Finding("failure", f"{balancer.name} finds a new instance healthy after {soonest} s, {timeout}")
    elif latest > in_service:
        yield Finding("warning", f"{balancer.name} finds an instance healthy again after {latest} s, {timeout}")


def _alarms(facts: Facts, _: Intent) -> Iterator[Finding]:
    for name, state in _known(facts.alarms).items():
        if state == "ALARM":
            yield Finding("warning", f"alarm {name} is in ALARM")
        elif not state:
            yield Finding("warning", f"alarm {name} does not exist")


def _refresh(facts: Facts, _: Intent) -> Iterator[Finding]:
    if status := _known(facts.refresh):
        yield Finding("failure", f"an instance refresh is in progress: {status}")


def _permissions(facts: Facts, _: Intent) -> Iterator[Finding]:
    if denied := _known(facts.denied):
        yield Finding("failure", f"not permitted: {', '.join(denied)}")
    else:
        yield Finding("ok", "permissions")


JUDGES: Mapping[str, Judge] = {
    "quota": _quota,
    "subnets": _subnets,
    "image": _image,
    "template": _template,
    "load balancers": _balancers,
    "alarms": _alarms,
    "instance refreshes": _refresh,
    "permissions": _permissions,
}
