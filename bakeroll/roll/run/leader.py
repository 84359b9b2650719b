"""The process that runs a roll, and what it works with."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from bakeroll.events import Report
from bakeroll.roll.ports import Clock, Ports
from bakeroll.roll.run.poll import QUICK, Poll
from bakeroll.roll.state.decision import Deed
from bakeroll.roll.state.owner import Owner
from bakeroll.roll.store.heartbeat import Beating
from bakeroll.roll.store.lease import SECONDS

Witness = Callable[[Deed], None]


def unwitnessed(_: Deed) -> None:
    """Ignore the deed."""


@dataclass(frozen=True, slots=True)
class Leader:
    """The process that runs a roll. `beating` keeps its lease alive while it works.

    `witness` gets each action after it was carried out.
    """

    ports: Ports
    owner: Owner
    clock: Clock
    report: Report
    poll: Poll = QUICK
    beating: Beating = nullcontext
    lease_seconds: float = SECONDS
    witness: Witness = unwitnessed
