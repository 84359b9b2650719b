"""Checks before a roll: quota, addresses, image, template, balancers, alarms, permissions.

The checks are independent: one that fails, or that the credentials do not permit, does not stop the rest. Leaves the
meaning of the facts to `findings`, and what a roll itself refuses to `refusal`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from bakeroll.errors import CloudError
from bakeroll.facts import Balancer, Image, InstanceType, Launch, Quota, Room
from bakeroll.settings import Policy

T = TypeVar("T")


class Preflight(Protocol):
    """Reads the facts of one group and of the image to roll it to. Each raises CloudError if AWS does not answer."""

    def launch(self) -> Launch: ...

    def types(self) -> Sequence[InstanceType]:
        """The instance types that the group launches."""

    def quotas(self) -> Sequence[Quota]:
        """The quotas that limit what the group launches."""

    def rooms(self) -> Sequence[Room]:
        """The group's subnets."""

    def image(self) -> Image: ...

    def trials(self) -> Mapping[str, str]:
        """By subnet, why AWS would refuse a launch of the image. Empty if it would not. No subnet without a dry run."""

    def balancers(self) -> Sequence[Balancer]: ...

    def alarms(self) -> Mapping[str, str]:
        """The state of each alarm of the fleet, in CloudWatch's words. Empty if the alarm does not exist."""

    def refresh(self) -> str:
        """The status of an instance refresh in progress. Empty if there is none."""

    def denied(self) -> Sequence[str]:
        """The actions that a roll needs and these credentials do not permit."""


PreflightOf = Callable[[str, str, Sequence[str]], Preflight]
"""Makes a Preflight from a group's name, the image to roll it to, and alarms besides the group's own."""


def alarm_names(policy: Policy) -> list[str]:
    """The alarms that the policy names."""
    return [*(each.alarm for each in policy.canary.checks if each.alarm), *policy.refresh.alarms]


@dataclass(frozen=True, slots=True)
class Unseen:
    """A fact that is not known, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What each check found, or why it found nothing."""

    launch: Launch | Unseen
    types: Sequence[InstanceType] | Unseen
    quotas: Sequence[Quota] | Unseen
    rooms: Sequence[Room] | Unseen
    image: Image | Unseen
    trials: Mapping[str, str] | Unseen
    balancers: Sequence[Balancer] | Unseen
    alarms: Mapping[str, str] | Unseen
    refresh: str | Unseen
    denied: Sequence[str] | Unseen


def look(at: Preflight) -> Facts:
    """Make all checks, also if some of them fail."""
    return Facts(
        launch=_look_at(at.launch),
        types=_look_at(at.types),
        quotas=_look_at(at.quotas),
        rooms=_look_at(at.rooms),
        image=_look_at(at.image),
        trials=_look_at(at.trials),
        balancers=_look_at(at.balancers),
        alarms=_look_at(at.alarms),
        refresh=_look_at(at.refresh),
        denied=_look_at(at.denied),
    )


def _look_at(look: Callable[[], T]) -> T | Unseen:
    try:
        return look()
    except CloudError as error:
        return Unseen(error.what)
