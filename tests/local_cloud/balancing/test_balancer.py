"""The balancer: what is done with a target, as a table; and real haproxies before small HTTP servers."""

import http.client
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local_cloud.balancing.balancers import Balancers
from local_cloud.balancing.haproxy import HealthCheck, Layout, Listener, Server, Stat, TargetGroup
from local_cloud.balancing.moves import Place, Wanted, next_move
from local_cloud.balancing.target_health import TargetHealth, target_health

ADDRESS, PORT = "127.0.3.1", 8081
SERVER = Server("i-1:8080", "127.0.3.11", 8080)
NEW, SERVING = Place(SERVER, "new"), Place(SERVER, "serving")
PASSED, FAILED = Stat("UP", "L7OK", 200, 0), Stat("DOWN", "L7STS", 503, 0)
CHECK = HealthCheck("/health", "200", 100, 500, 2, 2)
LINKS = TargetGroup("links", "http", CHECK)
LAYOUT = Layout(ADDRESS, (Listener(PORT, "http", (("links", 1),)),), (LINKS,))


@pytest.mark.parametrize(
    ("sentence", "place", "is_registered", "is_gone", "stat", "move"),
    [
        ("a target that is registered enters the waiting room", None, True, False, None, "enter"),
        ("one without a machine does not", None, True, True, None, None),
        ("one not registered does not", None, False, False, None, None),
        ("it waits there until it was checked", NEW, True, False, Stat("UP 1/5", "INI", 0, 0), None),
        ("and while it fails", NEW, True, False, FAILED, None),
        ("one pass lets it serve", NEW, True, False, PASSED, "serve"),
        ("deregistered before it passed, it is forgotten", NEW, False, False, PASSED, "forget"),
        ("and so it is when its machine goes", NEW, True, True, None, "forget"),
        ("a serving one stays", SERVING, True, False, None, None),
        ("until it is deregistered", SERVING, False, False, None, "drain"),
        ("or its machine goes", SERVING, True, True, None, "leave"),
        ("a draining one stays its time", Place(SERVER, "draining", 101), False, False, None, None),
        ("and then leaves", Place(SERVER, "draining", 100), False, False, None, "leave"),
        ("or when its machine goes", Place(SERVER, "draining", 101), False, True, None, "leave"),
        ("registered again it serves at once", Place(SERVER, "draining", 101), True, False, None, "resume"),
    ],
)
def test_what_is_done_with_a_target(
    sentence: str, place: Place | None, is_registered: bool, is_gone: bool, stat: Stat | None, move: str | None
) -> None:
    found = next_move(place, is_registered=is_registered, is_gone=is_gone, stat=stat, now=100)

    assert found == move, sentence


class World:
    """What the API would say, and the balancers that follow it."""

    def __init__(self, directory: Path) -> None:
        self.wanted = Wanted("links", LAYOUT, {"links": {}}, {"links": 1.0})
        self.processes: list[int] = []
        self.balancers = Balancers(directory, lambda: [self.wanted], self.processes.append)

    def register(self, *servers: Server) -> None:
        registered = {**self.wanted.registered["links"], **{server.name: server for server in servers}}
        self._change(registered)

    def deregister(self, *servers: Server) -> None:
        gone = {server.name for server in servers}
        self._change({name: each for name, each in self.wanted.registered["links"].items() if name not in gone})

    def _change(self, registered: dict[str, Server]) -> None:
        self.wanted = replace(self.wanted, registered={"links": registered})
        self.balancers.wake()

    def phase(self, server: Server) -> str | None:
        seen = self.balancers.seen("links", server.name)
        return seen.phase if seen else None

    def health(self, server: Server) -> TargetHealth:
        seen = self.balancers.seen("links", server.name)
        return target_health(seen, is_registered=True, has_listener=True, instance="running")

    def is_up(self, server: Server) -> bool:
        seen = self.balancers.seen("links", server.name)
        return bool(seen and seen.phase == "serving" and seen.stat and seen.stat.is_up)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "lb")
    world.balancers.start()
    yield world
    world.balancers.stop()


def eventually(holds: Callable[[], bool], seconds: float = 3) -> float:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "waited in vain"
        time.sleep(0.01)
    return time.monotonic() - began


def ask(path: str = "/", port: int = PORT) -> tuple[int, str]:
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


class Load:
    """Asks without a pause until it ends, over one connection or a new one for each request."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.failures: list[str] = []
        self._stopping = False
        self._threads = [threading.Thread(target=self._ask, args=(kept,)) for kept in (True, True, False, False)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        for thread in self._threads:
            thread.join()

    def _ask(self, is_kept: bool) -> None:
        connection = http.client.HTTPConnection(ADDRESS, PORT, timeout=5)
        while not self._stopping:
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                body = answer.read().decode()
                (self.answers if answer.status == 200 else self.failures).append(body)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
            if not is_kept:
                connection.close()
            time.sleep(0.002)
        connection.close()


def test_a_target_that_answers_is_up_within_a_third_of_a_second(world: World, answering: Callable[[str], Any]) -> None:
    answering("127.0.3.11")
    world.balancers.turn()

    world.register(SERVER)

    assert eventually(lambda: world.is_up(SERVER)) < 0.3
    assert ask() == (200, "127.0.3.11")


def test_a_target_that_was_never_healthy_gets_no_request(world: World, answering: Callable[[str], Any]) -> None:
    sick, well = answering("127.0.3.12"), answering("127.0.3.11")
    sick.health = 503
    other = Server("i-2:8080", "127.0.3.12", 8080)
    world.register(SERVER, other)
    eventually(lambda: world.is_up(SERVER))

    with Load() as load:
        time.sleep(0.4)

    assert set(load.answers) == {"127.0.3.11"}
    assert load.failures == []
    assert sick.answered == 0
    assert well.answered == len(load.answers)


def test_a_target_that_answers_503_is_called_so(world: World, answering: Callable[[str], Any]) -> None:
    answering("127.0.3.11").health = 503
    world.register(SERVER)

    eventually(lambda: world.health(SERVER).state == "unhealthy")

    assert world.health(SERVER).description == "Health checks failed with these codes: [503]"


def test_a_target_that_falls_ill_gets_no_more_requests_and_comes_back(
    world: World, answering: Callable[[str], Any]
) -> None:
    servers = [answering("127.0.3.11"), answering("127.0.3.12")]
    other = Server("i-2:8080", "127.0.3.12", 8080)
    world.register(SERVER, other)
    eventually(lambda: world.is_up(SERVER) and world.is_up(other))

    servers[0].health = 503
    eventually(lambda: world.health(SERVER).state == "unhealthy")
    assert {ask()[1] for _ in range(6)} == {"127.0.3.12"}
    servers[0].health = 200
    eventually(lambda: world.is_up(SERVER))

    assert {ask()[1] for _ in range(6)} == {"127.0.3.11", "127.0.3.12"}


def test_a_network_load_balancer_passes_connections_on(world: World, answering: Callable[[str], Any]) -> None:
    answering("127.0.3.11")
    group = TargetGroup("links", "tcp", HealthCheck("", "", 100, 500, 2, 2))
    world.wanted = replace(world.wanted, layout=Layout(ADDRESS, (Listener(PORT, "tcp", (("links", 1),)),), (group,)))

    world.register(SERVER)

    eventually(lambda: world.is_up(SERVER))
    assert ask() == (200, "127.0.3.11")


def test_weights_share_the_requests_out(world: World, answering: Callable[[str], Any]) -> None:
    answering("127.0.3.11")
    answering("127.0.3.12")
    groups = (LINKS, replace(LINKS, name="rechts"))
    listener = Listener(PORT, "http", (("links", 80), ("rechts", 20)))
    servers = {"links": {SERVER.name: SERVER}, "rechts": {"i-2:8080": Server("i-2:8080", "127.0.3.12", 8080)}}
    world.wanted = Wanted("links", Layout(ADDRESS, (listener,), groups), servers)
    world.balancers.wake()
    eventually(lambda: world.is_up(SERVER) and bool(world.balancers.seen("rechts", "i-2:8080")))
    time.sleep(0.3)

    asked = [ask()[1] for _ in range(200)]

    assert 120 < asked.count("127.0.3.11") < 195


def test_two_come_and_two_go_under_load_without_one_failed_request(
    world: World, answering: Callable[[str], Any]
) -> None:
    fleet = [Server(f"i-{number}:8080", f"127.0.3.{number}", 8080) for number in (11, 12, 13, 14)]
    servers = [answering(server.address) for server in fleet]
    servers[0].delay = 0.3
    world.register(*fleet[:2])
    eventually(lambda: world.is_up(fleet[0]) and world.is_up(fleet[1]))

    with Load() as load:
        world.register(*fleet[2:])
        eventually(lambda: world.is_up(fleet[2]) and world.is_up(fleet[3]))
        world.deregister(*fleet[:2])
        eventually(lambda: world.balancers.is_idle("i-11") and world.balancers.is_idle("i-12"))
        for server in servers[:2]:
            server.close()
        eventually(lambda: world.phase(fleet[0]) is None and world.phase(fleet[1]) is None)

    assert load.failures == []
    assert set(load.answers) == {server.address for server in fleet}


def test_a_new_listener_costs_no_request(world: World, answering: Callable[[str], Any]) -> None:
    answering("127.0.3.11")
    world.register(SERVER)
    eventually(lambda: world.is_up(SERVER))

    with Load() as load:
        second = Listener(PORT + 1, "http", (("links", 1),))
        world.wanted = replace(world.wanted, layout=replace(LAYOUT, listeners=(*LAYOUT.listeners, second)))
        world.balancers.turn()
        time.sleep(0.2)

    assert ask(port=PORT + 1) == (200, "127.0.3.11")
    assert load.failures == []


def test_a_listener_that_cannot_be_leaves_the_others_alone(world: World, answering: Callable[[str], Any]) -> None:
    answering("127.0.3.11")
    answering(ADDRESS)  # holds port 8080
    world.register(SERVER)
    eventually(lambda: world.is_up(SERVER))

    second = Listener(8080, "http", (("links", 1),))
    world.wanted = replace(world.wanted, layout=replace(LAYOUT, listeners=(*LAYOUT.listeners, second)))
    world.balancers.turn()

    assert ask() == (200, "127.0.3.11")
    world.wanted = replace(world.wanted, layout=LAYOUT)
    eventually(lambda: world.is_up(SERVER))
    assert ask() == (200, "127.0.3.11")


def test_a_target_registered_again_while_it_drains_serves_again(world: World, answering: Callable[[str], Any]) -> None:
    answering("127.0.3.11")
    world.register(SERVER)
    eventually(lambda: world.is_up(SERVER))
    world.deregister(SERVER)
    eventually(lambda: world.phase(SERVER) == "draining")

    world.register(SERVER)

    eventually(lambda: world.is_up(SERVER))
    assert ask() == (200, "127.0.3.11")


def test_what_drains_over_a_reload_is_finished_and_known_and_comes_in_anew(
    world: World, answering: Callable[[str], Any]
) -> None:
    server = answering("127.0.3.11")
    server.delay = 0.5
    world.register(SERVER)
    eventually(lambda: world.is_up(SERVER))
    answers: list[tuple[int, str]] = []
    asking = threading.Thread(target=lambda: answers.append(ask("/slow")))
    asking.start()
    eventually(lambda: server.answered == 1)

    world.deregister(SERVER)
    eventually(lambda: world.phase(SERVER) == "draining")
    second = Listener(PORT + 1, "http", (("links", 1),))
    world.wanted = replace(world.wanted, layout=replace(LAYOUT, listeners=(*LAYOUT.listeners, second)))
    world.balancers.turn()
    assert not world.balancers.is_idle("i-1")
    asking.join()

    assert answers == [(200, "127.0.3.11")]
    eventually(lambda: world.balancers.is_idle("i-1"))
    world.register(SERVER)
    eventually(lambda: world.is_up(SERVER))


@pytest.mark.parametrize(("delay", "ends"), [(1.0, "answered"), (0.1, "cut")])
def test_a_draining_target_finishes_what_it_has_begun_within_its_delay(
    world: World, answering: Callable[[str], Any], delay: float, ends: str
) -> None:
    server = answering("127.0.3.11")
    server.delay = 0.4
    world.wanted = replace(world.wanted, delays={"links": delay})
    world.register(SERVER)
    eventually(lambda: world.is_up(SERVER))
    answers: list[tuple[int, str]] = []
    asking = threading.Thread(target=lambda: answers.append(ask("/slow")))
    asking.start()
    eventually(lambda: server.answered == 1)

    world.deregister(SERVER)
    asking.join()

    assert answers[0][0] == (200 if ends == "answered" else 502)


def test_where_draining_ends_idle_a_target_leaves_when_it_has_answered(
    world: World, answering: Callable[[str], Any]
) -> None:
    busy, idle = answering("127.0.3.11"), Server("i-2:8080", "127.0.3.12", 8080)
    answering("127.0.3.12")
    busy.delay = 0.4
    world.wanted = replace(world.wanted, delays={"links": 30.0}, ends_idle=True)
    world.register(SERVER)
    eventually(lambda: world.is_up(SERVER))
    answers: list[tuple[int, str]] = []
    asking = threading.Thread(target=lambda: answers.append(ask("/slow")))
    asking.start()
    eventually(lambda: busy.answered == 1)
    world.register(idle)
    eventually(lambda: world.is_up(idle))

    world.deregister(SERVER, idle)
    eventually(lambda: world.phase(idle) is None)
    was = world.phase(SERVER)
    asking.join()

    assert was == "draining"
    assert answers == [(200, "127.0.3.11")]
    eventually(lambda: world.phase(SERVER) is None)


def test_a_haproxy_that_dies_comes_back(world: World, answering: Callable[[str], Any]) -> None:
    answering("127.0.3.11")
    world.register(SERVER)
    eventually(lambda: world.is_up(SERVER))

    os.kill(world.processes[-1], signal.SIGKILL)

    eventually(lambda: _answers())


def _answers() -> bool:
    try:
        return ask() == (200, "127.0.3.11")
    except OSError:
        return False
