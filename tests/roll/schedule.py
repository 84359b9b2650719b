"""A schedule: what happens to a fleet during a roll, as a value. `play` runs it over the cloud in memory.

A failing schedule is printed as Python, and `play(Schedule(...))` repeats it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bakeroll.errors import CloudError, RolledBack, RollFailed
from bakeroll.fleet import LaunchesFrom
from bakeroll.roll.ports import Ports
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.parts import Behaviour
from bakeroll.roll.simulate.ports import ports
from bakeroll.settings import Canary, Policy, Refresh
from tests.roll.cut import Killed
from tests.roll.happening import Events, Happening
from tests.roll.observer import Observer
from tests.roll.scene import goal, rolled

OLD = Behaviour("1.0-1")
RELEASES: Mapping[str, str] = {"ami-old": "1.0-1", "ami-new": "2.0-1", "ami-next": "3.0-1"}
NEW: Mapping[str, Behaviour] = {
    "good": Behaviour("2.0-1"),
    "slow": Behaviour("2.0-1", boots=9, healthy=4),
    "sick": Behaviour("2.0-1", is_sick=True),
    "stuck": Behaviour("2.0-1", boots=1e9),
    "dies": Behaviour("2.0-1", dies=4),
    "other": Behaviour("1.9-1"),
    "crashing": Behaviour("", crashes=1),
}
STRATEGIES = ("surge", "rolling", "canary", "blue-green", "refresh")
CALLS_AT_MOST = 4000
CALM_RUNS = 4
COMPARED = ("set_maximum", "set_desired", "set_template", "set_sizes", "hand_over")
"""AWS has no conditional form of these calls. A roll compares right before, and nothing happens in between here."""

Trouble = Literal["refused", "lost", "passing", "passing lost"]


@dataclass(frozen=True)
class Run:
    """One process: its goal, the calls that fail and how, and the call at which it is killed.

    An empty `strategy` means that of the schedule.
    """

    image: str = "ami-new"
    strategy: str = ""
    troubles: tuple[tuple[int, Trouble], ...] = ()
    dies_at: int | None = None
    dies_after: bool = False


@dataclass(frozen=True)
class Schedule:
    desired: int = 2
    lacking: int = 0
    minimum: int = 0
    spare: int = 4
    surge: int | str = "100%"
    unavailable: int = 0
    checks: int = 2
    template: str = "1"
    new: str = "good"
    strategy: str = "surge"
    soak: int = 0
    hooks: bool = False
    targets: str = "instance"
    launches_from: LaunchesFrom = "launch template"
    notice: int = 0
    hidden: int = 0
    stale: int = 0
    refresh_ends: str = ""
    suspended: tuple[str, ...] = ()
    warm: int = 0
    happenings: tuple[Happening, ...] = ()
    runs: tuple[Run, ...] = (Run(),)


def play(schedule: Schedule) -> Observer:
    """Run the schedule, then repeat its last process without failures until that ends. Check all promises."""
    fleet = _fleet(schedule)
    observer = Observer.of(fleet, schedule.unavailable)
    events = Events(fleet, observer, sorted(schedule.happenings, key=lambda each: each.time), began=fleet.time)
    goals = [
        each if not schedule.lacking or each.image != "ami-old" else replace(each, image="ami-new")
        for each in schedule.runs
    ]
    runs = [*goals, *(replace(goals[-1], troubles=(), dies_at=None) for _ in range(CALM_RUNS))]
    for number, run in enumerate(runs):
        is_calm = number >= len(schedule.runs)
        ended = _run(fleet, run, schedule, observer, events, f"process-{number}")
        if is_calm and ended:
            break
    else:
        if _has_no_way_back(fleet, observer):
            return observer
        raise AssertionError(f"did not end in {CALM_RUNS} calm runs: {observer.ends}")
    fleet.refresh_ends = ""
    for number in range(CALM_RUNS):
        if "Standby" in fleet.lifecycles.values() or len(fleet.squads) > 1:
            fleet.sleep(schedule.soak)
            later = replace(runs[-1], image=observer.home if ended == "back" else ended)
            ended = _run(fleet, later, schedule, observer, events, f"later-{number}") or ended
    if observer.home not in fleet.images:  # no roll to it can end, and so what stood by for another stays
        observer.standing |= {each for each, state in fleet.lifecycles.items() if state == "Standby"}
    fleet.full.clear()  # a zone lacks capacity for seconds; the dust settles without the events that would end it
    observer.settled(ended)
    return observer


def _has_no_way_back(fleet: World, observer: Observer) -> bool:
    """Whether the release before cannot serve: it is gone, or it never had to prove itself."""
    home = fleet.images.get("ami-old" if observer.is_edited else observer.home)
    serves = home is not None and home in (OLD, NEW["good"], NEW["slow"], Behaviour("3.0-1"))
    return not serves and "Backing out failed" in observer.ends[-1]


def _policy(schedule: Schedule, run: Run) -> Policy:
    return Policy.model_validate(
        {
            "strategy": run.strategy or schedule.strategy,
            "max_surge": schedule.surge,
            "max_unavailable": schedule.unavailable,
            "healthy_checks": schedule.checks,
            "in_service_timeout": 20,
            "drain_timeout": 20,
            "soak": schedule.soak,
            "canary": Canary(watch=3, interval=1),
            "refresh": Refresh(timeout=60),
        }
    )


def _fleet(schedule: Schedule) -> World:
    desired = schedule.desired
    images = {"ami-old": OLD, "ami-new": NEW[schedule.new], "ami-next": Behaviour("3.0-1")}
    if schedule.lacking:
        del images["ami-old"]
    fleet = world(
        desired,
        images,
        minimum=min(schedule.minimum, desired),
        maximum=max(1, desired + schedule.spare),
        serving=max(0, desired - schedule.lacking),
    )
    is_template = schedule.launches_from == "launch template"
    fleet.group = replace(
        fleet.group,
        template_version=schedule.template if is_template else "1",
        launches_from=schedule.launches_from,
        suspended=frozenset(schedule.suspended),
        has_warm_pool=schedule.warm > 0,
    )
    fleet.squad.pool = schedule.warm
    fleet.launch_hooks = ("provision",) if schedule.hooks else ()
    fleet.hidden, fleet.refresh_ends = schedule.hidden, schedule.refresh_ends
    _balance(fleet, schedule.targets)
    fleet.sleep(schedule.hidden)
    fleet.notice, fleet.stale = schedule.notice, schedule.stale
    return fleet


def _balance(fleet: World, kind: str) -> None:
    """Make the second target group one of this type. The group does not register addresses."""
    first, second = fleet.target_groups
    fleet.target_groups = (first, replace(second, type=kind))
    if kind != "instance":
        fleet.group = replace(
            fleet.group, target_groups=(first.arn,), classic_balancers=(second.arn,) if kind == "classic" else ()
        )


def _run(fleet: World, run: Run, schedule: Schedule, observer: Observer, events: Events, owner: str) -> str:
    """Run one process. Returns the image that serves, or an empty text if the same command must run again."""
    watched = _Watched(run, observer, events)
    observer.begin(run.image, run.strategy or schedule.strategy)
    to = replace(goal(run.image, RELEASES[run.image]), target_groups=("tg-b",) if schedule.targets == "ip" else ())
    try:
        through = watched.ports(ports(fleet))
        rolled(fleet, to, _policy(schedule, run), through=through, owner=owner, lines=observer.lines)
    except RolledBack as error:
        observer.ends.append(f"{owner} rolled back: {error.what.splitlines()[0]}")
        observer.rolled_back()
        return "back"
    except (Killed, RollFailed, CloudError) as error:
        observer.ends.append(f"{owner} {type(error).__name__}: {error}")
        return ""
    observer.ends.append(f"{owner} serves {run.image}")
    observer.rolled(run.image)
    return run.image


@dataclass
class _Watched:
    """The calls of a process. It counts them, watches them, refuses some, loses some answers, and ends the process."""

    run: Run
    observer: Observer
    events: Events
    calls: int = 0
    is_dead: bool = False

    def ports(self, ports: Ports) -> Ports:
        names = ("scaling", "machines", "templates", "balancers", "table", "ask", "probes")
        return Ports(**{name: _Port(getattr(ports, name), self) for name in names})

    def around(self, name: str, method: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if self.is_dead:
            raise Killed
        self.calls += 1
        if self.calls > CALLS_AT_MOST:
            self.is_dead = True
            raise AssertionError("the roll does not end")
        trouble = dict(self.run.troubles).get(self.calls, "")
        if self.calls == self.run.dies_at and not self.run.dies_after:
            self._die()
        if trouble in ("refused", "passing") and name != "ask":
            raise _error(trouble)
        if name not in COMPARED:
            self.events()
        if name == "launch" and self.events.is_full:
            raise CloudError("RunInstances: InsufficientInstanceCapacity")
        self.observer.before(name, args)
        answer = self._answer(name, method, args, kwargs)
        self.observer()
        if self.calls == self.run.dies_at:
            self._die()
        if trouble and name != "ask":
            raise _error(trouble)
        return answer

    def _answer(self, name: str, method: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        try:
            answer = method(*args, **kwargs)
        except CloudError:
            self.observer.refused(name)
            raise
        if answer is False:
            self.observer.refused(name)
        if name == "get" and args[-1] == "request":  # asked in each turn that believes what it has seen
            self.observer.looks()
        return answer

    def _die(self) -> None:
        self.is_dead = True
        self.observer.died()
        raise Killed


def _error(trouble: str) -> CloudError:
    error = CloudError(f"RequestLimitExceeded ({trouble})")
    error.is_passing = trouble.startswith("passing")
    return error


class _Port:
    def __init__(self, port: Any, watched: _Watched) -> None:
        self._port, self._watched = port, watched

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        return lambda *args, **kwargs: self._watched.around(name, method, args, kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._watched.around("ask", self._port, args, kwargs)
