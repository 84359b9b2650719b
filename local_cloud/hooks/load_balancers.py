"""Hooks into moto's load balancing: each closes one gap between moto and AWS.

moto keeps load balancers, listeners, target groups and who is registered; the balancer does the rest.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from moto.backends import get_backend
from moto.elbv2.exceptions import (
    DuplicateListenerError,
    DuplicateLoadBalancerName,
    ELBClientError,
)
from moto.elbv2.models import ELBv2Backend

from local_cloud.balancing.addresses import Addresses
from local_cloud.balancing.balancers import Balancers
from local_cloud.balancing.moves import Wanted
from local_cloud.config import ACCOUNT, REGION
from local_cloud.hooks.balanced import in_use, wanted
from local_cloud.hooks.hooking import Hook, Hooks

HOOKS = Hooks()

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
    """The addresses that load balancers have."""
    elbv2, elb, _ = _backends()
    return [each.dns_name for backend in (elbv2, elb) for each in list(backend.load_balancers.values())]


def settle() -> None:
    """After a start: the targets whose machines did not outlive the last daemon are registered no more."""
    elbv2, _, ec2 = _backends()
    elbv2.notify_terminate_instances([each.id for each in ec2.all_instances() if each.state == "terminated"])


def refusal(what: str) -> ELBClientError:
    """The error for what a load balancer here cannot do."""
    return ELBClientError("OperationNotPermitted", f"The local cloud's load balancers have {what}.")


@HOOKS.before(ELBv2Backend, "create_load_balancer")
def _create_load_balancer(cloud: Balancing, original: Hook, backend: Any, name: str, *rest: Any, **named: Any) -> Any:
    """moto takes a name twice and invents a DNS name; here the name is the address that answers."""
    if named.get("loadbalancer_type") not in (None, *_PROTOCOLS):
        raise refusal("the types application and network alone")
    if any(each.name == name for each in backend.load_balancers.values()):
        raise DuplicateLoadBalancerName()
    balancer = original(backend, name, *rest, **named)
    balancer.dns_name = cloud.addresses.take()
    cloud.balancers.wake()
    return balancer


@HOOKS.before(ELBv2Backend, "delete_load_balancer")
def _delete_load_balancer(cloud: Balancing, original: Hook, backend: Any, arn: str) -> None:
    """moto has nothing to give back."""
    balancer = backend.load_balancers.get(arn)
    original(backend, arn)
    if balancer:
        _follow(cloud, backend)
        cloud.addresses.give_back(balancer.dns_name)


@HOOKS.before(ELBv2Backend, "create_listener")
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


@HOOKS.before(ELBv2Backend, "modify_listener")
def _modify_listener(cloud: Balancing, original: Hook, backend: Any, arn: str, *given: Any) -> Any:
    """As with a new listener."""
    port, protocol, ssl_policy, certificates, actions = given
    for balancer in backend.load_balancers.values():
        if arn in balancer.listeners:
            _can_listen(balancer, protocol, actions or [])
            if port and str(port) != str(balancer.listeners[arn].port):
                _must_be_free(cloud, balancer, port)
    listener = original(backend, arn, port, protocol, ssl_policy, certificates, actions or [])
    _follow(cloud, backend)
    return listener


@HOOKS.before(ELBv2Backend, "delete_listener")
def _delete_listener(cloud: Balancing, original: Hook, backend: Any, arn: str) -> Any:
    """moto goes on calling the target group used."""
    listener = original(backend, arn)
    _follow(cloud, backend)
    return listener


@HOOKS.before(ELBv2Backend, "create_rule")
def _create_rule(cloud: Balancing, original: Hook, backend: Any, *rest: Any, **named: Any) -> Any:
    """moto keeps rules that nobody would follow."""
    raise refusal("no rules but each listener's default one")


def _can_listen(balancer: Any, protocol: str | None, actions: Sequence[Any]) -> None:
    if protocol and protocol != _PROTOCOLS[balancer.type]:
        raise refusal(f"{balancer.type} listeners of protocol {_PROTOCOLS[balancer.type]} alone")
    if any(action["Type"] != "forward" for action in actions):
        raise refusal("forward actions alone")


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
