"""The observer of the promises, for schedules in which anything may happen. It shares no code with the roll.

It trusts only the model. A promise is about the roll's own changes. So the observer checks each call that takes
something out of service right before it happens. It compares with what served within the last few seconds, because a
roll cannot know what dies while its call is on the way.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from bakeroll.roll.simulate.model import World
from bakeroll.roll.simulate.parts import ADDRESS, NAME

MOMENTS = 4.0
"""In seconds. Longer than a turn of the roll, so that the observer remembers everything that the turn saw."""


EVER = 1e6
LOOK = 1.0
"""How many seconds an observation takes. The roll does not see what came into service during it."""


@dataclass
class Observer:
    world: World
    wanted: int
    floor: int
    unavailable: int
    home: str
    template: str
    maximum: int
    minimum: int
    suspended: frozenset[str]
    suspended_at: tuple[float, frozenset[str]] = (0, frozenset())
    planned_at: tuple[float, int] = (0, 0)
    minima: set[int] = field(default_factory=set)
    unseen: list[tuple[int, frozenset[str]]] = field(default_factory=list)
    image: str = ""
    kept: set[str] = field(default_factory=lambda: {"1"})
    lines: list[str] = field(default_factory=list)
    theirs: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    since: dict[str, float] = field(default_factory=dict)
    served: dict[str, float] = field(default_factory=dict)
    wanted_before: list[tuple[float, int]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    looked_at: float = 0
    is_edited: bool = False
    is_blue_green: bool = False
    second: set[str] = field(default_factory=set)
    standing: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)

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
            minimum=group.minimum,
            suspended=group.suspended,
            theirs=set(world.lifecycles),
            wanted_before=[(0, group.desired)],
        )

    def __call__(self) -> None:
        now = self.world.time
        now_serving = serving(self.world)
        self.served |= dict.fromkeys(now_serving, now)
        self.since = {each: self.since.get(each, now) for each in now_serving}

    def begin(self, image: str, strategy: str) -> None:
        """A process begins. A process that was killed after its last write counts as ended."""
        self.is_blue_green |= strategy == "blue-green"
        record = self.world.table.get((f"fleet#{NAME}", "roll"))
        body = json.loads(record.body) if record else {}
        if body.get("stage") in ("closed", "soaking"):
            self.kept |= {
                version for version, launched in self.world.versions.items() if launched == body["intended"]["image"]
            }
            if not self.is_edited:
                self.rolled(self.world.versions[self.world.version(self.world.group.template_version)])
        if self.image and self.image != image:
            self.others.add(self.image)
        self.image = image

    def looks(self) -> None:
        """A roll has observed the fleet and trusts the observation."""
        self.looked_at = self.world.time
        self.known |= {each for each, it in self.world.machines.items() if it.instance.state in ("pending", "running")}

    def wants(self, wanted: int) -> None:
        """Somebody else sets how many instances they want."""
        self.wanted = wanted
        self.wanted_before.append((self.world.time, wanted))

    def plans(self, minimum: int, maximum: int) -> None:
        """Somebody else sets these sizes."""
        self.planned_at, self.minimum, self.maximum = (self.world.time, self.minimum), minimum, maximum

    def suspends(self, suspended: frozenset[str]) -> None:
        """Somebody else sets which processes are suspended."""
        self.suspended_at, self.suspended = (self.world.time, self.suspended), suspended

    def refused(self, name: str) -> None:
        """AWS refused a call. A roll cannot tell whose a change of desired capacity right before it is."""
        if name in ("terminate", "attach", "enter_standby"):
            self._nobody_can_tell()

    def died(self) -> None:
        """The process dies. The same holds for a change of others at that moment."""
        self._nobody_can_tell()

    def _nobody_can_tell(self) -> None:
        then = self.world.time - LOOK
        wanted = next((wanted for at, wanted in reversed(self.wanted_before) if at < then), self.wanted)
        since, suspended = self.suspended_at
        self.minima |= {self.planned_at[1]} if self.planned_at[0] >= then else set()
        self.unseen.append((wanted - self.wanted, suspended if since >= then else self.suspended))

    def edited(self) -> None:
        """Somebody else sets the group to a launch template version of their own."""
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
        """The group launches what it launched before, unless somebody else changed that.

        This does not hold after a blue-green roll.
        """
        if not self.is_edited and not self.is_blue_green:
            assert self.world.group.template_version == self.template, f"launches {self.world.group.template_version}"

    def before(self, name: str, args: Any) -> None:
        """Check the promises 1, 3, 5 and 9 before a call of the roll."""
        match name, args:
            case "deregister", (_, ids):
                self._may_go([each.removeprefix(ADDRESS) for each in ids])
            case "enter_standby", (_, ids):
                self._may_go(ids)
            case "delete", (group,):
                assert group != self.world.group.name, "deletes the fleet's group"
                assert group in self.second, f"deletes {group}, which no roll made"
                self._may_go(self.world.squads[group].lifecycles if group in self.world.squads else ())
            case "suspend", (_, processes) if len(processes) > 1:
                self._nobody_can_tell()  # what is changed in the moment in which one group takes over from another
            case "clone", (first, to, *_):
                self.second |= {first, to}
            case "terminate", (str() as one,):
                self._may_go([one])
            case "terminate", (ids,):
                mine = [each for each in ids if each not in self.world.squad.warm]
                strangers = [each for each in mine if "bakeroll:roll" not in self.world.machines[each].instance.tags]
                assert not strangers, f"terminates {strangers}, which no roll launched"
                self._may_go(ids)
            case "delete_version", (_, version):
                assert version not in self.kept, f"deletes version {version}"
                assert version != self.world.group.template_version, "deletes the version in use"
            case "set_desired", (_, desired):
                assert desired >= self._least_wanted, f"desired to {desired}, others want {self.wanted}"
            case _:
                pass  # breaks none of these promises

    @property
    def _least_wanted(self) -> int:
        then = self.world.time - MOMENTS
        recent = [wanted for at, wanted in self.wanted_before if at >= then]
        return min([self.wanted, *recent, *[w for at, w in self.wanted_before if at < then][-1:]])

    def _may_go(self, ids: Any) -> None:
        going = {each for each in serving(self.world) & set(ids) if self.world.time - self.since.get(each, 0) > LOOK}
        if not going:
            return
        seen = {each for each, at in self.served.items() if at >= self.world.time - MOMENTS}
        floor = min(self.floor, max(0, self._least_wanted - self.unavailable))
        if self.home not in self.world.images:  # what has gone stays away, and no longer counts
            floor = min(floor, sum(self.world.machines[each].instance.image == self.home for each in seen))
        assert len(seen - going) >= floor, f"{sorted(going)} go, {sorted(seen - going)} serve, floor {floor}"

    def settled(self, ended: str) -> None:
        """Check the promises 2, 6, 7 and 9 after everything has ended."""
        fleet = self.world
        fleet.sleep(40)
        for lowered, suspended in self.unseen:
            self.wanted += lowered if fleet.group.desired == self.wanted + lowered else 0
            self.suspended = suspended if fleet.group.suspended == suspended else self.suspended
        self._sizes()
        self.standing = {each for each in self.standing if fleet.lifecycles.get(each) == "Standby"}
        versions = fleet.versions
        launched = versions[fleet.version(fleet.group.template_version)]
        named = {each for each in versions if any(line.startswith(f"version {each} of ") for line in self.lines)}
        assert versions.keys() <= self.kept | named | {fleet.group.template_version}, f"versions left: {versions}"
        warm = {each: fleet.machines[each].instance.image for each in fleet.squad.warm}
        assert set(warm.values()) <= {launched} or self.is_edited, f"{warm} in the pool of a group of {launched}"
        behaviour = fleet.images.get(launched)
        if behaviour and (behaviour.dies or behaviour.boots > EVER):
            return  # a group of nobody's choice but an empty fleet's: its instances die, or boot, for ever
        self._strays()
        members = {each: fleet.machines[each].instance.image for each in fleet.lifecycles if each not in self.standing}
        if ended == "back":
            was_there = self.image == self.home or ((self.is_edited or self.is_blue_green) and self.image == launched)
            assert self.image not in members.values() or was_there, f"{members} after a roll back"
        else:
            others = {launched} if self.is_edited else set()  # which the group evens out its zones with
            assert set(members.values()) <= {ended, *others}, f"{members} after a roll to {ended}"
            assert launched == ended or self.is_edited, f"launches {launched}"
        if launched in fleet.images:
            assert len(members) >= self.wanted, f"{len(members)} members, {self.wanted} wanted"
            is_protected = any(fleet.machines[each].protected for each in members)
            is_kept = "Terminate" in fleet.group.suspended or is_protected  # then the group itself takes none away
            assert len(members) == self.wanted or is_kept, f"{len(members)} members, {self.wanted} wanted"

    def _sizes(self) -> None:
        group = self.world.group
        assert len(self.world.squads) == 1, "a second group is left"
        assert group.desired == self.wanted, f"desired is {group.desired}, others want {self.wanted}"
        assert group.minimum in {self.minimum, *self.minima}, f"the minimum is {group.minimum}"
        needed = {max(self.maximum, each) for each in (self.wanted, *(wanted for _, wanted in self.wanted_before))}
        assert group.maximum in needed, f"the maximum is {group.maximum}"
        assert group.suspended == self.suspended, f"suspended are {group.suspended}"

    def _strays(self) -> None:
        """Only a roll registers and deregisters addresses.

        So a replacement that the group launches later is not registered. An instance that dies before the first
        observation of a roll or after the last one stays registered, because EC2 no longer shows its address.
        """
        fleet = self.world
        alive = {each for each, it in fleet.machines.items() if it.instance.state in ("pending", "running")}
        alive -= set(fleet.squad.warm)
        assert alive == set(fleet.lifecycles), f"strays are left: {alive - set(fleet.lifecycles)}"
        for group in fleet.target_groups:
            there = set(fleet.targets.get(group.arn, {}))
            if group.type == "ip":
                ended = {each for each in there - alive if fleet.machines[each].ended < self.looked_at - LOOK}
                strays = ended & self.known
                assert not strays, f"{strays} ended and are registered in {group.name}"
            elif "AddToLoadBalancer" not in self.suspended:
                assert there == alive - self.standing, f"{there ^ alive} are strays or not registered in {group.name}"


def serving(world: World) -> set[str]:
    """The instances that are healthy in every target group, whoever registered them."""
    arns = [each.arn for each in world.target_groups]
    registered = set.intersection(*(set(world.targets.get(each, {})) for each in arns))
    running = {each for each in registered if world.machines[each].instance.state == "running"}
    return {each for each in running if all(world.health(arn, each).state == "healthy" for arn in arns)}
