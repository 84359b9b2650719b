"""One load balancer: its haproxy, led step by step to what the API says.

A target comes in by the waiting room, serves, drains and leaves. Only a change of listeners or of health
checks reloads a haproxy; targets come and go by its runtime API.
"""

import logging
from collections.abc import Callable
from typing import Any

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
from local_cloud.balancing.moves import Move, Place, Wanted, next_move, target_of
from local_cloud.balancing.target_health import Phase, Seen

log = logging.getLogger(__name__)


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
            # After a reload it is not there any more: then it comes in again.
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
        checked again, and those that drain are finished by the process of before."""
        names = {group.name for group in wanted.layout.groups}
        kept = {key: place for key, place in self.places.items() if key[0] in names and self._outlives(key, place)}
        up = {key: place for key, place in kept.items() if place.phase == "serving"}
        serving = {name: [place.server for key, place in up.items() if key[0] == name] for name in names}
        self.haproxy.load(render(wanted.layout, serving))
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
