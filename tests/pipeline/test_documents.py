"""Documents of the table that are damaged, or that a newer bakeroll wrote: what is told, and what is refused."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

import bakeroll
from bakeroll import operations, pipeline, survey
from bakeroll.console.tables import history_lines, status_lines
from bakeroll.document import Document
from bakeroll.errors import DocumentUnreadable, RollFailed
from bakeroll.release_request import ReleaseRequest
from bakeroll.roll.simulate.model import World, world
from bakeroll.roll.simulate.ports import ports
from bakeroll.roll.state.owner import this_process
from bakeroll.roll.store import lease
from bakeroll.roll.store.history import write_release
from bakeroll.roll.store.records import Records
from bakeroll.roll.store.requests import Request, Requests
from tests.pipeline.model_site import model_site
from tests.roll.cut import Cut, Killed
from tests.roll.scene import GOOD, goal, rolled

GONE = replace(this_process("ops@build-7"), pid=2**22 + 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RECORD, LEASE, REQUEST = (("fleet#links-dev", each) for each in ("roll", "lease", "request"))

NEWER = {"format": 9, "writer": "0.3.0"}
DAMAGE: dict[str, Callable[[str], str]] = {
    "no JSON": lambda body: body[:-5],
    "no object": lambda _: "[]",
    "empty": lambda _: "",
    "deep": lambda _: "[" * 100_000,
    "a field missing": lambda body: json.dumps(
        {key: value for key, value in json.loads(body).items() if value is None}
    ),
    "a newer format": lambda body: json.dumps(json.loads(body) | NEWER),
    "a newer field": lambda body: json.dumps(json.loads(body) | {"mood": "good", "writer": "0.3.0"}),
}


def cut_off() -> World:
    """A fleet whose roll died in the middle, with all four kinds of documents."""
    fleet = world(2, GOOD)
    first = replace(goal("ami-old", "1.0-1").release, released_at=datetime(2025, 1, 1, tzinfo=UTC))
    for release in (first, goal("ami-next", "3.0-1").release):
        write_release(ports(fleet).table, release, release.released_at.isoformat())
    with pytest.raises(Killed):
        rolled(fleet, through=Cut(30).ports(ports(fleet)), as_owner=GONE)
    steering = model_site(fleet).roller.steering
    steering.ask("none", steering.record())
    return fleet


def damaged(fleet: World, key: tuple[str, str], how: Callable[[str], str]) -> None:
    there = fleet.table[key]
    fleet.table[key] = replace(there, body=how(there.body))


def changed(fleet: World, key: tuple[str, str], **fields: Any) -> None:
    damaged(fleet, key, lambda body: json.dumps(json.loads(body) | fields))


def releases(fleet: World) -> list[tuple[str, str]]:
    """The keys of the history, the newest first."""
    return sorted((key for key in fleet.table if key[0].startswith("releases#")), reverse=True)


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("key", [RECORD, LEASE, REQUEST], ids=lambda key: key[1])
def test_a_roll_refuses_what_it_does_not_understand_and_status_and_doctor_name_it(
    key: tuple[str, str], how: str
) -> None:
    fleet = cut_off()
    damaged(fleet, key, DAMAGE[how])
    before, site = (fleet.group, dict(fleet.machines)), model_site(fleet)

    with pytest.raises(
        DocumentUnreadable, match=f"^The item fleet#links-dev / {key[1]} of the table bakeroll"
    ) as caught:
        rolled(fleet)
    status, doctor = survey.status(site), operations.doctor(site, is_fixing=True, confirm=lambda _: None)

    assert (fleet.group, dict(fleet.machines)) == before
    assert caught.value.next_step
    assert (status["fleet"]["desired"], len(status["instances"]) >= 2) == (2, True)
    assert status["unreadable"] == [caught.value.what]
    assert any(caught.value.what in line for line in status_lines(status, NOW))
    assert [each["kind"] for each in doctor["ailments"]] == ["unreadable"]
    assert (fleet.group, dict(fleet.machines)) == before


@pytest.mark.parametrize("how", DAMAGE)
def test_the_history_shows_what_can_be_read_and_names_what_cannot(how: str) -> None:
    fleet = cut_off()
    newest = releases(fleet)[0]
    damaged(fleet, newest, DAMAGE[how])

    found = survey.history(model_site(fleet))

    assert [each["version"] for each in found["releases"]] == ["1.0-1"]
    assert [newest[1] in each for each in found["unreadable"]] == [True]
    assert any("The item releases#links#dev / " in line for line in history_lines(found, NOW))


def test_a_rollback_does_not_guess_at_a_release_that_it_cannot_read_but_goes_to_one_that_is_named() -> None:
    fleet = world(2, GOOD)
    site = model_site(fleet)
    pipeline.lead(site, replace(goal("ami-new", "2.0-1").release, released_at=datetime(2025, 1, 1, tzinfo=UTC)))
    pipeline.lead(site, goal("ami-next", "3.0-1").release)
    changed(fleet, releases(fleet)[0], **NEWER)

    with pytest.raises(DocumentUnreadable, match=r"was written by bakeroll 0\.3\.0, in format 9; this is bakeroll "):
        pipeline.rollback(site, ReleaseRequest())
    outcome = pipeline.rollback(site, ReleaseRequest("2.0-1"))

    assert outcome
    assert outcome["release"]["version"] == "2.0-1"
    assert fleet.versions[fleet.group.template_version] == "ami-new"


def test_documents_of_before_there_were_forms_are_read_as_ever() -> None:
    fleet = cut_off()
    for key, there in fleet.table.items():
        if key == RECORD:
            continue  # tests/roll/store/test_first_format.py
        body = {name: value for name, value in json.loads(there.body).items() if name not in ("format", "writer")}
        fleet.table[key] = Document(json.dumps(body), there.token)

    rolled(fleet)

    assert [each["version"] for each in survey.history(model_site(fleet))["releases"]] == ["3.0-1", "2.0-1", "1.0-1"]


def test_each_document_tells_its_format_and_its_writer() -> None:
    fleet = cut_off()

    told = {key: json.loads(each.body) for key, each in fleet.table.items()}

    assert {each["writer"] for each in told.values()} == {bakeroll.__version__}
    assert told[RECORD]["format"] == 2
    assert {each["format"] for key, each in told.items() if key != RECORD} == {1}


def test_what_is_damaged_is_named_with_the_commands_that_show_and_delete_it() -> None:
    fleet = cut_off()
    changed(fleet, RECORD, started_at="yesterday")

    with pytest.raises(DocumentUnreadable) as caught:
        rolled(fleet)

    assert caught.value.what == (
        "The item fleet#links-dev / roll of the table bakeroll is damaged: "
        "“started_at” should be a time in ISO 8601 with its zone, of this millennium."
    )
    key = """'{"pk": {"S": "fleet#links-dev"}, "sk": {"S": "roll"}}'"""
    assert f"aws dynamodb get-item --table-name bakeroll --key {key}" in caught.value.next_step
    assert f"aws dynamodb delete-item --table-name bakeroll --key {key}" in caught.value.next_step


@pytest.mark.parametrize(
    ("key", "fields", "said"),
    [
        (LEASE, {"seconds": 1e30}, "“seconds"),
        (LEASE, {"seconds": float("inf")}, "it is not JSON"),
        (LEASE, {"since": "9999-12-31T23:59:59+00:00"}, "“since"),
        (LEASE, {"heard": "2026-01-01T00:00:00"}, "“heard"),
        (RECORD, {"soak": {"until": "soon"}}, "“soak.until"),
        (RECORD, {"launches": {"wanted_from": -1}}, "“launches.wanted_from"),
        (RECORD, {"capacity": {"lowered": 10**30}}, "“capacity.lowered"),
        (RECORD, {"intended": {"image": "a", "version": "1", "release": {"version": "1"}}}, "“intended.release"),
        (REQUEST, {"until": "2026-01-01"}, "“until"),
        (REQUEST, {"what": "pause", "until": "2999-01-01T00:00:00+00:00"}, ".*a pause of 1 day at most"),
    ],
)
def test_a_value_that_a_roll_could_wait_for_without_end_or_fail_at_later_is_refused(
    key: tuple[str, str], fields: dict[str, Any], said: str
) -> None:
    fleet = cut_off()
    changed(fleet, key, **fields)

    with pytest.raises(DocumentUnreadable, match=f"is damaged: .*{said}"):
        rolled(fleet)


def test_a_roll_stops_at_a_request_that_it_cannot_read_and_goes_on_when_another_is_written_over_it() -> None:
    fleet = cut_off()
    damaged(fleet, REQUEST, DAMAGE["a newer field"])
    with pytest.raises(DocumentUnreadable) as caught:
        rolled(fleet)
    site = model_site(fleet)

    operations.resume(site, lambda _: None)

    assert "the same command continues the roll" in caught.value.left
    assert Records(ports(fleet).table, "links-dev").read() is None


def test_a_lease_that_is_taken_by_what_cannot_be_read_is_lost_all_the_same() -> None:
    fleet = world(2, GOOD)
    held = lease.take(ports(fleet).table, "links-dev", this_process("ops@desk"), "deploy", fleet)
    fleet.table[LEASE] = Document("?", "another")
    fleet.time += 10

    with pytest.raises(lease.LeaseLost, match="on links-dev: a process whose name cannot be read took it"):
        held.check()


@dataclass
class Stubborn:
    """A table whose item has no token that a condition could meet."""

    fleet: World
    attempts: int = 0

    def get(self, pk: str, sk: str) -> Document | None:
        return ports(self.fleet).table.get(pk, sk)

    def put(self, pk: str, sk: str, new: Document, *, over: str | None) -> Document | None:
        assert new.token != over
        self.attempts += 1
        return self.get(pk, sk)

    def newest(self, pk: str, prefix: str, limit: int) -> Sequence[Document]:
        return ports(self.fleet).table.newest(pk, prefix, limit)


def test_a_request_that_nothing_can_be_written_over_is_told_and_not_tried_for_ever() -> None:
    table = Stubborn(cut_off())

    with pytest.raises(RollFailed, match="could not be overwritten in 20 attempts"):
        Requests(table, "links-dev").write(Request("abort", "r", "me", NOW.isoformat()))

    assert table.attempts == 20
