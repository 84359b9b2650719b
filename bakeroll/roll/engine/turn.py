"""One turn of a roll, as the steps see it: the fleet, the record, the memory, and what follows from them. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bakeroll.fleet import DRAINING, ROLL_TAG, Fleet, Health, Instance
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.amounts import canaries_of, floor_of, surge_of
from bakeroll.roll.state.decision import Act, Wait
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.record import Goal, Record
from bakeroll.roll.world.health import not_yet
from bakeroll.roll.world.standing import Standing, settled, slot_of, standing
from bakeroll.settings import Policy


@dataclass(frozen=True)
class Turn:
    """`record` is settled; `now` is in monotonic seconds."""

    fleet: Fleet
    goal: Goal
    policy: Policy
    record: Record
    memory: Memory
    now: float
    at: Standing

    @classmethod
    def of(cls, fleet: Fleet, goal: Goal, policy: Policy, record: Record, memory: Memory, now: float) -> "Turn":
        record = settled(fleet, record)
        policy = policy.model_copy(update={"strategy": record.strategy})
        return cls(fleet, goal, policy, record, memory, now, standing(fleet, record, memory, now))

    def do(self, *actions: act.Action, **changes: object) -> Act:
        return Act(replace(self.record, **changes), actions)  # type: ignore[arg-type]

    @property
    def is_forward(self) -> bool:
        return self.record.stage == "forward"

    @property
    def is_twinned(self) -> bool:
        return self.record.strategy == "blue-green"

    @property
    def is_switched(self) -> bool:
        """Whether the second group of a blue-green roll is the fleet's by now."""
        return self.record.group != self.record.found.group

    @property
    def is_refreshing(self) -> bool:
        """Whether AWS's instance refresh is to do the work, and has not done it."""
        return self.record.strategy == "refresh" and self.is_forward and not self.record.is_refreshed

    @property
    def is_by_group(self) -> bool:
        """Whether the group itself launches what is new."""
        return self.record.launcher == "group" and not self.is_twinned

    @property
    def is_committed(self) -> bool:
        """Whether what the group launches by itself is the release: of a blue-green roll, in the second group."""
        if self.is_twinned:
            return self.at.is_twin_home is not self.is_forward
        return self.fleet.image == self.record.image

    @property
    def version(self) -> str | None:
        """What new instances must say of themselves; backing out, nothing."""
        return self.goal.version if self.is_forward else None

    @property
    def floor(self) -> int:
        return floor_of(self.policy, self.at.wanted)

    @property
    def surge(self) -> int:
        return surge_of(self.policy, self.at.wanted)

    @property
    def limit(self) -> int:
        """How many right ones there may be for now: the canaries, until they stood what they had to."""
        is_watched = self.record.strategy != "canary" or self.record.is_watched or not self.is_forward
        return self.at.target if is_watched else min(self.at.target, canaries_of(self.policy, self.at.wanted))

    @property
    def deficit(self) -> int:
        """How many the group is about to launch by itself."""
        return self.fleet.desired - len(self.fleet.members)

    @property
    def to_come(self) -> int:
        """The same, with the replacements of those that it has not noticed to be dead, unless it may not look."""
        is_blind = bool({"HealthCheck", "ReplaceUnhealthy"} & self.fleet.suspended)
        return max(0, self.fleet.desired - sum(each.is_alive or is_blind for each in self.fleet.members))

    @property
    def launching(self) -> int:
        """The same, but none where it has been about to for so long that it seems not to be able to."""
        since = self.memory.short_since
        is_late = since is not None and self.now - since >= self.policy.in_service_timeout
        return 0 if is_late else max(0, self.deficit)

    @cached_property
    def room(self) -> int:
        """How many more there may be at once."""
        alive = sum(each.is_alive and (not each.lifecycle or each.is_member) for each in self.fleet.instances)
        return self.at.wanted + self.surge - alive - self.at.coming

    @cached_property
    def chosen(self) -> frozenset[str]:
        """All that were ever chosen to go."""
        return frozenset(self.record.retiring)

    @cached_property
    def found(self) -> frozenset[str]:
        """The members as found."""
        return frozenset(self.record.found.members)

    @cached_property
    def loose(self) -> Sequence[Instance]:
        """The right ones that are not in the group."""
        return [each for each in self.at.right if not each.is_member]

    @cached_property
    def serving(self) -> Sequence[Instance]:
        """The right ones in service: in the group, or in its twin."""
        mine = [each for each in self.at.right if each.is_member or each.is_in_twin]
        return [each for each in mine if not self.not_yet(each)]

    @cached_property
    def awaited(self) -> Sequence[Instance]:
        """Those whose coming into service is waited for: backing out, only what this roll brings back or launched."""
        if self.is_forward:
            return self.at.right
        mine = {*self.record.soaked, *self.record.attached}
        return [
            each
            for each in self.at.right
            if slot_of(each, self.record) is not None
            or each.id in mine
            or each.is_in_twin
            or self._is_replacement(each)
        ]

    def _is_replacement(self, instance: Instance) -> bool:
        return self.is_by_group and instance.id not in self.found

    @cached_property
    def going(self) -> Sequence[Instance]:
        """Those that were chosen to go and have not gone."""
        return [each for each in self.fleet.instances if each.id in self.chosen and self._is_here(each)]

    def _is_here(self, instance: Instance) -> bool:
        is_leaving = instance.lifecycle.startswith("Terminating") or instance.is_standing_by
        return instance.is_alive and not is_leaving

    def not_yet(self, instance: Instance) -> str:
        return not_yet(self.fleet, instance, self.memory, self.policy.healthy_checks, self.version)

    def awaits(self, identifier: str, why: str) -> Wait:
        since = self.memory.waiting.get(identifier, self.now)
        return Wait(identifier, why, since, since + self.policy.in_service_timeout)

    def is_ours(self, instance: Instance) -> bool:
        return instance.tags.get(ROLL_TAG) in self.record.rolls

    def has_drained(self, instance: Instance) -> bool:
        since = self.memory.draining.get(instance.id, self.now)
        return not instance.is_draining or self.now - since >= self.policy.drain_timeout

    def deregistrations(self, instances: Sequence[Instance]) -> Iterator[act.Action]:
        for group in self.fleet.target_groups:
            targets = [group.target(each) for each in instances if is_given_work(each.health.get(group.arn))]
            if targets:
                yield act.Deregister(group, tuple(targets))


def is_given_work(health: Health | None) -> bool:
    """Whether a balancer knows the target and may send it something new."""
    return health is not None and health.state not in DRAINING


def united(some: tuple[str, ...], more: Sequence[str]) -> tuple[str, ...]:
    known = set(some)
    return (*some, *(each for each in more if each not in known))


def without(some: tuple[str, ...], less: Sequence[str]) -> tuple[str, ...]:
    gone = set(less)
    return tuple(each for each in some if each not in gone)
