"""How a group comes by instances: from its warm pool, or by a launch, which waits longer each time that one fails."""

from collections.abc import Callable
from dataclasses import dataclass

from local_cloud.scaling.activities import Activities
from local_cloud.scaling.group import Instance, ScalingGroup
from local_cloud.scaling.refreshes import Refreshes, active, launched_from_now
from local_cloud.scaling.surroundings import LaunchFailed, Surroundings
from local_cloud.scaling.warm_pools import WarmPools

LONGEST_BACK_OFF = 30.0
_LACKING = "an instance was started in response to a difference between desired and actual capacity, increasing the \
capacity."


@dataclass(slots=True)
class _BackOff:
    failures: int = 0
    until: float = 0


class Launching:
    """The launches of all groups; whoever calls holds the engine's lock."""

    def __init__(
        self,
        surroundings: Surroundings,
        pools: WarmPools,
        refreshes: Refreshes,
        activities: Activities,
        clock: Callable[[], float],
    ) -> None:
        self._surroundings, self._pools, self._refreshes = surroundings, pools, refreshes
        self._activities, self._clock = activities, clock
        self._back_off: dict[str, _BackOff] = {}

    def may_launch(self, group: ScalingGroup) -> bool:
        back_off = self._back_off.get(group.name)
        return back_off is None or self._clock() >= back_off.until

    def launch_member(self, group: ScalingGroup, zone: str) -> None:
        """From the warm pool, where it has one; not one that a refresh is to replace."""
        refresh = active(group)
        if self._pools.take(group, zone, lambda instance: refresh is None or instance not in refresh.old):
            return
        instance = self._launch(group, zone)
        if instance is None:
            return
        state = self._surroundings.member(group, instance, "Pending")
        state.protected_from_scale_in = group.new_instances_protected_from_scale_in
        group.instance_states.append(state)
        self._activities.begin(group.name, f"Launching a new EC2 instance: {instance.id}", _LACKING, instance.id)

    def launch_warm(self, group: ScalingGroup, zone: str) -> None:
        """Into the warm pool."""
        if launched := self._launch(group, zone):
            self._pools.add(group, launched)

    def fail(self, group: ScalingGroup, instance: str, message: str) -> None:
        """A launch failed: of this instance, or, where it is empty, before there was one."""
        self.hold_off(group)
        if instance:
            self._activities.end(group.name, instance, failure=message)
        else:
            activity = self._activities.begin(group.name, "Launching a new EC2 instance", _LACKING)
            self._activities.close(activity, failure=message)

    def hold_off(self, group: ScalingGroup) -> None:
        """Have the group wait before it launches again, the longer the more has failed."""
        back_off = self._back_off.setdefault(group.name, _BackOff())
        back_off.failures += 1
        self._refreshes.count_failure(group)
        back_off.until = self._clock() + min(LONGEST_BACK_OFF, 2.0 ** (back_off.failures - 1))

    def forgive(self, group: str) -> None:
        """Let the group launch again at once."""
        self._back_off.pop(group, None)

    def _launch(self, group: ScalingGroup, zone: str) -> Instance | None:
        if not self.may_launch(group):  # another launch of this very turn failed
            return None
        try:
            return self._surroundings.launch(group, zone, launched_from_now(group))
        except LaunchFailed as error:
            self.fail(group, "", f"{error}. Launching EC2 instance failed.")
            return None
