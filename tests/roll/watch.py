"""An observer of the promises. It reads the model itself and shares no code with the roll."""

from collections import Counter
from dataclasses import dataclass

from bakeroll.roll.simulate.model import World


@dataclass
class Watch:
    """The state before a roll, and what must hold at every moment. `wanted` is what others ask for."""

    world: World
    wanted: int
    floor: int
    maximum: int
    suspended: frozenset[str]
    old: frozenset[str]
    is_strict: bool = True
    kept: frozenset[str] = frozenset({"1"})

    @classmethod
    def of(cls, world: World) -> "Watch":
        return cls(
            world,
            world.group.desired,
            len(in_service(world)),
            world.group.maximum,
            world.group.suspended,
            frozenset(world.lifecycles),
        )

    def __call__(self) -> None:
        """Check the promises 1, 3 and 5 now: if as many serve as before, every instance that went has a replacement."""
        assert self.world.group.desired >= self.wanted, f"desired fell to {self.world.group.desired}"
        if self._is_rebalanced():
            self.is_strict = False
        if not self.is_strict:
            return
        serving = in_service(self.world)
        assert len(serving) >= self.floor, f"only {serving} in service at {self.world.time}"

    def _is_rebalanced(self) -> bool:
        """Whether AZRebalance is about to balance the zones. AWS then decides what serves in the meantime."""
        fleet = self.world
        zones = Counter({each.removeprefix("subnet-"): 0 for each in fleet.group.subnets})
        zones.update(fleet.machines[each].instance.zone for each in fleet.members)
        return "AZRebalance" not in fleet.group.suspended and max(zones.values()) - min(zones.values()) > 1

    def ended(self, image: str, number: int) -> None:
        """Check the promises 2, 6, 7 and 9 after everything has ended."""
        world = self.world
        world.sleep(30)
        assert len(world.squads) == 1, "a second group is left"
        members = {each: world.machines[each].instance.image for each in world.lifecycles}
        assert list(members.values()) == [image] * number, f"{members} in the group"
        alive = {each for each, it in world.machines.items() if it.instance.state in ("pending", "running")}
        assert alive == set(members), "strays are left"
        assert in_service(world) == set(members), "not all serve"
        assert all(set(targets) == set(members) for targets in world.targets.values()), "strays are registered"
        assert world.group.desired == self.wanted, f"desired is {world.group.desired}"
        assert world.group.maximum == self.maximum, f"the maximum is {world.group.maximum}"
        assert world.group.suspended == self.suspended, f"suspended are {world.group.suspended}"
        assert world.versions.keys() <= self.kept | {world.group.template_version}, f"versions left: {world.versions}"


def in_service(world: World) -> set[str]:
    """The instances that are healthy in every target group, whoever registered them."""
    groups = [world.targets.get(arn, {}) for arn in world.group.target_groups]
    registered = set.intersection(*(set(group) for group in groups)) if groups else set()
    return {
        each
        for each in registered
        if all(world.health(arn, each).state == "healthy" for arn in world.group.target_groups)
    }
