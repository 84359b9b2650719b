"""What others do to a fleet during a roll. The observer learns what they want from then on."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bakeroll.roll.simulate.model import World
from bakeroll.roll.simulate.parts import NAME
from tests.roll.observer import MOMENTS, Observer

Deed = Literal[
    "raise", "lower", "plan", "kill", "zone", "terminate", "flap", "full", "lack", "edit", "protect", "standby",
    "replaced standby", "suspend", "resume",
]  # fmt: skip
PROCESSES = ("AlarmNotification", "HealthCheck", "ReplaceUnhealthy", "Terminate", "AddToLoadBalancer")
"""Launch is missing because every roll needs it, and AZRebalance because a roll suspends it itself."""
ZONES = ("a", "b", "ab")
SECONDS = 3.0
"""How long EC2 lacks capacity."""


@dataclass(frozen=True)
class Happening:
    """An event at `time` (seconds after the beginning). `which` selects its object or its kind."""

    time: float
    what: Deed
    which: int = 0


@dataclass
class Events:
    fleet: World
    observer: Observer
    left: list[Happening]
    full_until: float = 0
    began: float = 5.0

    def __call__(self) -> None:
        if self.fleet.time >= self.full_until:
            self.fleet.full.clear()
        while self.left and self.fleet.time - self.began >= self.left[0].time:
            self._happen(self.left.pop(0))
        self.observer()

    @property
    def is_full(self) -> bool:
        return self.fleet.time < self.full_until and not self.fleet.full

    def _happen(self, it: Happening) -> None:
        running = [each for each, machine in self.fleet.machines.items() if machine.instance.state == "running"]
        on_one: Mapping[str, Callable[[str], None]] = {
            "kill": lambda each: self.fleet.set_state(each, "terminated"),
            "zone": self._lose_zone,
            "terminate": self.fleet.end,
            "flap": self._flap,
            "protect": self._protect,
            "standby": lambda each: self._stand_by(each, is_replaced=False),
            "replaced standby": lambda each: self._stand_by(each, is_replaced=True),
        }
        if it.what in on_one:
            if running:
                on_one[it.what](running[it.which % len(running)])
        else:
            self._to_the_group(it)

    def _to_the_group(self, it: Happening) -> None:
        group, wanted = self.fleet.group, self.observer.wanted
        self.fleet.descriptions.clear()  # a stale group hides what others set, and a roll may then overwrite it
        match it.what:
            case "raise" | "lower" | "plan" if self._is_unheard:
                pass
            case "raise" if group.desired < group.maximum:
                self._desire(1)
            case "lower" if min(group.desired, wanted) > group.minimum and not self._is_switched:
                self._desire(-1)
            case "plan" if not self._is_switched:
                self._plan(it.which)
            case "full" | "lack":
                self.full_until = self.fleet.time + SECONDS
                self.fleet.full = set(ZONES[it.which % 3]) if it.what == "lack" else set()
            case "edit":
                self.observer.edited()
            case "suspend" | "resume" if self._is_switched:
                pass
            case "suspend":
                self._suspend({PROCESSES[it.which % len(PROCESSES)]}, set())
            case "resume":
                self._suspend(set(), {PROCESSES[it.which % len(PROCESSES)]})
            case _:
                pass  # cannot happen to the fleet as it is

    @property
    def _is_switched(self) -> bool:
        """Whether two groups change places. A roll then cannot tell which of them others changed."""
        return len(self.fleet.squads) > 1 and bool(
            self.fleet.hand_overs or self._record.get("second", {}).get("switching_to")
        )

    @property
    def _is_unheard(self) -> bool:
        """Whether a roll cannot tell whose a change of desired capacity is.

        That is so if a change was announced and not answered, or if an instance has just died that may be announced to
        leave with decrement. It is also so if others changed it since the last observation: two changes look like one.
        """
        capacity, now = self._record.get("capacity", {}), self.fleet.time
        is_dead = any(
            each.instance.state == "terminated" and now - each.ended < MOMENTS for each in self.fleet.machines.values()
        )
        is_unseen = self.observer.wanted_before[-1][0] > self.observer.looked_at
        is_due = is_dead or is_unseen or any(each in self.fleet.members for each in capacity.get("decremented", ()))
        return is_due or any(capacity.get(each) for each in ("attaching", "leaving", "raising", "lowering"))

    @property
    def _record(self) -> dict[str, Any]:
        document = self.fleet.table.get((f"fleet#{NAME}", "roll"))
        found: dict[str, Any] = json.loads(document.body) if document else {}
        return found

    def _desire(self, by: int) -> None:
        self.observer.wants(self.observer.wanted + by)
        self.fleet.group = replace(self.fleet.group, desired=self.fleet.group.desired + by)

    def _plan(self, which: int) -> None:
        """A scheduled action sets all sizes. Others want at least the minimum."""
        group = self.fleet.group
        minimum = min(which % 4, group.desired + 1)
        desired = max(minimum, group.desired + which % 3 - 1)
        maximum = max(group.maximum, desired) + 20
        self.observer.wants(max(minimum, self.observer.wanted + desired - group.desired))
        self.observer.plans(minimum, maximum)
        self.fleet.group = replace(group, minimum=minimum, desired=desired, maximum=maximum)

    def _lose_zone(self, victim: str) -> None:
        zone = self.fleet.machines[victim].instance.zone
        for each in self.fleet.members:
            if self.fleet.machines[each].instance.zone == zone:
                self.fleet.set_state(each, "terminated")

    def _flap(self, victim: str) -> None:
        for targets in self.fleet.targets.values():
            if victim in targets:
                targets[victim].since = self.fleet.time

    def _protect(self, victim: str) -> None:
        self.fleet.machines[victim].protected = True

    def _stand_by(self, victim: str, *, is_replaced: bool) -> None:
        squad, group = self.fleet.squad, self.fleet.group
        is_least = min(group.desired, self.observer.wanted) <= group.minimum
        is_lost = is_least or self._is_switched or self._is_unheard
        is_theirs = victim in self._record.get("retiring", ())  # nobody can tell whose doing it is
        if squad.lifecycles.get(victim) != "InService" or (is_lost and not is_replaced) or is_theirs:
            return
        self.fleet.descriptions.clear()
        self.fleet.leave(squad, victim, "Standby")
        self.observer.standing.add(victim)
        if not is_replaced:
            self._desire(-1)

    def _suspend(self, suspended: set[str], resumed: set[str]) -> None:
        self.observer.suspends(self.observer.suspended - resumed | suspended)
        self.fleet.group = replace(self.fleet.group, suspended=self.fleet.group.suspended - resumed | suspended)
