"""What a person does to a roll that runs or was cut off: pause, resume or abort it."""

from dataclasses import dataclass
from datetime import timedelta

from bakeroll.errors import RollFailed
from bakeroll.events import Event, Report
from bakeroll.roll.ports import Clock, Ports
from bakeroll.roll.state.record import Record
from bakeroll.roll.store import lease
from bakeroll.roll.store.records import Records
from bakeroll.roll.store.requests import Request, Requests, What

LOOKS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Steering:
    """Steers the roll of one fleet. `by` is who asks. Messages name commands with `environment`."""

    fleet: str
    environment: str
    ports: Ports
    clock: Clock
    by: str

    def record(self) -> Record:
        """The record of the roll that has not ended. Raises RollFailed if there is none."""
        record = self.open_record()
        if record is None:
            raise RollFailed(
                f"{self.fleet} is not being rolled.",
                left="Nothing was changed.",
                next_step=f"See the fleet: fab status --env={self.environment}",
            )
        return record

    def open_record(self) -> Record | None:
        record = Records(self.ports.table, self.fleet).read()
        return record if record and record.stage in ("forward", "back") else None

    def is_led(self) -> bool:
        """Whether a process runs the roll, as far as this machine can know."""
        held = lease.read_holding(self.ports.table, self.fleet)
        return bool(held and held.is_led)

    def ask(self, what: What, record: Record, minutes: float = 0) -> None:
        """Write a request to the roll. A pause ends after `minutes`."""
        now = self.clock.now()
        until = (now + timedelta(minutes=minutes)).isoformat() if minutes else ""
        request = Request(what, record.id, self.by, now.isoformat(), until)
        Requests(self.ports.table, self.fleet).write(request)

    def follow(self, record: Record, report: Report, seconds: float) -> None:
        """Wait until the roll has ended. Raises RollFailed if it does not end in time, or if its process ends first."""
        report(Event("roll", f"{self.fleet}: waiting for the process that runs the roll to {record.intended.version}"))
        ends = self.clock.monotonic() + seconds
        while (now := self.open_record()) and now.id == record.id:
            if not self.is_led() or self.clock.monotonic() >= ends:
                raise RollFailed(
                    f"The roll of {self.fleet} to {record.intended.version} has not ended, and "
                    + (
                        "no process runs it any more." if not self.is_led() else f"the wait of {seconds:.0f} s is over."
                    ),
                    next_step=f"See what it left: fab doctor --env={self.environment}",
                )
            self.clock.sleep(LOOKS_SECONDS)
