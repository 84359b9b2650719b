"""`fab task:key=value`, the classic form."""

from typing import Any

import pytest
from invoke.context import Context
from invoke.exceptions import ParseError
from invoke.tasks import Task

from bakeroll.classic_command import modern


def deploy(_: Context, env: str = "", version: str = "", dirty: bool = False) -> None: ...


def status(_: Context, env: str = "", json: bool = False) -> None: ...


def fault(_: Context, kind: str = "", times: str = "", clear: bool = False) -> None: ...


TASKS: dict[str, Task[Any]] = {
    "deploy": Task(deploy),
    "status": Task(status),
    "local.up": Task(status),
    "local.fault": Task(fault, positional=["kind"]),
}


@pytest.mark.parametrize(
    ("classic", "expected"),
    [
        pytest.param("deploy", "deploy", id="a task alone stays"),
        pytest.param("deploy:env=dev", "deploy --env=dev", id="a key becomes a flag"),
        pytest.param("deploy:local", "deploy --env=local", id="a bare value fills the first parameter"),
        pytest.param(
            "deploy:env=my_branch,version=1.2.3~rc1",
            "deploy --env=my_branch --version=1.2.3~rc1",
            id="two keys become two flags",
        ),
        pytest.param("deploy:env=dev,1.0", "deploy --env=dev --version=1.0", id="a bare value fills what is left"),
        pytest.param("deploy:dev,dirty=yes", "deploy --env=dev --dirty", id="a true boolean becomes its flag"),
        pytest.param("deploy:dev,dirty=no", "deploy --env=dev", id="a false boolean is left out"),
        pytest.param(r"deploy:env=a\,b", "deploy --env=a,b", id="an escaped comma belongs to the value"),
        pytest.param("deploy:env=a=b", "deploy --env=a=b", id="an equals sign may stand in a value"),
        pytest.param("deploy:", "deploy", id="nothing after the colon is no argument"),
        pytest.param("local.up:dev", "local.up --env=dev", id="a task of a sub-collection"),
        pytest.param("local.fault", "local.fault", id="a positional parameter may be left out"),
        pytest.param("local.fault lost --times 3", "local.fault --kind=lost --times 3", id="a positional parameter"),
        pytest.param("local.fault --clear lost", "local.fault --clear lost", id="a word later on is left to fab"),
        pytest.param("local.fault status:dev", "local.fault status --env=dev", id="a task is no value"),
        pytest.param("deploy dev", "deploy dev", id="a parameter that is not positional is not filled"),
        pytest.param("other:env=dev", "other:env=dev", id="an unknown task is left to fab"),
        pytest.param("status --env deploy:env=x", "status --env deploy:env=x", id="an awaited value stays"),
        pytest.param("status --json deploy:x", "status --json deploy --env=x", id="a boolean flag awaits nothing"),
        pytest.param("deploy:dev,dirty", "deploy --env=dev --dirty", id="a boolean's bare name is its flag"),
        pytest.param("deploy:dev status:dev,json=1", "deploy --env=dev status --env=dev --json", id="several tasks"),
    ],
)
def test_the_classic_form_is_the_modern_one(classic: str, expected: str) -> None:
    assert modern(classic.split(), TASKS) == expected.split()


def test_an_unknown_key_is_a_parse_error_that_names_the_known_ones() -> None:
    with pytest.raises(ParseError, match=r"“deploy” has no parameter “envv”\. It has: env, version, dirty"):
        modern(["deploy:envv=dev"], TASKS)


def test_one_value_too_many_is_a_parse_error() -> None:
    with pytest.raises(ParseError, match="has no parameter left for “c”"):
        modern(["deploy:a,b,c"], TASKS)


def test_the_help_texts_stay_for_help() -> None:
    tasks: dict[str, Task[Any]] = {"status": Task(status, help={"env": "where"})}

    modern(["status:dev"], tasks)

    assert tasks["status"].help == {"env": "where"}
