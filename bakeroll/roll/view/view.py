"""All that one turn of a roll knows, and what follows from it. Pure.

`decide`, the lanes, the phase and what is reported read one view; nothing else says which instances come and go.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from bakeroll.fleet import DRAINING, ROLL_TAG, Fleet, Health, Instance
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.amounts import canaries_of, floor_of, surge_of
from bakeroll.roll.state.decision import Act, Wait
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.record import Goal, Record
from bakeroll.roll.view.health import not_yet, says_another
from bakeroll.roll.view.roles import Role, comes_into_twin, roles
from bakeroll.roll.view.settled import settled
from bakeroll.roll.view.unseen import Unseen, unseen
from bakeroll.settings import Policy


@dataclass(frozen=True)
class View:
    """`record` is settled; `now` is in monotonic seconds.

    `roles` and `reasons` are by instance id; a reason says why the instance does not count yet, and is empty where it
    is in service.
    """

    fleet: Fleet
    goal: Goal
    policy: Policy
    record: Record
    memory: Memory
    now: float
    roles: Mapping[str, Role]
    reasons: Mapping[str, str]
    unseen: Unseen

    @classmethod
    def of(cls, fleet: Fleet, goal: Goal, policy: Policy, record: Record, memory: Memory, now: float) -> "View":
        """`record` may be one that is not settled yet."""
        record = settled(fleet, record)
        policy = policy.model_copy(update={"strategy": record.intended.strategy})
        its = roles(fleet, record)
        expected = (policy.healthy_checks, goal.version if record.stage == "forward" else None)
        reasons = {
            each.id: not_yet(fleet, each, memory, *(expected if its[each.id] is Role.INCOMING else (1, None)))
            for each in fleet.instances
        }
        return cls(fleet, goal, policy, record, memory, now, its, reasons, unseen(fleet, record, memory, now))

    def remembering(self, memory: Memory) -> "View":
        """The same with what was learned since of canaries and consoles, which changes no role and no reason."""
        return replace(self, memory=memory)

    def do(self, *actions: act.Action, record: Record | None = None) -> Act:
        """Do these; `record` announces them, where there is anything to announce."""
        return Act(record or self.record, actions)

    def role(self, instance: Instance) -> Role:
        return self.roles[instance.id]

    def reason(self, instance: Instance) -> str:
        """Why it does not count yet; empty where it is in service."""
        return self.reasons[instance.id]

    @property
    def version(self) -> str | None:
        """What those that come in must say of themselves; backing out, nothing."""
        return self.goal.version if self.is_forward else None

    def says_another(self, instance: Instance) -> bool:
        """Whether it comes in and told a version that is not the expected one, which no waiting mends."""
        is_asked = self.role(instance) is Role.INCOMING
        return is_asked and says_another(instance, self.memory, self.version)

    def _those(self, *of: Role) -> tuple[Instance, ...]:
        return tuple(each for each in self.fleet.instances if self.roles[each.id] in of)

    @cached_property
    def incoming(self) -> Sequence[Instance]:
        """Those that are to serve in the end."""
        return self._those(Role.INCOMING)

    @cached_property
    def outgoing(self) -> Sequence[Instance]:
        """Those that are to go and were not chosen yet."""
        return self._those(Role.OUTGOING)

    @cached_property
    def retiring(self) -> Sequence[Instance]:
        """Those that were chosen to go and are still here."""
        return self._those(Role.RETIRING)

    @property
    def added(self) -> int:
        """By how much the roll has raised desired capacity."""
        return self.record.capacity.added

    @property
    def wanted(self) -> int:
        """The capacity that others ask for."""
        return self.fleet.desired - self.added

    @property
    def target(self) -> int:
        """How many are to serve in the end. Backing out where nothing can be launched: no more than there were."""
        found = self.record.found
        return self.wanted if self.is_forward or found.is_launchable else min(self.wanted, len(found.members))

    @cached_property
    def deaths(self) -> Sequence[Instance]:
        """Those that this roll launched, and that died before they were chosen to go."""
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
        """Whether AWS's instance refresh is to do the work, and has not done it."""
        return self.record.intended.strategy == "refresh" and self.is_forward and not self.record.refresh.is_done

    @property
    def is_by_group(self) -> bool:
        """Whether the group itself launches what is new."""
        return self.record.intended.launcher == "group" and not self.is_twinned

    @property
    def is_committed(self) -> bool:
        """Whether what the group launches by itself is the release: of a blue-green roll, in the second group."""
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
        """How many may come in for now: the canaries, until they passed their checks."""
        is_watched = self.record.intended.strategy != "canary" or self.record.is_watched or not self.is_forward
        return self.target if is_watched else min(self.target, canaries_of(self.policy, self.wanted))

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
        return self.wanted + self.surge - alive - self.unseen.coming

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
        """Those that come in and are not in the group."""
        return [each for each in self.incoming if not each.is_member]

    @cached_property
    def serving(self) -> Sequence[Instance]:
        """Those that came in and are in service: in the group, or in its twin."""
        mine = [each for each in self.incoming if each.is_member or each.is_in_twin]
        return [each for each in mine if not self.reason(each)]

    @cached_property
    def awaited(self) -> Sequence[Instance]:
        """Those whose coming into service is waited for: backing out, only what this roll brings back or launched."""
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
