"""deploy.yml: what it gives, and what is said of a mistake in it."""

import json
import os
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
    assert [name for name in sorted(names) if f'"{name}"' not in sections] == []
    assert {"strategy", "max_surge", "port"} <= names


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
            "a: [",
            "deploy.yml, line 1: not YAML in “a”: expected the node content, but found '<stream end>'.",
            id="no YAML",
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
            "deploy.yml, line 3: “port” is “many”; it must be a whole number from 1 to 65535.",
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
        pytest.param(
            BARE + "application: others\n",
            "deploy.yml, line 3: “application” appears twice, first in line 1.",
            id="a key twice",
        ),
        pytest.param(
            BARE + "policy:\n  canary: {size: 1, watch: 2, size: 3}\n",
            "deploy.yml, line 4: “policy.canary.size” appears twice, first in line 4.",
            id="a key twice, further in",
        ),
        pytest.param(
            BARE + f"a: {'[' * 30}",
            "deploy.yml, line 3: “a.0.0” goes more than 16 levels deep.",
            id="too deep a nesting",
        ),
        pytest.param(
            BARE + "source: a\0b\n",
            "deploy.yml, line 3: not YAML in “source”: it holds the control character U+0000.",
            id="a control character",
        ),
        pytest.param(
            BARE + 'source: "a\\eb"\n',
            "deploy.yml, line 3: “source” is “a\\x1bb”; it must be a text on one line, without control characters.",
            id="a control character by its escape",
        ),
        pytest.param(
            BARE + "port: !!timestamp 2026-02-30\n",
            "deploy.yml, line 3: “port” has the tag “tag:yaml.org,2002:timestamp”, which no setting has.",
            id="a tag of YAML's that no setting has",
        ),
        pytest.param(
            BARE + "port: 2026-02-30\n",
            "deploy.yml, line 3: “port” is “2026-02-30”; it must be a whole number from 1 to 65535.",
            id="an impossible date",
        ),
        pytest.param(BARE + "port: 0b_\n", "deploy.yml, line 3: “port” is “0b_”, which is no int.", id="no number"),
        pytest.param(
            BARE + f"port: {'9' * 5000}\n",
            "deploy.yml, line 3: “port” is a number of 5000 characters.",
            id="too long a number",
        ),
        pytest.param(
            BARE + "1: a\n",
            "deploy.yml, line 3: deploy.yml has “1” as a key: it must be a text; put it in quotation marks.",
            id="a number for a key",
        ),
        pytest.param(BARE + "a: &a [*a]\n", "deploy.yml, line 3: “a.0” contains itself.", id="an alias of its own"),
        pytest.param(
            BARE + "bake: {instance_type: 't3.{{env}}'}\n",
            "deploy.yml, line 3: “bake.instance_type” is “t3.{{env}}”; it must be one word of printable ASCII, "
            "without {.",
            id="a template of Packer's",
        ),
        pytest.param(
            BARE + f"package: {{command: {'x' * 5000}}}\n",
            f"deploy.yml, line 3: “package.command” is “{'x' * 99}…”; it must be a text of at most 4096 characters.",
            id="too long a text",
        ),
        pytest.param(
            "application: " + "x" * 70000, "deploy.yml is too large: it may have at most 64 KiB.", id="too large"
        ),
        pytest.param(
            BARE + "policy: {max_surge: 0%}\n",
            "deploy.yml, line 3: “max_surge” and “max_unavailable” are both 0 in dev, so a roll could replace "
            "nothing; one of them must be above 0.",
            id="a policy that cannot move",
        ),
        pytest.param(
            "application: links\nenvironments: {dev: {local: {desired: 9}}}\n",
            "deploy.yml, line 2: “environments.dev.local.desired” is 9; it must be at most “maximum”, which is 8.",
            id="a local fleet above its maximum",
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


@pytest.mark.parametrize(
    ("key", "values", "said"),
    [
        ("healthy_checks", ("0", "101", "1.0e+30", ".inf", "1.5", "yes"), "a whole number from 1 to 100"),
        ("in_service_timeout", ("0", "1e30"), "a number from 1 to 86400"),
        ("soak", ("-1", "1e30", ".inf", ".nan", "604801"), "a number from 0 to 604800"),
        ("drain_timeout", ("-1", "1e30", "inf", "nan", "86401"), "a number from 0 to 86400"),
        ("max_surge", ("-1", "10001", "101%", "1.5%", "99999999%"), "0 to 10000, or a share from 0% to 100%"),
        ("canary: {watch", ("-1", "1e30", "inf", ".nan"), "a number from 0 to 86400"),
        ("refresh: {checkpoint_delay", ("1e30", "inf", ".nan"), "a number from 0 to 86400"),
        ("refresh: {timeout", ("0", "1e30", "inf", ".nan"), "a number from 1 to 604800"),
    ],
)
def test_every_number_has_bounds_and_they_are_told(key: str, values: tuple[str, ...], said: str) -> None:
    for value in values:
        with pytest.raises(SettingsError, match=f"deploy.yml, line 3: “policy.*must be .*{said}"):
            settings.parse(f"{BARE}policy: {{{key}: {value}}}{'}' * key.count('{')}\n")


def test_aliases_that_repeat_too_much_are_refused_before_they_are_followed() -> None:
    for join in ("[{}]", "{{<<: [{}]}}"):
        lines = ["a0: &a0 {k: v}", *(f"a{n}: &a{n} {join.format(', '.join([f'*a{n - 1}'] * 9))}" for n in range(1, 30))]
        with pytest.raises(SettingsError, match=r"line \d: “a\d[.<0-8]*” repeats too much: more than 10000 values"):
            settings.parse("\n".join(lines))


def test_what_an_alias_or_a_merge_key_repeats_once_is_taken() -> None:
    found = settings.parse(
        "application: links\npolicy: &slow {drain_timeout: 900}\n"
        "environments: {dev: {policy: *slow}, prod: {policy: {<<: *slow, healthy_checks: 3}}}\n"
    )

    assert found.environments["prod"].policy == settings.Policy(drain_timeout=900, healthy_checks=3)


def test_a_policy_that_cannot_move_is_the_one_that_is_in_force(tmp_path: Path) -> None:
    file = "application: links\npolicy: {max_surge: 0}\nenvironments:\n  dev:\n    policy: {POLICY}\n"

    moving = load(tmp_path, file.replace("POLICY", "max_unavailable: 1")).policy
    twinned = load(tmp_path, file.replace("POLICY", "strategy: blue-green")).policy

    assert (moving.max_surge, moving.max_unavailable) == (0, 1)
    assert (twinned.max_surge, twinned.max_unavailable) == (0, 0), "blue-green does not ask for the amounts"
    with pytest.raises(SettingsError, match=r"line 5: .*in dev"):
        settings.parse(file.replace("POLICY", "max_surge: 0"))


@pytest.mark.parametrize(
    ("environment", "owner"),
    [
        ("cloud: aws", "136693071363"),
        ("cloud: local", "self"),
        ("{cloud: local, bake: {source_ami: {name: mine-*}}}", "self"),
        ("{cloud: local, bake: {source_ami: {owner: '123456789012'}}}", "123456789012"),
    ],
)
def test_the_source_images_of_a_local_cloud_are_its_own_unless_the_environment_says_otherwise(
    environment: str, owner: str, tmp_path: Path
) -> None:
    file = "application: links\nbake: {source_ami: {owner: '136693071363'}}\nenvironments:\n  dev:\n    "

    assert load(tmp_path, file + environment).bake.source_ami.owner == owner


def test_a_file_that_is_no_text_or_has_no_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "deploy.yml").write_bytes(b"application: links\n# \xff\n")
    with pytest.raises(SettingsError, match=r"deploy\.yml, line 2: not UTF-8"):
        settings.load(tmp_path, "dev")

    (tmp_path / "deploy.yml").write_bytes(b"#" * 70_000)
    with pytest.raises(SettingsError, match="too large: it may have at most 64 KiB"):
        settings.load(tmp_path, "dev")

    (tmp_path / "deploy.yml").unlink()
    os.mkfifo(tmp_path / "deploy.yml")
    with pytest.raises(SettingsError, match=r"deploy\.yml is no file"):
        settings.load(tmp_path, "dev")
