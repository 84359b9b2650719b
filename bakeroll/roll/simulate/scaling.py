"""The Auto Scaling port of a roll over the cloud in memory."""

# ruff: noqa: ARG002 (the Protocols have arguments that one template and one account do not need)

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bakeroll.errors import CloudError
from bakeroll.fleet import (
    Group,
    RefreshState,
    Warm,
)
from bakeroll.roll.simulate.model import World
from bakeroll.roll.simulate.parts import RunningRefresh, Squad
from bakeroll.settings import Policy


@dataclass(frozen=True, slots=True)
class ModelScaling:
    """`ports.Scaling` over the cloud in memory."""

    world: World

    def describe(self, *names: str) -> Mapping[str, Group]:
        self.world.call()
        return self.world.describe(names)

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
        if (name, to) not in self.world.hand_overs[-1:]:
            self.world.hand_overs.append((name, to))

    def untag(self, name: str, keys: Sequence[str]) -> None:
        tags = self._squad(name).group.tags
        self._change(name, tags={key: value for key, value in tags.items() if key not in keys})

    def delete(self, name: str) -> None:
        self.world.call()
        if squad := self.world.squads.get(name):
            for each in list(squad.lifecycles):
                self.world.end(each)
                self.world.set_state(each, "shutting-down")  # a forced deletion drains nothing
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
