"""The scaling activities of Auto Scaling groups: what a group did, why, and how it ended."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

KEPT = 100
"""Activities kept of each group."""

Status = Literal["InProgress", "WaitingForELBConnectionDraining", "Successful", "Failed"]


@dataclass(slots=True)
class Activity:
    """One activity; `about` is the instance it concerns, empty for a launch that made none."""

    id: str
    group: str
    description: str
    cause: str
    started_at: datetime
    about: str = ""
    ended_at: datetime | None = None
    status: Status = "InProgress"
    message: str | None = None
    progress: int = 0

    def shown(self, arn: str) -> dict[str, Any]:
        """As DescribeScalingActivities answers it."""
        return {
            "ActivityId": self.id,
            "AutoScalingGroupName": self.group,
            "AutoScalingGroupARN": arn,
            "Description": self.description,
            "Cause": self.cause,
            "StartTime": self.started_at,
            "EndTime": self.ended_at,
            "StatusCode": self.status,
            "StatusMessage": self.message,
            "Progress": self.progress,
            "Details": "{}",
        }


class Activities:
    """All groups' activities, the newest first."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._of: defaultdict[str, deque[Activity]] = defaultdict(lambda: deque(maxlen=KEPT))

    def begin(self, group: str, description: str, cause: str, about: str = "") -> Activity:
        now = self._now()
        at = f"At {now.strftime('%Y-%m-%dT%H:%M:%SZ')} "
        activity = Activity(str(uuid4()), group, description, at + cause, now, about)
        self._of[group].appendleft(activity)
        return activity

    def end(self, group: str, about: str, *, failure: str = "") -> None:
        """End what goes on about an instance."""
        for activity in self._of[group]:
            if activity.about == about and activity.ended_at is None:
                self.close(activity, failure=failure)

    def close(self, activity: Activity, *, failure: str = "") -> None:
        activity.ended_at, activity.progress = self._now(), 100
        activity.status = "Failed" if failure else "Successful"
        if failure:
            activity.message = failure
            activity.description += f".  Status Reason: {failure}"

    def of(self, group: str) -> list[Activity]:
        return list(self._of[group])

    def forget(self, group: str) -> None:
        self._of.pop(group, None)
