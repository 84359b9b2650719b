"""Classic load balancers. https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bakeroll.aws.session import blocks, translated
from bakeroll.aws.url import url
from bakeroll.facts import Balancer
from bakeroll.fleet import Health, TargetGroup

if TYPE_CHECKING:
    from types_boto3_elb import ElasticLoadBalancingClient
    from types_boto3_elb.type_defs import InstanceStateTypeDef, LoadBalancerDescriptionTypeDef

TYPE = "classic"
TARGETS_AT_MOST = 100
STATES = {"InService": "healthy", "OutOfService": "unhealthy", "Unknown": "unavailable"}
STATE_BY_DESCRIPTION = (
    ("deregistration currently in progress", "draining"),
    ("registration is still in progress", "initial"),
    ("has not passed the configured HealthyThreshold", "initial"),
    ("is not configured to route traffic to", "unused"),
    ("is not currently registered", "unused"),
)
"""The state that a description means. AWS's own state is not enough: an instance that drains is still InService.

https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_InstanceState.html
"""


class ClassicBalancers:
    """Classic load balancers by name and their instances by id. States are in the words of target groups."""

    def __init__(self, client: ElasticLoadBalancingClient) -> None:
        self._client = client

    def described(self, names: Sequence[str]) -> Sequence[TargetGroup]:
        """The load balancers as target groups. The port is the instance port of the first listener."""
        listeners = {each["LoadBalancerName"]: each["ListenerDescriptions"] for each in self._raw(names)}
        ports = {name: each[0]["Listener"]["InstancePort"] if each else 0 for name, each in listeners.items()}
        return [TargetGroup(name, name, ports[name], TYPE) for name in names]

    def facts(self, names: Sequence[str]) -> Sequence[Balancer]:
        """How long each drains and how it checks health."""
        return [_facts(each, self._delay(each["LoadBalancerName"])) for each in self._raw(names)]

    def health(self, name: str) -> Mapping[str, Health]:
        with translated("DescribeInstanceHealth", name):
            found = self._client.describe_instance_health(LoadBalancerName=name)["InstanceStates"]
        return {each["InstanceId"]: _health(each) for each in found}

    def register(self, name: str, ids: Sequence[str]) -> None:
        for block in blocks(ids, TARGETS_AT_MOST):
            with translated("RegisterInstancesWithLoadBalancer", name):
                self._client.register_instances_with_load_balancer(
                    LoadBalancerName=name, Instances=[{"InstanceId": each} for each in block]
                )

    def deregister(self, name: str, ids: Sequence[str]) -> None:
        """Deregister instances. An unknown instance is no error."""
        for block in blocks(ids, TARGETS_AT_MOST):
            with translated("DeregisterInstancesFromLoadBalancer", name):
                self._client.deregister_instances_from_load_balancer(
                    LoadBalancerName=name, Instances=[{"InstanceId": each} for each in block]
                )

    def url(self, names: Sequence[str]) -> str:
        """The URL of the first of these that has a listener. Empty if none has."""
        for balancer in self._raw(names):
            listeners = [each["Listener"] for each in balancer["ListenerDescriptions"]]
            for each in sorted(listeners, key=lambda each: each["Protocol"] != "HTTPS"):
                return url(each["Protocol"], balancer["DNSName"], each["LoadBalancerPort"])
        return ""

    def _raw(self, names: Sequence[str]) -> list[LoadBalancerDescriptionTypeDef]:
        with translated("DescribeLoadBalancers", ", ".join(names)):
            pages = self._client.get_paginator("describe_load_balancers").paginate(LoadBalancerNames=list(names))
            return [each for page in pages for each in page["LoadBalancerDescriptions"]]

    def _delay(self, name: str) -> int:
        """How long connections drain, in seconds. 0 if draining is off."""
        with translated("DescribeLoadBalancerAttributes", name):
            found = self._client.describe_load_balancer_attributes(LoadBalancerName=name)
        draining = found["LoadBalancerAttributes"].get("ConnectionDraining")
        return draining.get("Timeout", 0) if draining and draining["Enabled"] else 0


def _facts(raw: LoadBalancerDescriptionTypeDef, delay: int) -> Balancer:
    """A new instance needs as many passes as any other."""
    check = raw["HealthCheck"]
    threshold = check["HealthyThreshold"]
    return Balancer(raw["LoadBalancerName"], delay, check["Interval"], threshold, first=threshold)


def _health(raw: InstanceStateTypeDef) -> Health:
    reason, description = (
        "" if text == "N/A" else text for text in (raw.get("ReasonCode", ""), raw.get("Description", ""))
    )
    described = (state for words, state in STATE_BY_DESCRIPTION if words in description)
    return Health(next(described, STATES.get(raw["State"], "unavailable")), reason, description)
