"""What a roll needs from outside: small Protocols, implemented by `aws` and by the cloud in memory (`simulate`)."""

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
    """The time, and waiting."""

    def now(self) -> datetime:
        """The wall clock's time with its zone. Only for people."""

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
        """The instances in the group's warm pool, except those that are leaving it."""

    def attach(self, name: str, ids: Sequence[str]) -> None:
        """Attach at most 20 instances. Desired capacity grows by their number."""

    def set_maximum(self, name: str, maximum: int) -> None: ...

    def set_desired(self, name: str, desired: int) -> None: ...

    def set_template(self, name: str, template: str, version: str) -> None:
        """Set what the group launches from. In a mixed instances policy, set the overrides' template too."""

    def suspend(self, name: str, processes: Sequence[str]) -> None: ...

    def resume(self, name: str, processes: Sequence[str]) -> None: ...

    def terminate(self, instance: str, *, decrement: bool) -> bool:
        """Terminate a member. False if it is no longer a member and nothing was done."""

    def enter_standby(self, name: str, ids: Sequence[str], *, decrement: bool) -> None:
        """Move at most 20 instances out of service: alive, deregistered and not counted."""

    def exit_standby(self, name: str, ids: Sequence[str]) -> None:
        """Return at most 20 instances. Desired capacity grows by their number, and the group registers them."""

    def refreshes(self, name: str) -> Sequence[RefreshState]:
        """The newest instance refreshes of the group, the newest first."""

    def start_refresh(self, name: str, template: str, version: str, policy: Policy) -> str:
        """Start an instance refresh to the template version, by the policy's amounts and `refresh`. Returns its id."""

    def cancel_refresh(self, name: str) -> None:
        """Cancel the refresh in progress. What it did stays. It is no error if there is none."""

    def clone(self, name: str, to: str, version: str, tags: Mapping[str, str]) -> None:
        """Create the group `to` as a copy of `name`, without instances, with another template version.

        Copies subnets, load balancers, health checks, tags (and `tags`), lifecycle hooks, termination policies,
        protection, metrics and suspended processes. Suspends AddToLoadBalancer too. Can be repeated.
        """

    def set_sizes(self, name: str, minimum: int, desired: int, maximum: int) -> None: ...

    def hand_over(self, name: str, to: str) -> None:
        """Give `to` the scaling policies, scheduled actions, notifications and alarms of `name`.

        `name` keeps its own, except that the alarms' actions then name the policies of `to`. Can be repeated.
        """

    def untag(self, name: str, keys: Sequence[str]) -> None:
        """Remove these tags from the group. Its instances keep theirs. A missing tag is no error."""

    def delete(self, name: str) -> None:
        """Delete the group and everything in it. A group that does not exist is no error."""


class Machines(Protocol):
    """Instances."""

    def members(self, group: str) -> Sequence[Instance]:
        """The instances of an Auto Scaling group, as EC2 shows them. The calls do not grow with the group."""

    def launched_by(self, rolls: Sequence[str]) -> Sequence[Instance]:
        """Instances tagged with one of these rolls ("*": any), including terminated ones that EC2 still shows."""

    def ended(self, ids: Sequence[str]) -> Sequence[str]:
        """Those that are terminated or terminating, or that EC2 no longer shows."""

    def launch(self, slot: Slot) -> Sequence[str]:
        """Launch the slot's instances, once for its token. Returns their ids."""

    def terminate(self, ids: Sequence[str]) -> None: ...

    def console(self, instance: str) -> str: ...

    def subnets(self, ids: Sequence[str]) -> Sequence[Subnet]: ...

    def images(self, ids: Sequence[str]) -> Mapping[str, ImageState]:
        """The images' states by id, without images that do not exist."""


class Templates(Protocol):
    """Launch template versions by number, or launch configurations if the template is LAUNCH_CONFIGURATION."""

    def version_of(self, template: str, version: str) -> TemplateVersion: ...

    def make_version(self, template: str, source: str, image: str, token: str) -> str:
        """Make a version: `source` with another image, once for the token. Returns its number."""

    def versions_made(self, template: str, tokens: Sequence[str]) -> Sequence[str]:
        """The numbers of the versions made with one of these tokens."""

    def delete_version(self, template: str, version: str) -> None:
        """Delete a version that a roll made, and no other. A version that does not exist is no error."""


class Balancers(Protocol):
    """Target groups and classic load balancers."""

    def target_groups(self, arns: Sequence[str], classic: Sequence[str] = ()) -> Sequence[TargetGroup]:
        """The target groups by ARN or name, then the classic load balancers by name."""

    def health(self, group: TargetGroup) -> Mapping[str, Health]:
        """The health of each registered target."""

    def register(self, group: TargetGroup, targets: Sequence[str]) -> None: ...

    def deregister(self, group: TargetGroup, targets: Sequence[str]) -> None: ...

    def url(self, arns: Sequence[str], classic: Sequence[str] = ()) -> str:
        """The URL of the first of these that has a listener. Empty if none has."""


class Table(Protocol):
    """Documents by two keys. Every write carries its own token, so that it can be recognized."""

    def get(self, pk: str, sk: str) -> Document | None:
        """The document as last written (a consistent read)."""

    def put(self, pk: str, sk: str, new: Document, *, over: str | None) -> Document | None:
        """Write if the present document's token is `over` (None: if there is no document).

        Returns None if it was written, also by an earlier attempt whose answer was lost. Otherwise returns the present
        document.
        """

    def newest(self, pk: str, prefix: str, limit: int) -> Sequence[Document]:
        """The documents whose second key starts with `prefix`, the greatest key first."""


class Ask(Protocol):
    """Asks instances for their version over HTTP."""

    def __call__(self, addresses: Mapping[str, str], port: int, path: str) -> Mapping[str, str | Exception]:
        """The version that each address answered, or what went wrong, by instance."""


class Probes(Protocol):
    """The checks of canaries."""

    def http(self, address: str, port: int, path: str) -> str:
        """Empty if the answer is 200, else what it was."""

    def command(self, words: Sequence[str], environment: Mapping[str, str]) -> str:
        """Empty if the command exits with 0, else its exit and last line."""

    def alarms(self, names: Sequence[str]) -> Mapping[str, str]:
        """The state of each CloudWatch alarm: OK, ALARM or INSUFFICIENT_DATA, without alarms that do not exist."""

    def samples(self, metric: Metric, ids: Sequence[str], seconds: float) -> Mapping[str, Sequence[float]]:
        """The values of the last `seconds`, by instance."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside that a roll reads and changes."""

    scaling: Scaling
    machines: Machines
    templates: Templates
    balancers: Balancers
    table: Table
    ask: Ask
    probes: Probes
