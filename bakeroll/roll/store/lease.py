"""One roll at a time: a lease in the table, with owner, reason, heartbeat, duration and a fencing number.

The clocks of two machines are never compared. Another owner's lease has expired if this process sees it unchanged over
its whole duration, or if its owner is a dead process of this machine. The times in it are for people. `heartbeat`
renews a lease during the work.
The idea: https://github.com/awslabs/amazon-dynamodb-lock-client
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import Annotated, Literal

from pydantic import Field

from bakeroll.document import Document
from bakeroll.errors import CloudError, DocumentUnreadable, LeaseHeld
from bakeroll.roll.ports import Clock, Table
from bakeroll.roll.state import owner as processes
from bakeroll.roll.state.form import Form, Line, Moment
from bakeroll.roll.state.owner import Owner
from bakeroll.roll.store.shared_document import SharedDocument
from bakeroll.wording import moment

SECONDS = 15.0
HEARTBEATS = 5
"""How many heartbeats a lease sends within its duration."""


class LeaseLost(LeaseHeld):
    """Another process took the lease while this process held it."""


@dataclass(frozen=True, slots=True)
class Holding:
    """The lease as the table holds it. `number` grows whenever a process takes the lease, and is never used twice.

    `doing` is what the holder did at its last heartbeat, for people. If that takes a set time, it takes `doing_seconds`
    from `doing_since`.
    """

    number: Annotated[int, Field(ge=0, le=2**53)]
    owner: Owner
    reason: Line
    since: Moment
    heard: Moment
    seconds: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
    is_held: bool = True
    doing: Line = ""
    doing_since: Moment | Literal[""] = ""
    doing_seconds: Annotated[float, Field(ge=0, le=10**7, allow_inf_nan=False)] = 0

    @property
    def is_led(self) -> bool:
        """Whether a living process holds it, as far as this machine can tell."""
        return self.is_held and not processes.is_dead(self.owner)


FORM: Form[Holding] = Form(Holding)


class Lease:
    """A lease that this process holds. Call `check` before every change. It is safe to use from two threads."""

    def __init__(self, document: SharedDocument, fleet: str, holding: Holding, clock: Clock, sent_at: float) -> None:
        self._document, self._fleet, self._clock = document, fleet, clock
        self._holding, self._sent_at = holding, sent_at
        self._announced = holding
        self._writing = Lock()
        self._lost: LeaseLost | None = None

    @property
    def number(self) -> int:
        """The fencing number."""
        return self._holding.number

    @property
    def is_lost(self) -> bool:
        """Whether this process knows that another one has taken it."""
        return self._lost is not None

    @property
    def heartbeat_seconds(self) -> float:
        """The seconds between two heartbeats."""
        return self._holding.seconds / HEARTBEATS

    def check(self) -> None:
        """Return only if this process holds the lease now. Writes a heartbeat if one is due.

        Raises LeaseLost if another process holds it, and CloudError if that is unknown: after a process was stopped,
        the answer that it waited for may be older than the lease's duration.
        """
        self.beat()
        if (age := self._age()) >= self._holding.seconds:
            late = CloudError(
                f"The answer to a heartbeat of the lease on {self._fleet} took {age:.0f} s, which is too long."
            )
            late.is_passing = True
            raise late

    def beat(self) -> None:
        """Write a heartbeat if one is due. That succeeds only if nobody took the lease. Raises LeaseLost."""
        with self._writing:
            if self._lost:
                raise self._lost
            if self._holding.is_held and self._age() >= self.heartbeat_seconds:
                self._write(replace(self._announced, heard=self._clock.now().isoformat()))

    def announce(self, doing: str, since: str = "", seconds: float = 0) -> None:
        """Set what the next heartbeat says about the work, for people."""
        self._announced = replace(self._holding, doing=doing, doing_since=since, doing_seconds=seconds)

    def release(self) -> None:
        """Give the lease back. A lost lease stays as it is. A lease whose heartbeat hangs expires by itself."""
        if not self._writing.acquire(timeout=self.heartbeat_seconds):
            return
        try:
            if not self._lost:
                self._write(replace(self._holding, is_held=False, doing=""))
        except LeaseLost:
            return
        finally:
            self._writing.release()

    def _age(self) -> float:
        """Seconds since this process sent the last heartbeat. Others see it later and wait from then on."""
        return self._clock.monotonic() - self._sent_at

    def _write(self, holding: Holding) -> None:
        sent_at = self._clock.monotonic()
        if current := self._document.write(FORM.written(holding)):
            self._lost = _lost(self._fleet, current)
            raise self._lost
        self._holding, self._sent_at = holding, sent_at


def take(
    table: Table,
    fleet: str,
    owner: Owner,
    reason: str,
    clock: Clock,
    *,
    seconds: float = SECONDS,
    is_dead: Callable[[Owner], bool] = processes.is_dead,
    is_alive: Callable[[Owner], bool] = processes.is_alive,
) -> Lease:
    """Take the fleet's lease. Raises LeaseHeld if another process holds it. Finding that out may take its duration.

    Raises DocumentUnreadable if the lease cannot be read, because another process may hold it.
    """
    document = SharedDocument(table, f"fleet#{fleet}", "lease")
    current = document.read()
    first_read_at = clock.monotonic()
    while current and (held := FORM.read(current)).is_held and not is_dead(held.owner):
        if is_alive(held.owner):
            raise _held(fleet, held, clock)
        if clock.monotonic() - first_read_at >= held.seconds:
            break
        clock.sleep(min(1.0, held.seconds / HEARTBEATS))
        again = document.read()
        if again and again.token != current.token and FORM.read(again).is_held:
            raise _held(fleet, FORM.read(again), clock)
        current = again or current
    return _write_first(document, fleet, owner, reason, clock, seconds, current)


def _write_first(
    document: SharedDocument,
    fleet: str,
    owner: Owner,
    reason: str,
    clock: Clock,
    seconds: float,
    current: Document | None,
) -> Lease:
    now, sent_at = clock.now().isoformat(), clock.monotonic()
    number = FORM.read(current).number + 1 if current else 1
    holding = Holding(number, owner, reason, since=now, heard=now, seconds=seconds)
    if won := document.write(FORM.written(holding)):
        raise _held(fleet, FORM.read(won), clock)
    return Lease(document, fleet, holding, clock, sent_at)


def read_holding(table: Table, fleet: str) -> Holding | None:
    """The fleet's lease, held or given back. None if nobody ever took it.

    Raises DocumentUnreadable.
    """
    current = SharedDocument(table, f"fleet#{fleet}", "lease").read()
    return FORM.read(current) if current else None


def _held(fleet: str, held: Holding, clock: Clock) -> LeaseHeld:
    since = moment(datetime.fromisoformat(held.since), clock.now())
    ago = max(0.0, (clock.now() - datetime.fromisoformat(held.heard)).total_seconds())
    return LeaseHeld(
        f"{held.owner.name} has been rolling {fleet} since {since} (“{held.reason}”). "
        f"Its last heartbeat was {ago:.0f} s ago.",
        left="The fleet was left alone. Wait until that roll ends, then run the same command again.",
    )


def _lost(fleet: str, current: Document) -> LeaseLost:
    try:
        held = FORM.read(current)
        taker = f"{held.owner.name} (“{held.reason}”)"
    except DocumentUnreadable:
        taker = "a process whose name cannot be read"
    return LeaseLost(
        f"This roll lost the lease on {fleet}: {taker} took it while this process sent no heartbeat.",
        left="This roll stopped and changes nothing more. The other roll continues from what it finds.",
    )
