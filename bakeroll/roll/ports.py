"""What a roll needs of the world: small Protocols, met by `aws` and by the cloud in memory (`model`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bakeroll.document import Document
from bakeroll.fleet import Group, Health, ImageState, Instance, Slot, Subnet, TargetGroup, TemplateVersion


class Clock(Protocol):
    def now(self) -> datetime:
        """The wall's time, aware of its zone; only to be told to people."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class Scaling(Protocol):
    """The Auto Scaling group."""

    def describe(self, name: str) -> Group | None: ...

    def names(self) -> Sequence[str]:
        """The names of all groups of the account and region."""

    def launch_hooks(self, name: str) -> Sequence[str]:
        """The names of the group's lifecycle hooks for launches."""

    def attach(self, name: str, ids: Sequence[str]) -> None:
        """Desired capacity grows by as many; at most 20 ids."""

    def set_maximum(self, name: str, maximum: int) -> None: ...

    def set_desired(self, name: str, desired: int) -> None: ...

    def set_template(self, name: str, template: str, version: str) -> None: ...

    def suspend(self, name: str, processes: Sequence[str]) -> None: ...

    def resume(self, name: str, processes: Sequence[str]) -> None: ...

    def terminate(self, instance: str, *, decrement: bool) -> bool:
        """Terminate a member; False where it is no member any more, and nothing was done."""


class Machines(Protocol):
    """Instances and launch templates."""

    def instances(self, ids: Sequence[str]) -> Sequence[Instance]:
        """Those that exist; one that is not known yet or any more is left out."""

    def launched_by(self, rolls: Sequence[str]) -> Sequence[Instance]:
        """Those tagged with one of these rolls, the terminated that are still known among them."""

    def launch(self, slot: Slot) -> str:
        """The id of the instance that the slot's token stands for."""

    def terminate(self, ids: Sequence[str]) -> None: ...

    def console(self, instance: str) -> str: ...

    def subnets(self, ids: Sequence[str]) -> Sequence[Subnet]: ...

    def images(self, ids: Sequence[str]) -> Mapping[str, ImageState]:
        """By id; an image that does not exist is left out."""

    def version_of(self, template: str, version: str) -> TemplateVersion: ...

    def make_version(self, template: str, source: str, image: str, token: str) -> str:
        """The number of a new version: `source` with another image. The same token makes only one."""

    def versions_made(self, template: str, tokens: Sequence[str]) -> Sequence[str]:
        """The numbers of the versions that were made with one of these tokens."""

    def delete_version(self, template: str, version: str) -> None:
        """One that is not there is no error."""


class Balancers(Protocol):
    """Target groups."""

    def target_groups(self, arns: Sequence[str]) -> Sequence[TargetGroup]: ...

    def health(self, arn: str) -> Mapping[str, Health]: ...

    def register(self, group: TargetGroup, ids: Sequence[str]) -> None: ...

    def deregister(self, group: TargetGroup, ids: Sequence[str]) -> None: ...


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


@dataclass(frozen=True, slots=True)
class Ports:
    """The world, as a roll sees it."""

    scaling: Scaling
    machines: Machines
    balancers: Balancers
    table: Table
    ask: Ask
