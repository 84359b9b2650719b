"""What a roll remembers from turn to turn. After a crash it is empty, and filling it again costs a few observations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from bakeroll.fleet import Answer, Fleet


@dataclass(frozen=True, slots=True)
class Memory:
    """Healthy observations on end, and since when (monotonic seconds) an instance is not in service or drains.

    `short_since` is since when the group has fewer instances than it desires. `fallen` are members of the release that
    went, `proving` those that are there; `lacking` zones without capacity, and what EC2 said.
    `over` are instance refreshes, and since when they are seen to be over; `began` is when this process did.
    `watched_since`, `looked_at`, `trouble` and `is_judged` are of the canaries. `served` are all that ever were in
    service, `consoles` when each console was looked at, `crashing` what those told whose service fails again and again.
    """

    healthy: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, float] = field(default_factory=dict)
    draining: Mapping[str, float] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    short_since: float | None = None
    fallen: tuple[str, ...] = ()
    lacking: Mapping[str, str] = field(default_factory=dict)
    watched_since: float | None = None
    looked_at: float | None = None
    trouble: str = ""
    is_judged: bool = False
    proving: frozenset[str] = frozenset()
    over: Mapping[str, float] = field(default_factory=dict)
    began: float = 0
    served: frozenset[str] = frozenset()
    consoles: Mapping[str, float] = field(default_factory=dict)
    crashing: Mapping[str, str] = field(default_factory=dict)

    def observed(self, fleet: Fleet, now: float, launched: Iterable[str] = (), launching: str = "") -> "Memory":
        """This memory after one more observation. One that is not healthy begins to count anew.

        `launched` are instances that there should be, though AWS may not show them yet; `launching` is the
        identity of what the group launches and is to come into service; empty where the roller launches.
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
        heard = {each.id: each.answer for each in fleet.instances if each.answer and each.answer.version}
        return replace(
            self,
            began=self.began or now,
            healthy=healthy,
            waiting=waiting,
            draining=draining,
            short_since=short,
            fallen=(*self.fallen, *fallen),
            proving=frozenset(proving & members),
            answers={**self.answers, **heard},
            over={**over, **self.over},
            served=self.served.union(healthy),
        )
