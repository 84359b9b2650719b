"""A cloud in memory with the clock in its hand: one Auto Scaling group, its instances, its target groups.

It behaves as AWS does where a roll depends on it: instances boot, targets become healthy after a while, the
group replaces what died and launches what it lacks, attaching raises desired capacity, draining takes its
time. Every call takes `latency`, and things go on meanwhile. Rolls run over it in milliseconds.
"""

# ruff: noqa: ARG002 (the Protocols have arguments that one group and one template do not need)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from bakeroll.document import Document
from bakeroll.errors import CloudError
from bakeroll.fleet import ROLL_TAG, Group, Health, ImageState, Instance, Slot, Subnet, TargetGroup, TemplateVersion
from bakeroll.roll.ports import Ports

TEMPLATE = "lt-1"
EPOCH = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What instances of an image do. Times are seconds after the launch, or after registration."""

    version: str = ""
    boots: float = 2
    healthy: float = 1
    is_sick: bool = False
    dies: float | None = None
    state: str = "available"
    architecture: str = "x86_64"


UNKNOWN = Behaviour()


@dataclass(slots=True)
class Machine:
    instance: Instance
    launched: float
    token: str = ""
    ends: float | None = None


@dataclass(slots=True)
class Target:
    since: float
    drains: float | None = None


@dataclass(slots=True)
class World:
    """All there is. `images` are those that can be launched; `pace` is how soon the group reacts (seconds)."""

    group: Group
    images: dict[str, Behaviour]
    versions: dict[str, str] = field(default_factory=lambda: {"1": "ami-old"})
    target_groups: tuple[TargetGroup, ...] = (TargetGroup("tg-a", "a", 8000), TargetGroup("tg-b", "b", 8000))
    delay: float = 3
    latency: float = 0.05
    pace: float = 2
    time: float = 0
    short: float | None = None
    launch_hooks: tuple[str, ...] = ()
    machines: dict[str, Machine] = field(default_factory=dict)
    lifecycles: dict[str, str] = field(default_factory=dict)
    targets: dict[str, dict[str, Target]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    table: dict[tuple[str, str], Document] = field(default_factory=dict)

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.time)

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let the time pass, in steps, so that nothing that happens meanwhile is skipped."""
        end = self.time + seconds
        while self.time < end:
            self.time = min(end, self.time + 0.25)
            self._happen()

    def call(self) -> None:
        self.sleep(self.latency)

    def behaviour(self, identifier: str) -> Behaviour:
        return self.images.get(self.machines[identifier].instance.image, UNKNOWN)

    def start(self, image: str, zone: str, tags: Mapping[str, str], token: str = "") -> str:
        identifier = f"i-{len(self.machines):04x}"
        instance = Instance(identifier, image, zone, address=identifier, state="pending", tags=tags)
        self.machines[identifier] = Machine(instance, self.time, token)
        return identifier

    def state(self, identifier: str, state: str) -> None:
        machine = self.machines[identifier]
        machine.instance = replace(machine.instance, state=state)

    def register(self, arn: str, identifier: str) -> None:
        target = self.targets.setdefault(arn, {}).get(identifier)
        if target is None or target.drains is not None:
            self.targets[arn][identifier] = Target(self.time)

    def deregister(self, arn: str, identifier: str) -> None:
        target = self.targets.setdefault(arn, {}).get(identifier)
        if target and target.drains is None:
            target.drains = self.time

    def end(self, identifier: str) -> None:
        """Terminate: deregistered, drained by the group where it is a member, then gone."""
        machine = self.machines[identifier]
        if machine.ends is None:
            machine.ends = self.time + (self.delay if identifier in self.lifecycles else 0.5)
        if identifier in self.lifecycles:
            self.lifecycles[identifier] = "Terminating"
            for arn in self.group.target_groups:
                self.deregister(arn, identifier)

    @property
    def members(self) -> list[str]:
        return [each for each, state in self.lifecycles.items() if not state.startswith("Terminating")]

    def health(self, arn: str, identifier: str) -> Health:
        target, machine = self.targets[arn][identifier], self.machines[identifier]
        if target.drains is not None:
            return Health("draining", "Target.DeregistrationInProgress")
        if machine.instance.state != "running":
            return Health("unused", "Target.InvalidState")
        if self.behaviour(identifier).is_sick:
            return Health("unhealthy", "Target.ResponseCodeMismatch", "503")
        is_ready = self.time - target.since >= self.behaviour(identifier).healthy
        return Health("healthy") if is_ready else Health("initial", "Elb.InitialHealthChecking")

    def _happen(self) -> None:
        for identifier, machine in self.machines.items():
            self._live(identifier, machine)
        for targets in self.targets.values():
            for identifier in [each for each, target in targets.items() if self._has_drained(target)]:
                del targets[identifier]
        self._scale()

    def _live(self, identifier: str, machine: Machine) -> None:
        age, behaviour = self.time - machine.launched, self.behaviour(identifier)
        if machine.instance.state == "pending" and age >= behaviour.boots:
            self.state(identifier, "running")
        is_killed = behaviour.dies is not None and age >= behaviour.dies
        if machine.instance.state == "running" and (is_killed or (machine.ends and self.time >= machine.ends)):
            self.state(identifier, "terminated")
        if machine.instance.state == "pending" and machine.ends and self.time >= machine.ends:
            self.state(identifier, "terminated")

    def _has_drained(self, target: Target) -> bool:
        return target.drains is not None and self.time - target.drains >= self.delay

    def _scale(self) -> None:
        for identifier in list(self.lifecycles):
            state = self.machines[identifier].instance.state
            if state == "terminated":
                del self.lifecycles[identifier]
                for arn in self.group.target_groups:
                    self.targets.setdefault(arn, {}).pop(identifier, None)
            elif state == "running" and self.lifecycles[identifier] == "Pending":
                self.lifecycles[identifier] = "InService"
                for arn in self.group.target_groups:
                    self.register(arn, identifier)
        lacking = self.group.desired - len(self.members)
        self.short = None if lacking == 0 else (self.short if self.short is not None else self.time)
        if self.short is not None and self.time - self.short >= self.pace:
            self._launch(lacking) if lacking > 0 else self._scale_in(-lacking)

    def _launch(self, number: int) -> None:
        latest = max(self.versions, key=int)
        image = self.versions[latest if self.group.template_version == "$Latest" else self.group.template_version]
        if image not in self.images or "Launch" in self.group.suspended:
            return
        for n in range(number):
            zone = self.group.subnets[n % len(self.group.subnets)].removeprefix("subnet-")
            self.lifecycles[self.start(image, zone, self.group.tags)] = "Pending"

    def _scale_in(self, number: int) -> None:
        if "Terminate" not in self.group.suspended:
            for identifier in self.members[:number]:
                self.end(identifier)


def world(
    desired: int, images: Mapping[str, Behaviour], *, minimum: int = 1, maximum: int = 8, serving: int | None = None
) -> World:
    """A fleet that serves ami-old with `serving` instances (all that it desires, unless said otherwise)."""
    group = Group(
        name="links-dev",
        minimum=minimum,
        maximum=maximum,
        desired=desired,
        template=TEMPLATE,
        template_version="1",
        subnets=("subnet-a", "subnet-b"),
        target_groups=("tg-a", "tg-b"),
        tags={"application": "links"},
    )
    made = World(group, dict(images))
    for _ in range(desired if serving is None else serving):
        made.lifecycles[made.start("ami-old", "a", {"bakeroll:version": "1.0-1"})] = "Pending"
    made.sleep(5)
    return made


@dataclass(frozen=True, slots=True)
class ModelScaling:
    world: World

    def describe(self, name: str) -> Group | None:
        self.world.call()
        group = self.world.group
        return replace(group, lifecycles=dict(self.world.lifecycles)) if name == group.name else None

    def names(self) -> Sequence[str]:
        self.world.call()
        return [self.world.group.name]

    def launch_hooks(self, name: str) -> Sequence[str]:
        self.world.call()
        return self.world.launch_hooks

    def attach(self, name: str, ids: Sequence[str]) -> None:
        self.world.call()
        group = self.world.group
        if group.desired + len(ids) > group.maximum or len(ids) > 20 or "Launch" in group.suspended:
            raise CloudError(f"AttachInstances to {name}: ValidationError")
        for each in ids:
            if self.world.machines[each].instance.state != "running" or each in self.world.lifecycles:
                raise CloudError(f"AttachInstances of {each} to {name}: ValidationError")
        self._change(desired=group.desired + len(ids))
        for each in ids:
            self.world.lifecycles[each] = "InService"
            for arn in group.target_groups:
                self.world.register(arn, each)

    def set_maximum(self, name: str, maximum: int) -> None:
        self._change(maximum=maximum, desired=min(maximum, self.world.group.desired))

    def set_desired(self, name: str, desired: int) -> None:
        if not self.world.group.minimum <= desired <= self.world.group.maximum:
            raise CloudError(f"SetDesiredCapacity of {name}: ValidationError")
        self._change(desired=desired)

    def set_template(self, name: str, template: str, version: str) -> None:
        self._change(template=template, template_version=version)

    def suspend(self, name: str, processes: Sequence[str]) -> None:
        self._change(suspended=self.world.group.suspended | set(processes))

    def resume(self, name: str, processes: Sequence[str]) -> None:
        self._change(suspended=self.world.group.suspended - set(processes))

    def terminate(self, instance: str, *, decrement: bool) -> bool:
        self.world.call()
        if self.world.lifecycles.get(instance, "Terminating") == "Terminating":
            return False
        if decrement and self.world.group.desired <= self.world.group.minimum:
            raise CloudError(f"TerminateInstanceInAutoScalingGroup of {instance}: ValidationError")
        if decrement:
            self._change(desired=self.world.group.desired - 1)
        self.world.end(instance)
        return True

    def _change(self, **changes: object) -> None:
        self.world.group = replace(self.world.group, **changes)  # type: ignore[arg-type]
        self.world.call()


@dataclass(frozen=True, slots=True)
class ModelMachines:
    world: World

    def instances(self, ids: Sequence[str]) -> Sequence[Instance]:
        self.world.call()
        return [self.world.machines[each].instance for each in ids if each in self.world.machines]

    def launched_by(self, rolls: Sequence[str]) -> Sequence[Instance]:
        self.world.call()
        found = (each.instance for each in self.world.machines.values())
        return [each for each in found if each.tags.get(ROLL_TAG) in rolls]

    def launch(self, slot: Slot) -> str:
        self.world.call()
        for identifier, machine in self.world.machines.items():
            if machine.token == slot.token:
                return identifier
        image = self.world.versions[slot.template_version]
        if image not in self.world.images:
            raise CloudError(f"RunInstances of {image}: InvalidAMIID.NotFound")
        return self.world.start(image, slot.subnet.zone, slot.tags, slot.token)

    def terminate(self, ids: Sequence[str]) -> None:
        self.world.call()
        for each in ids:
            self.world.end(each)

    def console(self, instance: str) -> str:
        return f"{instance} booted\nlinks[1]: connection refused\n"

    def subnets(self, ids: Sequence[str]) -> Sequence[Subnet]:
        self.world.call()
        return [Subnet(each, each.removeprefix("subnet-")) for each in ids]

    def images(self, ids: Sequence[str]) -> Mapping[str, ImageState]:
        self.world.call()
        found = {each: self.world.images[each] for each in ids if each in self.world.images}
        return {each: ImageState(it.state, it.architecture) for each, it in found.items()}

    def version_of(self, template: str, version: str) -> TemplateVersion:
        self.world.call()
        number = max(self.world.versions, key=int) if version == "$Latest" else version
        return TemplateVersion(number, self.world.versions[number])

    def make_version(self, template: str, source: str, image: str, token: str) -> str:
        self.world.call()
        if token not in self.world.tokens:
            self.world.tokens[token] = str(max(map(int, self.world.versions)) + 1)
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

    def target_groups(self, arns: Sequence[str]) -> Sequence[TargetGroup]:
        self.world.call()
        return [each for each in self.world.target_groups if each.arn in arns]

    def health(self, arn: str) -> Mapping[str, Health]:
        self.world.call()
        return {each: self.world.health(arn, each) for each in self.world.targets.get(arn, {})}

    def register(self, group: TargetGroup, ids: Sequence[str]) -> None:
        self.world.call()
        for each in ids:
            self.world.register(group.arn, each)

    def deregister(self, group: TargetGroup, ids: Sequence[str]) -> None:
        self.world.call()
        for each in ids:
            self.world.deregister(group.arn, each)


@dataclass(frozen=True, slots=True)
class ModelTable:
    world: World

    def get(self, pk: str, sk: str) -> Document | None:
        self.world.call()
        return self.world.table.get((pk, sk))

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
        return [self.world.table[key] for key in found[:limit]]


@dataclass(frozen=True, slots=True)
class ModelAsk:
    world: World

    def __call__(self, addresses: Mapping[str, str], port: int, path: str) -> Mapping[str, str | Exception]:
        self.world.call()
        return {each: self.world.behaviour(each).version or ConnectionError("refused") for each in addresses}


def ports(world: World) -> Ports:
    return Ports(ModelScaling(world), ModelMachines(world), ModelBalancers(world), ModelTable(world), ModelAsk(world))
