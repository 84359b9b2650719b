"""An instance refresh: what it was asked for, how far it is, and the group that it sees."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Status = Literal[
    "Pending", "InProgress", "Baking", "Successful", "Failed", "Cancelling", "Cancelled",
    "RollbackInProgress", "RollbackSuccessful", "RollbackFailed",
]  # fmt: skip
ACTIVE = ("Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress")


@dataclass(frozen=True, slots=True)
class Preferences:
    """As RefreshPreferences of the API; times in seconds, sizes in percent of the desired capacity."""

    min_healthy: int = 90
    max_healthy: int = 100
    warmup: float = 0
    checkpoints: tuple[int, ...] = ()
    checkpoint_delay: float = 3600
    skip_matching: bool = False
    auto_rollback: bool = False
    protected: Literal["Wait", "Ignore", "Refresh"] = "Wait"
    standby: Literal["Wait", "Ignore", "Terminate"] = "Wait"
    alarms: tuple[str, ...] = ()
    bake: float = 0


@dataclass(frozen=True, slots=True)
class Rollback:
    """Why and when a refresh turned around, and how far it was."""

    reason: str
    started_at: datetime
    percentage: int
    to_update: int


@dataclass(frozen=True)
class Refresh:
    """One instance refresh. `old` are the instances to replace, those in the warm pool among them, `total` the number
    of members among them at the start; `desired` is what to launch from, in the form of the API, None for what the
    group has. `reached_at`: since when its checkpoint, or
    its end, is reached; `held_since`: since when only the protected and those in Standby are left."""

    id: str
    started_at: datetime
    preferences: Preferences
    old: frozenset[str]
    total: int
    desired: dict[str, Any] | None = None
    status: Status = "Pending"
    reason: str = ""
    ended_at: datetime | None = None
    percentage: int = 0
    to_update: int = 0
    checkpoint: int = 0
    reached_at: datetime | None = None
    held_since: datetime | None = None
    failures: int = 0
    rollback: Rollback | None = None

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def is_forward(self) -> bool:
        """Whether the group launches what the refresh desires."""
        return self.status in ("Pending", "InProgress", "Baking")


@dataclass(frozen=True, slots=True)
class Member:
    """`is_ready`: in service, healthy and, where the refresh launched it, warm. `is_former`: launched from what the
    group itself is set to, which a rollback leaves alone."""

    id: str
    zone: str = "a"
    lifecycle: str = "InService"
    is_ready: bool = True
    is_protected: bool = False
    is_former: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """A group under refresh. `alarm` names one that is in ALARM; `is_paused` while a process that it needs is
    suspended. `warm` are the instances in its warm pool, `pool` how many there are to be."""

    desired: int
    members: tuple[Member, ...]
    now: datetime
    alarm: str = ""
    is_paused: bool = False
    warm: tuple[Member, ...] = ()
    pool: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """What happens now: the refresh as it is then, whom it takes away, how many the group may have above desired.
    `cooled` are those that it takes out of the warm pool."""

    refresh: Refresh
    replaced: tuple[str, ...] = ()
    surge: int = 0
    cooled: tuple[str, ...] = ()
