"""deploy.yml: what it gives, and what is said of a mistake in it."""

import json
from pathlib import Path

import pytest

from bakeroll import settings
from bakeroll.errors import SettingsError

ROOT = Path(__file__).parents[1]
BARE = "application: links\nenvironments: {dev: {}}\n"
SMALL = """\
application: links
policy:
  max_surge: 50%
environments:
  dev:
    policy:
      healthy_checks: 3
"""


def load(tmp_path: Path, text: str, environment: str = "dev") -> settings.EnvironmentSettings:
    (tmp_path / "deploy.yml").write_text(text)
    return settings.load(tmp_path, environment)


def test_the_documented_file_is_the_one_that_loads() -> None:
    local = settings.load(ROOT, "local")

    assert (local.application, local.fleet, local.cloud) == ("links", "links-local", "local")
    assert local.source == ROOT / "examples" / "links"


def test_every_setting_is_explained_in_the_documented_file() -> None:
    text = (ROOT / "deploy.yml").read_text()
    sections = json.dumps(settings.schema())

    names = {name for model in settings.Section.__subclasses__() for name in model.model_fields}

    assert [name for name in sorted(names) if f"{name}:" not in text] == []
    assert all(name in sections for name in names)


def test_the_schema_for_editors_is_current() -> None:
    assert json.loads((ROOT / "docs" / "deploy.schema.json").read_text()) == settings.schema(), (
        "Write it anew: python -m bakeroll.settings > docs/deploy.schema.json"
    )


def test_an_environment_s_policy_is_laid_over_the_file_s() -> None:
    policy = settings.parse(SMALL).policy

    assert policy.max_surge == "50%"


def test_what_an_environment_leaves_out_comes_from_the_file(tmp_path: Path) -> None:
    dev = load(tmp_path, SMALL)

    assert (dev.policy.max_surge, dev.policy.healthy_checks, dev.fleet) == ("50%", 3, "links-dev")


def test_the_file_is_found_from_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "deploy.yml").write_text(SMALL)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)

    assert settings.folder(below) == tmp_path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "deploy.yml holds no settings.", id="an empty file"),
        pytest.param(
            "a: [", "deploy.yml, line 1: not YAML: expected the node content, but found '<stream end>'.", id="no YAML"
        ),
        pytest.param(
            "application: links\nenvironments:\n  dev:\n    policy:\n      max_surg: 3\n",
            "deploy.yml, line 5: “max_surg” is no setting of a roll policy. Did you mean “max_surge”?",
            id="an unknown key of a policy",
        ),
        pytest.param(
            "applicaton: links\napplication: links\nenvironments: {dev: {}}",
            "deploy.yml, line 1: “applicaton” is no setting of deploy.yml. Did you mean “application”?",
            id="an unknown key at the top",
        ),
        pytest.param(
            "application: links\nenvironments:\n  dev:\n    regio: x\n",
            "deploy.yml, line 4: “regio” is no setting of an environment. Did you mean “region”?",
            id="an unknown key of an environment",
        ),
        pytest.param(
            "application: links\nenvironments: {dev: {}}\nport: many\n",
            "deploy.yml, line 3: “port” is “many”; it must be a whole number.",
            id="a word for a number",
        ),
        pytest.param("application: links\n", "deploy.yml, line 1: “environments” is missing.", id="no environment"),
        pytest.param(
            BARE + "policy:\n  strategy: blue\n",
            "deploy.yml, line 4: “policy.strategy” is “blue”; it must be 'surge', 'rolling', 'blue-green', 'canary' or "
            "'refresh'.",
            id="a strategy that there is not",
        ),
        pytest.param(
            BARE + "policy:\n  canary:\n    checks:\n      - {http: /health, alarm: links-5xx}\n",
            "deploy.yml, line 6: “policy.canary.checks.0” is a mapping; it must be exactly one of http, command, alarm "
            "and metric.",
            id="a check that is two",
        ),
        pytest.param(
            BARE + "policy:\n  canary:\n    checks:\n      - htp: /health\n",
            "deploy.yml, line 6: “htp” is no setting of a check. Did you mean “http”?",
            id="an unknown check",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings.parse(text)

    assert str(caught.value) == said


def test_an_unknown_environment_is_told_with_the_nearest_and_all(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, SMALL + "  prod: {}\n", "prdo")

    assert str(caught.value) == "deploy.yml has no environment “prdo”. Did you mean “prod”? It has: dev, prod."


def test_a_missing_file_is_told_with_its_folder(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"There is no deploy\.yml in "):
        settings.load(tmp_path, "dev")


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings.parse(SMALL).policy.max_surge = 3
