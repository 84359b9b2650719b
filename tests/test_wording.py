"""What others wrote moves no cursor: on a screen, in a log, in an error and in JSON."""

import io
import json
import re
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakeroll.console.failure import object_of, text_of
from bakeroll.console.progress import lines
from bakeroll.errors import BakerollError
from bakeroll.events import Event, Lane, Scene
from bakeroll.tasks.command import print_result
from bakeroll.wording import all_printable, counted, one_line, printable

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
FOREIGN = st.text(st.characters() | st.sampled_from("\x1b[]m;0\x07\r\n\x9b\u202e\ud800"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("Show the click count", "Show the click count", id="plain"),
        pytest.param("Zähle „Klicks“ ✓ 點擊 👩‍👩‍👧", "Zähle „Klicks“ ✓ 點擊 👩‍👩‍👧", id="other scripts"),
        pytest.param("\x1b[31mred\x1b[0m, \x1b[1;38;5;2mgreen", "red, green", id="colours"),
        pytest.param("a\x1b[2Jb\x1b[10;1Hc\x1b[?25l", "abc", id="a cleared screen, a cursor that moves and goes"),
        pytest.param("\x1b]0;owned\x07a \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "a link", id="a title, a link"),
        pytest.param("\x9b31mred, \x1bcreset, \x1b(Bset", "red, reset, set", id="C1, and short ones"),
        pytest.param("10 %\r20 %\r\r\nall\b\b\x00", "10 %\n20 %\nall", id="what is written over"),
        pytest.param("user\u202etxt.exe", "usertxt.exe", id="text that runs backwards"),
        pytest.param("a\tb", "a b", id="a tab"),
        pytest.param("caf\udce9", "caf\ufffd", id="a byte that is no UTF-8"),
    ],
)
def test_of_a_text_its_words_are_left(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(FOREIGN)
def test_whatever_the_text_no_control_character_but_the_newline_is_left(text: str) -> None:
    found = printable(text)

    assert not CONTROL.search(found)
    assert printable(found) == found
    assert "\n" not in one_line(text)
    found.encode()


@given(FOREIGN, st.sampled_from(["progress", "detail", "done", "heading", "plan", "note"]))
def test_whatever_the_event_one_printable_line_reaches_the_stream(text: str, kind: Any) -> None:
    stream = io.StringIO()

    lines(stream, datetime.now)(Event("roll", text, kind))

    assert not CONTROL.search(stream.getvalue())
    assert stream.getvalue().count("\n") == 1


@given(FOREIGN)
def test_whatever_an_instance_says_a_lane_of_the_terminal_and_the_timeline_holds_one_printable_line(text: str) -> None:
    lane = Lane("i-1", "a", "proving", text, text)
    scene = Scene("links-dev", (lane,), 0, 0, 1, awaited=text)

    assert not CONTROL.search(lane.release + lane.note + scene.awaited)
    assert "\n" not in lane.release + lane.note + scene.awaited


@given(FOREIGN)
def test_whatever_an_error_quotes_what_is_told_of_it_is_printable(text: str) -> None:
    error = BakerollError(f"i-1 died: {text}", left=text, next_step=text)

    assert not CONTROL.search(text_of(error))
    assert not CONTROL.search("".join(map(str, object_of(error)["error"].values())))


@pytest.mark.parametrize("is_json", [True, False])
def test_what_a_task_prints_is_printable_for_people_and_as_json(
    is_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {"instances": [{"id": "i-1", "version": "1.0\x1b[31m\u202e", "state": "unhealthy,\n\x1b]0;x\x07503"}]}

    print_result(found, lambda it, _: [" ".join(it["instances"][0].values())], is_json=is_json)

    said = capsys.readouterr().out
    assert not CONTROL.search(said)
    if is_json:
        assert json.loads(said)["instances"][0] == {"id": "i-1", "version": "1.0", "state": "unhealthy,\n503"}
    else:
        assert said == "i-1 1.0 unhealthy, 503\n"


@given(st.recursive(st.none() | st.booleans() | st.integers() | FOREIGN, lambda each: st.lists(each) | st.tuples(each)))
def test_an_object_keeps_its_form(found: Any) -> None:
    assert json.loads(json.dumps(all_printable(found))) == all_printable(found)


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 instances"), (1, "1 instance"), (2, "2 instances")], ids=["none", "one", "two"]
)
def test_one_thing_is_not_told_as_many(number: int, said: str) -> None:
    assert counted(number, "instance") == said
