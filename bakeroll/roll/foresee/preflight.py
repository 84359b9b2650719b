"""What is looked at before a roll: quota, addresses, image, template, balancers, alarms, permissions.

Each look stands alone: one that fails, or that the credentials are not permitted, never stops the rest. What the
facts mean is for `findings` to say, what a roll itself refuses for `refusal`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from bakeroll.errors import CloudError
from bakeroll.facts import Balancer, Image, InstanceType, Launch, Quota, Room
from bakeroll.settings import Policy

T = TypeVar("T")


class Preflight(Protocol):
    """Looks at one group, and at the image that it is to be rolled to. Each raises CloudError where it cannot see."""

    def launch(self) -> Launch: ...

    def types(self) -> Sequence[InstanceType]:
        """Those that the group launches."""

    def quotas(self) -> Sequence[Quota]:
        """Those that bound what the group launches."""

    def rooms(self) -> Sequence[Room]:
        """The group's subnets."""

    def image(self) -> Image: ...

    def trials(self) -> Mapping[str, str]:
        """By subnet, why a launch of the image would be refused; empty where it would not, no subnet if untriable."""

    def balancers(self) -> Sequence[Balancer]: ...

    def alarms(self) -> Mapping[str, str]:
        """The state of each alarm of the fleet, in CloudWatch's words; empty where there is no such alarm."""

    def refresh(self) -> str:
        """The status of an instance refresh that is not over; empty where there is none."""

    def denied(self) -> Sequence[str]:
        """The actions that a roll takes and these credentials may not."""


PreflightOf = Callable[[str, str, Sequence[str]], Preflight]
"""What surrounds a group, by its name, the image that it is to be rolled to, and alarms besides its own."""


def alarm_names(policy: Policy) -> list[str]:
    """The alarms that the policy names."""
    return [*(each.alarm for each in policy.canary.checks if each.alarm), *policy.refresh.alarms]


@dataclass(frozen=True, slots=True)
class Unseen:
    why: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What each look saw, or why it saw nothing."""

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
    """Look at all there is, whatever of it cannot be seen."""
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
