"""Load balancers: a haproxy each, led to what the API says by comparing again and again.

A target comes in by the waiting room, serves, drains and leaves. Only a change of listeners or of health
checks reloads a haproxy; targets come and go by its runtime API.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from local_cloud.balancing.haproxy import (
    Haproxy,
    Layout,
    Server,
    Stat,
    TargetGroup,
    adding,
    check_words,
    removing,
    render,
    waiting_room,
)
from local_cloud.balancing.target_health import Phase, Seen

TURN_SECONDS = 0.2
BUSY_TURN_SECONDS = 0.04
AFTER_FAILURE_SECONDS = 2.0

Move = Literal["enter", "forget", "serve", "drain", "resume", "leave"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A load balancer as the API has it.

    `registered` holds each group's targets, `delays` each group's deregistration delay in seconds, `gone`
    the ids of targets whose machine runs no more. Where it `ends_idle`, draining is over when nothing is in flight.
    """

    name: str
    layout: Layout
    registered: Mapping[str, Mapping[str, Server]] = field(default_factory=dict)
    delays: Mapping[str, float] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    ends_idle: bool = False


@dataclass(slots=True)
class Place:
    """Where a target is; `until` ends its draining, on the clock's seconds."""

    server: Server
    phase: Phase
    until: float = 0


def next_move(
    place: Place | None, *, is_registered: bool, is_gone: bool, stat: Stat | None, now: float, is_drained: bool = False
) -> Move | None:
    """What is to be done with a target. Pure."""
    if place is None:
        return "enter" if is_registered and not is_gone else None
    if place.phase == "new":
        if is_gone or not is_registered:
            return "forget"
        return "serve" if stat and stat.has_passed else None
    if is_gone:
        return "leave"
    if place.phase == "serving":
        return None if is_registered else "drain"
    if is_registered:
        return "resume"
    return "leave" if is_drained or now >= place.until else None


def target_of(server: str) -> str:
    """The target's id in a server's name, `ID:PORT`."""
    return server.rpartition(":")[0]


class LoadBalancer:
    """One load balancer: its haproxy and the place of each target, by target group and server."""

    def __init__(self, haproxy: Haproxy, clock: Callable[[], float]) -> None:
        self.haproxy = haproxy
        self._clock = clock
        self._layout: Layout | None = None
        self.places: dict[tuple[str, str], Place] = {}
        self.stats: dict[tuple[str, str], Stat] = {}

    @property
    def is_busy(self) -> bool:
        """Whether something is awaited of a target, so that the next look should be soon."""
        return any(self._is_awaited(key, place.phase) for key, place in self.places.items())

    def _is_awaited(self, key: tuple[str, str], phase: Phase) -> bool:
        if phase == "new":
            stat = self.stats.get((waiting_room(key[0]), key[1]))
            return stat is None or stat.is_up
        return phase == "draining" and key in self.stats and self.stats[key].in_flight > 0

    def turn(self, wanted: Wanted) -> None:
        """One step towards `wanted`."""
        if not wanted.layout.listeners:
            self.stop()
            return
        if wanted.layout != self._layout or not self.haproxy.is_running:
            self._reload(wanted)
        self.stats = self.haproxy.stats()
        moves = [self._turn_group(group, wanted) for group in wanted.layout.groups]
        if any(moves):
            self.stats = self.haproxy.stats()

    def _turn_group(self, group: TargetGroup, wanted: Wanted) -> bool:
        has_moved = False
        registered = wanted.registered.get(group.name, {})
        placed = [name for backend, name in self.places if backend == group.name]
        for name in dict.fromkeys((*placed, *registered)):
            place = self.places.get((group.name, name))
            server = registered.get(name)
            is_elsewhere = bool(place and server and place.server != server)
            move = next_move(
                place,
                is_registered=server is not None,
                is_gone=target_of(name) in wanted.gone or is_elsewhere,
                stat=self.stats.get((waiting_room(group.name), name)),
                now=self._clock(),
                is_drained=wanted.ends_idle and self._is_quiet((group.name, name)),
            )
            if move:
                self._make(move, group, name, server, wanted.delays.get(group.name, 0))
                has_moved = True
        return has_moved

    def _is_quiet(self, key: tuple[str, str]) -> bool:
        return key in self.stats and not self.stats[key].in_flight and not self.haproxy.is_finishing

    def _make(self, move: Move, group: TargetGroup, name: str, server: Server | None, delay: float) -> None:
        serving, new = f"{group.name}/{name}", f"{waiting_room(group.name)}/{name}"
        key = (group.name, name)
        if move == "enter" and server:
            self._order(adding(new, check_words(server, group.check, is_new=True)))
            self.places[key] = Place(server, "new")
        elif move == "forget":
            self._order(removing(new))
            del self.places[key]
        elif move == "serve" and server:
            # A server just added counts as up, and that is right here: it has just passed next door.
            self._order(f"{adding(serving, check_words(server, group.check))}; {removing(new)}")
            self.places[key] = Place(server, "serving")
        elif move == "drain":
            self._order(f"set server {serving} state drain")
            self.places[key] = Place(self.places[key].server, "draining", self._clock() + delay)
        elif move == "resume":
            # After a reload it is not there any more: then it comes in anew.
            if self.haproxy.command(f"set server {serving} state ready"):
                del self.places[key]
            else:
                self.places[key].phase = "serving"
        elif move == "leave":
            # haproxy refuses while sessions are still ending; the next turn asks again.
            answer = self.haproxy.command(removing(serving))
            if "deleted" in answer or "No such server" in answer:
                del self.places[key]

    def _order(self, words: str) -> None:
        answer = self.haproxy.command(words)
        unexpected = answer.replace("New server registered.", "").replace("Server deleted.", "").strip()
        if unexpected:
            log.warning("haproxy: %s: %s", words, unexpected)

    def _reload(self, wanted: Wanted) -> None:
        """Go over to a new configuration. Those that serve go on serving, those that were to be checked are
        checked anew, and those that drain are finished by the process of before."""
        names = {group.name for group in wanted.layout.groups}
        kept = {key: place for key, place in self.places.items() if key[0] in names and self._outlives(key, place)}
        up = {key: place for key, place in kept.items() if place.phase == "serving"}
        serving = {name: [place.server for key, place in up.items() if key[0] == name] for name in names}
        self.haproxy.load(render(wanted.layout, self.haproxy.socket, serving))
        self._layout, self.places = wanted.layout, kept

    def _outlives(self, key: tuple[str, str], place: Place) -> bool:
        return place.phase == "draining" or (place.phase == "serving" and self._is_up(key))

    def _is_up(self, key: tuple[str, str]) -> bool:
        stat = self.stats.get(key)
        return stat is None or stat.is_up

    def seen(self, group: str, name: str) -> Seen | None:
        place = self.places.get((group, name))
        if place is None:
            return None
        backend = waiting_room(group) if place.phase == "new" else group
        return Seen(place.phase, self.stats.get((backend, name)))

    def is_asking(self, target: str) -> bool:
        """Whether `target` may still be answering something. What a process that was reloaded still waits
        for is not known, so it counts."""
        placed = [key for key in self.places if target_of(key[1]) == target]
        is_serving = any(self.places[key].phase == "serving" for key in placed)
        is_answering = any(key in self.stats and self.stats[key].in_flight for key in placed)
        return is_serving or is_answering or (bool(placed) and self.haproxy.is_finishing)

    def status(self) -> dict[str, Any]:
        layout = self._layout
        return {
            "address": layout.address if layout else "",
            "ports": [listener.port for listener in layout.listeners] if layout else [],
            "targets": {name: self._word(group, name) for group, name in self.places},
        }

    def _word(self, group: str, name: str) -> str:
        seen = self.seen(group, name)
        if seen is None or seen.stat is None or seen.phase == "draining":
            return seen.phase if seen else ""
        return f"{seen.phase}, {seen.stat.status} {seen.stat.check}"

    def stop(self) -> None:
        self.haproxy.stop()
        self._layout, self.places, self.stats = None, {}, {}


class Balancers:
    """All load balancers, kept as `read` says they should be, by a thread of their own."""

    def __init__(
        self,
        directory: Path,
        read: Callable[[], Sequence[Wanted]],
        adopt: Callable[[int], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory, self._adopt = directory, adopt
        self._read = read
        self._clock = clock
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._stopping = False
        self._balancers: dict[str, LoadBalancer] = {}
        self._paused: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name="balancers", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """The API changed something: look now."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread and every haproxy."""
        self._stopping = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join()
        with self._lock:
            for balancer in self._balancers.values():
                balancer.stop()
            self._balancers.clear()

    def status(self) -> list[dict[str, Any]]:
        """All load balancers, for people."""
        with self._lock:
            return [{"name": name, **balancer.status()} for name, balancer in self._balancers.items()]

    def turn(self) -> bool:
        """One step for each load balancer. True where a target is awaited."""
        with self._lock:
            wanted = {each.name: each for each in self._read()}
            for name in self._balancers.keys() - wanted.keys():
                self._balancers.pop(name).stop()
                shutil.rmtree(self._directory / name, ignore_errors=True)
            for name, each in wanted.items():
                self._turn_one(name, each)
            return any(balancer.is_busy for balancer in self._balancers.values())

    def _turn_one(self, name: str, wanted: Wanted) -> None:
        balancer = self._balancers.get(name)
        if balancer is None:
            balancer = LoadBalancer(Haproxy(self._directory / name, self._adopt), self._clock)
            self._balancers[name] = balancer
        if self._clock() < self._paused.get(name, 0):
            return
        try:
            balancer.turn(wanted)
        except Exception:
            # One load balancer that fails must not take the others with it, nor fill the log.
            log.exception("load balancer %s", name)
            self._paused[name] = self._clock() + AFTER_FAILURE_SECONDS

    def _run(self) -> None:
        while not self._stopping:
            is_busy = True
            try:
                is_busy = self.turn()
            except Exception:
                # What the API holds may change while it is read; the next turn reads it whole.
                log.exception("load balancers")
            self._wake.wait(BUSY_TURN_SECONDS if is_busy else TURN_SECONDS)
            self._wake.clear()

    def seen(self, group: str, name: str) -> Seen | None:
        """Where the target `name` of `group` is; None where no load balancer has it yet, or any more."""
        with self._lock:
            found = (balancer.seen(group, name) for balancer in self._balancers.values())
            return next((seen for seen in found if seen), None)

    def is_idle(self, target: str) -> bool:
        """Whether a target that was deregistered has answered all that it was asked."""
        with self._lock:
            return not any(balancer.is_asking(target) for balancer in self._balancers.values())
