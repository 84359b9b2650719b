"""AWS has no conditional form of some calls, so each is compared with the group right before it."""

from dataclasses import replace

from bakeroll.roll.run.perform import perform
from bakeroll.roll.simulate.model import world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state import actions as act
from tests.roll.halfway import FRESH
from tests.roll.scene import GOOD, POLICY


def test_desired_capacity_is_never_lowered_below_the_instances_there_are() -> None:
    fleet = world(3, GOOD, maximum=8)
    fleet.group = replace(fleet.group, desired=4)

    done = perform(act.LowerDesired(4, 2), FRESH, POLICY, ports(fleet))

    assert fleet.group.desired == 3
    assert done.action == act.LowerDesired(4, 3)
