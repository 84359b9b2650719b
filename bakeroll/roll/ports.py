"""What a roll needs from the world, as small Protocols. `aws` and the cloud in memory (`simulate`) implement them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bakeroll.document import Document
from bakeroll.fleet import (
    Group,
    Health,
    ImageState,
    Instance,
    RefreshState,
    Slot,
    Subnet,
    TargetGroup,
    TemplateVersion,
    Warm,
)
from bakeroll.settings import Metric, Policy


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """The current time with its zone. Only for people."""

    def monotonic(self) -> float:
        """Seconds since some moment. They also count while the machine is suspended."""

    def sleep(self, seconds: float) -> None: ...


class Scaling(Protocol):
    """Auto Scaling groups."""

    def describe(self, *names: str) -> Mapping[str, Group]:
        """Those of the groups that exist, by name, in one call."""

    def names(self) -> Sequence[str]:
        """The names of all groups of the account and region."""

    def launch_hooks(self, name: str) -> Sequence[str]:
        """The names of the group's lifecycle hooks for launches."""

    def warm(self, name: str) -> Sequence[Warm]:
        """The instances in the group's warm pool, without those that are leaving it."""

    def attach(self, name: str, ids: Sequence[str]) -> None:
        """Attach at most 20 instances. Desired capacity grows by as many."""

    def set_maximum(self, name: str, maximum: int) -> None: ...

    def set_desired(self, name: str, desired: int) -> None: ...

    def set_template(self, name: str, template: str, version: str) -> None:
        """Set what the group launches from. If it has a mixed instances policy, set it there and in the overrides."""

    def suspend(self, name: str, processes: Sequence[str]) -> None: ...

    def resume(self, name: str, processes: Sequence[str]) -> None: ...

    def terminate(self, instance: str, *, decrement: bool) -> bool:
        """Terminate a member. False if it is no longer a member and nothing was done."""

    def enter_standby(self, name: str, ids: Sequence[str], *, decrement: bool) -> None:
        """Put at most 20 members into Standby: alive, deregistered and not counted."""

    def exit_standby(self, name: str, ids: Sequence[str]) -> None:
        """Return at most 20 members to service. Desired capacity grows by as many, and the group registers them."""

    def refreshes(self, name: str) -> Sequence[RefreshState]:
        """The newest instance refreshes of the group, the newest first."""

    def start_refresh(self, name: str, template: str, version: str, policy: Policy) -> str:
        """Start an instance refresh to the template version with the policy's amounts and `refresh`. Returns its id."""

    def cancel_refresh(self, name: str) -> None:
        """Stop the refresh in progress. What it did stays. If none is in progress, that is no error."""

    def clone(self, name: str, to: str, version: str, tags: Mapping[str, str]) -> None:
        """Make the group `to` as an empty copy of `name` that launches from another template version.

        It copies subnets, load balancers, health checks, tags (and adds `tags`), lifecycle hooks, termination policies,
        protection, metrics and suspended processes, and also suspends AddToLoadBalancer. The call can be repeated.
        """

    def set_sizes(self, name: str, minimum: int, desired: int, maximum: int) -> None: ...

    def hand_over(self, name: str, to: str) -> None:
        """Copy the scaling policies, scheduled actions and notifications of `name` to `to`, and redirect its alarms.

        `name` keeps everything but the alarms, whose actions then name the policies of `to`. The call can be repeated.
        """

    def untag(self, name: str, keys: Sequence[str]) -> None:
        """Remove these tags from the group. Its instances keep theirs. A missing tag is no error."""

    def delete(self, name: str) -> None:
        """Delete the group and everything that belongs to it. A missing group is no error."""


class Machines(Protocol):
    """Instances."""

    def members(self, group: str) -> Sequence[Instance]:
        """The instances of an Auto Scaling group as EC2 shows them. A larger group takes no more calls."""

    def launched_by(self, rolls: Sequence[str]) -> Sequence[Instance]:
        """The instances with the tag of one of these rolls ("*" means any), including known terminated ones."""

    def ended(self, ids: Sequence[str]) -> Sequence[str]:
        """Those of the instances that are terminated or terminating, or that EC2 no longer knows."""

    def launch(self, slot: Slot) -> Sequence[str]:
        """Launch the instances of the slot, or find those that its token launched before. Returns their ids."""

    def terminate(self, ids: Sequence[str]) -> None: ...

    def console(self, instance: str) -> str: ...

    def subnets(self, ids: Sequence[str]) -> Sequence[Subnet]: ...

    def images(self, ids: Sequence[str]) -> Mapping[str, ImageState]:
        """The states of the images, by id. An image that does not exist is left out."""


class Templates(Protocol):
    """Launch template versions by number, or launch configurations if the template is LAUNCH_CONFIGURATION."""

    def version_of(self, template: str, version: str) -> TemplateVersion: ...

    def make_version(self, template: str, source: str, image: str, token: str) -> str:
        """Make a copy of `source` with another image. Returns its number. The same token makes only one version."""

    def versions_made(self, template: str, tokens: Sequence[str]) -> Sequence[str]:
        """The numbers of the versions made with one of these tokens."""

    def delete_version(self, template: str, version: str) -> None:
        """Delete a version that a roll made. Others are left alone, and a missing version is no error."""


class Balancers(Protocol):
    """Target groups and classic load balancers."""

    def target_groups(self, arns: Sequence[str], classic: Sequence[str] = ()) -> Sequence[TargetGroup]:
        """The target groups by ARN or name, then the classic load balancers by name."""

    def health(self, group: TargetGroup) -> Mapping[str, Health]:
        """The health of each target."""

    def register(self, group: TargetGroup, targets: Sequence[str]) -> None: ...

    def deregister(self, group: TargetGroup, targets: Sequence[str]) -> None: ...

    def url(self, arns: Sequence[str], classic: Sequence[str] = ()) -> str:
        """The URL of the first of these that has a listener. Empty if none has one."""


class Table(Protocol):
    """Documents by two keys. Every write carries a token of its own, by which it is recognized."""

    def get(self, pk: str, sk: str) -> Document | None:
        """The last written document (a consistent read)."""

    def put(self, pk: str, sk: str, new: Document, *, over: str | None) -> Document | None:
        """Write if the token of the current document is `over`. None means that there must be no document.

        Returns None if the document was written, even by an earlier attempt without an answer. Otherwise returns the
        current document.
        """

    def newest(self, pk: str, prefix: str, limit: int) -> Sequence[Document]:
        """The documents whose second key begins with `prefix`, the greatest key first."""


class Ask(Protocol):
    """Asks instances for their versions."""

    def __call__(self, addresses: Mapping[str, str], port: int, path: str) -> Mapping[str, str | Exception]:
        """The version that each address reports, or the error, by instance id."""


class Probes(Protocol):
    """The checks of a canary."""

    def http(self, address: str, port: int, path: str) -> str:
        """Empty if the answer is 200. Otherwise what the answer was."""

    def command(self, words: Sequence[str], environment: Mapping[str, str]) -> str:
        """Empty if the command ends with 0. Otherwise how it ended and its last line."""

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        """The state of each CloudWatch alarm: OK, ALARM or INSUFFICIENT_DATA. A missing alarm is left out."""

    def samples(self, metric: Metric, ids: Sequence[str], seconds: float) -> Mapping[str, Sequence[float]]:
        """The values of the last `seconds`, by instance."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that a roll needs from the world."""

    scaling: Scaling
    machines: Machines
    templates: Templates
    balancers: Balancers
    table: Table
    ask: Ask
    probes: Probes
