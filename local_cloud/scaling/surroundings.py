"""What the engine needs of the rest of the cloud: to launch, terminate, register, and ask for health."""

from collections.abc import Sequence
from typing import Protocol

from local_cloud.scaling.group import Instance, ScalingGroup
from local_cloud.scaling.launches import Configuration
from local_cloud.scaling.refreshes import RefreshSurroundings
from local_cloud.scaling.triggers import TriggerSurroundings
from local_cloud.scaling.warm_pools import WarmPoolSurroundings


class LaunchFailed(Exception):
    """EC2 refused to launch; the message is its own."""


class Surroundings(RefreshSurroundings, TriggerSurroundings, WarmPoolSurroundings, Protocol):
    """All of it."""

    def groups(self) -> Sequence[ScalingGroup]: ...

    def launch(self, group: ScalingGroup, zone: str, configuration: Configuration) -> Instance:
        """Launch an instance from what the configuration comes to now. Raises LaunchFailed."""

    def release(self, group: ScalingGroup, instance: str) -> None:
        """It is detached: no member any more."""

    def register(self, group: ScalingGroup, instance: str) -> None: ...

    def deregister(self, group: ScalingGroup, instance: str) -> None: ...

    def is_idle(self, instance: str) -> bool:
        """Whether no load balancer asks it anything any more."""

    def is_refused(self, group: ScalingGroup, instance: str) -> bool:
        """Whether a load balancer of the group calls it unhealthy."""
