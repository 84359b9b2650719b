"""What may happen to a fleet while it is rolled, as a value; and one schedule played over the cloud in memory.

A schedule that fails is printed as Python: `play(Schedule(...))` plays it again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from bakeroll.errors import CloudError, RolledBack, RollFailed
from bakeroll.roll.model import Behaviour, World, ports, world
from bakeroll.roll.ports import Ports
from bakeroll.settings import Policy
from tests.roll.cut import Killed
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
}
CALLS_AT_MOST = 4000
CALM_RUNS = 4
COMPARED = ("set_maximum", "set_desired", "set_template")
"""AWS has no conditional form of these: each is compared right before, and nothing happens in between here."""

Trouble = Literal["refused", "lost", "passing", "passing lost"]
Deed = Literal["raise", "lower", "kill", "terminate", "flap", "full", "edit"]


@dataclass(frozen=True)
class Happening:
    """At `time` (seconds after the beginning) somebody or something does `what`, to the machine `which`."""

    time: float
    what: Deed
    which: int = 0


@dataclass(frozen=True)
class Run:
    """One process: its goal, the calls that fail and how, and the call that it is killed at."""

    image: str = "ami-new"
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
    happenings: tuple[Happening, ...] = ()
    runs: tuple[Run, ...] = (Run(),)


def play(schedule: Schedule) -> Observer:
    """Play it, then run on calmly until the last goal is reached or taken away, and check all promises."""
    fleet = _fleet(schedule)
    policy = Policy(
        max_surge=schedule.surge,
        max_unavailable=schedule.unavailable,
        healthy_checks=schedule.checks,
        in_service_timeout=20,
        drain_timeout=20,
    )
    observer = Observer.of(fleet, schedule.unavailable)
    events = _Events(fleet, observer, sorted(schedule.happenings, key=lambda each: each.time))
    goals = [
        each if not schedule.lacking or each.image != "ami-old" else replace(each, image="ami-new")
        for each in schedule.runs
    ]
    runs = [*goals, *(Run(goals[-1].image) for _ in range(CALM_RUNS))]
    for number, run in enumerate(runs):
        is_calm = number >= len(schedule.runs)
        ended = _run(fleet, run, policy, observer, events, f"process-{number}")
        if is_calm and ended:
            break
    else:
        raise AssertionError(f"did not end in {CALM_RUNS} calm runs: {observer.ends}")
    observer.settled(ended)
    return observer


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
    fleet.group = replace(fleet.group, template_version=schedule.template)
    return fleet


def _run(fleet: World, run: Run, policy: Policy, observer: Observer, events: "_Events", owner: str) -> str:
    """How it ended: the image that serves in the end, or nothing where the same command has to be run again."""
    watched = _Watched(run, observer, events)
    observer.begin(run.image)
    try:
        to, through = goal(run.image, RELEASES[run.image]), watched.ports(ports(fleet))
        rolled(fleet, to, policy, through=through, owner=owner, lines=observer.lines)
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
class _Events:
    fleet: World
    observer: Observer
    left: list[Happening]
    flapping: dict[str, float] = field(default_factory=dict)
    full_until: float = 0
    began: float = 5.0

    def __call__(self) -> None:
        while self.left and self.fleet.time - self.began >= self.left[0].time:
            self._happen(self.left.pop(0))
        self.observer()

    def _happen(self, it: Happening) -> None:
        fleet, group = self.fleet, self.fleet.group
        alive = [each for each, machine in fleet.machines.items() if machine.instance.state == "running"]
        victim = alive[it.which % len(alive)] if alive else ""
        match it.what:
            case "raise" if group.desired < group.maximum:
                self._desire(1)
            case "lower" if group.desired > group.minimum and self.observer.wanted > group.minimum:
                self._desire(-1)
            case "kill" if victim:
                fleet.state(victim, "terminated")
            case "terminate" if victim:
                fleet.end(victim)
            case "flap" if victim:
                for targets in fleet.targets.values():
                    if victim in targets:
                        targets[victim].since = fleet.time
            case "full":
                self.full_until = fleet.time + 3
            case "edit":
                self.observer.edited()

    def _desire(self, by: int) -> None:
        self.observer.wanted += by
        self.observer.wanted_before.append((self.fleet.time, self.observer.wanted))
        self.fleet.group = replace(self.fleet.group, desired=self.fleet.group.desired + by)


@dataclass
class _Watched:
    """A process's calls: counted, watched, refused, lost, and the last of them."""

    run: Run
    observer: Observer
    events: _Events
    calls: int = 0
    is_dead: bool = False

    def ports(self, ports: Ports) -> Ports:
        names = ("scaling", "machines", "balancers", "table", "ask")
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
        if name == "launch" and self.events.fleet.time < self.events.full_until:
            raise CloudError("RunInstances: InsufficientInstanceCapacity")
        self.observer.before(name, args)
        answer = method(*args, **kwargs)
        self.observer()
        if self.calls == self.run.dies_at:
            self._die()
        if trouble and name != "ask":
            raise _error(trouble)
        return answer

    def _die(self) -> None:
        self.is_dead = True
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
