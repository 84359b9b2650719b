"""The way of a roll to the cloud in memory: its ports, over `model.World`."""

# ruff: noqa: ARG002 (the Protocols have arguments that one template and one account do not need)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bakeroll.document import Document, Item
from bakeroll.errors import CloudError
from bakeroll.fleet import (
    ROLL_TAG,
    Group,
    Health,
    ImageState,
    Instance,
    RefreshState,
    Slot,
    Subnet,
    TargetGroup,
    TemplateVersion,
    Warm,
)
from bakeroll.roll.ports import Ports
from bakeroll.roll.simulate.model import ADDRESS, RunningRefresh, Squad, World
from bakeroll.settings import Metric, Policy


@dataclass(frozen=True, slots=True)
class ModelScaling:
    world: World

    def describe(self, *names: str) -> Mapping[str, Group]:
        self.world.call()
        return self.world.described(names)

    def names(self) -> Sequence[str]:
        self.world.call()
        return list(self.world.squads)

    def launch_hooks(self, name: str) -> Sequence[str]:
        self.world.call()
        return self.world.launch_hooks

    def warm(self, name: str) -> Sequence[Warm]:
        self.world.call()
        squad = self._squad(name)
        staying = [each for each in squad.warm if self.world.machines[each].ends is None]
        return [Warm(each, squad.group.template, squad.warm[each]) for each in staying]

    def attach(self, name: str, ids: Sequence[str]) -> None:
        self.world.call()
        squad = self._squad(name)
        self._grow(squad, ids, "AttachInstances")
        for each in ids:
            if self.world.machines[each].instance.state != "running" or self.world.squad_of(each):
                raise CloudError(f"AttachInstances of {each} to {name}: ValidationError")
        self._change(name, desired=squad.group.desired + len(ids))
        for each in ids:
            self.world.enter_service(squad, each)

    def set_maximum(self, name: str, maximum: int) -> None:
        self._change(name, maximum=maximum, desired=min(maximum, self._squad(name).group.desired))

    def set_desired(self, name: str, desired: int) -> None:
        group = self._squad(name).group
        if not group.minimum <= desired <= group.maximum:
            raise CloudError(f"SetDesiredCapacity of {name}: ValidationError")
        self._change(name, desired=desired)

    def set_template(self, name: str, template: str, version: str) -> None:
        self._change(name, template=template, template_version=version)

    def suspend(self, name: str, processes: Sequence[str]) -> None:
        self._change(name, suspended=self._squad(name).group.suspended | set(processes))

    def resume(self, name: str, processes: Sequence[str]) -> None:
        self._change(name, suspended=self._squad(name).group.suspended - set(processes))

    def terminate(self, instance: str, *, decrement: bool) -> bool:
        self.world.call()
        squad = self.world.squad_of(instance)
        if squad is None or squad.lifecycles[instance] == "Terminating":
            return False
        if decrement and squad.group.desired <= squad.group.minimum:
            raise CloudError(f"TerminateInstanceInAutoScalingGroup of {instance}: ValidationError")
        if decrement:
            self._change(squad.group.name, desired=squad.group.desired - 1)
        self.world.end(instance)
        return True

    def enter_standby(self, name: str, ids: Sequence[str], *, decrement: bool) -> None:
        self.world.call()
        squad = self._squad(name)
        is_bad = len(ids) > 20 or any(squad.lifecycles.get(each) != "InService" for each in ids)
        if is_bad or (decrement and squad.group.desired - len(ids) < squad.group.minimum):
            raise CloudError(f"EnterStandby of {', '.join(ids)}: ValidationError")
        if decrement:
            self._change(name, desired=squad.group.desired - len(ids))
        for each in ids:
            self.world.leave(squad, each, "Standby")

    def exit_standby(self, name: str, ids: Sequence[str]) -> None:
        self.world.call()
        squad = self._squad(name)
        self._grow(squad, ids, "ExitStandby")
        if any(squad.lifecycles.get(each) != "Standby" for each in ids):
            raise CloudError(f"ExitStandby of {', '.join(ids)}: ValidationError")
        self._change(name, desired=squad.group.desired + len(ids))
        for each in ids:
            squad.lifecycles[each] = "Pending"

    def refreshes(self, name: str) -> Sequence[RefreshState]:
        self.world.call()
        return [each.state for each in reversed(self.world.refreshes) if each.group == name]

    def start_refresh(self, name: str, template: str, version: str, policy: Policy) -> str:
        self.world.call()
        if any(not each.state.is_over for each in self.world.refreshes):
            raise CloudError(f"StartInstanceRefresh of {name}: InstanceRefreshInProgress")
        state = RefreshState(f"refresh-{len(self.world.refreshes)}", "Pending", version=version)
        self.world.refreshes.append(RunningRefresh(state, name, version, self.world.refresh_ends))
        return state.id

    def cancel_refresh(self, name: str) -> None:
        self.world.call()
        for each in self.world.refreshes:
            if each.group == name and not each.state.is_over:
                each.state = replace(each.state, status="Cancelled")

    def clone(self, name: str, to: str, version: str, tags: Mapping[str, str]) -> None:
        self.world.call()
        if to not in self.world.squads:
            group, none = self._squad(name).group, {"minimum": 0, "maximum": 0, "desired": 0}
            suspended = group.suspended | {"AddToLoadBalancer"}
            mine = {**group.tags, **tags}
            twin = replace(group, name=to, template_version=version, tags=mine, suspended=suspended, **none)  # type: ignore[arg-type]
            self.world.squads[to] = Squad(twin)

    def set_sizes(self, name: str, minimum: int, desired: int, maximum: int) -> None:
        self._change(name, minimum=minimum, desired=desired, maximum=maximum)

    def hand_over(self, name: str, to: str) -> None:
        self.world.call()
        if (name, to) not in self.world.handed[-1:]:
            self.world.handed.append((name, to))

    def untag(self, name: str, keys: Sequence[str]) -> None:
        tags = self._squad(name).group.tags
        self._change(name, tags={key: value for key, value in tags.items() if key not in keys})

    def delete(self, name: str) -> None:
        self.world.call()
        if squad := self.world.squads.get(name):
            for each in list(squad.lifecycles):
                self.world.end(each)
                self.world.state(each, "shutting-down")  # forced: nothing drains
                self.world.machines[each].ends = self.world.time + 0.5
            del self.world.squads[name]

    def _squad(self, name: str) -> Squad:
        if name not in self.world.squads:
            raise CloudError(f"{name}: ValidationError: AutoScalingGroup name not found")
        return self.world.squads[name]

    def _grow(self, squad: Squad, ids: Sequence[str], what: str) -> None:
        group = squad.group
        if group.desired + len(ids) > group.maximum or len(ids) > 20 or "Launch" in group.suspended:
            raise CloudError(f"{what} to {group.name}: ValidationError")

    def _change(self, name: str, **changes: object) -> None:
        squad = self._squad(name)
        squad.group = replace(squad.group, **changes)  # type: ignore[arg-type]
        self.world.call()


@dataclass(frozen=True, slots=True)
class ModelMachines:
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
        if there := [each for each, machine in self.world.machines.items() if machine.token == slot.token]:
            return there
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
        told = "".join(
            f"bakeroll: links.service ended with exit-code 1, failure {n} since boot\n" for n in range(1, failures + 1)
        )
        return f"{instance} booted\n{told}links[1]: connection refused\n"

    def subnets(self, ids: Sequence[str]) -> Sequence[Subnet]:
        self.world.call()
        return [Subnet(each, each.removeprefix("subnet-")) for each in ids]

    def images(self, ids: Sequence[str]) -> Mapping[str, ImageState]:
        self.world.call()
        found = {each: self.world.images[each] for each in ids if each in self.world.images}
        return {each: ImageState(it.state, it.architecture) for each, it in found.items()}


@dataclass(frozen=True, slots=True)
class ModelTemplates:
    world: World

    def version_of(self, template: str, version: str) -> TemplateVersion:
        self.world.call()
        number = self.world.version(version)
        return TemplateVersion(number, self.world.versions[number])

    def make_version(self, template: str, source: str, image: str, token: str) -> str:
        self.world.call()
        if token not in self.world.tokens:
            ever = (*self.world.versions, *self.world.tokens.values())  # a number is not given again
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


@dataclass(frozen=True, slots=True)
class ModelProbes:
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
    world: World

    def get(self, pk: str, sk: str) -> Document | None:
        self.world.call()
        return self._shown(pk, sk) if (pk, sk) in self.world.table else None

    def put(self, pk: str, sk: str, new: Document, *, over: str | None) -> Document | None:
        self.world.call()
        there = self.world.table.get((pk, sk))
        if (there.token if there else None) != over:
            return None if there and there.token == new.token else there
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
    world: World

    def __call__(self, addresses: Mapping[str, str], port: int, path: str) -> Mapping[str, str | Exception]:
        self.world.call()
        return {each: self.world.behaviour(each).version or ConnectionError("refused") for each in addresses}


def ports(world: World) -> Ports:
    return Ports(
        scaling=ModelScaling(world),
        machines=ModelMachines(world),
        templates=ModelTemplates(world),
        balancers=ModelBalancers(world),
        table=ModelTable(world),
        ask=ModelAsk(world),
        probes=ModelProbes(world),
    )
