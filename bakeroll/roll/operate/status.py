"""The status of a fleet and of each instance, and whether a roll is in progress: for people and for `--json`."""

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
"""In Standby: kept for a while by a roll, or put there by somebody. It neither serves nor counts."""


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """`version` is what the instance answers, else its tag. `state` is "in service", STANDING_BY, or why neither."""

    id: str
    zone: str
    image: str
    version: str
    state: str


@dataclass(frozen=True, slots=True)
class RollStatus:
    """A roll that has not ended. `version` is empty before the roll has written its record. Times are ISO 8601.

    If it `is_cut_off`, no process runs it; the doctor continues it if it `is_past_commit`, and backs it out otherwise.
    `doing` is what its process did at its last heartbeat. If that takes a set time, it does so since `doing_since` for
    `doing_seconds`. `paused_by` and `paused_until` are empty if nobody paused it.
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
    """`launches` is the image that the group would launch by itself. `desired` is its desired capacity.

    `stands_by_until` is until when old instances stand by after a roll, ISO 8601. It is empty if none do.
    `unreadable` says which documents of the fleet could not be read, and why. Then `roll` may be incomplete.
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
    """Observe the fleet, and ask its running instances for their version if there is a path.

    During a roll the status includes instances that the roll launched and has not attached yet.
    Raises RollFailed if the group does not exist.
    """
    there = read_documents(ports.table, fleet)
    observed = observe(fleet, ports, there.record)
    running = {each.id: each.address for each in observed.instances if each.state == "running"}
    answers = ports.ask(running, port, path) if path and running else {}
    heard = {each: said for each, said in answers.items() if isinstance(said, str)}
    return FleetStatus(
        name=observed.name,
        desired=observed.desired,
        launches=observed.image,
        instances=instances(observed, heard, is_asked=path is not None),
        roll=under_way(there, observed),
        stands_by_until=_stands_by_until(there.record),
        unreadable=tuple(each.what for each in there.unreadable),
    )


def instances(fleet: Fleet, answers: dict[str, str], *, is_asked: bool) -> tuple[InstanceStatus, ...]:
    """A line for each instance that is a member or alive. `answers` are their versions by id."""
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
        return "starting: has not answered with its version yet"
    return why or "in service"


def under_way(there: Documents, observed: Fleet) -> RollStatus | None:
    """The roll that has not ended: its lease is held, or it left its record behind."""
    record, held = there.record, there.holding
    is_led = bool(held and held.is_led)
    if not is_led and (record is None or record.stage == "soaking"):
        return None
    leading = held if held and is_led else None
    pause = _pause(there)
    return RollStatus(
        version=record.intended.version if record else "",
        by=held.owner.name if held else "",
        since=to_the_second(record.started_at if record else held.since if held else ""),
        heard=to_the_second(held.heard) if held else "",
        is_cut_off=not is_led,
        is_backing_out=bool(record and record.stage == "back"),
        is_past_commit=bool(record and record.is_past_commit(observed)),
        doing=leading.doing if leading else "",
        doing_since=to_the_second(leading.doing_since) if leading else "",
        doing_seconds=leading.doing_seconds if leading else 0,
        paused_by=pause.by if pause else "",
        paused_until=to_the_second(pause.until) if pause else "",
    )


def _pause(there: Documents) -> Request | None:
    """The pause of the roll. A roll that backs out ignores pauses."""
    request = there.request if there.record and there.record.stage == "forward" else None
    return request if request and request.what == "pause" else None


def _stands_by_until(record: Record | None) -> str:
    return to_the_second(record.soak.until) if record and record.stage == "soaking" else ""
