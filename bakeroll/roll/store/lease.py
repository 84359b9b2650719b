"""One roll at a time: a lease in the table, with owner, reason, heartbeat, duration and a fencing number.

Clocks of two machines are never compared. Another's lease counts as expired when it stayed unchanged over
its whole duration, timed here, or when its owner is a dead process of this very machine. What it says of
times is for people. `heartbeat` keeps it alive beside the work.
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
from bakeroll.roll.store.cell import Cell
from bakeroll.wording import moment

SECONDS = 15.0
HEARTBEATS = 5
"""So many heartbeats go into a lease's duration."""


class LeaseLost(LeaseHeld):
    """The lease was taken by somebody else while this process held it."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What the table holds. `number` grows with every taking, and is never used twice.

    `doing` is what the holder did at its last heartbeat, for people; where that lasts a set time, `doing_seconds`, it
    did so since `doing_since`.
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
        """Whether a process holds it, as far as this machine can tell."""
        return self.is_held and not processes.is_dead(self.owner)


FORM: Form[Holding] = Form(Holding)


class Lease:
    """A held lease. `check` before every change; two threads may use it, and one of them writes at a time."""

    def __init__(self, cell: Cell, fleet: str, holding: Holding, clock: Clock, asked: float) -> None:
        self._cell, self._fleet, self._clock = cell, fleet, clock
        self._holding, self._beaten = holding, asked
        self._next = holding
        self._writing = Lock()
        self._lost: LeaseLost | None = None

    @property
    def number(self) -> int:
        """The fencing number."""
        return self._holding.number

    @property
    def is_lost(self) -> bool:
        """Whether it is known to be somebody else's."""
        return self._lost is not None

    @property
    def heartbeat_seconds(self) -> float:
        """Between heartbeats."""
        return self._holding.seconds / HEARTBEATS

    def check(self) -> None:
        """Return where the lease is held now; a heartbeat is written when one is due.

        Raises LeaseLost, and CloudError where it cannot be told: a process that was stopped may find that the answer
        it waited for is older than the lease lasts.
        """
        self.beat()
        if (age := self._age()) >= self._holding.seconds:
            late = CloudError(f"A heartbeat of the lease on {self._fleet} was answered after {age:.0f} s, too late.")
            late.is_passing = True
            raise late

    def beat(self) -> None:
        """Write a heartbeat when one is due: nobody took the lease where that is written. Raises LeaseLost."""
        with self._writing:
            if self._lost:
                raise self._lost
            if self._holding.is_held and self._age() >= self.heartbeat_seconds:
                self._write(replace(self._next, heard=self._clock.now().isoformat()))

    def tell(self, doing: str, since: str = "", seconds: float = 0) -> None:
        """What the next heartbeat tells those who look on."""
        self._next = replace(self._holding, doing=doing, doing_since=since, doing_seconds=seconds)

    def release(self) -> None:
        """Give it back. One that is lost is left alone, one whose heartbeat hangs runs out."""
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
        """Of the last heartbeat, from when it was asked for: others see it later, and wait from then."""
        return self._clock.monotonic() - self._beaten

    def _write(self, holding: Holding) -> None:
        asked = self._clock.monotonic()
        if there := self._cell.write(FORM.written(holding)):
            self._lost = _lost(self._fleet, there)
            raise self._lost
        self._holding, self._beaten = holding, asked


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
    """Take the fleet's lease. Raises LeaseHeld where another holds it, which may take a duration to tell.

    Raises DocumentUnreadable where what is there is not understood: it may be held.
    """
    cell = Cell(table, f"fleet#{fleet}", "lease")
    there = cell.read()
    watched = clock.monotonic()
    while there and (held := FORM.read(there)).is_held and not is_dead(held.owner):
        if is_alive(held.owner):
            raise _held(fleet, held, clock)
        if clock.monotonic() - watched >= held.seconds:
            break
        clock.sleep(min(1.0, held.seconds / HEARTBEATS))
        again = cell.read()
        if again and again.token != there.token and FORM.read(again).is_held:
            raise _held(fleet, FORM.read(again), clock)
        there = again or there
    return _taken(cell, fleet, owner, reason, clock, seconds, there)


def _taken(
    cell: Cell, fleet: str, owner: Owner, reason: str, clock: Clock, seconds: float, there: Document | None
) -> Lease:
    now, asked = clock.now().isoformat(), clock.monotonic()
    number = FORM.read(there).number + 1 if there else 1
    holding = Holding(number, owner, reason, since=now, heard=now, seconds=seconds)
    if won := cell.write(FORM.written(holding)):
        raise _held(fleet, FORM.read(won), clock)
    return Lease(cell, fleet, holding, clock, asked)


def holding(table: Table, fleet: str) -> Holding | None:
    """What the table says of the fleet's lease, held or given back; None where nobody ever took it.

    Raises DocumentUnreadable.
    """
    there = Cell(table, f"fleet#{fleet}", "lease").read()
    return FORM.read(there) if there else None


def _held(fleet: str, held: Holding, clock: Clock) -> LeaseHeld:
    since = moment(datetime.fromisoformat(held.since), clock.now())
    ago = max(0.0, (clock.now() - datetime.fromisoformat(held.heard)).total_seconds())
    return LeaseHeld(
        f"{fleet} is being rolled by {held.owner.name} since {since} (“{held.reason}”), last heard of {ago:.0f} s ago.",
        left="The fleet was left alone. Wait until that has ended, and run the same command again.",
    )


def _lost(fleet: str, there: Document) -> LeaseLost:
    try:
        held = FORM.read(there)
        by = f"{held.owner.name} (“{held.reason}”)"
    except DocumentUnreadable:
        by = "somebody whose name cannot be read"
    return LeaseLost(
        f"This roll lost the lease on {fleet}: it was taken by {by} while this process was not heard of.",
        left="This roll stopped and changes nothing more; the other goes on from what it finds.",
    )
