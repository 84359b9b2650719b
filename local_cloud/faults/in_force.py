"""The faults in force: what they do to a call, a launch and an instance, and who keeps them.

The functions are pure; `Faults` holds their state, in memory alone, and the clock.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from local_cloud.faults.fault import CALL_FAULTS, INSTANCE_FAULTS, KINDS, NO_CAPACITY, STALE, Fault
from local_cloud.requests.calls import Call


@dataclass(frozen=True, slots=True)
class Launched:
    """An instance, just launched."""

    instance: str
    image: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """What a launch asks EC2 for."""

    zone: str
    instance_type: str


Target = Call | Launched | Capacity


@dataclass(frozen=True, slots=True)
class InForce:
    """A fault since it was set, in the clock's seconds: how many calls or launches it met, how many of these it
    struck, and which instances it has, with when it got them."""

    fault: Fault
    since: float
    met: int = 0
    struck: int = 0
    instances: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_used_up(self) -> bool:
        """Whether it strikes nothing new."""
        fault = self.fault
        return bool(fault.instance) or (fault.times is not None and self.struck >= fault.times)


AllInForce = tuple[InForce, ...]


def begun(fault: Fault, now: float) -> InForce:
    """A fault that is set now."""
    return InForce(fault, now, instances={fault.instance: now} if fault.instance else {})


def is_over(each: InForce, now: float) -> bool:
    """Whether it can do nothing any more."""
    has_expired = each.fault.seconds is not None and now - each.since >= each.fault.seconds
    return has_expired or (each.is_used_up and not each.instances)


def strike(faults: AllInForce, target: Target, now: float) -> tuple[Fault | None, AllInForce]:
    """The first fault that strikes `target`, and all of them as they are after it."""
    for index, each in enumerate(faults):
        if each.is_used_up or not _concerns(each.fault, target):
            continue
        does_strike = _draw(each)
        met = _having_met(each, target if does_strike else None, now)
        faults = (*faults[:index], met, *faults[index + 1 :])
        if does_strike:
            return each.fault, faults
    return None, faults


def staleness(faults: AllInForce, call: Call) -> float:
    """How many seconds old the answer to a call may be; 0 for one that is fresh."""
    return max((each.fault.after for each in faults if each.fault.kind == STALE and _fits(each.fault, call)), default=0)


def cut_off(faults: AllInForce, now: float) -> frozenset[str]:
    """The instances whose services are not reached now."""
    return _those(faults, now, _is_cut_off)


def dead(faults: AllInForce, now: float) -> frozenset[str]:
    """The instances whose machines are to be killed now."""
    return _those(faults, now, lambda fault, age: fault.kind == "dies" and age >= fault.after)


def without(faults: AllInForce, instance: str) -> AllInForce:
    """As they are when an instance is gone."""
    return tuple(
        replace(each, instances={name: got for name, got in each.instances.items() if name != instance})
        for each in faults
    )


def _is_cut_off(fault: Fault, age: float) -> bool:
    if fault.kind == "late":
        return age < fault.after
    if fault.kind == "flaps":
        return int(age // fault.after) % 2 == 1
    return fault.kind == "unhealthy"


def _those(faults: AllInForce, now: float, holds: Callable[[Fault, float], bool]) -> frozenset[str]:
    return frozenset(
        instance for each in faults for instance, got in each.instances.items() if holds(each.fault, now - got)
    )


def _concerns(fault: Fault, target: Target) -> bool:
    if isinstance(target, Call):
        return fault.kind in CALL_FAULTS and _fits(fault, target)
    if isinstance(target, Launched):
        return fault.kind in INSTANCE_FAULTS and fault.image in ("", target.image)
    is_asked = fault.zone in ("", target.zone) and fault.instance_type in ("", target.instance_type)
    return fault.kind == NO_CAPACITY and is_asked


def _fits(fault: Fault, call: Call) -> bool:
    return fnmatchcase(call.action, fault.action) or fnmatchcase(str(call), fault.action)


def _draw(each: InForce) -> bool:
    """The same for the same seed and count, so that a schedule of faults can be had again."""
    return random.Random(f"{each.fault.seed}:{each.met}").random() < each.fault.chance  # noqa: S311 - no secret


def _having_met(each: InForce, struck: Target | None, now: float) -> InForce:
    got = {struck.instance: now} if isinstance(struck, Launched) else {}
    count = each.struck + (struck is not None)
    return replace(each, met=each.met + 1, struck=count, instances={**each.instances, **got})


class Faults:
    """Those of one cloud. `changed` is set when there may be something new to do to an instance."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._all: AllInForce = ()
        self.changed = threading.Event()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._all = (*self._in_force(), begun(fault, self._clock()))
        self.changed.set()

    def clear(self) -> int:
        """End all; return how many there were."""
        with self._lock:
            count, self._all = len(self._in_force()), ()
        self.changed.set()
        return count

    def strike(self, target: Target) -> Fault | None:
        """The fault that meets a call, a launch or a demand of capacity; to be asked once for each."""
        with self._lock:
            struck, self._all = strike(self._in_force(), target, self._clock())
        if isinstance(target, Launched):
            self.changed.set()
        return struck

    def forget(self, instance: str) -> None:
        """An instance is gone for good."""
        with self._lock:
            self._all = without(self._all, instance)

    def staleness(self, call: Call) -> float:
        with self._lock:
            return staleness(self._in_force(), call)

    def of_instances(self) -> tuple[frozenset[str], frozenset[str], bool]:
        """Who is cut off now, who is to be killed now, and whether that may change by itself."""
        with self._lock:
            faults, now = self._in_force(), self._clock()
        return cut_off(faults, now), dead(faults, now), any(each.instances for each in faults)

    def status(self) -> list[dict[str, Any]]:
        """Those in force, for people and tests."""
        with self._lock:
            faults, now = self._in_force(), self._clock()
        return [_told(each, now) for each in faults]

    def _in_force(self) -> AllInForce:
        now = self._clock()
        self._all = tuple(each for each in self._all if not is_over(each, now))
        return self._all


def _told(each: InForce, now: float) -> dict[str, Any]:
    fault = each.fault
    left = None if fault.seconds is None else round(fault.seconds - (now - each.since), 1)
    return {
        "fault": fault.words,
        "does": KINDS[fault.kind],
        "struck": each.struck,
        "instances": sorted(each.instances),
        "seconds_left": left,
    }
