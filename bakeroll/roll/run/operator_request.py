"""What an operator asks of a running roll: to pause or to abort. A roll that backs out ignores requests."""

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
    """Read the request to the record's roll. Raises RollFailed if a pause ended and nobody resumed the roll."""
    try:
        request = requests.read(record.id)
    except DocumentUnreadable as error:
        if record.stage != "forward":
            return None  # no request could ask for more than to back out
        error.left = outcome.left(goal, fleet)
        raise
    if request is None or record.stage != "forward":
        return None
    if request.what == "abort":
        return Failed(f"aborted by {request.by}", ending="aborted")
    if request.is_over(clock.now()):
        raise RollFailed(
            f"The roll of {goal.fleet} was paused by {request.by}, and nobody resumed it in time.",
            left=outcome.left(goal, fleet),
            next_step=f"Continue it: fab resume --env={goal.release.environment}",
        )
    return Paused(request.by, request.at, datetime.fromisoformat(request.until))
