"""One fleet and what operators do with it: roll, plan, see its status, steer and repair.

Joins the rooms of `roll` over one set of ports. Leaves the work to the rooms, and making the ports to `wiring`. Imports
a room that only some tasks need on first use, so that `fab status` does not load the loop.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bakeroll.errors import DocumentUnreadable
from bakeroll.events import Report
from bakeroll.fleet import Group
from bakeroll.release import Release
from bakeroll.roll.ports import Clock, Ports
from bakeroll.roll.run.poll import QUICK, Poll
from bakeroll.roll.state.names import names
from bakeroll.roll.state.owner import Owner
from bakeroll.roll.state.record import Goal
from bakeroll.roll.store import ended, history
from bakeroll.roll.store.documents import read_readable_record
from bakeroll.roll.store.ended import EndedRoll
from bakeroll.roll.store.heartbeat import Beating
from bakeroll.roll.store.records import Records
from bakeroll.roll.world.observe import describe_groups
from bakeroll.settings import Policy
from bakeroll.wording import to_the_second

if TYPE_CHECKING:
    from bakeroll.roll.foresee.plan import Plan
    from bakeroll.roll.foresee.preflight import PreflightOf
    from bakeroll.roll.operate.doctor import Chart
    from bakeroll.roll.operate.status import FleetStatus
    from bakeroll.roll.operate.steering import Steering
    from bakeroll.roll.run.outcome import Outcome


@dataclass(frozen=True, slots=True)
class RolledFleet:
    """The fleet of one application in one environment, as the settings name it.

    The roll asks each new instance for its version at `port` and `path`; None: it does not ask. `target_groups` (ARNs
    or names) are those besides the group's own. `size_if_new` is how many instances the fleet gets if the toolkit makes
    it; None if the toolkit makes none.
    """

    name: str
    application: str
    environment: str
    port: int
    path: str | None
    target_groups: tuple[str, ...] = ()
    size_if_new: int | None = None

    def goal(self, release: Release) -> Goal:
        return Goal(self.name, release, self.port, self.path, self.target_groups)


@dataclass(frozen=True, slots=True)
class Roller:
    """A fleet, its policy and the ports to it. `owner` is this process.

    `preflight` makes the checks before a roll. `region` is for prices. `beating` keeps the lease alive during the work.
    """

    fleet: RolledFleet
    policy: Policy
    ports: Ports
    clock: Clock
    owner: Owner
    preflight: "PreflightOf"
    region: str = ""
    poll: Poll = QUICK
    beating: Beating = nullcontext

    def roll(self, release: Release, report: Report, *, is_resumed: bool = False, patience: float = 0) -> "Outcome":
        """Roll the fleet to a release. See `bakeroll.roll.run.roll.roll` for the arguments and for what it raises."""
        from bakeroll.roll.run.leader import Leader
        from bakeroll.roll.run.roll import roll

        leader = Leader(self.ports, self.owner, self.clock, report, self.poll, self.beating)
        return roll(self.fleet.goal(release), self.policy, leader, is_resumed=is_resumed, patience=patience)

    def plan(self, release: Release) -> "Plan":
        """What a roll to the release would do. Changes nothing."""
        from bakeroll.roll.foresee.plan import plan

        goal, now = self.fleet.goal(release), self.clock.now()
        return plan(goal, self.policy, self.ports, self.preflight, region=self.region, poll=self.poll, now=now)

    def preview(self, release: Release | None) -> str:
        """What a roll to the release would do, in one sentence. None means an image that is not baked yet."""
        from bakeroll.roll.foresee.preview import preview, preview_of_new

        fleet = self.fleet
        if fleet.size_if_new is not None and not self.has_fleet():
            return preview_of_new(fleet.name, fleet.size_if_new, release)
        return preview(fleet.name, fleet.goal(release) if release else None, self.policy, self.ports)

    def status(self) -> "FleetStatus":
        """The status of each instance, and of a roll in progress."""
        from bakeroll.roll.operate.status import status

        return status(self.fleet.name, self.ports, self.fleet.port, self.fleet.path)

    @property
    def steering(self) -> "Steering":
        """What a person can do to a roll that runs or was cut off."""
        from bakeroll.roll.operate.steering import Steering

        return Steering(self.fleet.name, self.fleet.environment, self.ports, self.clock, self.owner.name)

    def examine(self) -> "Chart":
        """Find what a dead roll left. Changes nothing."""
        from bakeroll.roll.operate.doctor import examine

        fleet = self.fleet
        return examine(fleet.name, fleet.application, fleet.environment, self.ports, self.clock.now())

    def take_away(self, instances: Sequence[str]) -> None:
        """Deregister and terminate instances that a roll launched and lost. Holds the fleet's lease while it does."""
        from bakeroll.roll.operate.doctor import take_away

        fleet = self.fleet
        take_away(fleet.name, fleet.target_groups, instances, self.ports, self.owner, self.clock, self.beating)

    def history(self) -> list[Release]:
        """The releases of the environment that can be read, the newest first."""
        return history.read_releases(self.ports.table, self.fleet.application, self.fleet.environment)

    def entries(self) -> list[Release | DocumentUnreadable]:
        """The releases of the environment, the newest first. An entry that cannot be read is the reason why."""
        return history.read_entries(self.ports.table, self.fleet.application, self.fleet.environment)

    def ended_rolls(self) -> Sequence[EndedRoll | DocumentUnreadable]:
        """The rolls of the environment whose release does not serve. One that cannot be read is the reason why."""
        return ended.read_ended_rolls(self.ports.table, self.fleet.application, self.fleet.environment)

    def stands_by_until(self) -> str | None:
        """Until when old instances stand by, ISO 8601. None if none do."""
        record = Records(self.ports.table, self.fleet.name).read()
        return to_the_second(record.soak.until) if record and record.stage == "soaking" else None

    def url(self) -> str:
        """Where the fleet serves. Empty if it has no load balancer. Raises RollFailed if there is no fleet."""
        group = self._group()
        return self.ports.balancers.url([*group.target_groups, *self.fleet.target_groups], group.classic_balancers)

    def has_fleet(self) -> bool:
        """Whether the fleet has a group that is not being deleted."""
        found = self.ports.scaling.describe(*names(self.fleet.name))
        return any(not each.is_deleting for each in found.values())

    def _group(self) -> Group:
        """The group that the record names, if the record can be read. Raises RollFailed if there is no group."""
        return describe_groups(self.fleet.name, self.ports, read_readable_record(self.ports.table, self.fleet.name))[0]
