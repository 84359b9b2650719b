"""The actions of IAM policies, of the source and of calls, by IAM's names: what test_iam compares."""

import ast
import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.session import Session

SERVICES = {
    "autoscaling": "autoscaling",
    "cloudwatch": "cloudwatch",
    "dynamodb": "dynamodb",
    "ec2": "ec2",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "iam": "iam",
    "s3": "s3",
    "service-quotas": "servicequotas",
    "sts": "sts",
}
"""IAM's prefixes, by botocore's names."""
RENAMED = {"s3:HeadObject": "s3:GetObject", "s3:HeadBucket": "s3:ListBucket", "s3:ListObjectsV2": "s3:ListBucket"}
WITHOUT_OPERATION = {
    "iam:PassRole": "is asked where a launch hands a role to an instance",
    "s3:ListBucket": "is S3's name for ListObjects, and decides between 403 and 404",
}
"""Actions that are no operation, and why a policy has them."""
FREE = {"sts:GetCallerIdentity"}
"""Operations that need no permission."""
CLIENTS = {
    "AutoScalingClient": "autoscaling",
    "CloudWatchClient": "cloudwatch",
    "DynamoDBClient": "dynamodb",
    "EC2Client": "ec2",
    "ElasticLoadBalancingClient": "elb",
    "ElasticLoadBalancingv2Client": "elbv2",
    "IAMClient": "iam",
    "S3Client": "s3",
    "STSClient": "sts",
    "ServiceQuotasClient": "service-quotas",
}


def action(service: str, operation: str) -> str:
    """IAM's name of an operation: action("elbv2", "RegisterTargets") is elasticloadbalancing:RegisterTargets."""
    name = f"{SERVICES[service]}:{operation}"
    return RENAMED.get(name, name)


@cache
def operations(service: str) -> dict[str, str]:
    """botocore's operations of a service, by the method's name."""
    names = Session().get_service_model(service).operation_names
    return {xform_name(name): name for name in names}


@cache
def known() -> frozenset[str]:
    """Every action that there is, as far as botocore's models tell."""
    named = {action(service, name) for service in SERVICES for name in operations(service).values()}
    return frozenset(named | set(WITHOUT_OPERATION))


def actions_of(policy: Path) -> set[str]:
    """The actions that a policy allows, wildcards spelled out; AssertionError for one that does not exist."""
    patterns = [each for one in json.loads(policy.read_text())["Statement"] for each in _listed(one["Action"])]
    found = {pattern: {name for name in known() if fnmatchcase(name, pattern)} for pattern in patterns}
    assert all(found.values()), f"no such action: {[each for each in found if not found[each]]}"
    return set().union(*found.values())


def called_in(source: Path) -> set[str]:
    """The actions that a module's calls of boto3 take; AssertionError for a call whose client is not known."""
    tree = ast.parse(source.read_text())
    clients = dict(_clients(tree))
    return {each for node in ast.walk(tree) if isinstance(node, ast.Call) for each in _called(node, clients)}


def record(client: Any, into: set[str]) -> None:
    """Have every call of a boto3 client written down, by its action."""
    service = client.meta.service_model.service_name
    client.meta.events.register(
        f"before-call.{client.meta.service_model.service_id.hyphenize()}.*",
        lambda model, **_: into.add(action(service, model.name)),
    )


def difference(called: set[str], policy: Path) -> tuple[set[str], set[str]]:
    """What calls take and the policy lacks; what the policy allows and no call takes."""
    allowed = actions_of(policy)
    return called - allowed - FREE, allowed - called - set(WITHOUT_OPERATION)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _clients(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Names that hold a client: arguments by their annotation, attributes that are given one, and of `Clients`."""
    arguments = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and (service := CLIENTS.get(_annotation(node))):
            arguments[node.arg] = service
    yield from ((name.replace("-", "_"), name) for name in SERVICES)
    yield from arguments.items()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _assigned(target, node.value, arguments)


def _annotation(argument: ast.arg) -> str:
    return ast.unparse(argument.annotation).strip("'\"") if argument.annotation else ""


def _assigned(target: ast.expr, value: ast.expr, arguments: dict[str, str]) -> Iterator[tuple[str, str]]:
    pairs = (
        zip(target.elts, value.elts, strict=True)
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
        else [(target, value)]
    )
    for to, given in pairs:
        if not isinstance(to, ast.Attribute):
            continue
        if isinstance(given, ast.Name) and given.id in arguments:
            yield to.attr, arguments[given.id]
        if isinstance(given, ast.Attribute) and (service := given.attr.replace("_", "-")) in SERVICES:
            yield to.attr, service


def _called(node: ast.Call, clients: dict[str, str]) -> Iterator[str]:
    if not isinstance(node.func, ast.Attribute):
        return
    method, on = node.func.attr, ast.unparse(node.func.value).rpartition(".")[2]
    service = clients.get(on)
    if method in ("get_paginator", "get_waiter"):
        assert service, f"whose client? {ast.unparse(node)}"
        name = ast.literal_eval(node.args[0])
        yield action(service, operations(service)[name] if method == "get_paginator" else _awaited(service, name))
    elif service and method in operations(service):
        yield action(service, operations(service)[method])
    elif any(method in operations(each) for each in SERVICES) and re.search("_", method):
        raise AssertionError(f"whose client? {ast.unparse(node)}")


def _awaited(service: str, waiter: str) -> str:
    waiters = Session().get_waiter_model(service)
    name = next(each for each in waiters.waiter_names if xform_name(each) == waiter)
    return str(waiters.get_waiter(name).operation)
