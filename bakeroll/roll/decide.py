"""What to do next. Pure: from what was observed, written down and remembered, to a decision.

The order of a roll: make the launch template version; suspend AZRebalance (it would launch and terminate on
its own while zones are skewed); launch; ask each new instance, then register it; when it is in service, attach
it; set the group to the new version (the commit point); drain and retire the old; put back what was changed.
Backing out is the same decision with the fleet as found for its goal: what is wrong then is what was new.

A group with fewer instances than it desires (a first release: its template names no image that exists) has to
end with exactly as many as it desired. AttachInstances always raises desired capacity, and needs the Launch
process, so the attached instances would fill nothing and the group would go on launching what it lacks: after
the commit point, as many again. So what attaching added and nothing fills is taken back at once after the
attach (LowerDesired). Only the roll's own addition is ever taken back: desired capacity never falls below what
others asked for, nor below the instances there are, and so the group terminates nothing. The price is a
maximum size raised for that moment. To lower first would break the minimum size; to suspend Launch would stop
attaching and everybody's scale-out; to let the group launch after the commit point would put instances in
service that nobody asked for their version, and wait for a group that AWS lets retry ever more seldom.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from bakeroll.fleet import DRAINING, ROLL_TAG, SLOT_TAG, VERSION_TAG, Fleet, Health, Instance, Subnet, TargetGroup
from bakeroll.roll import actions as act
from bakeroll.roll.health import Memory, not_yet, says_another, unready
from bakeroll.roll.policy import DEATHS, floor_of, surge_of
from bakeroll.roll.record import Goal, Record, RecordedSlot
from bakeroll.roll.standing import Standing, settled, slot_of, standing
from bakeroll.settings import Policy

ATTACH_AT_MOST = 20  # https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html


@dataclass(frozen=True, slots=True)
class Act:
    """Write `record` down, then do the `actions` in their order."""

    record: Record
    actions: tuple[act.Action, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do but to wait for `what`, because of `why`, until `until` (monotonic seconds) at most."""

    what: str
    why: str
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The goal is not reached, because; `instance` has the console that tells more."""

    why: str
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The goal is reached and everything is put back."""


Decision: TypeAlias = Act | Wait | Failed | Done


def serves(fleet: Fleet, goal: Goal) -> bool:
    """Whether the fleet serves the release already and there is nothing to do."""
    members = fleet.members
    return (
        fleet.image == goal.release.image
        and len(members) >= fleet.desired
        and all(each.image == goal.release.image and fleet.is_in_service(each) for each in members)
    )


def decide(fleet: Fleet, goal: Goal, policy: Policy, record: Record, memory: Memory, now: float) -> Decision:
    """The next actions, or what is awaited and why, or the end."""
    record = settled(fleet, record)
    turn = _Turn(fleet, goal, policy, record, memory, now, standing(fleet, record, memory, now))
    steps = (
        turn.set_back,
        turn.failure,
        turn.pin,
        turn.make_version,
        turn.suspend,
        turn.lower_desired,
        turn.sweep,
        turn.retire,
        turn.launch,
        turn.register,
        turn.attach,
        turn.commit,
        turn.choose,
        turn.wait,
        turn.restore,
    )
    return next((decision for step in steps if (decision := step())), Done())


@dataclass(frozen=True, slots=True)
class _Turn:
    """One turn: each step says what it wants done or awaited, or None where it has nothing to say."""

    fleet: Fleet
    goal: Goal
    policy: Policy
    record: Record
    memory: Memory
    now: float
    at: Standing

    def set_back(self) -> Decision | None:
        """Backing out begins with what the group launches by itself."""
        is_ours = self.record.knows(self.fleet) and self.fleet.template_version in self.record.versions
        if self._is_forward or not is_ours:
            return None
        return self._do(act.SetTemplate(self.fleet.template_version, self._launched_before))

    def failure(self) -> Decision | None:
        if len(self.at.deaths) > DEATHS:
            last = self.at.deaths[-1]
            return Failed(
                f"{len(self.at.deaths)} new instances died before they served; the last was {last.id}", last.id
            )
        if self._is_forward and not self.record.knows(self.fleet):
            of = f" of {self.fleet.template}" if self.fleet.template != self.record.found.template else ""
            return Failed(
                f"{self.fleet.name}'s launch template version was set to {self.fleet.template_version}{of} meanwhile"
            )
        return next((failed for each in self._awaited if (failed := self._failed(each))), None)

    def pin(self) -> Decision | None:
        """A group at `$Latest` would launch the new version as soon as it is made: name the number first."""
        version = self.fleet.template_version
        if not self._is_forward or self._is_committed or not version.startswith("$"):
            return None
        return self._do(act.SetTemplate(version, self.fleet.template_number), pinned=self.fleet.template_number)

    def make_version(self) -> Decision | None:
        if not self._is_forward or self.record.made or self._is_committed:
            return None
        make = act.MakeVersion(self.record.found.template, self.fleet.template_version, self.record.image)
        return self._do(make, making=_united(self.record.making, (self.record.id,)))

    def suspend(self) -> Decision | None:
        if "AZRebalance" in self.fleet.suspended or not self._is_forward:
            return None
        if not self.at.wrong and len(self.at.right) >= self.at.target:
            return None
        return self._do(act.Suspend(("AZRebalance",)), suspended=("AZRebalance",))

    def lower_desired(self) -> Decision | None:
        """Take back what attaching added where no instance fills it; see above."""
        spare = min(self.fleet.desired - len(self.fleet.members), self.at.surge)
        if spare <= 0:
            return None
        seen, to = self.fleet.desired, self.fleet.desired - spare
        return self._do(act.LowerDesired(seen, to), lowering=(seen, to))

    def sweep(self) -> Decision | None:
        """An instance of ours that died outside the group stays registered unless we deregister it."""
        dead = [each for each in self.fleet.instances if not each.is_alive and not each.lifecycle]
        ours = [each for each in dead if each.tags.get(ROLL_TAG) in self.record.rolls]
        return self._deregister([each for each in ours if any(_is_given_work(it) for it in each.health.values())])

    def retire(self) -> Decision | None:
        """Those that were chosen to go: deregistered, drained, terminated."""
        going = [each for each in self.fleet.instances if self._is_going(each)]
        if decision := self._deregister([each for each in going if each.is_registered]):
            return decision
        return self._terminate([each for each in going if not each.is_registered and self._has_drained(each)])

    def launch(self) -> Decision | None:
        number = self._launches()
        slots = (*self.record.slots, *self._slots(number))
        numbers = (*self.at.open_slots, *range(len(self.record.slots), len(slots)))
        return self._do(*(act.Launch(each, self._tags(each)) for each in numbers), slots=slots) if numbers else None

    def register(self) -> Decision | None:
        ready = [each for each in self._loose if not unready(each, self.memory, self._version)]
        waiting = {group: [each.id for each in ready if group.arn not in each.health] for group in self._groups}
        found = [act.Register(group, tuple(ids)) for group, ids in waiting.items() if ids]
        return self._do(*found) if found else None

    def attach(self) -> Decision | None:
        """The whole batch when all of it is in service, so that a failure finds it outside the group."""
        loose = self._loose
        if not loose or self.at.unseen or any(self._not_yet(each) for each in loose):
            return None
        ids = tuple(each.id for each in loose)[:ATTACH_AT_MOST]
        needed = self.fleet.desired + len(ids)
        if self.fleet.maximum < needed:
            return self._do(act.SetMaximum(self.fleet.maximum, needed), maxima=(*self.record.maxima, needed))
        attached = _united(self.record.attached, ids)
        return self._do(act.Attach(ids), attached=attached, attaching=(self.fleet.desired, ids))

    def commit(self) -> Decision | None:
        if not self._is_forward or self._is_committed or not self._is_proven:
            return None
        return self._do(act.SetTemplate(self.fleet.template_version, self.record.made))

    def choose(self) -> Decision | None:
        """Which of the wrong instances may go now."""
        chosen = tuple(self._chosen())
        if not chosen:
            return None
        going = [each for each in self.fleet.instances if each.id in chosen and each.is_registered]
        return self._do(*self._deregistrations(going), retiring=_united(self.record.retiring, chosen))

    def wait(self) -> Decision | None:
        going = [each for each in self.fleet.instances if self._is_going(each)]
        for each in going:
            since = self.memory.draining.get(each.id, self.now)
            return Wait(each.id, "draining", since, since + self.policy.drain_timeout)
        for identifier in self.at.unseen:
            return self._awaits(identifier, "launched, not shown by AWS yet")
        for each in self._awaited:
            if why := self._not_yet(each):
                return self._awaits(each.id, why)
        if self._deficit > 0 and self._is_forward:
            since = self.memory.short_since if self.memory.short_since is not None else self.now
            why = f"launches {self._deficit} by itself"
            return Wait(self.fleet.name, why, since, since + self.policy.in_service_timeout)
        if self.at.wrong:
            return self._awaits(self.at.wrong[0].id, "may not go yet")
        if surplus := self._surplus():
            return self._awaits(surplus[0].id, "is one too many, may not go yet")
        return None

    def restore(self) -> Decision | None:
        record, fleet, found = self.record, self.fleet, self.record.found
        if record.making:
            return self._do(act.FindVersions(found.template, record.making))
        undone: list[act.Action] = []
        lowest = max(found.maximum, fleet.desired)
        if fleet.maximum in record.maxima and fleet.maximum != lowest:
            undone.append(act.SetMaximum(fleet.maximum, lowest))
        if ours := tuple(each for each in record.suspended if each in fleet.suspended):
            undone.append(act.Resume(ours))
        used = {fleet.template_version if fleet.template == found.template else "", found.template_version}
        undone += [act.DeleteVersion(found.template, each) for each in record.versions if each not in used]
        if not undone and not self._is_forward and record.pinned and fleet.template_version == record.pinned:
            undone.append(act.SetTemplate(record.pinned, found.template_version))
        return Act(record, tuple(undone)) if undone else None

    @property
    def _is_forward(self) -> bool:
        return self.record.stage == "forward"

    @property
    def _is_committed(self) -> bool:
        return self.fleet.image == self.record.image

    @property
    def _version(self) -> str | None:
        return self.goal.version if self._is_forward else None

    @property
    def _groups(self) -> Sequence[TargetGroup]:
        return self.fleet.target_groups

    @property
    def _launched_before(self) -> str:
        """The version that the group launched from before this roll, by number where it was pinned."""
        return self.record.pinned or self.record.found.template_version

    @property
    def _awaited(self) -> list[Instance]:
        """Those whose coming into service is waited for: backing out, only what was launched to back out."""
        if self._is_forward:
            return list(self.at.right)
        return [each for each in self.at.right if slot_of(each, self.record) is not None]

    @property
    def _loose(self) -> list[Instance]:
        return [each for each in self.at.right if not each.is_member]

    @property
    def _deficit(self) -> int:
        return self.fleet.desired - len(self.fleet.members)

    @property
    def _serving(self) -> list[Instance]:
        """The right ones in the group, in service."""
        return [each for each in self.at.right if each.is_member and not self._not_yet(each)]

    @property
    def _is_proven(self) -> bool:
        """Whether the first batch, or all there are to be, serve from inside the group."""
        needed = min(self.at.target, surge_of(self.policy, self.at.wanted))
        return len(self._serving) >= needed and len(self._serving) == len(self.at.right)

    def _not_yet(self, instance: Instance) -> str:
        return not_yet(self.fleet, instance, self.memory, self.policy.healthy_checks, self._version)

    def _failed(self, instance: Instance) -> Failed | None:
        if says_another(instance, self.memory, self._version):
            return Failed(f"{instance.id} {self._not_yet(instance)}", instance.id)
        waited = self.now - self.memory.waiting.get(instance.id, self.now)
        if waited < self.policy.in_service_timeout:
            return None
        after = _spoken(self.policy.in_service_timeout)
        return Failed(f"{instance.id} was not in service after {after}: {self._not_yet(instance)}", instance.id)

    def _awaits(self, identifier: str, why: str) -> Wait:
        since = self.memory.waiting.get(identifier, self.now)
        return Wait(identifier, why, since, since + self.policy.in_service_timeout)

    def _launches(self) -> int:
        """How many more to launch: what is missing, as far as the surge has room."""
        at = self.at
        coming = len(at.right) + len(at.open_slots) + len(at.unseen)
        filled_by_group = max(0, self._deficit) if self._is_committed or not self._is_forward else 0
        return min(at.target - coming - filled_by_group, self._room)

    @property
    def _room(self) -> int:
        at = self.at
        alive = sum(1 for each in self.fleet.instances if each.is_alive and (each.is_member or not each.lifecycle))
        return at.wanted + surge_of(self.policy, at.wanted) - alive - len(at.open_slots) - len(at.unseen)

    def _slots(self, number: int) -> Iterator[RecordedSlot]:
        """Where: each time the zone that has the fewest of the right ones."""
        version = (self._is_forward and self.record.made) or self.fleet.template_version
        subnets = self.fleet.subnets or (Subnet("", ""),)
        taken = Counter(each.zone for each in self.at.right)
        taken.update(self.record.slots[slot].subnet.zone for slot in self.at.open_slots)
        for _ in range(number):
            subnet = min(subnets, key=lambda each: taken[each.zone])
            taken[subnet.zone] += 1
            yield RecordedSlot(version, subnet)

    def _tags(self, slot: int) -> dict[str, str]:
        release = self.goal.release
        version = release.version if self._is_forward else ""
        own = {
            "Name": self.fleet.name,
            "bakeroll:application": release.application,
            "bakeroll:environment": release.environment,
            VERSION_TAG: version,
            ROLL_TAG: self.record.id,
            SLOT_TAG: str(slot),
        }
        return {"Name": self.fleet.name, **self.fleet.tags, **{key: value for key, value in own.items() if value}}

    def _is_going(self, instance: Instance) -> bool:
        is_leaving = instance.lifecycle.startswith("Terminating")
        return instance.id in self.record.retiring and instance.is_alive and not is_leaving

    def _has_drained(self, instance: Instance) -> bool:
        since = self.memory.draining.get(instance.id, self.now)
        return not instance.is_draining or self.now - since >= self.policy.drain_timeout

    def _deregister(self, instances: Sequence[Instance]) -> Decision | None:
        return self._do(*self._deregistrations(instances)) if instances else None

    def _deregistrations(self, instances: Sequence[Instance]) -> Iterator[act.Action]:
        for group in self._groups:
            health = {each.id: each.health.get(group.arn) for each in instances}
            if ids := tuple(each for each, it in health.items() if it and _is_given_work(it)):
                yield act.Deregister(group, ids)

    def _terminate(self, instances: Sequence[Instance]) -> Decision | None:
        if not instances:
            return None
        members = [each.id for each in instances if each.is_member]
        loose = tuple(each.id for each in instances if not each.is_member)
        decremented = tuple(members[: max(0, self.at.surge)])
        desired = self.fleet.desired
        retired = [
            act.Retire(each, each in decremented, desired - min(n, len(decremented))) for n, each in enumerate(members)
        ]
        terminated = [act.Terminate(loose)] if loose else []
        return self._do(*terminated, *retired, decremented=_united(self.record.decremented, decremented))

    def _chosen(self) -> Iterator[str]:
        """Wrong ones, those out of service first; promise 3 for members, the floor for all that serve.

        Backing out, while nothing but the roll's own has gone, no more has to serve than was found serving.
        """
        at, floor = self.at, floor_of(self.policy, self.at.wanted)
        ours = {each.id for each in self.fleet.instances if each.tags.get(ROLL_TAG) in self.record.rolls}
        if not self._is_forward and not set(self.record.retiring) - ours - set(self.record.filled.values()):
            floor = min(floor, self.record.found.serving)
        alive = [each for each in self.fleet.instances if each.id not in self.record.retiring]
        in_service = sum(1 for each in alive if self.fleet.is_in_service(each))
        wrong = [each for each in at.wrong if each.id not in self.record.retiring]
        left = len(self._serving) + sum(1 for each in wrong if each.is_member)
        surplus = [] if wrong else self._surplus()
        may_go = self._is_committed or self._is_crowded
        for each in sorted([*wrong, *surplus], key=self._order):
            is_serving = self.fleet.is_in_service(each)
            is_counted = each.is_member and (is_serving or each in wrong)
            if is_serving and in_service <= floor:
                continue
            if is_counted and self._is_forward and (left <= at.wanted or not may_go):
                continue
            in_service -= is_serving
            left -= is_counted
            yield each.id

    def _order(self, instance: Instance) -> tuple[bool, bool, str]:
        return self.fleet.is_in_service(instance), instance.id in self._found, instance.id

    @property
    def _is_crowded(self) -> bool:
        """Whether what a dead roll attached leaves this one no room to launch anything."""
        return not (self.at.right or self.at.open_slots or self.at.unseen) and self._room <= 0

    def _surplus(self) -> list[Instance]:
        """Right ones above what is wanted: the group replaced one while this roll's own were there as well."""
        members = sorted((each for each in self.at.right if each.is_member), key=self._order)
        return members[: max(0, min(self.at.surge, len(members) - self.at.wanted))]

    @property
    def _found(self) -> tuple[str, ...]:
        return self.record.found.members

    def _do(self, *actions: act.Action, **changes: object) -> Act:
        return Act(replace(self.record, **changes), actions)  # type: ignore[arg-type]


def _is_given_work(health: Health) -> bool:
    return health.state not in DRAINING


def _united(some: tuple[str, ...], more: Sequence[str]) -> tuple[str, ...]:
    return (*some, *(each for each in more if each not in some))


def _spoken(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
