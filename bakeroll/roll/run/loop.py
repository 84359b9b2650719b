"""The loop of a roll that holds its lease: observe, decide, act. It ends with the roll."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from bakeroll.errors import CloudError, RollFailed
from bakeroll.events import Event, Report
from bakeroll.fleet import Fleet
from bakeroll.roll.engine.decide import decide
from bakeroll.roll.ports import Clock, Ports
from bakeroll.roll.run import outcome
from bakeroll.roll.run.canary_checks import check_canaries
from bakeroll.roll.run.commit_point import is_possibly_committed
from bakeroll.roll.run.crashes import last_words, read_console
from bakeroll.roll.run.lanes import scene
from bakeroll.roll.run.leader import Witness, unwitnessed
from bakeroll.roll.run.operator_request import check_request
from bakeroll.roll.run.outcome import Outcome
from bakeroll.roll.run.patience import WORTH_A_LINE, Patience
from bakeroll.roll.run.pending_changes import PendingChange
from bakeroll.roll.run.perform import perform
from bakeroll.roll.run.phase import Phase, phase
from bakeroll.roll.run.progress import Progress
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.decision import Act, Decision, Deed, Done, Failed, Paused, Wait
from bakeroll.roll.state.ids import without
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.record import Ending, Goal, Record
from bakeroll.roll.store.lease import Lease
from bakeroll.roll.store.records import Records
from bakeroll.roll.store.requests import Requests
from bakeroll.roll.view.settled import settled
from bakeroll.roll.view.view import View
from bakeroll.roll.world.observe import Layout, ask, observe
from bakeroll.settings import Policy
from bakeroll.wording import moment, printable

TROUBLES = 5
"""How many turns in a row may end with an error of AWS's API. Each call has its own retries besides."""


@dataclass(slots=True)
class Loop:
    """A roll that holds its lease, and what it knows from turn to turn."""

    goal: Goal
    policy: Policy
    ports: Ports
    lease: Lease
    clock: Clock
    report: Report
    patience: Patience
    progress: Progress
    records: Records
    requests: Requests
    layout: Layout
    record: Record
    witness: Witness = unwitnessed
    memory: Memory = field(default_factory=Memory)
    fleet: Fleet | None = None
    written: Record | None = None
    pending: tuple[PendingChange, ...] = ()
    troubles: int = 0
    is_interrupted: bool = False
    paused: Paused | None = None
    phase: Phase | None = None
    started: float = 0

    def run(self) -> Outcome:
        self.started = self.clock.monotonic()
        self.patience.begin()
        self.written = self.record
        while True:
            try:
                if ended := self._turn():
                    return ended
                self.troubles = 0
            except CloudError as error:
                self._trouble(error)
            except KeyboardInterrupt:
                self._interrupt()

    def _turn(self) -> Outcome | None:
        self.lease.check()
        fleet = observe(self.goal.fleet, self.ports, self.record, self.layout)
        if self._is_stale(fleet):
            self.patience.sleep()
            return None
        self.fleet = fleet = ask(fleet, self.goal, self.record, self.memory, self.ports)
        now = self.clock.monotonic()
        self._remember(settled(fleet, self.record))
        view = self._view(fleet, now)
        decision = check_request(self.requests, self.goal, self.record, self.fleet, self.clock) or decide(view)
        self._show(view, decision)
        match decision:
            case Paused():
                self._hold(now)
            case Act():
                self._act(decision, now)
            case Wait():
                self._wait(decision, now)
            case Failed(why, instance, ending):
                self._fail(why, instance, ending)
            case Done():
                return self._finish(fleet)
        return None

    def _is_stale(self, fleet: Fleet) -> bool:
        """Whether the group does not show all changes of this roll yet."""
        now = self.clock.monotonic()
        self.pending = tuple(each for each in self.pending if each.is_awaited(fleet, self.record, now))
        if self.pending and now - self.pending[0].since >= WORTH_A_LINE:
            self.progress.say_waiting("changes", f"{fleet.name} does not show this roll's changes yet")
        return bool(self.pending)

    def _show(self, view: View, decision: Decision | Paused) -> None:
        """Report where the roll is: changes of state, the lanes, and the lease's note for `fab status`."""
        pause = decision if isinstance(decision, Paused) else None
        paused = f"paused by {pause.by} until {moment(pause.until, self.clock.now())}" if pause else ""
        if pause != self.paused:
            if not isinstance(decision, Failed):
                self.progress.say(paused or "resumed")
            self.paused = pause
        at = phase(view)
        if at != self.phase:
            since = self.clock.now() - timedelta(seconds=view.now - at.since)
            self.lease.announce(at.what, since.isoformat() if at.seconds else "", at.seconds)
            self.phase = at
        self._tell_served(view)
        doing = paused or at.text(view.now) + ("" if at.seconds else self._limit(decision, view.now))
        self.report(Event("roll", "", "scene", scene(view, doing)))

    def _hold(self, now: float) -> None:
        """Do nothing. Every wait starts afresh when the roll continues: it may have waited for the roll."""
        self.patience.hold(now)
        self.memory = replace(self.memory, waiting={}, short_since=None)
        self.patience.sleep()

    def _view(self, fleet: Fleet, now: float) -> View:
        """All that this turn knows. Checks canaries and reads consoles if that is due."""
        is_by_group = self.record.intended.launcher == "group" or fleet.identity == self.record.identity
        launching = self.record.identity if is_by_group and self.record.stage == "forward" else ""
        memory = self.memory.observed(fleet, now, self.record.launches.instances, launching)
        view = View.of(fleet, self.goal, self.policy, self.record, memory, now)
        view = view.remembering(check_canaries(view, self.ports.probes))
        view = view.remembering(read_console(view, self.ports.machines))
        self.memory = view.memory
        return view

    def _act(self, decision: Act, now: float) -> None:
        """Carry it out. The same decision twice in a row means that its effect does not show yet."""
        if self.patience.count_act(decision, now):
            if self.patience.is_without_effect(now):
                raise RollFailed(
                    f"{self.goal.fleet} does not show the effect of {decision.actions}.",
                    left=outcome.left(self.goal, self.fleet),
                )
            self.patience.sleep()
        if self.fleet and self.patience.is_endless(self.fleet.desired):
            return self._fail(f"the roll of {self.fleet.name} took {self.patience.acts} actions and has not ended", "")
        self._remember(decision.record)
        for action in decision.actions:
            self.lease.check()
            self.progress.say_action(action, self.record)
            change = PendingChange(action, self.clock.monotonic())
            self.pending = (*self.pending, change)
            try:
                record = self._performed(action)
                self.pending = (*self.pending[:-1], change.answered())
            except CloudError as error:
                if isinstance(action, act.Launch) and error.is_lacking:
                    return self._lacks(action, error)
                if isinstance(action, act.Launch | act.MakeVersion) and not error.is_passing:
                    return self._fail(error.what, "")
                if not isinstance(action, act.DeleteVersion) or error.is_passing or not self.troubles:
                    raise
                record = self._left_behind(action, error)
            if isinstance(action, act.Retire):
                self.record = record  # the group shows it too, so a hundred retirements need no hundred writes
            else:
                self._remember(record)
        return None

    def _performed(self, action: act.Action) -> Record:
        performed = perform(action, self.record, self.policy, self.ports)
        if performed.action:
            self.witness(Deed(performed.action, self.record))
        return performed.record

    def _lacks(self, action: act.Launch, error: CloudError) -> None:
        """EC2 launched none of them. The roll launches them in the other zones, as the group itself would."""
        launches = self.record.launches
        slot = launches.slots[action.slot]
        self.progress.say(f"no capacity in {slot.subnet.zone or 'the zone'}: {error.what}")
        self.memory = replace(self.memory, lacking={**self.memory.lacking, slot.subnet.zone: error.what})
        self._remember(replace(self.record, launches=launches.with_none(action.slot)))

    def _left_behind(self, action: act.DeleteVersion, error: CloudError) -> Record:
        """An unused template version does no harm. If AWS refuses twice to delete it, the roll names it and ends."""
        self.progress.say(f"version {action.version} of {action.template} remains ({error.what}); delete it by hand")
        versions = self.record.versions
        return replace(self.record, versions=replace(versions, ours=without(versions.ours, [action.version])))

    def _wait(self, wait: Wait, now: float) -> None:
        self.patience.count_wait(wait, now)
        if why := self.patience.too_long(wait, now):
            return self._fail(why, wait.what)
        if now - wait.since >= WORTH_A_LINE:
            text = f"{wait.what} {wait.why} for {now - wait.since:.0f} s{self._limit(wait, now)}"
            self.progress.say_waiting(f"{wait.what} {wait.why}", text)
        return self.patience.sleep()

    def _limit(self, decision: Decision | Paused, now: float) -> str:
        """When the wait times out, if it has lasted for a while."""
        if not isinstance(decision, Wait) or now - decision.since < WORTH_A_LINE:
            return ""
        return f"; times out at {self.clock.now() + timedelta(seconds=decision.until - now):%H:%M:%S}"

    def _remember(self, record: Record) -> None:
        """Remember the record, and write it if it changed.

        If the write fails, the roll still knows what was done, and writes it the next time. Only the lease's holder
        writes, because whoever takes the lease continues from the record that it read.
        """
        self.record = record
        if record != self.written:
            self.lease.check()
            self.records.write(record)
            self.written = record

    def _fail(self, why: str, instance: str, ending: Ending = "failed") -> None:
        """Going forward, begin to back out. Backing out, raise: there is nothing left to try."""
        if self.record.stage == "back":
            raise RollFailed(
                f"Backing out failed: {why}",
                left=outcome.left(self.goal, self.fleet),
                next_step=outcome.next_command(self.goal, self.record),
            )
        self.progress.say(f"{'failed: ' if ending == 'failed' else ''}{why}; backing out")
        self._back_out(why + last_words(self.ports.machines, instance), ending)

    def _back_out(self, why: str, ending: Ending) -> None:
        self.patience.begin()
        self.memory = replace(
            self.memory, fallen=(), proving=frozenset(), lacking={}, waiting={}, short_since=None
        )  # every wait from now on gets its full time
        self._remember(self.record.backing_out(printable(why), ending, self.fleet))

    def _trouble(self, error: CloudError) -> None:
        self.troubles += 1
        if self.troubles > TROUBLES:
            error.left = error.left or outcome.left(self.goal, self.fleet)
            error.next_step = error.next_step or outcome.next_command(self.goal, self.record)
            raise error
        self.progress.say(f"a call to AWS failed, trying again: {error.what}")
        self.patience.sleep_after_trouble()

    def _interrupt(self) -> None:
        """Before the commit point, back out. After it, or if interrupted again, stop: the record stays."""
        if self.record.stage in ("closed", "soaking"):
            raise KeyboardInterrupt
        if self.is_interrupted or is_possibly_committed(self.record, self.ports.scaling):
            self.progress.say(f"interrupted: {outcome.left(self.goal, self.fleet)}")
            raise KeyboardInterrupt
        self.is_interrupted = True
        self.progress.say("interrupted: backing out; press Ctrl-C again to stop at once")
        if self.record.stage == "forward":
            self._back_out("interrupted", "interrupted")

    @property
    def _seconds(self) -> float:
        """Seconds since the roll began in this process."""
        return self.clock.monotonic() - self.started

    def _finish(self, fleet: Fleet) -> Outcome:
        self.lease.check()
        if self.record.stage == "forward":
            outcome.write_served(self.ports.table, self.goal, self.record, self.clock)
            outcome.write_timing(self.ports.table, self.record, fleet, self._seconds, self.progress.boots, self.clock)
        else:
            outcome.write_ended(self.ports.table, self.goal, self.record, self.clock)
        closed = outcome.closed(self.record, fleet, self.policy, self.clock)
        self.records.write(closed)  # a roll has not ended until its end is written
        self.record = self.written = closed
        if self.is_interrupted:
            self.progress.say("interrupted: everything is restored")
            raise KeyboardInterrupt
        if back_out := self.record.back_out:
            raise outcome.rolled_back(self.record, back_out, fleet, self.goal)
        retired = len(set(self.record.retiring))
        self.progress.say(f"{len(fleet.members)} in service, {retired} retired", is_done=True)
        return Outcome(
            self.goal.release, is_new=True, in_service=len(fleet.members), retired=retired, seconds=self._seconds
        )

    def _tell_served(self, view: View) -> None:
        if view.is_forward:
            serving = {each.id for each in view.incoming if not view.reason(each)}
            self.progress.say_in_service([each.id for each in view.incoming], serving, view.wanted, view.now)
