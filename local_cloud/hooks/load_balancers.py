"""Hooks into moto's load balancing: each closes one gap between moto and AWS.

moto keeps load balancers, listeners, target groups and who is registered; the balancer does the rest.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from moto.backends import get_backend
from moto.core.responses import ActionResult
from moto.elb.models import ELBBackend
from moto.elb.responses import ELBResponse
from moto.elbv2.exceptions import (
    DuplicateListenerError,
    DuplicateLoadBalancerName,
    ELBClientError,
    InvalidTargetError,
    TargetGroupNotFoundError,
    TargetNotRunning,
)
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus

from local_cloud.balancing.addresses import Addresses
from local_cloud.balancing.balancer import Balancers, Wanted
from local_cloud.balancing.target_health import Seen, target_health
from local_cloud.config import ACCOUNT, REGION
from local_cloud.hooks.balanced import classic_group, in_use, server_name, wanted
from local_cloud.hooks.hooking import Hook, hook

_PROTOCOLS = {"application": "HTTP", "network": "TCP"}


class Balancing(Protocol):
    """What the hooks need of the rest."""

    balancers: Balancers
    addresses: Addresses


def _backends() -> tuple[Any, Any, Any]:
    elbv2, elb, ec2 = (get_backend(name)[ACCOUNT][REGION] for name in ("elbv2", "elb", "ec2"))
    return elbv2, elb, ec2


def wanted_now() -> list[Wanted]:
    """All load balancers as the API has them."""
    return wanted(*_backends())


def addresses_taken() -> list[str]:
    elbv2, elb, _ = _backends()
    return [each.dns_name for backend in (elbv2, elb) for each in list(backend.load_balancers.values())]


def settle() -> None:
    """After a start: the targets whose machines did not outlive the last daemon are registered no more."""
    elbv2, _, ec2 = _backends()
    elbv2.notify_terminate_instances([each.id for each in ec2.all_instances() if each.state == "terminated"])


def _refuse(what: str) -> ELBClientError:
    return ELBClientError("OperationNotPermitted", f"The local cloud's load balancers have {what}.")


# ------------------------------------------------------------------ load balancers and listeners


@hook(ELBv2Backend, "create_load_balancer")
def _create_load_balancer(cloud: Balancing, original: Hook, backend: Any, name: str, *rest: Any, **named: Any) -> Any:
    """moto takes a name twice and invents a DNS name; here the name is the address that answers."""
    if named.get("loadbalancer_type") not in (None, *_PROTOCOLS):
        raise _refuse("the types application and network alone")
    if any(each.name == name for each in backend.load_balancers.values()):
        raise DuplicateLoadBalancerName()
    balancer = original(backend, name, *rest, **named)
    balancer.dns_name = cloud.addresses.take()
    cloud.balancers.wake()
    return balancer


@hook(ELBv2Backend, "delete_load_balancer")
def _delete_load_balancer(cloud: Balancing, original: Hook, backend: Any, arn: str) -> None:
    """moto has nothing to give back."""
    balancer = backend.load_balancers.get(arn)
    original(backend, arn)
    if balancer:
        _follow(cloud, backend)
        cloud.addresses.give_back(balancer.dns_name)


@hook(ELBv2Backend, "create_listener")
def _create_listener(
    cloud: Balancing, original: Hook, backend: Any, load_balancer_arn: str, protocol: str, port: Any, **named: Any
) -> Any:
    """moto takes a port twice, and takes what no haproxy of ours does: TLS, redirects and the like."""
    if balancer := backend.load_balancers.get(load_balancer_arn):
        _can_listen(balancer, protocol, named["actions"])
        if any(str(each.port) == str(port) for each in balancer.listeners.values()):
            raise DuplicateListenerError()
        _must_be_free(cloud, balancer, port)
    listener = original(backend, load_balancer_arn, protocol, port, **named)
    _follow(cloud, backend)
    return listener


@hook(ELBv2Backend, "modify_listener")
def _modify_listener(
    cloud: Balancing,
    original: Hook,
    backend: Any,
    arn: str,
    port: Any = None,
    protocol: str | None = None,
    ssl_policy: str | None = None,
    certificates: Any = None,
    actions: Sequence[Any] | None = None,
) -> Any:
    """As with a new listener."""
    for balancer in backend.load_balancers.values():
        if arn in balancer.listeners:
            _can_listen(balancer, protocol, actions or [])
            if port and str(port) != str(balancer.listeners[arn].port):
                _must_be_free(cloud, balancer, port)
    listener = original(backend, arn, port, protocol, ssl_policy, certificates, actions or [])
    _follow(cloud, backend)
    return listener


@hook(ELBv2Backend, "delete_listener")
def _delete_listener(cloud: Balancing, original: Hook, backend: Any, arn: str) -> Any:
    """moto goes on calling the target group used."""
    listener = original(backend, arn)
    _follow(cloud, backend)
    return listener


@hook(ELBv2Backend, "create_rule")
def _create_rule(cloud: Balancing, original: Hook, backend: Any, *rest: Any, **named: Any) -> Any:
    """moto keeps rules that nobody would follow."""
    raise _refuse("no rules but each listener's default one")


def _can_listen(balancer: Any, protocol: str | None, actions: Sequence[Any]) -> None:
    if protocol and protocol != _PROTOCOLS[balancer.type]:
        raise _refuse(f"{balancer.type} listeners of protocol {_PROTOCOLS[balancer.type]} alone")
    if any(action["Type"] != "forward" for action in actions):
        raise _refuse("forward actions alone")


def _must_be_free(cloud: Balancing, balancer: Any, port: Any) -> None:
    if not cloud.addresses.is_free(balancer.dns_name, int(port)):
        raise ELBClientError(
            "OperationNotPermitted", f"Another program of this machine listens on {balancer.dns_name}:{port} already."
        )


def _follow(cloud: Balancing, backend: Any) -> None:
    """Say which load balancers use a target group, and have the balancer look."""
    for arn, group in backend.target_groups.items():
        group.load_balancer_arns = [each.arn for each in backend.load_balancers.values() if arn in in_use(each)]
    cloud.balancers.wake()


# ------------------------------------------------------------------ target groups and targets


@hook(ELBv2Backend, "create_target_group")
def _create_target_group(cloud: Balancing, original: Hook, backend: Any, name: str, **named: Any) -> Any:
    """moto takes protocols that no haproxy of ours speaks."""
    if named.get("protocol") not in ("HTTP", "TCP") or named.get("target_type") not in (None, "instance", "ip"):
        raise _refuse("target groups of instances or addresses by HTTP or TCP alone")
    return original(backend, name, **named)


@hook(ELBv2Backend, "modify_target_group")
def _modify_target_group(cloud: Balancing, original: Hook, backend: Any, *rest: Any, **named: Any) -> Any:
    """moto has no health checks to change."""
    group = original(backend, *rest, **named)
    cloud.balancers.wake()
    return group


@hook(ELBv2Backend, "register_targets")
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


@hook(ELBv2Backend, "deregister_targets")
def _deregister_targets(cloud: Balancing, original: Hook, backend: Any, arn: str, targets: Sequence[Any]) -> None:
    """moto refuses targets that are not registered; AWS does not mind."""
    group = backend.target_groups.get(arn)
    if group is None:
        raise TargetGroupNotFoundError()
    original(backend, arn, [each for each in targets if each["Id"] in group.targets])
    cloud.balancers.wake()


@hook(ELBv2Backend, "notify_terminate_instances")
def _instances_end(cloud: Balancing, original: Hook, backend: Any, instance_ids: Sequence[str]) -> None:
    """The balancer lets go of them at once."""
    original(backend, instance_ids)
    cloud.balancers.wake()


@hook(ELBv2Backend, "describe_target_health")
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


# ------------------------------------------------------------------ classic load balancers


@hook(ELBBackend, "create_load_balancer")
def _create_classic(cloud: Balancing, original: Hook, backend: Any, *rest: Any, **named: Any) -> Any:
    """moto invents a DNS name; here the name is the address that answers."""
    balancer = original(backend, *rest, **named)
    balancer.dns_name = cloud.addresses.take()
    cloud.balancers.wake()
    return balancer


@hook(ELBBackend, "delete_load_balancer")
def _delete_classic(cloud: Balancing, original: Hook, backend: Any, name: str) -> None:
    """moto has nothing to give back."""
    balancer = backend.load_balancers.get(name)
    original(backend, name)
    if balancer:
        cloud.balancers.wake()
        cloud.addresses.give_back(balancer.dns_name)


@hook(ELBBackend, "register_instances")
def _register_classic(
    cloud: Balancing,
    original: Hook,
    backend: Any,
    load_balancer_name: str,
    instance_ids: Sequence[str],
    from_autoscaling: bool = False,
) -> Any:
    """moto lists twice what a group and a person register."""
    known = backend.get_load_balancer(load_balancer_name).instance_ids
    new = [each for each in instance_ids if each not in known]
    balancer = original(backend, load_balancer_name, new, from_autoscaling)
    cloud.balancers.wake()
    return balancer


@hook(ELBBackend, "deregister_instances")
def _deregister_classic(
    cloud: Balancing, original: Hook, backend: Any, name: str, instance_ids: Sequence[str], _: bool = False
) -> Any:
    """moto keeps what a group registered and a person deregisters."""
    balancer = backend.get_load_balancer(name)
    known = [each for each in balancer.instance_ids if each in instance_ids]
    balancer.leaving = [*_leaving_classic(cloud, balancer), *known]
    for by_group in (False, True):
        original(backend, name, instance_ids, by_group)
    cloud.balancers.wake()
    return balancer


def _leaving_classic(cloud: Balancing, balancer: Any) -> list[str]:
    """Those that drain."""
    gone = [each for each in getattr(balancer, "leaving", []) if each not in balancer.instance_ids]
    return [each for each in gone if any(_seen_classic(cloud, balancer, each))]


def _seen_classic(cloud: Balancing, balancer: Any, instance: str) -> list[Seen | None]:
    return [
        cloud.balancers.seen(classic_group(balancer.name, each.instance_port), f"{instance}:{each.instance_port}")
        for each in balancer.listeners
    ]


@hook(ELBResponse, "describe_instance_health")
def _describe_instance_health(cloud: Balancing, original: Hook, response: Any) -> Any:
    """moto's instances are in service while they run, whatever they answer."""
    balancer = response.elb_backend.load_balancers.get(response._get_param("LoadBalancerName"))
    if balancer is None:
        return original(response)
    asked = [each["InstanceId"] for each in response._get_param("Instances", [])]
    found = asked or [*balancer.instance_ids, *_leaving_classic(cloud, balancer)]
    return ActionResult({"InstanceStates": [_classic_health(cloud, balancer, each) for each in found]})


def _classic_health(cloud: Balancing, balancer: Any, instance: str) -> dict[str, str]:
    seen = _seen_classic(cloud, balancer, instance)
    if instance not in balancer.instance_ids:
        # One that serves still drains as well: the balancer has not turned since it was deregistered.
        if any(each and each.phase != "new" for each in seen):
            return _classic_state(instance, "InService", "N/A", "Instance deregistration currently in progress.")
        text = "Instance is not currently registered with the LoadBalancer."
        return _classic_state(instance, "OutOfService", "Instance", text)
    if seen and all(each and each.phase == "serving" and each.stat and each.stat.is_up for each in seen):
        return _classic_state(instance, "InService", "N/A", "N/A")
    if any(each and each.stat and not each.stat.is_up for each in seen):
        text = "Instance has failed at least the UnhealthyThreshold number of health checks consecutively."
        return _classic_state(instance, "OutOfService", "Instance", text)
    return _classic_state(instance, "OutOfService", "ELB", "Instance registration is still in progress.")


def _classic_state(instance: str, state: str, reason: str, text: str) -> dict[str, str]:
    return {"InstanceId": instance, "State": state, "ReasonCode": reason, "Description": text}
