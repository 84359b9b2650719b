"""What a fleet does, instance by instance, and whether it is being rolled: for people and for `--json`."""

from dataclasses import dataclass

from bakeroll.fleet import VERSION_TAG, Fleet
from bakeroll.roll.ports import Ports
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.record import Record
from bakeroll.roll.store.documents import Documents, read_documents
from bakeroll.roll.store.requests import Request
from bakeroll.roll.view.health import not_yet
from bakeroll.roll.view.roles import Role, roles
from bakeroll.roll.world.observe import observe
from bakeroll.wording import to_the_second

STANDING_BY = "standing by"
"""In Standby: kept for a while by a roll, or put there by somebody; it neither serves nor counts."""


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """`version` is what the instance answers, else its tag's; `state` is "in service", STANDING_BY, or why not."""

    id: str
    zone: str
    image: str
    version: str
    state: str


@dataclass(frozen=True, slots=True)
class RollStatus:
    """A roll that has not ended. `version` is empty while it has written nothing down yet; times are ISO 8601.

    `is_cut_off`: nobody goes on with it; mended, it goes on where it `is_past_commit`, else it is taken back.
    `is_backing_out`: it takes its new instances away. `doing` is what its process did when it was last heard of; where
    that lasts a set time, `doing_seconds`, it does so since `doing_since`. `paused_by` and `paused_until` are empty
    where nobody paused it.
    """

    version: str
    by: str
    since: str
    heard: str
    is_cut_off: bool
    is_backing_out: bool
    is_past_commit: bool = False
    doing: str = ""
    doing_since: str = ""
    doing_seconds: float = 0
    paused_by: str = ""
    paused_until: str = ""


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """`launches` is the image of what the group would launch by itself; `desired` its desired capacity.

    `stands_by_until` is until when old instances stand by after a roll, ISO 8601; empty where none do.
    `unreadable` says which documents of the fleet could not be read, and why; then `roll` may be more than is told.
    """

    name: str
    desired: int
    launches: str
    instances: tuple[InstanceStatus, ...]
    roll: RollStatus | None = None
    stands_by_until: str = ""
    unreadable: tuple[str, ...] = ()

    @property
    def in_service(self) -> int:
        return sum(each.state == "in service" for each in self.instances)


def status(fleet: str, ports: Ports, port: int, path: str | None) -> FleetStatus:
    """Observe the fleet, ask its running instances for their version where there is a path, and tell.

    While it is being rolled, what the roll launched and has not attached yet is told as well.
    Raises RollFailed where there is no such group.
    """
    there = read_documents(ports.table, fleet)
    seen = observe(fleet, ports, there.record)
    running = {each.id: each.address for each in seen.instances if each.state == "running"}
    answers = ports.ask(running, port, path) if path and running else {}
    heard = {each: said for each, said in answers.items() if isinstance(said, str)}
    return FleetStatus(
        name=seen.name,
        desired=seen.desired,
        launches=seen.image,
        instances=instances(seen, heard, is_asked=path is not None),
        roll=under_way(there, seen),
        stands_by_until=_stands_by_until(there.record),
        unreadable=tuple(each.what for each in there.unreadable),
    )


def instances(fleet: Fleet, answers: dict[str, str], *, is_asked: bool) -> tuple[InstanceStatus, ...]:
    """A line for each that is a member or lives; `answers` are the versions heard, by id."""
    memory, its = Memory().observed(fleet, 0), roles(fleet, None)
    silent = {each.id for each in fleet.instances if is_asked and each.id not in answers}
    return tuple(
        InstanceStatus(
            id=each.id,
            zone=each.zone,
            image=each.image,
            version=answers.get(each.id) or each.tags.get(VERSION_TAG, ""),
            state=_state(its[each.id], not_yet(fleet, each, memory, 1, None), is_silent=each.id in silent),
        )
        for each in fleet.instances
        if each.is_member or each.is_alive
    )


def _state(role: Role, why: str, *, is_silent: bool) -> str:
    if role is Role.STANDING_BY:
        return STANDING_BY
    if is_silent and why.startswith("starting"):
        return "starting: does not tell its version yet"
    return why or "in service"


def under_way(there: Documents, seen: Fleet) -> RollStatus | None:
    """The roll that has not ended: one whose lease is held, or one that left its record behind."""
    record, held = there.record, there.holding
    is_led = bool(held and held.is_led)
    if not is_led and (record is None or record.stage == "soaking"):
        return None
    told = held if held and is_led else None
    pause = _pause(there)
    return RollStatus(
        version=record.intended.version if record else "",
        by=held.owner.name if held else "",
        since=to_the_second(record.started_at if record else held.since if held else ""),
        heard=to_the_second(held.heard) if held else "",
        is_cut_off=not is_led,
        is_backing_out=bool(record and record.stage == "back"),
        is_past_commit=bool(record and record.is_past_commit(seen)),
        doing=told.doing if told else "",
        doing_since=to_the_second(told.doing_since) if told else "",
        doing_seconds=told.doing_seconds if told else 0,
        paused_by=pause.by if pause else "",
        paused_until=to_the_second(pause.until) if pause else "",
    )


def _pause(there: Documents) -> Request | None:
    """Only what goes forward heeds it."""
    request = there.request if there.record and there.record.stage == "forward" else None
    return request if request and request.what == "pause" else None


def _stands_by_until(record: Record | None) -> str:
    return to_the_second(record.soak.until) if record and record.stage == "soaking" else ""
