"""Where adapters meet the rooms that need them; nothing else happens here.

Everything is made on first use, so that a task pays only for the parts of the world that it touches.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bakeroll import workspace
from bakeroll.errors import CloudError, DocumentUnreadable, LeaseHeld, SettingsError
from bakeroll.events import Report
from bakeroll.process import run
from bakeroll.release import Release
from bakeroll.settings import EnvironmentSettings
from bakeroll.wording import to_the_second

if TYPE_CHECKING:
    from bakeroll.apt.index import Published
    from bakeroll.apt.keys import GnupgKey
    from bakeroll.aws.balancers import Balancers
    from bakeroll.aws.s3 import S3Objects
    from bakeroll.aws.session import Clients
    from bakeroll.bake.bakery import RepositoryAccess
    from bakeroll.bake.oven import Bakery
    from bakeroll.fleet import Group
    from bakeroll.roll.foresee.plan import Plan
    from bakeroll.roll.operate.doctor import Chart
    from bakeroll.roll.operate.status import FleetStatus
    from bakeroll.roll.operate.steering import Steering
    from bakeroll.roll.ports import Ports
    from bakeroll.roll.run.loop import Poll
    from bakeroll.roll.state.record import Goal
    from bakeroll.roll.store.ended import EndedRoll
    from bakeroll.roll.store.lease import Lease

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """What an environment of the local cloud has of its own: a keyring, and where its instances reach S3."""

    keys: Path
    endpoint: str


class Site:
    """One environment and the world around it, as a pipeline walks through it."""

    run = staticmethod(run)
    timeline: Path | None = None
    """Of the last roll; None where it had nothing to show or could not be written."""

    def __init__(
        self, environment: EnvironmentSettings, report: Report, *, operator: str, local: LocalCloud | None = None
    ) -> None:
        self.environment, self.report, self.operator, self.local = environment, report, operator, local

    @property
    def work(self) -> Path:
        """Packages, logs and locks; may be deleted at any time."""
        return self.environment.root / workspace.NAME

    def make_work(self) -> None:
        """Make the folder `work`, which Git ignores."""
        workspace.made(self.environment.root)

    @cached_property
    def aws(self) -> "Clients":
        """The way to AWS. SettingsError where the environment names another account than the credentials'."""
        from bakeroll.aws import session

        clients = session.clients(self.environment.region)
        if self.environment.account:
            self._refuse_other_account(session.identity(clients)[0])
        return clients

    def _refuse_other_account(self, account: str) -> None:
        if account != self.environment.account:
            raise SettingsError(
                f"The credentials belong to account {account}, "
                f"and {self.environment.name} is in {self.environment.account}.",
                left="Nothing was changed.",
                next_step="Use the right credentials: AWS_PROFILE",
            )

    @cached_property
    def region(self) -> str:
        return self.aws.ec2.meta.region_name

    @cached_property
    def account(self) -> str:
        """The account of the credentials."""
        from bakeroll.aws import session

        aws = self.aws
        return self.environment.account or session.identity(aws)[0]

    def where(self) -> str:
        """Account and region, for people."""
        return f"account {self.account}, {self.region}"

    @cached_property
    def store(self) -> "S3Objects":
        from bakeroll.aws.s3 import S3Objects

        return S3Objects(self.aws.s3, self.environment.repository.bucket)

    @cached_property
    def signer(self) -> "GnupgKey":
        from bakeroll.apt import keys

        if self.local:
            return keys.local_key(self.local.keys, run=run)
        return keys.keyring_key(self.environment.repository.key, run=run)

    @cached_property
    def repository(self) -> "RepositoryAccess":
        """The repository as instances see it."""
        from bakeroll.apt import repository
        from bakeroll.bake.bakery import RepositoryAccess

        settings = self.environment.repository
        endpoint = self.local.endpoint if self.local else ""
        url = repository.url(settings, endpoint=endpoint, region=self.region)
        return RepositoryAccess(url, settings.suite, settings.component, self.signer.public_key())

    @cached_property
    def bakery(self) -> "Bakery":
        from bakeroll.aws.images import Ec2Images
        from bakeroll.bake.oven import Bakery

        return Bakery(
            environment=self.environment,
            region=self.region,
            images=Ec2Images(self.aws.ec2),
            run=run,
            report=self.report,
            now=lambda: datetime.now(UTC),
            work=self.work,
            operator=self.operator,
            endpoint=os.environ.get("AWS_ENDPOINT_URL", ""),
        )

    @cached_property
    def ports(self) -> "Ports":
        from bakeroll.aws import autoscaling, cloudwatch, dynamodb, ec2, templates
        from bakeroll.roll.ports import Ports
        from bakeroll.roll.probe.commands import Probing
        from bakeroll.roll.probe.http import ask_over_http

        aws = self.aws
        versions = templates.Templates(aws)
        return Ports(
            scaling=autoscaling.AutoScaling(aws, versions),
            machines=ec2.EC2(aws.ec2, versions),
            templates=versions,
            balancers=self._balancers,
            table=dynamodb.DocumentTable(aws.dynamodb, self.environment.table),
            ask=ask_over_http,
            probes=Probing(cloudwatch.CloudWatch(aws), run),
        )

    @cached_property
    def _balancers(self) -> "Balancers":
        from bakeroll.aws.balancers import Balancers

        return Balancers(self.aws)

    def roll(self, release: Release, *, is_resumed: bool = False, patience: float = 0) -> bool:
        """Roll the fleet to a release; whether it had to be. See `bakeroll.roll.run.roll.roll` for what it raises."""
        from bakeroll.console.timeline import kept
        from bakeroll.roll.clock import SystemClock
        from bakeroll.roll.run.roll import roll
        from bakeroll.roll.state.owner import this_process

        environment = self.environment
        self.make_work()
        clock = SystemClock()
        recorded = kept(self.report, self.work / "rolls", release, now=clock.now, monotonic=clock.monotonic)
        try:
            with recorded as timeline:
                outcome = roll(
                    self._goal(release),
                    environment.policy,
                    self.ports,
                    owner=this_process(self.operator),
                    clock=clock,
                    report=timeline,
                    poll=self._poll,
                    is_resumed=is_resumed,
                    patience=patience,
                    beating=self._beating,
                )
        except LeaseHeld as error:
            error.next_step = error.next_step or (
                f"Wait for it: --wait      Watch it: fab status --env={environment.name} --follow"
            )
            raise
        self.timeline = timeline.path
        return outcome.is_new

    @contextmanager
    def _beating(self, lease: "Lease") -> Iterator[None]:
        """A heartbeat beside the work, and no request of the work without the lease."""
        from bakeroll.aws.guard import guarded
        from bakeroll.roll.store.heartbeat import beside

        with guarded(self.aws, lease.check), beside(lease):
            yield

    @property
    def _poll(self) -> "Poll":
        """AWS's health checks are seconds apart and its API counts calls; the local cloud is quick and its own."""
        from bakeroll.roll.run.loop import Poll

        return Poll(0.1, 0.2) if self.local else Poll(1, 5)

    def plan(self, release: Release) -> "Plan":
        """What a roll to the release would do; nothing is changed."""
        from bakeroll.aws.preflight import Surroundings
        from bakeroll.roll.foresee.plan import plan

        environment = self.environment
        alarms = [
            *(each.alarm for each in environment.policy.canary.checks if each.alarm),
            *environment.policy.refresh.alarms,
        ]
        named = environment.target_groups
        preflight = Surroundings(self.aws, self._group().name, release.image, alarms, named, environment.table)
        return plan(
            self._goal(release),
            environment.policy,
            self.ports,
            preflight,
            region=self.region,
            poll=self._poll,
            now=datetime.now(UTC),
        )

    @cached_property
    def steering(self) -> "Steering":
        """What a person does to a roll that goes on or was cut off."""
        from bakeroll.roll.clock import SystemClock
        from bakeroll.roll.operate.steering import Steering

        return Steering(self.environment.fleet, self.environment.name, self.ports, SystemClock(), self.operator)

    def examine(self) -> "Chart":
        """What a dead roll left."""
        from bakeroll.roll.operate.doctor import examine

        environment = self.environment
        now = datetime.now().astimezone()
        return examine(environment.fleet, environment.application, environment.name, self.ports, now)

    def take_away(self, instances: Sequence[str]) -> None:
        """Deregister and terminate instances that a roll launched and lost; under the fleet's lease."""
        from bakeroll.roll.clock import SystemClock
        from bakeroll.roll.operate.doctor import take_away
        from bakeroll.roll.state.owner import this_process

        environment, owner = self.environment, this_process(self.operator)
        named, clock = environment.target_groups, SystemClock()
        take_away(environment.fleet, named, instances, self.ports, owner, clock, self._beating)

    def stands_by_until(self) -> str | None:
        """Until when the old instances stand by, ISO 8601; None where none do."""
        from bakeroll.roll.store.records import Records

        record = Records(self.ports.table, self.environment.fleet).read()
        return to_the_second(record.soak.until) if record and record.stage == "soaking" else None

    def preview(self, release: Release | None) -> str:
        """What a roll to the release, or to an image yet to be baked, would do."""
        from bakeroll.roll.foresee.preview import preview

        environment = self.environment
        if self.local and not self.has_fleet():
            image = release.image if release else "the image to be baked"
            return f"make the fleet {environment.fleet}, and launch {environment.local.desired} × {image}"
        goal = self._goal(release) if release else None
        return preview(environment.fleet, goal, environment.policy, self.ports)

    def _goal(self, release: Release) -> "Goal":
        from bakeroll.roll.state.record import Goal

        environment = self.environment
        return Goal(environment.fleet, release, environment.port, environment.version, environment.target_groups)

    def published(self) -> "list[Published]":
        """Every version of the application that the repository holds."""
        from bakeroll.apt.repository import published

        environment = self.environment
        return self._where_made(
            lambda: published(environment.application, environment.repository, store=self.store, signer=self.signer)
        )

    def history(self) -> list[Release]:
        """The releases of the environment that can be read, the newest first."""
        from bakeroll.roll.store.history import history

        environment = self.environment
        return self._where_made(lambda: history(self.ports.table, environment.application, environment.name))

    def entries(self) -> list[Release | DocumentUnreadable]:
        """The releases of the environment, the newest first; why, in the place of what cannot be read."""
        from bakeroll.roll.store.history import entries

        environment = self.environment
        return self._where_made(lambda: entries(self.ports.table, environment.application, environment.name))

    def ended_rolls(self) -> "list[EndedRoll | DocumentUnreadable]":
        """The rolls of the environment that ended with their release not serving, likewise."""
        from bakeroll.roll.store.ended import ended_rolls

        environment = self.environment
        return self._where_made(lambda: ended_rolls(self.ports.table, environment.application, environment.name))

    def _where_made(self, look: Callable[[], Sequence[T]]) -> list[T]:
        """A local environment has no bucket and no table before something is deployed to it, and so nothing in them."""
        try:
            return list(look())
        except CloudError as error:
            if self.local and error.is_unmade:
                return []
            raise

    def status(self) -> "FleetStatus":
        from bakeroll.roll.operate.status import status

        environment = self.environment
        return status(environment.fleet, self.ports, environment.port, environment.version)

    def url(self) -> str:
        """Where the fleet serves; empty where it has no load balancer. Raises RollFailed where there is no fleet."""
        group = self._group()
        return self._balancers.url([*group.target_groups, *self.environment.target_groups], group.classic_balancers)

    def has_fleet(self) -> bool:
        """Whether the fleet is there; a local environment's is made after all else that it needs."""
        from bakeroll.roll.state.names import names

        found = self.ports.scaling.describe(*names(self.environment.fleet))
        return any(not each.is_deleting for each in found.values())

    def _group(self) -> "Group":
        """The fleet's own: what the record says, as far as it can be read. Raises RollFailed where there is none."""
        from bakeroll.roll.store.documents import readable_record
        from bakeroll.roll.world.observe import described

        fleet, ports = self.environment.fleet, self.ports
        return described(fleet, ports, readable_record(ports.table, fleet))[0]

    def provision(self) -> Iterator[str]:
        """Make what is missing of the table and the bucket, in a local environment of the fleet too; tell it."""
        from bakeroll.aws import provision
        from bakeroll.aws.session import translated

        environment, aws = self.environment, self.aws
        with translated(f"making table {environment.table}"):
            yield from provision.table(aws.dynamodb, environment.table)
        with translated(f"making bucket {environment.repository.bucket}"):
            yield from provision.bucket(aws.s3, environment.repository.bucket, self.region)
        if self.local:
            with translated(f"making fleet {environment.fleet}"):
                yield from provision.fleet(environment, aws.ec2, aws.elbv2, aws.autoscaling)
