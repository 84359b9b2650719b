"""The costs of a roll over the cloud in memory: calls, time and memory. scripts/bench prints them."""

import statistics
import time
import tracemalloc
from dataclasses import replace

from bakeroll.roll.engine.decide import decide
from bakeroll.roll.run.new_record import new_record
from bakeroll.roll.run.perform import perform
from bakeroll.roll.run.poll import Poll
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.parts import Behaviour
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.decision import Act
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.record import Record, TemplateVersions
from bakeroll.roll.view.settled import settled
from bakeroll.roll.view.view import View
from bakeroll.roll.world.observe import Layout, observe, read_layout
from tests.roll.cut import Cut
from tests.roll.scene import GOOD, POLICY, goal, rolled

TURNS = 30


def fleet_of(size: int) -> World:
    fleet = world(size, GOOD, maximum=4 * size)
    fleet.latency = 0
    return fleet


def calls(size: int) -> int:
    """The calls of one observation, with instances of the roll beside the group, and of the decision after it."""
    fleet, cut = fleet_of(size), Cut()
    through = cut.ports(ports(fleet))
    record, layout = _halfway(fleet)
    cut.calls.clear()
    found = observe(record.fleet, through, record, layout)
    decide(View.of(found, goal(), POLICY, settled(found, record), Memory(), fleet.time))
    return len(cut.calls)


def calls_in_all(size: int) -> int:
    fleet, cut = fleet_of(size), Cut()
    rolled(fleet, through=cut.ports(ports(fleet)))
    return len(cut.calls)


def milliseconds_of_decide(size: int) -> float:
    """The median time of a decision while there are as many new instances as old ones."""
    fleet = fleet_of(size)
    record, layout = _halfway(fleet)
    found = observe(record.fleet, ports(fleet), record, layout)
    memory = Memory().observed(found, fleet.time, record.launches.instances)
    durations = []
    for _ in range(TURNS):
        again = replace(found)  # nothing is remembered from the turn before
        begun = time.perf_counter()
        decide(View.of(again, goal(), POLICY, settled(again, record), memory, fleet.time))
        durations.append(1000 * (time.perf_counter() - begun))
    return statistics.median(durations)


def mebibytes(size: int) -> float:
    """The peak of Python's allocations in one turn."""
    fleet = fleet_of(size)
    record, layout = _halfway(fleet)
    tracemalloc.start()
    found = observe(record.fleet, ports(fleet), record, layout)
    decide(View.of(found, goal(), POLICY, settled(found, record), Memory(), fleet.time))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def times_the_least(size: int, poll: Poll, boot: float, healthy: float, drain: float) -> float:
    """The duration of a surge roll, divided by the sum of boot, the time until healthy, and drain."""
    images = {each: replace(it, boots=boot, healthy=healthy) for each, it in GOOD.items()}
    fleet = world(size, images | {"ami-old": Behaviour("1.0-1")}, maximum=4 * size)
    fleet.delay = drain
    policy = POLICY.model_copy(update={"in_service_timeout": 300, "drain_timeout": 330})
    return rolled(fleet, policy=policy, poll=poll).seconds / (boot + healthy + drain)


def _halfway(fleet: World) -> tuple[Record, Layout]:
    """The record and the layout of a roll that has launched as many instances as there were."""
    through = ports(fleet)
    group = fleet.group
    layout = read_layout(group, through)
    found = observe(group.name, through, None, layout)
    record = new_record(goal(), found, POLICY, ("roller", ""), {}, fleet)
    fleet.versions["2"] = "ami-new"
    record = replace(record, versions=TemplateVersions("2", ("2",)), suspended=("AZRebalance",))
    fleet.group = replace(fleet.group, suspended=frozenset({"AZRebalance"}))
    for _ in range(2):
        there = observe(group.name, through, record, layout)
        decision = decide(View.of(there, goal(), POLICY, settled(there, record), Memory(), fleet.time))
        if not isinstance(decision, Act):
            break
        record = decision.record
        for action in decision.actions:
            record = perform(action, record, POLICY, through).record
    fleet.sleep(3)
    return record, layout
