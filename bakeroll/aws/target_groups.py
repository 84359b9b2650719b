"""Target groups. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bakeroll.aws.session import blocks, translated
from bakeroll.aws.url import url
from bakeroll.errors import CloudError
from bakeroll.facts import Balancer
from bakeroll.fleet import Health, TargetGroup

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_elbv2.type_defs import TargetGroupTypeDef

TARGETS_AT_MOST = 100


class TargetGroups:
    """Target groups by ARN. Their targets are registered at the group's port."""

    def __init__(self, client: ElasticLoadBalancingv2Client) -> None:
        self._client = client

    def described(self, named: Sequence[str]) -> Sequence[TargetGroup]:
        """The target groups with these ARNs or names, in that order."""
        found = self._named(named)
        known = {each["TargetGroupArn"]: each for each in found} | {each["TargetGroupName"]: each for each in found}
        if missing := [each for each in named if each not in known]:
            raise CloudError(f"There is no target group {', '.join(missing)}.")
        return [_target_group(known[each]) for each in named]

    def facts(self, named: Sequence[str]) -> Sequence[Balancer]:
        """How long each drains and how it checks health. Those by ARN come first."""
        return [_facts(each, self._attributes(each["TargetGroupArn"])) for each in self._named(named)]

    def health(self, arn: str) -> Mapping[str, Health]:
        with translated("DescribeTargetHealth", arn):
            found = self._client.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {
            each["Target"]["Id"]: Health(
                state=each["TargetHealth"].get("State", ""),
                reason=each["TargetHealth"].get("Reason", ""),
                description=each["TargetHealth"].get("Description", ""),
            )
            for each in found
        }

    def register(self, arn: str, targets: Sequence[str]) -> None:
        for block in blocks(targets, TARGETS_AT_MOST):
            with translated("RegisterTargets", arn):
                self._client.register_targets(TargetGroupArn=arn, Targets=[{"Id": each} for each in block])

    def deregister(self, arn: str, targets: Sequence[str]) -> None:
        """Deregister targets. An unknown target is no error."""
        for block in blocks(targets, TARGETS_AT_MOST):
            with translated("DeregisterTargets", arn):
                self._client.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": each} for each in block])

    def url(self, named: Sequence[str]) -> str:
        """The URL of the first of these target groups that has a listener. Empty if none has."""
        balancers = [each for group in self._named(named) for each in group["LoadBalancerArns"]]
        with translated("DescribeLoadBalancers", ", ".join(named)):
            for arn in balancers:
                listeners = self._client.describe_listeners(LoadBalancerArn=arn)["Listeners"]
                host = self._client.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]["DNSName"]
                for listener in sorted(listeners, key=lambda each: each.get("Protocol") != "HTTPS"):
                    return url(listener.get("Protocol", "HTTP"), host, listener.get("Port", 80))
        return ""

    def _attributes(self, arn: str) -> Mapping[str, str]:
        with translated("DescribeTargetGroupAttributes", arn):
            found = self._client.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        return {each.get("Key", ""): each.get("Value", "") for each in found}

    def _named(self, named: Sequence[str]) -> list[TargetGroupTypeDef]:
        """The target groups with these ARNs or names. Those by ARN come first."""
        arns = [each for each in named if each.startswith("arn:")]
        return [*self._raw(TargetGroupArns=arns), *self._raw(Names=[each for each in named if each not in arns])]

    def _raw(self, **named: list[str]) -> list[TargetGroupTypeDef]:
        """The named target groups, by ARN or by name. AWS does not take both at once, and takes none as all."""
        given = {key: values for key, values in named.items() if values}
        if not given:
            return []
        with translated("DescribeTargetGroups", ", ".join(*given.values())):
            pages = self._client.get_paginator("describe_target_groups").paginate(**given)  # type: ignore[arg-type]
            return [each for page in pages for each in page["TargetGroups"]]


def _target_group(raw: TargetGroupTypeDef) -> TargetGroup:
    return TargetGroup(
        raw["TargetGroupArn"], raw["TargetGroupName"], raw.get("Port", 0), raw.get("TargetType", "instance")
    )


def _facts(raw: TargetGroupTypeDef, attributes: Mapping[str, str]) -> Balancer:
    return Balancer(
        name=raw["TargetGroupName"],
        delay=int(attributes.get("deregistration_delay.timeout_seconds", 0)),
        interval=raw.get("HealthCheckIntervalSeconds", 0),
        threshold=raw.get("HealthyThresholdCount", 1),
        slow_start=int(attributes.get("slow_start.duration_seconds", 0)),
    )
