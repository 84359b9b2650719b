"""Load balancers of both kinds, as target groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from bakeroll.aws import classic_balancers
from bakeroll.aws.session import Clients
from bakeroll.aws.target_groups import TargetGroups
from bakeroll.facts import Balancer
from bakeroll.fleet import Health, TargetGroup


class Balancers:
    """Target groups by ARN, classic load balancers by name. A client of each kind is made on first use."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def target_groups(self, arns: Sequence[str], classic: Sequence[str] = ()) -> Sequence[TargetGroup]:
        """The target groups by ARN or name, in that order, then the classic load balancers with these names."""
        groups = self._groups.described(arns) if arns else ()
        return [*groups, *(self._classic.described(classic) if classic else ())]

    def facts(self, arns: Sequence[str], classic: Sequence[str] = ()) -> Sequence[Balancer]:
        """How long each drains and how it checks health, in that order."""
        groups = self._groups.facts(arns) if arns else ()
        return [*groups, *(self._classic.facts(classic) if classic else ())]

    def health(self, group: TargetGroup) -> Mapping[str, Health]:
        """The health of each target."""
        return self._of(group).health(group.arn)

    def register(self, group: TargetGroup, targets: Sequence[str]) -> None:
        self._of(group).register(group.arn, targets)

    def deregister(self, group: TargetGroup, targets: Sequence[str]) -> None:
        self._of(group).deregister(group.arn, targets)

    def url(self, arns: Sequence[str], classic: Sequence[str] = ()) -> str:
        """The URL of the first of these that has a listener. Empty if none has."""
        found = self._groups.url(arns) if arns else ""
        return found or (self._classic.url(classic) if classic else "")

    def _of(self, group: TargetGroup) -> TargetGroups | classic_balancers.ClassicBalancers:
        return self._classic if group.type == classic_balancers.TYPE else self._groups

    @cached_property
    def _groups(self) -> TargetGroups:
        return TargetGroups(self._clients.elbv2)

    @cached_property
    def _classic(self) -> classic_balancers.ClassicBalancers:
        return classic_balancers.ClassicBalancers(self._clients.elb)
