"""What a roll remembers from turn to turn. After a crash it is empty, and a few observations fill it again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from bakeroll.fleet import Answer, Fleet


@dataclass(frozen=True, slots=True)
class Memory:
    """What a roll remembers. Times are in monotonic seconds. Mappings are by instance id unless a field says more."""

    healthy: Mapping[str, int] = field(default_factory=dict)
    """How many consecutive observations found the instance healthy."""
    waiting: Mapping[str, float] = field(default_factory=dict)
    """Since when the instance, or the instance refresh of this id, is not in service or not over."""
    draining: Mapping[str, float] = field(default_factory=dict)
    """Since when the instance drains."""
    answers: Mapping[str, Answer] = field(default_factory=dict)
    """The last answer with a version."""
    short_since: float | None = None
    """Since when the group has fewer instances than it desires."""
    fallen: tuple[str, ...] = ()
    """Members of the release that have left the fleet."""
    lacking: Mapping[str, str] = field(default_factory=dict)
    """Zones without capacity, and EC2's message about each."""
    watched_since: float | None = None
    """Since when the canaries are watched."""
    looked_at: float | None = None
    """When the canaries were last checked."""
    trouble: str = ""
    """What the last check of the canaries found."""
    is_judged: bool = False
    """Whether the canaries passed their checks."""
    proving: frozenset[str] = frozenset()
    """Members of the release that are in the fleet."""
    over: Mapping[str, float] = field(default_factory=dict)
    """Instance refreshes by id, and when an observation first found each of them over."""
    began: float = 0
    """When this process made its first observation."""
    served: frozenset[str] = frozenset()
    """All instances that were ever in service."""
    consoles: Mapping[str, float] = field(default_factory=dict)
    """When the console of the instance was last read."""
    crashing: Mapping[str, str] = field(default_factory=dict)
    """Instances whose service keeps failing, and what their consoles say."""

    def observed(self, fleet: Fleet, now: float, launched: Iterable[str] = (), launching: str = "") -> "Memory":
        """This memory after one more observation. The count of an instance that is not healthy restarts at 0.

        `launched` are instances that were launched and that AWS may not show yet. `launching` is the identity of the
        new instances that the group launches by itself. It is empty if the roller launches them.
        """
        healthy = {each.id: self.healthy.get(each.id, 0) + 1 for each in fleet.instances if fleet.is_in_service(each)}
        waiting = {
            each.id: self.waiting.get(each.id, now)
            for each in fleet.instances
            if each.is_alive and each.id not in healthy and not each.is_standing_by
        }
        if fleet.refresh and not fleet.refresh.is_over:
            waiting[fleet.refresh.id] = self.waiting.get(fleet.refresh.id, now)
        over = {fleet.refresh.id: now} if fleet.refresh and fleet.refresh.is_over else {}
        members = {each.id for each in fleet.instances if each.is_alive and (each.is_member or each.is_in_twin)}
        fallen = [each for each in sorted(self.proving - members) if each not in self.fallen]
        awake = (each for each in fleet.instances if not each.is_standing_by)
        proving = {each.id for each in awake if launching and each.identity in (launching, "")}
        waiting |= {each: self.waiting.get(each, now) for each in launched if not fleet.find(each)}
        draining = {each.id: self.draining.get(each.id, now) for each in fleet.instances if each.is_draining}
        short = None if len(fleet.members) >= fleet.desired else (now if self.short_since is None else self.short_since)
        reported = {each.id: each.answer for each in fleet.instances if each.answer and each.answer.version}
        return replace(
            self,
            began=self.began or now,
            healthy=healthy,
            waiting=waiting,
            draining=draining,
            short_since=short,
            fallen=(*self.fallen, *fallen),
            proving=frozenset(proving & members),
            answers={**self.answers, **reported},
            over={**over, **self.over},
            served=self.served.union(healthy),
        )
