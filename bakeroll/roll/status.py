"""What each instance of a fleet does, for people and for `--json`."""

from dataclasses import dataclass

from bakeroll.fleet import VERSION_TAG, Fleet
from bakeroll.roll.health import Memory, not_yet
from bakeroll.roll.observe import described, layout, observe
from bakeroll.roll.ports import Ports


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """`version` is what the instance answers, else its tag's; `state` is "in service", or why not."""

    id: str
    zone: str
    image: str
    version: str
    state: str


def status(fleet: str, ports: Ports, port: int, path: str | None) -> list[InstanceStatus]:
    """Observe the fleet, ask its running instances for their version where there is a path, and tell."""
    seen = observe(fleet, ports, (), layout(described(fleet, ports), ports))
    running = {each.id: each.address for each in seen.members if each.state == "running"}
    answers = ports.ask(running, port, path) if path and running else {}
    return instances(seen, {each: said for each, said in answers.items() if isinstance(said, str)})


def instances(fleet: Fleet, answers: dict[str, str]) -> list[InstanceStatus]:
    """A line for each member; `answers` are the versions heard, by id."""
    memory = Memory().observed(fleet, 0)
    return [
        InstanceStatus(
            id=each.id,
            zone=each.zone,
            image=each.image,
            version=answers.get(each.id) or each.tags.get(VERSION_TAG, ""),
            state=not_yet(fleet, each, memory, 1, None) or "in service",
        )
        for each in fleet.members
    ]
