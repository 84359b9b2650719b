"""A cloud in memory with a clock of its own: Auto Scaling groups, their instances and their target groups.

It behaves like AWS in everything that a roll depends on. Instances boot, and targets become healthy after a while. A
group replaces dead members, launches what it lacks and balances its zones. An attach raises desired capacity, draining
takes time, and an instance refresh runs by itself. Every call takes `latency`, in which all this goes on. A roll over
this cloud takes milliseconds. `ports` gives a roll access to it.
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
    """The cloud and its own time. It is the clock of the rolls that run over it."""

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.time)

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let time pass in small steps, so that nothing is skipped."""
        end = self.time + seconds
        while self.time < end:
            self.time = min(end, self.time + 0.25)
            self._happen()

    def call(self) -> None:
        """Let the time of one call pass."""
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
            self.set_state(identifier, "running")
        is_killed = behaviour.dies is not None and age >= behaviour.dies
        if machine.instance.state == "running" and (is_killed or (machine.ends and self.time >= machine.ends)):
            self.set_state(identifier, "terminated")
        if machine.instance.state == "pending" and machine.ends and self.time >= machine.ends:
            self.set_state(identifier, "terminated")

    def _has_drained(self, target: Target) -> bool:
        return target.drains is not None and self.time - target.drains >= self.delay


def world(
    desired: int, images: Mapping[str, Behaviour], *, minimum: int = 1, maximum: int = 8, serving: int | None = None
) -> World:
    """A fleet that serves ami-old with `serving` instances. The default is as many as it desires."""
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
