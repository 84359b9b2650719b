"""What a roll needs of the world: small Protocols, met by `aws` and by the cloud in memory (`model`)."""

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
    def now(self) -> datetime:
        """The wall's time, aware of its zone; only to be told to people."""

    def monotonic(self) -> float:
        """Seconds since some moment; they go on while the machine is suspended."""

    def sleep(self, seconds: float) -> None: ...


class Scaling(Protocol):
    """Auto Scaling groups."""

    def describe(self, *names: str) -> Mapping[str, Group]:
        """Those of the groups that there are, by name; one call."""

    def names(self) -> Sequence[str]:
        """The names of all groups of the account and region."""

    def launch_hooks(self, name: str) -> Sequence[str]:
        """The names of the group's lifecycle hooks for launches."""

    def warm(self, name: str) -> Sequence[Warm]:
        """The instances in the group's warm pool, but for those that are leaving it."""

    def attach(self, name: str, ids: Sequence[str]) -> None:
        """Desired capacity grows by as many; at most 20 ids."""

    def set_maximum(self, name: str, maximum: int) -> None: ...

    def set_desired(self, name: str, desired: int) -> None: ...

    def set_template(self, name: str, template: str, version: str) -> None:
        """What the group launches from: in its mixed instances policy where it has one, there the overrides' too."""

    def suspend(self, name: str, processes: Sequence[str]) -> None: ...

    def resume(self, name: str, processes: Sequence[str]) -> None: ...

    def terminate(self, instance: str, *, decrement: bool) -> bool:
        """Terminate a member; False where it is no member any more, and nothing was done."""

    def enter_standby(self, name: str, ids: Sequence[str], *, decrement: bool) -> None:
        """Out of service, alive: deregistered and not counted; at most 20 ids."""

    def exit_standby(self, name: str, ids: Sequence[str]) -> None:
        """Back: desired capacity grows by as many, and they are registered; at most 20 ids."""

    def refreshes(self, name: str) -> Sequence[RefreshState]:
        """The newest instance refreshes of the group, the newest first."""

    def start_refresh(self, name: str, template: str, version: str, policy: Policy) -> str:
        """The id of an instance refresh to the template version, under the policy's amounts and `refresh`."""

    def cancel_refresh(self, name: str) -> None:
        """Stop the refresh that is in progress; what it did stays. None in progress is no error."""

    def clone(self, name: str, to: str, version: str, tags: Mapping[str, str]) -> None:
        """Make the group `to` like `name`, with no instance yet, launching from another template version.

        Subnets, load balancers, health checks, tags (and `tags`), lifecycle hooks, termination policies, protection,
        metrics and suspended processes are as there; AddToLoadBalancer is suspended as well. Can be repeated.
        """

    def set_sizes(self, name: str, minimum: int, desired: int, maximum: int) -> None: ...

    def hand_over(self, name: str, to: str) -> None:
        """Scaling policies, scheduled actions and notifications of `name` for `to`, and alarms that act on it.

        `name` keeps what it has, but for the alarms, whose actions name the policies of `to` then. Can be repeated.
        """

    def untag(self, name: str, keys: Sequence[str]) -> None:
        """Take these tags from the group; its instances keep theirs. Tags that it has not are no error."""

    def delete(self, name: str) -> None:
        """Delete the group and whatever it has. One that is not there is no error."""


class Machines(Protocol):
    """Instances."""

    def members(self, group: str) -> Sequence[Instance]:
        """The instances of an Auto Scaling group, as EC2 shows them; the calls do not grow with the group."""

    def launched_by(self, rolls: Sequence[str]) -> Sequence[Instance]:
        """Those tagged with one of these rolls ("*": any), the terminated that are still known among them."""

    def ended(self, ids: Sequence[str]) -> Sequence[str]:
        """Those that are terminated or on their way there, or that EC2 does not know any more."""

    def launch(self, slot: Slot) -> Sequence[str]:
        """The ids of the instances that the slot's token stands for."""

    def terminate(self, ids: Sequence[str]) -> None: ...

    def console(self, instance: str) -> str: ...

    def subnets(self, ids: Sequence[str]) -> Sequence[Subnet]: ...

    def images(self, ids: Sequence[str]) -> Mapping[str, ImageState]:
        """By id; an image that does not exist is left out."""


class Templates(Protocol):
    """Launch template versions, by number; launch configurations, where the template is LAUNCH_CONFIGURATION."""

    def version_of(self, template: str, version: str) -> TemplateVersion: ...

    def make_version(self, template: str, source: str, image: str, token: str) -> str:
        """The number of a new version: `source` with another image. The same token makes only one."""

    def versions_made(self, template: str, tokens: Sequence[str]) -> Sequence[str]:
        """The numbers of the versions that were made with one of these tokens."""

    def delete_version(self, template: str, version: str) -> None:
        """One that is not there is no error; one that no roll made is left alone."""


class Balancers(Protocol):
    """Target groups and classic load balancers."""

    def target_groups(self, arns: Sequence[str], classic: Sequence[str] = ()) -> Sequence[TargetGroup]:
        """By ARN or name, then the classic load balancers of these names."""

    def health(self, group: TargetGroup) -> Mapping[str, Health]:
        """By target."""

    def register(self, group: TargetGroup, targets: Sequence[str]) -> None: ...

    def deregister(self, group: TargetGroup, targets: Sequence[str]) -> None: ...


class Table(Protocol):
    """Documents by two keys. Every write carries a token of its own, so that a write is recognized."""

    def get(self, pk: str, sk: str) -> Document | None:
        """What was written last (a consistent read)."""

    def put(self, pk: str, sk: str, new: Document, *, over: str | None) -> Document | None:
        """Write where the document's token is `over` (None: where there is no document).

        None where it was written, also by an earlier attempt whose answer was lost; otherwise what is there.
        """

    def newest(self, pk: str, prefix: str, limit: int) -> Sequence[Document]:
        """The documents whose second key begins so, the greatest key first."""


class Ask(Protocol):
    def __call__(self, addresses: Mapping[str, str], port: int, path: str) -> Mapping[str, str | Exception]:
        """By id, the version that each address answered, or what went wrong."""


class Probes(Protocol):
    """What a canary is looked at by."""

    def http(self, address: str, port: int, path: str) -> str:
        """Empty where the answer is 200; else what it was."""

    def command(self, words: Sequence[str], environment: Mapping[str, str]) -> str:
        """Empty where it ends with 0; else its end and last line."""

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        """The state of each CloudWatch alarm: OK, ALARM, INSUFFICIENT_DATA; one that does not exist is left out."""

    def samples(self, metric: Metric, ids: Sequence[str], seconds: float) -> Mapping[str, Sequence[float]]:
        """The values of the last seconds by instance."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The world, as a roll sees it."""

    scaling: Scaling
    machines: Machines
    templates: Templates
    balancers: Balancers
    table: Table
    ask: Ask
    probes: Probes
