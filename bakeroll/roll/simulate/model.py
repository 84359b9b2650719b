"""A cloud in memory with the clock in its hand: Auto Scaling groups, their instances, their target groups.

It behaves as AWS does where a roll depends on it: instances boot, targets become healthy after a while, a group
replaces what died, launches what it lacks and evens out its zones, attaching raises desired capacity, draining takes
its time, an instance refresh goes on by itself. Every call takes `latency`, and things go on meanwhile. Rolls run over
it in milliseconds; `ports` is the way of a roll to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bakeroll.fleet import Group
from bakeroll.roll.simulate import groups
from bakeroll.roll.simulate.cloud import Cloud
from bakeroll.roll.simulate.parts import NAME, TEMPLATE, Behaviour, Machine, Squad, Target

EPOCH = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(slots=True)
class World(Cloud):
    """The cloud while time passes, which is its own."""

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.time)

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let the time pass, in steps, so that nothing that happens meanwhile is skipped."""
        end = self.time + seconds
        while self.time < end:
            self.time = min(end, self.time + 0.25)
            self._happen()

    def call(self) -> None:
        self.sleep(self.latency)

    def _happen(self) -> None:
        for identifier, machine in self.machines.items():
            if machine.instance.state in ("pending", "running"):
                self._live(identifier, machine)
        for targets in self.targets.values():
            for identifier in [each for each, target in targets.items() if self._has_drained(target)]:
                del targets[identifier]
        for squad in list(self.squads.values()):
            groups.enter(self, squad)
            groups.scale(self, squad)
            groups.warm_up(self, squad)
        for refresh in self.refreshes:
            if not refresh.state.is_over:
                groups.refresh(self, refresh)

    def _live(self, identifier: str, machine: Machine) -> None:
        age, behaviour = self.time - machine.launched, self.behaviour(identifier)
        if machine.instance.state == "pending" and age >= behaviour.boots:
            self.state(identifier, "running")
        is_killed = behaviour.dies is not None and age >= behaviour.dies
        if machine.instance.state == "running" and (is_killed or (machine.ends and self.time >= machine.ends)):
            self.state(identifier, "terminated")
        if machine.instance.state == "pending" and machine.ends and self.time >= machine.ends:
            self.state(identifier, "terminated")

    def _has_drained(self, target: Target) -> bool:
        return target.drains is not None and self.time - target.drains >= self.delay


def world(
    desired: int, images: Mapping[str, Behaviour], *, minimum: int = 1, maximum: int = 8, serving: int | None = None
) -> World:
    """A fleet that serves ami-old with `serving` instances (all that it desires, unless said otherwise)."""
    group = Group(
        name=NAME,
        minimum=minimum,
        maximum=maximum,
        desired=desired,
        template=TEMPLATE,
        template_version="1",
        subnets=("subnet-a", "subnet-b"),
        target_groups=("tg-a", "tg-b"),
        tags={"application": "links"},
    )
    made = World({NAME: Squad(group)}, dict(images))
    for n in range(desired if serving is None else serving):
        made.lifecycles[made.start("ami-old", "ab"[n % 2], {"bakeroll:version": "1.0-1"})] = "Pending"
    made.sleep(5)
    return made
