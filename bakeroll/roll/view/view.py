"""Everything that one turn of a roll knows, and what follows from it. Pure.

`decide`, the lanes, the phase and the reports read one view. Only the view says which instances come and go.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from bakeroll.fleet import DRAINING, ROLL_TAG, Fleet, Health, Instance
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.amounts import canaries_of, floor_of, surge_of
from bakeroll.roll.state.decision import Act, Wait
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.record import Goal, Record
from bakeroll.roll.view.health import not_yet, says_another
from bakeroll.roll.view.roles import Role, comes_into_twin, roles
from bakeroll.roll.view.unseen import Unseen, unseen
from bakeroll.settings import Policy


@dataclass(frozen=True)
class View:
    """What a turn knows. `record` is settled. `now` is in monotonic seconds.

    `roles` are by instance id. `found_reasons` are the reasons that were asked for so far, each found once a turn.
    """

    fleet: Fleet
    goal: Goal
    policy: Policy
    record: Record
    memory: Memory
    now: float
    roles: Mapping[str, Role]
    unseen: Unseen
    found_reasons: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, fleet: Fleet, goal: Goal, policy: Policy, record: Record, memory: Memory, now: float) -> "View":
        """The view of these. `record` is settled, and `memory` has observed the fleet."""
        policy = policy.model_copy(update={"strategy": record.intended.strategy})
        role_of = roles(fleet, record)
        return cls(fleet, goal, policy, record, memory, now, role_of, unseen(fleet, record, memory, now))

    def remembering(self, memory: Memory) -> "View":
        """The view with another memory, for news about canaries and consoles. That changes no role and no reason."""
        return replace(self, memory=memory)

    def do(self, *actions: act.Action, record: Record | None = None) -> Act:
        """The decision to carry out these actions. `record` announces them if they need an announcement."""
        return Act(record or self.record, actions)

    def role(self, instance: Instance) -> Role:
        """The role of the instance."""
        return self.roles[instance.id]

    def reason(self, instance: Instance) -> str:
        """Why the instance does not count yet. Empty if it is in service."""
        if instance.id not in self.found_reasons:
            is_incoming = self.role(instance) is Role.INCOMING
            expected = (self.policy.healthy_checks, self.version) if is_incoming else (1, None)
            self.found_reasons[instance.id] = not_yet(self.fleet, instance, self.memory, *expected)
        return self.found_reasons[instance.id]

    @property
    def version(self) -> str | None:
        """The version that incoming instances must report. None if the roll backs out."""
        return self.goal.version if self.is_forward else None

    def says_another(self, instance: Instance) -> bool:
        """Whether the instance comes in and reports a version that is not the expected one."""
        is_incoming = self.role(instance) is Role.INCOMING
        return is_incoming and says_another(instance, self.memory, self.version)

    def _those(self, *of: Role) -> tuple[Instance, ...]:
        return tuple(each for each in self.fleet.instances if self.roles[each.id] in of)

    @cached_property
    def incoming(self) -> Sequence[Instance]:
        """The instances that serve at the end of the roll."""
        return self._those(Role.INCOMING)

    @cached_property
    def outgoing(self) -> Sequence[Instance]:
        """The instances that have to go and that the roll has not chosen to retire yet."""
        return self._those(Role.OUTGOING)

    @cached_property
    def retiring(self) -> Sequence[Instance]:
        """The instances that the roll chose to retire and that are still here."""
        return self._those(Role.RETIRING)

    @property
    def added(self) -> int:
        """By how much the roll has raised desired capacity."""
        return self.record.capacity.added

    @property
    def wanted(self) -> int:
        """The capacity that others ask for: desired capacity without what the roll added."""
        return self.fleet.desired - self.added

    @property
    def target(self) -> int:
        """How many instances serve at the end.

        If the roll backs out and the old image cannot be launched, no more than the roll found.
        """
        found = self.record.found
        return self.wanted if self.is_forward or found.is_launchable else min(self.wanted, len(found.members))

    @cached_property
    def deaths(self) -> Sequence[Instance]:
        """The instances of this roll that died before the roll chose to retire them."""
        first = self.record.launches.wanted_from
        dead = [each for each in self._those(Role.DEAD) if each.id not in self.chosen]
        return [each for each in dead if (slot := self.record.slot_of(each)) is not None and slot >= first]

    @property
    def is_forward(self) -> bool:
        return self.record.stage == "forward"

    @property
    def is_twinned(self) -> bool:
        return self.record.intended.strategy == "blue-green"

    @property
    def is_switched(self) -> bool:
        return self.record.is_switched

    @property
    def is_refreshing(self) -> bool:
        """Whether AWS's instance refresh does the work and has not finished it."""
        return self.record.intended.strategy == "refresh" and self.is_forward and not self.record.refresh.is_done

    @property
    def is_by_group(self) -> bool:
        """Whether the group itself launches the new instances."""
        return self.record.intended.launcher == "group" and not self.is_twinned

    @property
    def is_committed(self) -> bool:
        """Whether the group launches the release by itself. In a blue-green roll, that is the second group."""
        if self.is_twinned:
            return comes_into_twin(self.fleet, self.record) is not self.is_forward
        return self.fleet.identity == self.record.identity

    @property
    def floor(self) -> int:
        return floor_of(self.policy, self.wanted)

    @property
    def surge(self) -> int:
        return surge_of(self.policy, self.wanted)

    @property
    def limit(self) -> int:
        """How many instances may come in for now. Until the canaries pass their checks, only the canaries."""
        is_watched = self.record.intended.strategy != "canary" or self.record.is_watched or not self.is_forward
        return self.target if is_watched else min(self.target, canaries_of(self.policy, self.wanted))

    @property
    def deficit(self) -> int:
        """How many instances the group lacks and launches by itself."""
        return self.fleet.desired - len(self.fleet.members)

    @property
    def to_come(self) -> int:
        """The deficit, with replacements for dead members that the group has not noticed.

        If its health checks are suspended, the group notices none.
        """
        is_blind = bool({"HealthCheck", "ReplaceUnhealthy"} & self.fleet.suspended)
        return max(0, self.fleet.desired - sum(each.is_alive or is_blind for each in self.fleet.members))

    @property
    def launching(self) -> int:
        """The deficit, or 0 if the group has had it for so long that it seems unable to launch."""
        since = self.memory.short_since
        is_late = since is not None and self.now - since >= self.policy.in_service_timeout
        return 0 if is_late else max(0, self.deficit)

    @cached_property
    def room(self) -> int:
        """How many more instances may exist now."""
        alive = sum(each.is_alive and (not each.lifecycle or each.is_member) for each in self.fleet.instances)
        return self.wanted + self.surge - alive - self.unseen.coming

    @cached_property
    def chosen(self) -> frozenset[str]:
        """All instances that the roll ever chose to retire."""
        return frozenset(self.record.retiring)

    @cached_property
    def found(self) -> frozenset[str]:
        """The members that the roll found."""
        return frozenset(self.record.found.members)

    @cached_property
    def loose(self) -> Sequence[Instance]:
        """The incoming instances that are not in the group."""
        return [each for each in self.incoming if not each.is_member]

    @cached_property
    def serving(self) -> Sequence[Instance]:
        """The incoming instances that are in service in the fleet's group or in the second one."""
        mine = [each for each in self.incoming if each.is_member or each.is_in_twin]
        return [each for each in mine if not self.reason(each)]

    @cached_property
    def awaited(self) -> Sequence[Instance]:
        """The incoming instances that the roll waits for.

        If the roll backs out, these are only the ones that it brings back or launched.
        """
        return self.incoming if self.is_forward else [each for each in self.incoming if self._is_brought_back(each)]

    def _is_brought_back(self, instance: Instance) -> bool:
        is_launched = self.record.slot_of(instance) is not None or instance.is_in_twin
        is_replacement = self.is_by_group and instance.id not in self.found
        return (
            is_launched
            or is_replacement
            or instance.id in (*self.record.soak.instances, *self.record.capacity.attached)
        )

    def awaits(self, identifier: str, why: str) -> Wait:
        """The decision to wait for this instance, until `in_service_timeout` has passed for it."""
        since = self.memory.waiting.get(identifier, self.now)
        return Wait(identifier, why, since, since + self.policy.in_service_timeout)

    def is_ours(self, instance: Instance) -> bool:
        """Whether this roll, or a dead roll before it, launched the instance."""
        return instance.tags.get(ROLL_TAG) in self.record.rolls

    def has_drained(self, instance: Instance) -> bool:
        """Whether the instance does not drain, or has drained for `drain_timeout`."""
        since = self.memory.draining.get(instance.id, self.now)
        return not instance.is_draining or self.now - since >= self.policy.drain_timeout

    def deregistrations(self, instances: Sequence[Instance]) -> Iterator[act.Action]:
        """The actions that deregister these instances wherever they may still receive work."""
        for group in self.fleet.target_groups:
            targets = [group.target(each) for each in instances if is_given_work(each.health.get(group.arn))]
            if targets:
                yield act.Deregister(group, tuple(targets))


def is_given_work(health: Health | None) -> bool:
    """Whether a balancer knows the target and may send it new requests."""
    return health is not None and health.state not in DRAINING
