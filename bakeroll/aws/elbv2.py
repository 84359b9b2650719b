"""Target groups. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bakeroll.aws.session import translated
from bakeroll.fleet import Health, TargetGroup

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_elbv2.type_defs import TargetGroupTypeDef


class TargetGroups:
    """Target groups of instances; an instance is one target, at the group's own port."""

    def __init__(self, client: ElasticLoadBalancingv2Client) -> None:
        self._client = client

    def target_groups(self, arns: Sequence[str]) -> Sequence[TargetGroup]:
        with translated("DescribeTargetGroups", ", ".join(arns)):
            pages = self._client.get_paginator("describe_target_groups").paginate(TargetGroupArns=list(arns))
            found = {each["TargetGroupArn"]: each for page in pages for each in page["TargetGroups"]}
        return [_target_group(found[arn]) for arn in arns]

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

    def register(self, group: TargetGroup, ids: Sequence[str]) -> None:
        with translated("RegisterTargets", group.name):
            self._client.register_targets(TargetGroupArn=group.arn, Targets=[{"Id": each} for each in ids])

    def deregister(self, group: TargetGroup, ids: Sequence[str]) -> None:
        with translated("DeregisterTargets", group.name):
            self._client.deregister_targets(TargetGroupArn=group.arn, Targets=[{"Id": each} for each in ids])

    def url(self, arns: Sequence[str]) -> str:
        """Where a client reaches the first of these target groups that has a listener; empty where none has."""
        with translated("DescribeLoadBalancers", ", ".join(arns)):
            groups = self._client.describe_target_groups(TargetGroupArns=list(arns))["TargetGroups"]
            balancers = [each for group in groups for each in group.get("LoadBalancerArns", [])]
            for arn in balancers:
                listeners = self._client.describe_listeners(LoadBalancerArn=arn)["Listeners"]
                host = self._client.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]["DNSName"]
                for listener in sorted(listeners, key=lambda each: each.get("Protocol") != "HTTPS"):
                    return _url(listener.get("Protocol", "HTTP"), host, listener.get("Port", 80))
        return ""


def _target_group(raw: TargetGroupTypeDef) -> TargetGroup:
    return TargetGroup(
        raw["TargetGroupArn"], raw["TargetGroupName"], raw.get("Port", 0), raw.get("TargetType", "instance")
    )


def _url(protocol: str, host: str, port: int) -> str:
    scheme = "https" if protocol in ("HTTPS", "TLS") else "http"
    return f"{scheme}://{host}" if port == {"http": 80, "https": 443}[scheme] else f"{scheme}://{host}:{port}"
