"""Hooks into moto's target groups: who is registered, and how each is."""

from collections.abc import Sequence
from typing import Any

from moto.elbv2.exceptions import (
    InvalidTargetError,
    TargetGroupNotFoundError,
    TargetNotRunning,
)
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus

from local_cloud.balancing.target_health import target_health
from local_cloud.hooks.balanced import server_name
from local_cloud.hooks.hooking import Hook, Hooks
from local_cloud.hooks.load_balancers import Balancing, refusal

HOOKS = Hooks()


@HOOKS.before(ELBv2Backend, "create_target_group")
def _create_target_group(cloud: Balancing, original: Hook, backend: Any, name: str, **named: Any) -> Any:
    """moto takes protocols that no haproxy of ours speaks."""
    if named.get("protocol") not in ("HTTP", "TCP") or named.get("target_type") not in (None, "instance", "ip"):
        raise refusal("target groups of instances or addresses by HTTP or TCP alone")
    return original(backend, name, **named)


@HOOKS.before(ELBv2Backend, "modify_target_group")
def _modify_target_group(cloud: Balancing, original: Hook, backend: Any, *rest: Any, **named: Any) -> Any:
    """moto has no health checks to change."""
    group = original(backend, *rest, **named)
    cloud.balancers.wake()
    return group


@HOOKS.before(ELBv2Backend, "register_targets")
def _register_targets(cloud: Balancing, original: Hook, backend: Any, arn: str, targets: Sequence[Any]) -> None:
    """moto registers instances that are not there, and the first of a list of which the last is refused."""
    if arn not in backend.target_groups:
        raise TargetGroupNotFoundError()
    for target in targets:
        instance = backend.ec2_backend.get_instance_by_id(target["Id"])
        if instance is None and backend.target_groups[arn].target_type == "instance":
            raise InvalidTargetError(f"The following targets are not valid instances: '{target['Id']}'")
        if instance is not None and instance.state != "running":
            raise TargetNotRunning(target["Id"])
    original(backend, arn, targets)
    cloud.balancers.wake()


@HOOKS.before(ELBv2Backend, "deregister_targets")
def _deregister_targets(cloud: Balancing, original: Hook, backend: Any, arn: str, targets: Sequence[Any]) -> None:
    """moto refuses targets that are not registered; AWS does not mind."""
    group = backend.target_groups.get(arn)
    if group is None:
        raise TargetGroupNotFoundError()
    original(backend, arn, [each for each in targets if each["Id"] in group.targets])
    cloud.balancers.wake()


@HOOKS.before(ELBv2Backend, "notify_terminate_instances")
def _instances_end(cloud: Balancing, original: Hook, backend: Any, instance_ids: Sequence[str]) -> None:
    """The balancer lets go of them at once."""
    original(backend, instance_ids)
    cloud.balancers.wake()


@HOOKS.before(ELBv2Backend, "describe_target_health")
def _describe_target_health(
    cloud: Balancing, original: Hook, backend: Any, arn: str, targets: Sequence[Any]
) -> list[FakeHealthStatus]:
    """moto's targets are healthy at once, a nonexistent one too; AWS lists the draining ones as well."""
    group = backend.target_groups.get(arn)
    if group is None:
        raise TargetGroupNotFoundError()
    listed = [{"Id": each["Id"], "Port": each.get("Port") or _port(group, each["Id"])} for each in targets]
    found = listed or [*group.targets.values(), *_leaving(cloud, group)]
    health = [_health(cloud, backend, group, each) for each in found]
    return health if listed else [each for each in health if each.reason != "Target.NotRegistered"]


def _port(group: Any, target: str) -> Any:
    known = group.targets.get(target) or group.deregistered_targets.get(target) or {}
    return known.get("Port", group.port)


def _leaving(cloud: Balancing, group: Any) -> list[Any]:
    # Copied: another call may register one of them again meanwhile.
    gone = list(group.deregistered_targets.values())
    return [each for each in gone if cloud.balancers.seen(group.name, server_name(each))]


def _health(cloud: Balancing, backend: Any, group: Any, target: Any) -> FakeHealthStatus:
    instance = backend.ec2_backend.get_instance_by_id(target["Id"])
    state = instance.state if instance else None if group.target_type == "ip" else "terminated"
    registered = group.targets.get(target["Id"])
    health = target_health(
        cloud.balancers.seen(group.name, server_name(target)),
        is_registered=bool(registered) and str(registered["Port"]) == str(target["Port"]) and state != "terminated",
        has_listener=bool(group.load_balancer_arns),
        instance=state,
    )
    port = target["Port"] if group.health_check_port == "traffic-port" else group.health_check_port
    return FakeHealthStatus(target["Id"], target["Port"], port, health.state, health.reason, health.description)
