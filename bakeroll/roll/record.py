"""What a roll writes down before it touches anything, and the history of releases.

The record of a fleet's roll is one document, `fleet#NAME / roll`: the fleet as found, and each change before
it is made. Whoever comes next resumes or restores from it. A release is a document of its own,
`releases#APPLICATION#ENVIRONMENT / TIME`.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Literal

from bakeroll.document import Document
from bakeroll.errors import RollFailed
from bakeroll.fleet import Fleet, Subnet
from bakeroll.release import Release
from bakeroll.roll.cell import Cell
from bakeroll.roll.ports import Clock, Table

Stage = Literal["forward", "back", "closed"]


@dataclass(frozen=True, slots=True)
class Goal:
    """The release that a fleet is to serve. `path` is what an instance is asked for its version; None: not asked."""

    fleet: str
    release: Release
    port: int
    path: str | None

    @property
    def version(self) -> str | None:
        """What each new instance must say of itself; None where it is not asked."""
        return self.release.version if self.path else None


@dataclass(frozen=True, slots=True)
class Found:
    """A fleet before the first change; `serving` is how many of its members were in service."""

    minimum: int
    maximum: int
    desired: int
    template: str
    template_version: str
    image: str
    suspended: tuple[str, ...]
    members: tuple[str, ...]
    registered: Mapping[str, tuple[str, ...]]
    serving: int = 0


@dataclass(frozen=True, slots=True)
class RecordedSlot:
    """An instance that was to be launched, from which version, where."""

    template_version: str
    subnet: Subnet


@dataclass(frozen=True, slots=True)
class Record:
    """A roll as written down. What it names as changed may not have happened: the fleet tells (see `standing`).

    `previous` are dead rolls that this one took over from; `versions` the launch template versions made by
    any of them, `made` by this one, `making` the rolls that may have made one without hearing of it; `pinned`
    the number in the place of `$Latest`; `maxima` the maximum sizes that they set; `attached`, `retiring` (all
    that were chosen to go) and `decremented` instances; `lowering` a change of desired capacity, from and to;
    `attaching` the desired capacity seen before an attach whose answer is not known, and its instances; `slots`
    the launches of this roll, `filled` their instances, `back_from` the first that backing out launched.
    """

    id: str
    fleet: str
    image: str
    version: str
    started_at: str
    found: Found
    stage: Stage = "forward"
    why: str = ""
    previous: tuple[str, ...] = ()
    made: str = ""
    making: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    pinned: str = ""
    suspended: tuple[str, ...] = ()
    maxima: tuple[int, ...] = ()
    attached: tuple[str, ...] = ()
    retiring: tuple[str, ...] = ()
    decremented: tuple[str, ...] = ()
    lowered: int = 0
    lowering: tuple[int, int] | None = None
    attaching: tuple[int, tuple[str, ...]] | None = None
    slots: tuple[RecordedSlot, ...] = ()
    filled: Mapping[str, str] = field(default_factory=dict)
    back_from: int | None = None

    def backing_out(self, why: str) -> "Record":
        return replace(self, stage="back", why=why, back_from=len(self.slots))

    def knows(self, fleet: Fleet) -> bool:
        """Whether the group launches from what it was found with, or what a roll set, and nobody else's."""
        known = (self.found.template_version, self.pinned, *self.versions)
        return fleet.template == self.found.template and fleet.template_version in known

    @property
    def rolls(self) -> tuple[str, ...]:
        return (self.id, *self.previous)


def begin(goal: Goal, fleet: Fleet, clock: Clock) -> Record:
    """A new record: the fleet as found."""
    found = Found(
        minimum=fleet.minimum,
        maximum=fleet.maximum,
        desired=fleet.desired,
        template=fleet.template,
        template_version=fleet.template_version,
        image=fleet.image,
        suspended=tuple(sorted(fleet.suspended)),
        members=tuple(each.id for each in fleet.members),
        registered={
            group.arn: tuple(each.id for each in fleet.instances if group.arn in each.health)
            for group in fleet.target_groups
        },
        serving=sum(1 for each in fleet.members if fleet.is_in_service(each)),
    )
    return Record(
        id=_new_id(),
        fleet=fleet.name,
        image=goal.release.image,
        version=goal.release.version,
        started_at=clock.now().isoformat(),
        found=found,
    )


def take_over(dead: Record, goal: Goal, fleet: Fleet, clock: Clock) -> Record:
    """A new roll in the place of a dead one: as found then, with the changes that were made since.

    What the group launches from counts as found anew where somebody else set it.
    """
    return replace(
        dead if dead.knows(fleet) else _found_anew(dead, fleet),
        id=_new_id(),
        image=goal.release.image,
        version=goal.release.version,
        started_at=clock.now().isoformat(),
        stage="forward",
        why="",
        previous=dead.rolls,
        made="",
        slots=(),
        filled={},
        back_from=None,
    )


def _found_anew(dead: Record, fleet: Fleet) -> Record:
    found = replace(dead.found, template=fleet.template, template_version=fleet.template_version, image=fleet.image)
    versions = dead.versions if fleet.template == dead.found.template else ()
    return replace(dead, found=found, versions=versions, pinned="")


class Records:
    """The record of one fleet, written only where nobody else wrote since this process read it."""

    def __init__(self, table: Table, fleet: str) -> None:
        self._cell = Cell(table, f"fleet#{fleet}", "roll")

    def read(self) -> Record | None:
        """The record of the roll that has not ended; None where there is none."""
        stored = self._cell.read()
        record = decoded(stored.body) if stored else None
        return record if record and record.stage != "closed" else None

    def write(self, record: Record) -> None:
        if self._cell.write(encoded(record)):
            raise RollFailed(
                f"The record of {record.fleet}'s roll was written by somebody else.",
                left="This roll stopped and changes nothing more.",
            )


def encoded(record: Record) -> str:
    return json.dumps(asdict(record), sort_keys=True)


def decoded(body: str) -> Record:
    raw = json.loads(body)
    found = raw["found"]
    lists = ("previous", "making", "versions", "suspended", "maxima", "attached", "retiring", "decremented")
    return Record(
        **raw
        | {name: tuple(raw[name]) for name in lists}
        | {
            "lowering": tuple(raw["lowering"]) if raw["lowering"] else None,
            "attaching": (raw["attaching"][0], tuple(raw["attaching"][1])) if raw.get("attaching") else None,
            "slots": tuple(RecordedSlot(each["template_version"], Subnet(**each["subnet"])) for each in raw["slots"]),
            "found": Found(
                **found
                | {
                    "suspended": tuple(found["suspended"]),
                    "members": tuple(found["members"]),
                    "registered": {arn: tuple(ids) for arn, ids in found["registered"].items()},
                }
            ),
        }
    )


def write_release(table: Table, release: Release) -> None:
    """Add a release to the history. Written twice it stands there once."""
    body = json.dumps(asdict(release) | {"released_at": release.released_at.isoformat()}, sort_keys=True)
    sk = f"{release.released_at.isoformat()}#{release.version}"
    table.put(_history_key(release.application, release.environment), sk, Document(body, uuid.uuid4().hex), over=None)


def history(table: Table, application: str, environment: str, limit: int = 100) -> list[Release]:
    """The releases of an application in an environment, the newest first."""
    return [_release(each.body) for each in table.newest(_history_key(application, environment), "", limit)]


def current(table: Table, application: str, environment: str) -> Release | None:
    """The release that was written last."""
    return next(iter(history(table, application, environment, limit=1)), None)


def _history_key(application: str, environment: str) -> str:
    return f"releases#{application}#{environment}"


def _release(body: str) -> Release:
    raw = json.loads(body)
    return Release(**raw | {"released_at": datetime.fromisoformat(raw["released_at"])})


def _new_id() -> str:
    return uuid.uuid4().hex[:12]
