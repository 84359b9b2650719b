"""The lines that a roll reports while it runs: one for each change of state."""

from collections.abc import Iterable, Set
from dataclasses import dataclass, field

from bakeroll.events import Event, Report
from bakeroll.roll.state import actions as act
from bakeroll.roll.state.record import Record
from bakeroll.wording import counted


@dataclass(slots=True)
class Progress:
    """Reports each change once. `served` are the new instances in service.

    `boots` are the seconds that each took to come into service since it was first observed.
    """

    report: Report
    waits_said: set[str] = field(default_factory=set)
    first_seen: dict[str, float] = field(default_factory=dict)
    served: Set[str] = frozenset()
    boots: list[float] = field(default_factory=list)

    def say(self, text: str, *, is_done: bool = False) -> None:
        self.report(Event("roll", text, "done" if is_done else "progress"))

    def say_waiting(self, what: str, text: str) -> None:
        """Report a wait once, even if it comes and goes."""
        if what not in self.waits_said:
            self.waits_said.add(what)
            self.report(Event("roll", f"waiting: {text}", "wait"))

    def say_in_service(self, new: Iterable[str], serving: Set[str], wanted: int, now: float) -> None:
        """Report each instance of the release that came into service."""
        for each in new:
            self.first_seen.setdefault(each, now)
        fresh = sorted(serving - self.served)
        self.boots += [now - self.first_seen[each] for each in fresh]
        for count, each in enumerate(fresh, len(self.served) + 1):
            self.say(f"{each} in service ({count} of {max(wanted, count)})")
        self.served = serving

    def say_action(self, action: act.Action, record: Record) -> None:
        match action:
            case act.SetTemplate(_, version) if version == record.versions.made:
                self.say(f"{record.fleet} launches {record.intended.image} from now on (version {version})")
            case act.Switch(group, to):
                self.say(f"{to} takes over from {group}")
            case act.Retire(instance, True) if instance not in record.retiring:
                self.say(f"{instance} died; removing it from {record.fleet} and lowering desired capacity by 1")
            case act.Retire(instance):
                self.say(f"{instance} drained and retired")
            case act.Cool(ids):
                number = counted(len(ids), "instance")
                self.say(f"{number} of another release terminated in the warm pool; the group refills it")
            case (
                act.MakeVersion() | act.FindVersions() | act.DeleteVersion() | act.SetTemplate()
                | act.Launch() | act.Register() | act.Deregister() | act.Attach() | act.Terminate()
                | act.RaiseDesired() | act.LowerDesired() | act.SetMaximum() | act.Suspend() | act.Resume()
                | act.StandBy() | act.Return() | act.StartRefresh() | act.CancelRefresh()
                | act.Clone() | act.Size() | act.DeleteTwin()
            ):  # fmt: skip
                pass  # the lanes show what comes of these
