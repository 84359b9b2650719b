"""Made-up surroundings of a group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bakeroll.errors import CloudError
from bakeroll.facts import Balancer, Image, InstanceType, Launch, Quota, Room
from bakeroll.roll.foresee.preflight import Facts

LARGE = InstanceType("m6i.large", 2, ("x86_64",), ("legacy-bios", "uefi"), needs_ena=True)
ZONES = ("a", "b", "c")


@dataclass
class FakePreflight:
    """Surroundings in place of AWS's. The looks in `forbidden` fail. `looks` records all of them."""

    seen: Facts
    forbidden: Mapping[str, str] = field(default_factory=dict)
    looks: list[str] = field(default_factory=list)

    def _see(self, name: str) -> Any:
        self.looks.append(name)
        if name in self.forbidden:
            raise CloudError(self.forbidden[name])
        return getattr(self.seen, name)

    def launch(self) -> Launch:
        return self._see("launch")  # type: ignore[no-any-return]

    def types(self) -> Sequence[InstanceType]:
        return self._see("types")  # type: ignore[no-any-return]

    def quotas(self) -> Sequence[Quota]:
        return self._see("quotas")  # type: ignore[no-any-return]

    def rooms(self) -> Sequence[Room]:
        return self._see("rooms")  # type: ignore[no-any-return]

    def image(self) -> Image:
        return self._see("image")  # type: ignore[no-any-return]

    def trials(self) -> Mapping[str, str]:
        return self._see("trials")  # type: ignore[no-any-return]

    def balancers(self) -> Sequence[Balancer]:
        return self._see("balancers")  # type: ignore[no-any-return]

    def alarms(self) -> Mapping[str, str]:
        return self._see("alarms")  # type: ignore[no-any-return]

    def refresh(self) -> str:
        return self._see("refresh")  # type: ignore[no-any-return]

    def denied(self) -> Sequence[str]:
        return self._see("denied")  # type: ignore[no-any-return]


FACTS = Facts(
    launch=Launch(("m6i.large",)),
    types=(LARGE,),
    quotas=(Quota("L-1216C47A", ("m6i.large",), 64, 24),),
    rooms=tuple(Room(f"subnet-{zone}", zone, 70) for zone in ZONES),
    image=Image("ami-1", "available", "x86_64", "uefi-preferred"),
    trials={f"subnet-{zone}": "" for zone in ZONES},
    balancers=(Balancer("tg-links", 300, 30, 5),),
    alarms={"links-5xx": "OK"},
    refresh="",
    denied=(),
)
QUICK = replace(FACTS, balancers=(Balancer("a", 3, 1, 1),))
"""The facts about a fleet that drains in 3 seconds."""
