"""The ports of a roll over the cloud in memory."""

# ruff: noqa: ARG002 (the Protocols have arguments that one template and one account do not need)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bakeroll.document import Document, Item
from bakeroll.errors import CloudError
from bakeroll.fleet import (
    ROLL_TAG,
    Health,
    ImageState,
    Instance,
    Slot,
    Subnet,
    TargetGroup,
    TemplateVersion,
)
from bakeroll.roll.ports import Ports
from bakeroll.roll.simulate.model import World
from bakeroll.roll.simulate.parts import ADDRESS
from bakeroll.roll.simulate.scaling import ModelScaling
from bakeroll.settings import Metric


@dataclass(frozen=True, slots=True)
class ModelMachines:
    """`ports.Machines` over the cloud in memory."""

    world: World

    def members(self, group: str) -> Sequence[Instance]:
        self.world.call()
        squad = self.world.squads.get(group)
        return self.world.shown([*squad.lifecycles, *squad.warm, *squad.gone]) if squad else []

    def launched_by(self, rolls: Sequence[str]) -> Sequence[Instance]:
        self.world.call()
        found = self.world.shown(self.world.machines)
        return [each for each in found if ROLL_TAG in each.tags and ("*" in rolls or each.tags[ROLL_TAG] in rolls)]

    def ended(self, ids: Sequence[str]) -> Sequence[str]:
        self.world.call()
        found = {each: self.world.machines[each].instance.state for each in ids if each in self.world.machines}
        return [each for each in ids if found.get(each, "terminated") in ("shutting-down", "terminated")]

    def launch(self, slot: Slot) -> Sequence[str]:
        self.world.call()
        if launched := [each for each, machine in self.world.machines.items() if machine.token == slot.token]:
            return launched
        image = self.world.versions[slot.template_version]
        if image not in self.world.images:
            raise CloudError(f"RunInstances of {image}: InvalidAMIID.NotFound")
        if slot.subnet.zone in self.world.full:
            error = CloudError("RunInstances: InsufficientInstanceCapacity")
            error.is_lacking = True
            raise error
        return [self.world.start(image, slot.subnet.zone, slot.tags, slot.token) for _ in range(slot.count)]

    def terminate(self, ids: Sequence[str]) -> None:
        self.world.call()
        for each in ids:
            self.world.end(each)

    def console(self, instance: str) -> str:
        self.world.call()
        machine, every = self.world.machines[instance], self.world.behaviour(instance).crashes
        failures = int((self.world.time - machine.launched) / every) if every else 0
        lines = "".join(
            f"bakeroll: links.service ended with exit-code 1, failure {n} since boot\n" for n in range(1, failures + 1)
        )
        return f"{instance} booted\n{lines}links[1]: connection refused\n"

    def subnets(self, ids: Sequence[str]) -> Sequence[Subnet]:
        self.world.call()
        return [Subnet(each, each.removeprefix("subnet-")) for each in ids]

    def images(self, ids: Sequence[str]) -> Mapping[str, ImageState]:
        self.world.call()
        found = {each: self.world.images[each] for each in ids if each in self.world.images}
        return {each: ImageState(it.state, it.architecture) for each, it in found.items()}


@dataclass(frozen=True, slots=True)
class ModelTemplates:
    """`ports.Templates` over the cloud in memory."""

    world: World

    def version_of(self, template: str, version: str) -> TemplateVersion:
        self.world.call()
        number = self.world.version(version)
        return TemplateVersion(number, self.world.versions[number])

    def make_version(self, template: str, source: str, image: str, token: str) -> str:
        self.world.call()
        if token not in self.world.tokens:
            ever = (*self.world.versions, *self.world.tokens.values())  # AWS never reuses a number
            self.world.tokens[token] = str(max(map(int, ever)) + 1)
            self.world.versions[self.world.tokens[token]] = image
        return self.world.tokens[token]

    def versions_made(self, template: str, tokens: Sequence[str]) -> Sequence[str]:
        self.world.call()
        found = (self.world.tokens.get(each, "") for each in tokens)
        return [each for each in found if each in self.world.versions]

    def delete_version(self, template: str, version: str) -> None:
        self.world.call()
        self.world.versions.pop(version, None)


@dataclass(frozen=True, slots=True)
class ModelBalancers:
    """`ports.Balancers` over the cloud in memory."""

    world: World

    def target_groups(self, arns: Sequence[str], classic: Sequence[str] = ()) -> Sequence[TargetGroup]:
        self.world.call()
        wanted = {*arns, *classic}
        return [each for each in self.world.target_groups if {each.arn, each.name} & wanted]

    def health(self, group: TargetGroup) -> Mapping[str, Health]:
        self.world.call()
        there = self.world.targets.get(group.arn, {})
        prefix = ADDRESS if group.type == "ip" else ""
        return {f"{prefix}{each}": self.world.health(group.arn, each) for each in there}

    def register(self, group: TargetGroup, targets: Sequence[str]) -> None:
        self.world.call()
        for each in targets:
            self.world.register(group.arn, each.removeprefix(ADDRESS))

    def deregister(self, group: TargetGroup, targets: Sequence[str]) -> None:
        self.world.call()
        for each in targets:
            self.world.deregister(group.arn, each.removeprefix(ADDRESS))

    def url(self, arns: Sequence[str], classic: Sequence[str] = ()) -> str:
        """Every target group here has a listener, whose host is the group's name."""
        return next((f"http://{each.name}" for each in self.target_groups(arns, classic)), "")


@dataclass(frozen=True, slots=True)
class ModelProbes:
    """`ports.Probes` over the cloud in memory."""

    world: World

    def http(self, address: str, port: int, path: str) -> str:
        self.world.call()
        return self.world.probed(address.removeprefix(ADDRESS))

    def command(self, words: Sequence[str], environment: Mapping[str, str]) -> str:
        self.world.call()
        return self.world.probed(environment["INSTANCE_ID"])

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        self.world.call()
        return {each: self.world.alarms[each] for each in names if each in self.world.alarms}

    def samples(self, metric: Metric, ids: Sequence[str], seconds: float) -> Mapping[str, Sequence[float]]:
        self.world.call()
        return {each: self.world.values.get(self.world.machines[each].instance.image, []) for each in ids}


@dataclass(frozen=True, slots=True)
class ModelTable:
    """`ports.Table` over the cloud in memory."""

    world: World

    def get(self, pk: str, sk: str) -> Document | None:
        self.world.call()
        return self._shown(pk, sk) if (pk, sk) in self.world.table else None

    def put(self, pk: str, sk: str, new: Document, *, over: str | None) -> Document | None:
        self.world.call()
        current = self.world.table.get((pk, sk))
        if (current.token if current else None) != over:
            return None if current and current.token == new.token else current
        self.world.table[pk, sk] = new
        return None

    def newest(self, pk: str, prefix: str, limit: int) -> Sequence[Document]:
        self.world.call()
        found = sorted((key for key in self.world.table if key[0] == pk and key[1].startswith(prefix)), reverse=True)
        return [self._shown(*key) for key in found[:limit]]

    def _shown(self, pk: str, sk: str) -> Document:
        return replace(self.world.table[pk, sk], item=Item("bakeroll", pk, sk))


@dataclass(frozen=True, slots=True)
class ModelAsk:
    """`ports.Ask` over the cloud in memory."""

    world: World

    def __call__(self, addresses: Mapping[str, str], port: int, path: str) -> Mapping[str, str | Exception]:
        self.world.call()
        return {each: self.world.behaviour(each).version or ConnectionError("refused") for each in addresses}


def ports(world: World) -> Ports:
    """All ports of a roll over this cloud."""
    return Ports(
        scaling=ModelScaling(world),
        machines=ModelMachines(world),
        templates=ModelTemplates(world),
        balancers=ModelBalancers(world),
        table=ModelTable(world),
        ask=ModelAsk(world),
        probes=ModelProbes(world),
    )
