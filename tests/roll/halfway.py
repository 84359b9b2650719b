"""A fleet halfway through a surge roll of two instances: what it looks like at each step, and its record."""

from dataclasses import replace

from bakeroll.fleet import Answer, Fleet, Health, Instance, Subnet, TargetGroup
from bakeroll.roll.state.capacity import Capacity
from bakeroll.roll.state.launches import Launches, RecordedSlot
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.state.record import BackOut, Found, Intended, Record, TemplateVersions

GROUP = TargetGroup("tg", "links", 8000)
SUBNET = Subnet("subnet-a", "a")
NOW = 100.0


def instance(identifier: str, image: str, health: str = "healthy", **changes: object) -> Instance:
    registered = {"tg": Health(health)} if health else {}
    made = Instance(identifier, image, "a", identifier, lifecycle="InService", health=registered)
    return replace(made, **changes)  # type: ignore[arg-type]


def new(identifier: str, health: str = "healthy", **changes: object) -> Instance:
    slot = str(int(identifier[-1]) - 2)
    tags = {"bakeroll:roll": "r1", "bakeroll:slot": slot}
    return instance(identifier, "ami-new", health, **{"lifecycle": "", "tags": tags, **changes})


OLD = (instance("i-0", "ami-old"), instance("i-1", "ami-old"))
FLEET = Fleet(
    name="links-dev",
    minimum=1,
    maximum=8,
    desired=2,
    template="lt-1",
    template_version="1",
    image="ami-old",
    template_number="1",
    suspended=frozenset({"AZRebalance"}),
    subnets=(SUBNET,),
    target_groups=(GROUP,),
    instances=OLD,
)
FOUND = Found(1, 8, 2, "lt-1", "1", "ami-old", (), ("i-0", "i-1"), {"tg": ("i-0", "i-1")}, 2, "links-dev")
FRESH = Record("r1", "links-dev", "links-dev", "", FOUND, Intended("ami-new", "2.0-1"))
MADE = replace(FRESH, versions=TemplateVersions("2", ("2",)), suspended=("AZRebalance",))
UNHEARD = replace(MADE, launches=Launches((RecordedSlot("2", SUBNET), RecordedSlot("2", SUBNET))))
LAUNCHED = replace(MADE, launches=UNHEARD.launches.with_instances(0, ("i-2",)).with_instances(1, ("i-3",)))
ATTACHED = replace(LAUNCHED, capacity=Capacity(attached=("i-2", "i-3")))
RETIRING = replace(ATTACHED, retiring=("i-0", "i-1"))
ONE_LEFT = replace(RETIRING, capacity=replace(RETIRING.capacity, decremented=("i-1",)))
RETIRED = replace(RETIRING, capacity=replace(RETIRING.capacity, decremented=("i-0", "i-1")))
BACK = replace(LAUNCHED, stage="back", back_out=BackOut("i-2 died", "failed"), launches=LAUNCHED.launches.given_up())
PROVEN = Memory(
    healthy={"i-0": 9, "i-1": 9, "i-2": 2, "i-3": 2}, answers={"i-2": Answer("2.0-1"), "i-3": Answer("2.0-1")}
)
BOTH = (*OLD, new("i-2"), new("i-3"))
MEMBERS = (*OLD, new("i-2", lifecycle="InService"), new("i-3", lifecycle="InService"))
COMMITTED = replace(FLEET, desired=4, instances=MEMBERS, template_version="2", image="ami-new")
