"""What the credentials may do, by IAM's simulation.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html: it evaluates the principal's
policies and boundary, but not every condition. An action that depends on an unknown condition does not count as
denied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bakeroll.aws.session import Clients, identity, permitted
from bakeroll.errors import CloudError

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import ContextEntryTypeDef


@dataclass(frozen=True, slots=True)
class Need:
    """Actions on resources (ARNs). `tags` are the resources' tags, for policies with conditions."""

    actions: Sequence[str]
    resources: Sequence[str]
    tags: Mapping[str, str] = field(default_factory=dict)


def denied(aws: Clients, needs: Sequence[Need]) -> Sequence[str]:
    """The actions that the credentials may not do. Raises CloudError if IAM cannot tell."""
    principal = _principal(aws)
    if principal.endswith(":root"):
        return []
    return sorted({action for need in needs if need.resources for action in _denied(aws, principal, need)})


def _denied(aws: Clients, principal: str, need: Need) -> Sequence[str]:
    context: list[ContextEntryTypeDef] = [
        {"ContextKeyName": f"ec2:ResourceTag/{key}", "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in need.tags.items()
    ]
    with permitted("SimulatePrincipalPolicy", principal):
        pages = aws.iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=principal,
            ActionNames=list(need.actions),
            ResourceArns=list(need.resources),
            ContextEntries=context,
        )
        results = [each for page in pages for each in page["EvaluationResults"]]
    return [
        each["EvalActionName"]
        for each in results
        if each["EvalDecision"] != "allowed" and not each.get("MissingContextValues")
    ]


def _principal(aws: Clients) -> str:
    """The user or role of the credentials, as IAM names it."""
    with permitted("GetCallerIdentity"):
        arn = identity(aws)[1]
    _, _, service, _, _, resource = arn.split(":", 5)
    kind, _, name = resource.partition("/")
    if service == "iam" and kind in ("user", "root"):
        return arn
    if kind != "assumed-role":
        raise CloudError(f"{arn} is neither a user nor a role")
    # A session's ARN lacks its role's path, which IAM needs.
    with permitted("GetRole", name):
        return aws.iam.get_role(RoleName=name.partition("/")[0])["Role"]["Arn"]
