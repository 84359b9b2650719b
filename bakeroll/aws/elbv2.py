"""Target groups. https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bakeroll.aws.session import translated
from bakeroll.fleet import Health, TargetGroup

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client


class TargetGroups:
    """Target groups of instances; an instance is one target, at the group's own port."""

    def __init__(self, client: ElasticLoadBalancingv2Client) -> None:
        self._client = client

    def target_groups(self, arns: Sequence[str]) -> Sequence[TargetGroup]:
        with translated("DescribeTargetGroups", ", ".join(arns)):
            pages = self._client.get_paginator("describe_target_groups").paginate(TargetGroupArns=list(arns))
            found = {each["TargetGroupArn"]: each for page in pages for each in page["TargetGroups"]}
        return [TargetGroup(arn, found[arn]["TargetGroupName"], found[arn].get("Port", 0)) for arn in arns]

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
