"""The promises, watched over schedules in which anything may happen. It shares no code with the roll.

What it takes for granted is the model alone. A promise is about the roll's own doing, so each of its calls that
takes something out of service is looked at right before: against what served within the last few seconds, since
nobody can know what died while the call was on its way.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from bakeroll.roll.model import World

MOMENTS = 4.0
"""Seconds; longer than a turn of the roll takes, so that what it saw is among what is remembered."""


@dataclass
class Observer:
    world: World
    wanted: int
    floor: int
    unavailable: int
    home: str
    template: str
    maximum: int
    suspended: frozenset[str]
    image: str = ""
    kept: set[str] = field(default_factory=lambda: {"1"})
    lines: list[str] = field(default_factory=list)
    theirs: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    served: dict[str, float] = field(default_factory=dict)
    wanted_before: list[tuple[float, int]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    is_edited: bool = False

    @classmethod
    def of(cls, world: World, unavailable: int) -> "Observer":
        group = world.group
        return cls(
            world=world,
            wanted=group.desired,
            floor=len(serving(world)),
            unavailable=unavailable,
            home="ami-old",
            template=group.template_version,
            maximum=group.maximum,
            suspended=group.suspended,
            theirs=set(world.lifecycles),
            wanted_before=[(0, group.desired)],
        )

    def __call__(self) -> None:
        now = self.world.time
        self.served |= dict.fromkeys(serving(self.world), now)

    def begin(self, image: str) -> None:
        if self.image and self.image != image:
            self.others.add(self.image)
        self.image = image

    def edited(self) -> None:
        """Somebody sets the group to a launch template version of their own."""
        if self.is_edited:
            return
        self.is_edited = True
        self.world.versions["90"] = "ami-old"
        self.kept.add("90")
        self.world.group = replace(self.world.group, template_version="90")

    def rolled(self, image: str) -> None:
        self.home, self.template = image, self.world.group.template_version
        self.kept |= {version for version, launched in self.world.versions.items() if launched == image}
        self.others.clear()

    def rolled_back(self) -> None:
        """What the group launches is what it launched before, unless somebody set it meanwhile."""
        if not self.is_edited:
            assert self.world.group.template_version == self.template, f"launches {self.world.group.template_version}"

    def before(self, name: str, args: Any) -> None:
        """Promises 1, 3, 5, 9: before a call of the roll's."""
        match name, args:
            case "deregister", (_, ids):
                self._may_go(ids)
            case "terminate", (str() as one,):
                self._may_go([one])
            case "terminate", (ids,):
                strangers = [each for each in ids if "bakeroll:roll" not in self.world.machines[each].instance.tags]
                assert not strangers, f"terminates {strangers}, which no roll launched"
                self._may_go(ids)
            case "delete_version", (_, version):
                assert version not in self.kept, f"deletes version {version}"
                assert version != self.world.group.template_version, "deletes the version in use"
            case "set_desired", (_, desired):
                assert desired >= self._least_wanted, f"desired to {desired}, others want {self.wanted}"

    @property
    def _least_wanted(self) -> int:
        then = self.world.time - MOMENTS
        recent = [wanted for at, wanted in self.wanted_before if at >= then]
        return min([self.wanted, *recent, *[w for at, w in self.wanted_before if at < then][-1:]])

    def _may_go(self, ids: Any) -> None:
        now = serving(self.world)
        going = now & set(ids)
        if not going:
            return
        seen = {each for each, at in self.served.items() if at >= self.world.time - MOMENTS}
        floor = min(self.floor, max(0, self._least_wanted - self.unavailable))
        assert len(seen - going) >= floor, f"{sorted(going)} go, {sorted(seen - going)} serve, floor {floor}"

    def settled(self, ended: str) -> None:
        """Promises 2, 6, 7 and 9, when all is over and the dust has settled."""
        fleet = self.world
        fleet.sleep(40)
        group = fleet.group
        images = {each: fleet.machines[each].instance.image for each in fleet.lifecycles}
        alive = {each for each, it in fleet.machines.items() if it.instance.state in ("pending", "running")}
        launched = fleet.versions[
            max(fleet.versions, key=int) if group.template_version == "$Latest" else group.template_version
        ]
        assert group.desired == self.wanted, f"desired is {group.desired}, others want {self.wanted}"
        assert group.maximum == max(self.maximum, self.wanted), f"the maximum is {group.maximum}"
        assert group.suspended == self.suspended, f"suspended are {group.suspended}"
        named = {each for each in fleet.versions if any(line.startswith(f"version {each} of ") for line in self.lines)}
        assert fleet.versions.keys() <= self.kept | named | {group.template_version}, f"versions left: {fleet.versions}"
        if (behaviour := fleet.images.get(launched)) and behaviour.dies:
            return  # a group of nobody's choice but an empty fleet's: its instances die for ever
        assert alive == set(images), f"strays are left: {alive - set(images)}"
        assert all(set(targets) == set(images) for targets in fleet.targets.values()), "strays are registered"
        if ended == "back":
            assert self.image not in images.values() or self.image == self.home, f"{images} after a roll back"
        else:
            assert set(images.values()) <= {ended}, f"{images} after a roll to {ended}"
            assert launched == ended or not images or self.is_edited, f"launches {launched}"
        if launched in fleet.images:
            assert len(images) == self.wanted, f"{len(images)} members, {self.wanted} wanted"


def serving(world: World) -> set[str]:
    """Healthy in every target group, whoever registered it."""
    groups = [world.targets.get(arn, {}) for arn in world.group.target_groups]
    registered = set.intersection(*(set(group) for group in groups)) if groups else set()
    running = {each for each in registered if world.machines[each].instance.state == "running"}
    arns = world.group.target_groups
    return {each for each in running if all(world.health(arn, each).state == "healthy" for arn in arns)}
