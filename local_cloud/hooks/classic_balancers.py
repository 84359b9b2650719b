"""Hooks into moto's classic load balancers."""

from collections.abc import Sequence
from typing import Any

from moto.core.responses import ActionResult
from moto.elb.models import ELBBackend
from moto.elb.responses import ELBResponse

from local_cloud.balancing.target_health import Seen
from local_cloud.hooks.balanced import classic_group
from local_cloud.hooks.hooking import Hook, Hooks
from local_cloud.hooks.load_balancers import Balancing

HOOKS = Hooks()


@HOOKS.before(ELBBackend, "create_load_balancer")
def _create_classic(cloud: Balancing, original: Hook, backend: Any, *rest: Any, **named: Any) -> Any:
    """moto invents a DNS name; here the name is the address that answers."""
    balancer = original(backend, *rest, **named)
    balancer.dns_name = cloud.addresses.take()
    cloud.balancers.wake()
    return balancer


@HOOKS.before(ELBBackend, "delete_load_balancer")
def _delete_classic(cloud: Balancing, original: Hook, backend: Any, name: str) -> None:
    """moto has nothing to give back."""
    balancer = backend.load_balancers.get(name)
    original(backend, name)
    if balancer:
        cloud.balancers.wake()
        cloud.addresses.give_back(balancer.dns_name)


@HOOKS.before(ELBBackend, "register_instances")
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


@HOOKS.before(ELBBackend, "deregister_instances")
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


@HOOKS.before(ELBResponse, "describe_instance_health")
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
