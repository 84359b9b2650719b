"""The loop: observe, decide, act; until done, failed and backed out, or interrupted."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bakeroll.errors import CloudError, RolledBack, RollFailed
from bakeroll.events import Event, Report
from bakeroll.fleet import VERSION_TAG, Fleet
from bakeroll.release import Release
from bakeroll.roll import actions as act
from bakeroll.roll.decide import Act, Done, Failed, Wait, decide, serves
from bakeroll.roll.health import Memory, not_yet
from bakeroll.roll.lease import SECONDS, Lease, take
from bakeroll.roll.observe import Layout, asked, described, layout, observe
from bakeroll.roll.owner import Owner
from bakeroll.roll.policy import floor_of, surge_of
from bakeroll.roll.ports import Clock, Ports
from bakeroll.roll.record import Goal, Record, Records, begin, take_over, write_release
from bakeroll.roll.refusal import refuse, refuse_held
from bakeroll.roll.standing import settled
from bakeroll.settings import Policy

TROUBLES = 5
"""So many turns on end may end with an error of the cloud's API, beyond the retries of each call."""
CONSOLE_LINES = 20
CONSOLE_NOISE = "systemd[1]"
"""What PID 1 says of a service that dies again and again stands between its last words and the end."""
PATIENCE = 3.0
"""A wait that is over sooner (seconds) is not worth a line."""


@dataclass(frozen=True, slots=True)
class Poll:
    """Seconds between observations: `first`, then half as much more each time, `longest` at most."""

    first: float = 0.2
    longest: float = 0.2


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a roll ended well. `is_new` is False where the fleet served the release already."""

    release: Release
    is_new: bool
    in_service: int
    retired: int
    seconds: float


def roll(
    goal: Goal,
    policy: Policy,
    ports: Ports,
    *,
    owner: Owner,
    clock: Clock,
    report: Report,
    reason: str = "",
    poll: Poll = Poll(),
    lease_seconds: float = SECONDS,
) -> Outcome:
    """Roll the goal's fleet to its release, or go on with such a roll that was cut off.

    Raises RolledBack where the new instances did not come into service and were taken away, LeaseHeld where
    another rolls this fleet, RollFailed where it cannot begin or cannot back out, CloudError where the API
    refuses. KeyboardInterrupt comes through when the fleet has been put back, or the commit point is past.
    """
    if Records(ports.table, goal.fleet).read() is None:
        fleet = observe(goal.fleet, ports)
        if serves(fleet, goal):
            text = f"{goal.fleet}: {len(fleet.members)} in service serve {goal.release.version} already"
            report(Event("roll", text, "done"))
            return Outcome(goal.release, is_new=False, in_service=len(fleet.members), retired=0, seconds=0)
    reason = reason or f"roll {goal.release.version}"
    lease = take(ports.table, goal.fleet, owner, reason, clock, seconds=lease_seconds)
    try:
        return _begun(goal, policy, ports, lease, clock, report, poll).run()
    finally:
        with suppress(CloudError):
            lease.release()


def _begun(goal: Goal, policy: Policy, ports: Ports, lease: Lease, clock: Clock, report: Report, poll: Poll) -> "_Roll":
    """The roll with its record written: a new one, one that was cut off, or one in the place of another."""
    records = Records(ports.table, goal.fleet)
    found = records.read()
    group = described(goal.fleet, ports)
    refuse_held(group)
    seen = layout(group, ports)
    if found is None:
        fleet = observe(goal.fleet, ports, (), seen)
        refuse(goal, group, seen, fleet, ports)
        record = begin(goal, fleet, clock)
        text = _beginning(fleet, goal, policy)
    elif found.stage == "forward" and (found.image, found.version) == (goal.release.image, goal.release.version):
        record = found
        text = f"{goal.fleet}: goes on with the roll to {found.version} that was cut off"
    else:
        record = take_over(found, goal, observe(goal.fleet, ports, found.rolls, seen), clock)
        text = f"{goal.fleet}: takes over from the roll to {found.version} that was cut off"
    lease.check()
    records.write(record)
    report(Event("roll", text))
    return _Roll(goal, policy, ports, lease, clock, report, poll, records, seen, record)


def _beginning(fleet: Fleet, goal: Goal, policy: Policy) -> str:
    amounts = f"surge {surge_of(policy, fleet.desired)}, floor {floor_of(policy, fleet.desired)}"
    standby = [each.id for each in fleet.instances if each.lifecycle.endswith("Standby")]
    left = f"; left alone in Standby: {', '.join(standby)}" if standby else ""
    return f"{fleet.name}: {fleet.desired} × {fleet.image} to {goal.release.image}, {amounts}{left}"


@dataclass(slots=True)
class _Roll:
    """A roll that holds its lease: what it knows, from turn to turn."""

    goal: Goal
    policy: Policy
    ports: Ports
    lease: Lease
    clock: Clock
    report: Report
    poll: Poll
    records: Records
    layout: Layout
    record: Record
    memory: Memory = field(default_factory=Memory)
    fleet: Fleet | None = None
    last: Act | tuple[str, str] | None = None
    last_since: float = 0
    pause: float = 0
    troubles: int = 0
    told: set[tuple[str, str]] = field(default_factory=set)
    is_interrupted: bool = False
    served: set[str] = field(default_factory=set)
    started: float = 0

    def run(self) -> Outcome:
        self.started = self.clock.monotonic()
        while True:
            try:
                if outcome := self._turn():
                    return outcome
                self.troubles = 0
            except CloudError as error:
                self._trouble(error)
            except KeyboardInterrupt:
                self._interrupt()

    def _turn(self) -> Outcome | None:
        self.lease.check()
        fleet = observe(self.goal.fleet, self.ports, self.record.rolls, self.layout)
        self.fleet = fleet = asked(fleet, self.goal, self.record, self.memory, self.ports)
        now = self.clock.monotonic()
        self._remember(settled(fleet, self.record))
        self.memory = self.memory.observed(fleet, now, self.record.filled.values())
        self._tell_served(fleet)
        match decide(fleet, self.goal, self.policy, self.record, self.memory, now):
            case Act() as decision:
                self._act(decision, now)
            case Wait() as decision:
                self._wait(decision, now)
            case Failed(why, instance):
                self._fail(why, instance)
            case Done():
                return self._finish(fleet)
        return None

    def _act(self, decision: Act, now: float) -> None:
        """Do it. The same decision once more means that its effect does not show yet."""
        if self._is_repeated(decision, now):
            if now - self.last_since >= max(self.policy.in_service_timeout, 60):
                raise RollFailed(
                    f"{self.goal.fleet} does not show the effect of {decision.actions}.", left=self._left()
                )
            self._sleep()
        else:
            self.pause = self.poll.first
        self._remember(decision.record)
        for action in decision.actions:
            self.lease.check()
            self._tell(action)
            try:
                record = act.perform(action, self.record, self.ports)
            except CloudError as error:
                if isinstance(action, act.Launch | act.MakeVersion) and not error.is_passing:
                    return self._fail(error.what, "")
                if not isinstance(action, act.DeleteVersion) or error.is_passing or not self.troubles:
                    raise
                record = self._left_behind(action, error)
            self._remember(record)
        return None

    def _left_behind(self, action: act.DeleteVersion, error: CloudError) -> Record:
        """An unused template version is no harm: refused twice, it is named and left, and the roll ends."""
        self._say(f"version {action.version} of {action.template} is left, delete it by hand: {error.what}")
        return replace(self.record, versions=tuple(each for each in self.record.versions if each != action.version))

    def _wait(self, wait: Wait, now: float) -> None:
        state = (wait.what, wait.why)
        if not self._is_repeated(state, now):
            self.pause = self.poll.first
        limit = max(self.policy.in_service_timeout, self.policy.drain_timeout)
        if now >= wait.until or now - self.last_since > limit:
            return self._fail(f"{wait.what} kept the roll waiting for {now - wait.since:.0f} s: {wait.why}", wait.what)
        if state not in self.told and now - wait.since >= PATIENCE:
            self.told.add(state)  # one that comes and goes is told once
            gives_up = self.clock.now() + timedelta(seconds=wait.until - now)
            self._say(f"waiting: {' '.join(state)} for {now - wait.since:.0f} s; gives up at {gives_up:%H:%M:%S}")
        return self._sleep()

    def _is_repeated(self, what: Act | tuple[str, str], now: float) -> bool:
        if what == self.last:
            return True
        self.last, self.last_since = what, now
        return False

    def _sleep(self) -> None:
        self.clock.sleep(self.pause)
        self.pause = min(self.pause * 1.5, max(self.poll.longest, self.poll.first))

    def _remember(self, record: Record) -> None:
        if record != self.record:
            self.records.write(record)
            self.record = record

    def _fail(self, why: str, instance: str) -> None:
        """Forward: begin to back out. Backing out: there is nothing left to try."""
        if self.record.stage == "back":
            raise RollFailed(f"Backing out failed: {why}", left=self._left(), next_step=self._again())
        self._say(f"failed: {why}; the new instances are taken away")
        self._remember(self.record.backing_out(why + self._console(instance)))

    def _console(self, instance: str) -> str:
        if not instance.startswith("i-"):
            return ""
        try:
            console = self.ports.machines.console(instance).rstrip().splitlines()
        except CloudError:
            return ""
        lines = [line for line in console if CONSOLE_NOISE not in line][-CONSOLE_LINES:]
        return "\n".join(["", "last lines of its console:", *(f"  {line}" for line in lines)]) if lines else ""

    def _trouble(self, error: CloudError) -> None:
        self.troubles += 1
        if self.troubles > TROUBLES:
            error.left = error.left or self._left()
            error.next_step = error.next_step or self._again()
            raise error
        self._say(f"the cloud refused, tried again: {error.what}")
        self.pause = max(self.pause, self.poll.first)
        self._sleep()

    def _interrupt(self) -> None:
        """Before the commit point: put everything back. After it, or once more: leave, the record stays."""
        if self.record.stage == "closed":
            raise KeyboardInterrupt
        if self.is_interrupted or self._is_committed():
            self._say(f"interrupted: {self._left()}")
            raise KeyboardInterrupt
        self.is_interrupted = True
        self._say("interrupted: the new instances are taken away; once more leaves at once")
        if self.record.stage == "forward":
            self._remember(self.record.backing_out("interrupted"))

    def _is_committed(self) -> bool:
        """Whether the group launches the new release by now, or may: then there is no simple way back."""
        if self.record.stage == "back" or not self.record.made:
            return False
        try:
            group = self.ports.scaling.describe(self.goal.fleet)
        except CloudError:
            return True
        return group is None or group.template_version == self.record.made

    def _finish(self, fleet: Fleet) -> Outcome:
        self.lease.check()
        if self.record.stage == "forward":
            write_release(self.ports.table, self.goal.release)
        self._remember(replace(self.record, stage="closed"))
        if self.is_interrupted:
            self._say("interrupted: everything is as it was")
            raise KeyboardInterrupt
        if self.record.back_from is not None:
            raise self._rolled_back(fleet)
        retired = len(set(self.record.retiring))
        self._say(f"{len(fleet.members)} in service, {retired} retired", is_done=True)
        seconds = self.clock.monotonic() - self.started
        return Outcome(self.goal.release, is_new=True, in_service=len(fleet.members), retired=retired, seconds=seconds)

    def _rolled_back(self, fleet: Fleet) -> RolledBack:
        environment = self.goal.release.environment
        old = [each for each in fleet.members if fleet.is_in_service(each)]
        versions = ", ".join(sorted({each.tags.get(VERSION_TAG, each.image) for each in old}))
        new = len(self.record.filled)
        taken = f"The {new} new instance{'s were' if new != 1 else ' was'} taken away."
        serve = f"{len(old)} old ones ({versions}) serve." if old else "No instance served before, and none does now."
        return RolledBack(
            self.record.why,
            left=f"{taken} {serve}\nSizes and processes are as they were.",
            next_step=f"Try again: fab roll --env={environment} --version={self.goal.release.version}",
        )

    def _left(self) -> str:
        members = self.fleet.members if self.fleet else ()
        new = sum(1 for each in members if each.image == self.goal.release.image)
        return (
            f"{self.goal.fleet} has {new} instances of {self.goal.release.version} and {len(members) - new} others; "
            "the record of what was found stays, and the same command goes on from here."
        )

    def _again(self) -> str:
        release = self.goal.release
        return f"Go on: fab roll --env={release.environment} --version={release.version}"

    def _tell_served(self, fleet: Fleet) -> None:
        """A line for each instance of the release that came into service, or left it."""
        mine = [each for each in fleet.instances if each.image == self.record.image and each.is_alive]
        checks, version = self.policy.healthy_checks, self.goal.version
        serving = {each.id for each in mine if not not_yet(fleet, each, self.memory, checks, version)}
        before = len(self.served)
        for count, each in enumerate(sorted(serving - self.served), before + 1):
            self._say(f"{each} in service ({count} of {max(fleet.desired - len(self.record.attached), count)})")
        self.served = serving

    def _tell(self, action: act.Action) -> None:
        match action:
            case act.SetTemplate(_, version) if version == self.record.made:
                self._say(f"{self.goal.fleet} launches {self.record.image} from now on (version {version})")
            case act.Retire(instance):
                self._say(f"{instance} drained and retired")
            case _:
                pass

    def _say(self, text: str, *, is_done: bool = False) -> None:
        self.report(Event("roll", text, "done" if is_done else "progress"))
