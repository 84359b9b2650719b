"""Where adapters meet the rooms that need them; nothing else happens here.

Everything is made on first use, so that a task pays only for the parts of the world that it touches.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bakeroll import process, workspace
from bakeroll.events import Report
from bakeroll.release import Release
from bakeroll.settings import EnvironmentSettings

if TYPE_CHECKING:
    from bakeroll.apt.index import Published
    from bakeroll.apt.keys import GnupgKey
    from bakeroll.aws.s3 import S3Objects
    from bakeroll.aws.session import Clients
    from bakeroll.bake.bakery import RepositoryAccess
    from bakeroll.bake.oven import Bakery
    from bakeroll.console.timeline import Recorder
    from bakeroll.roll.foresee.preflight import Preflight
    from bakeroll.roll.ports import Ports
    from bakeroll.roll.roller import RolledFleet, Roller
    from bakeroll.roll.run.poll import Poll
    from bakeroll.roll.store.lease import Lease


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """What an environment of the local cloud has of its own: a keyring, and where its instances reach S3."""

    keys: Path
    endpoint: str


@dataclass(frozen=True)
class Site:
    """One environment and the world around it, as a pipeline walks through it."""

    environment: EnvironmentSettings
    report: Report
    operator: str
    local: LocalCloud | None = None
    run: process.Run = process.run

    @property
    def work(self) -> Path:
        """Packages, logs and locks; may be deleted at any time."""
        return self.environment.root / workspace.NAME

    def make_work(self) -> None:
        """Make the folder `work`, which Git ignores."""
        workspace.make_folder(self.environment.root)

    @cached_property
    def aws(self) -> "Clients":
        """The way to AWS. SettingsError where the environment names another account than the credentials'."""
        from bakeroll.aws import session

        return session.clients_of(self.environment.account, self.environment.region, self.environment.name)

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

        return S3Objects(self.aws.s3, self.environment.repository.bucket, may_be_unmade=self._may_be_unmade)

    @property
    def _may_be_unmade(self) -> bool:
        """A local environment has no bucket and no table before something is deployed to it."""
        return self.local is not None

    @cached_property
    def signer(self) -> "GnupgKey":
        from bakeroll.apt import keys

        if self.local:
            return keys.local_key(self.local.keys, run=self.run)
        return keys.keyring_key(self.environment.repository.key, run=self.run)

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
            run=self.run,
            report=self.report,
            now=lambda: datetime.now(UTC),
            work=self.work,
            operator=self.operator,
            endpoint=os.environ.get("AWS_ENDPOINT_URL", ""),
        )

    def published(self) -> "list[Published]":
        """Every version of the application that the repository holds."""
        from bakeroll.apt.repository import published

        environment = self.environment
        return published(environment.application, environment.repository, store=self.store, signer=self.signer)

    @cached_property
    def roller(self) -> "Roller":
        """Whatever is done with the environment's fleet."""
        from bakeroll.roll.clock import SystemClock
        from bakeroll.roll.roller import Roller
        from bakeroll.roll.state.owner import this_process

        return Roller(
            fleet=self._fleet,
            policy=self.environment.policy,
            ports=self.ports,
            clock=SystemClock(),
            owner=this_process(self.operator),
            preflight=self._preflight,
            region=self.region,
            poll=self._poll,
            beating=self._beating,
        )

    @property
    def _fleet(self) -> "RolledFleet":
        from bakeroll.roll.roller import RolledFleet

        environment = self.environment
        return RolledFleet(
            name=environment.fleet,
            application=environment.application,
            environment=environment.name,
            port=environment.port,
            path=environment.version,
            target_groups=environment.target_groups,
            size_if_new=environment.local.desired if self.local else None,
        )

    @cached_property
    def ports(self) -> "Ports":
        from bakeroll.aws import autoscaling, balancers, cloudwatch, dynamodb, ec2, templates
        from bakeroll.roll.ports import Ports
        from bakeroll.roll.probe.commands import Probing
        from bakeroll.roll.probe.http import ask_over_http

        aws = self.aws
        versions = templates.Templates(aws)
        return Ports(
            scaling=autoscaling.AutoScaling(aws, versions),
            machines=ec2.EC2(aws.ec2, versions),
            templates=versions,
            balancers=balancers.Balancers(aws),
            table=dynamodb.DocumentTable(aws.dynamodb, self.environment.table, may_be_unmade=self._may_be_unmade),
            ask=ask_over_http,
            probes=Probing(cloudwatch.CloudWatch(aws), self.run),
        )

    def _preflight(self, group: str, image: str, alarms: Sequence[str]) -> "Preflight":
        from bakeroll.aws.group_facts import GroupFacts

        environment = self.environment
        return GroupFacts(self.aws, group, image, alarms, environment.target_groups, environment.table)

    @property
    def _poll(self) -> "Poll":
        """AWS's health checks are seconds apart and its API counts calls; the local cloud is quick and its own."""
        from bakeroll.roll.run.poll import Poll

        return Poll(0.1, 0.2) if self.local else Poll(1, 5)

    @contextmanager
    def _beating(self, lease: "Lease") -> Iterator[None]:
        """A heartbeat beside the work, and no request of the work without the lease."""
        from bakeroll.aws.guard import guarded
        from bakeroll.roll.store.heartbeat import beside

        with guarded(self.aws, lease.check), beside(lease):
            yield

    def recording(self, release: Release) -> "AbstractContextManager[Recorder]":
        """The report of one roll, which leaves a timeline."""
        from bakeroll.console.timeline import record_timeline
        from bakeroll.roll.clock import SystemClock

        self.make_work()
        clock = SystemClock()
        return record_timeline(self.report, self.work / "rolls", release, now=clock.now, monotonic=clock.monotonic)

    def provision(self) -> Iterator[str]:
        """Make what is missing of the table and the bucket, in a local environment of the fleet too; tell it."""
        from bakeroll.aws.provision import missing

        return missing(self.environment, self.aws, self.region)
