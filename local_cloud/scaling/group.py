"""An Auto Scaling group, its members and their instances, in the form that the engine works on.

They are kept by whoever serves the API; this names what of them the engine reads and changes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol


class Placement(Protocol):
    """Where an instance runs."""

    zone: str | None


class Reason(Protocol):
    """Why an instance is in its state."""

    message: str


class Instance(Protocol):
    """An instance of EC2."""

    id: str
    state: str
    state_reason: Reason
    placement: Placement
    launch_time: datetime


class MemberState(Protocol):
    """A member of a group, or an instance in its warm pool."""

    instance: Instance
    availability_zone: str
    lifecycle_state: str
    health_status: str
    protected_from_scale_in: bool | None
    launch_template: Mapping[str, Any] | None


class WarmPool(Protocol):
    """The settings of a warm pool."""

    min_size: int
    max_group_prepared_capacity: int | None
    pool_state: str | None


class ScalingGroup(Protocol):
    """An Auto Scaling group."""

    name: str
    min_size: int
    max_size: int
    desired_capacity: int | None
    availability_zones: Sequence[str]
    instance_states: list[MemberState]
    suspended_processes: Sequence[Mapping[str, str]]
    termination_policies: Sequence[str]
    new_instances_protected_from_scale_in: bool | None
    health_check_type: str
    health_check_grace_period: float | None
    default_cooldown: int
    warm_pool: WarmPool | None
    # What it launches from: one of these three.
    mixed_instances_policy: dict[str, Any] | None
    ec2_launch_template: Any
    launch_template_version: str | None
    launch_configuration_name: str | None


def suspended(group: ScalingGroup) -> frozenset[str]:
    """The processes that are suspended."""
    return frozenset(process["ProcessName"] for process in group.suspended_processes)


def is_alive(instance: Instance) -> bool:
    """Whether an instance runs or boots."""
    return instance.state in ("pending", "running")
