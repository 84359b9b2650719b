"""What somebody asks of a roll that goes on: to wait, or to give up. A roll that backs out heeds nothing."""

from datetime import datetime

from bakeroll.errors import DocumentUnreadable, RollFailed
from bakeroll.fleet import Fleet
from bakeroll.roll.ports import Clock
from bakeroll.roll.run import outcome
from bakeroll.roll.state.decision import Failed, Paused
from bakeroll.roll.state.record import Goal, Record
from bakeroll.roll.store.requests import Requests


def check_request(
    requests: Requests, goal: Goal, record: Record, fleet: Fleet | None, clock: Clock
) -> Paused | Failed | None:
    """Read what is asked of the record's roll. Raises RollFailed where it was paused and nobody resumed it."""
    try:
        request = requests.read(record.id)
    except DocumentUnreadable as error:
        if record.stage != "forward":
            return None  # it could ask for nothing more than what is being done
        error.left = outcome.left(goal, fleet)
        raise
    if request is None or record.stage != "forward":
        return None
    if request.what == "abort":
        return Failed(f"aborted by {request.by}", ending="aborted")
    if request.is_over(clock.now()):
        raise RollFailed(
            f"{goal.fleet}'s roll was paused by {request.by}, and nobody resumed it.",
            left=outcome.left(goal, fleet),
            next_step=f"Go on: fab resume --env={goal.release.environment}",
        )
    return Paused(request.by, request.at, datetime.fromisoformat(request.until))
