"""deploy.yml: whatever it holds, it loads, or a message names the file, the line and the key."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bakeroll import settings
from bakeroll.errors import SettingsError
from bakeroll.wording import excerpt
from tests.fuzz.odd import VALUES, Way, mutated, ways

pytestmark = pytest.mark.no_cover  # the same lines again and again, three times slower where they are counted

SCHEMA = settings.schema()
KEYS = sorted({name for model in settings.Section.__subclasses__() for name in model.model_fields})
DOCUMENTED: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "deploy.yml").read_text())


def valid(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the JSON schema allows."""
    if "$ref" in schema:
        return st.deferred(lambda: valid(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]))
    if "anyOf" in schema:
        return st.one_of([valid(each) for each in schema["anyOf"]])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    if "properties" in schema:
        fields = {name: valid(each) for name, each in schema["properties"].items()}
        needed = {name: each for name, each in fields.items() if name in schema.get("required", [])}
        return st.fixed_dictionaries(needed, optional={n: each for n, each in fields.items() if n not in needed})
    return valid_by_itself(schema)


def valid_by_itself(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    match schema["type"]:
        case "object":
            [(pattern, inner)] = schema["patternProperties"].items()
            names = st.from_regex(pattern, fullmatch=True).map(lambda name: name[:40])
            return st.dictionaries(names, valid(inner), min_size=1, max_size=3)
        case "array":
            return st.lists(valid(schema["items"]), min_size=schema.get("minItems", 0), max_size=3)
        case "string":
            longest = schema.get("maxLength", 255)
            return st.from_regex(schema["pattern"], fullmatch=True).map(lambda text: text[:longest].strip())
        case "integer" | "number" as kind:
            return st.sampled_from(ends(schema, 0.01 if kind == "number" else 1))
        case "boolean":
            return st.booleans()
        case _:
            return st.none()


def ends(schema: dict[str, Any], step: float) -> list[float]:
    """The least and the most that is allowed; every number has both."""
    low = schema["minimum"] if "minimum" in schema else schema["exclusiveMinimum"] + step
    high = schema["maximum"] if "maximum" in schema else schema["exclusiveMaximum"] - step
    return [low, high]


def told(text: str) -> list[str]:
    """The messages of a refusal, none where the text loads; nothing else may happen."""
    try:
        settings.parse(text)
    except SettingsError as error:
        said = str(error)
        assert said.encode(), "it can be written anywhere"
        assert all(each.isprintable() or each == "\n" for each in said), "no terminal obeys it"
        assert len(said) < 20_000
        assert all(line.startswith(("deploy.yml", "And ")) for line in said.splitlines())
        return said.splitlines()
    return []


def written(document: Any) -> str:
    """As flow YAML, which JSON is, but for what it says of floats and halves of characters."""
    return yaml.safe_dump(document, allow_unicode=False, width=10**6, default_flow_style=True)


SECTIONS = st.sampled_from(sorted(SCHEMA["properties"])).flatmap(
    lambda name: st.fixed_dictionaries(
        {"application": st.just("links"), "environments": st.just({"dev": {}}), name: valid(SCHEMA["properties"][name])}
    )
)


@given(SECTIONS)
def test_whatever_the_schema_allows_is_taken_or_told_to_be_impossible_together(document: Any) -> None:
    for line in told(written(document)):
        assert any(each in line for each in ("max_surge", "maximum", "exactly one of")), line


@given(mutated(DOCUMENTED))
def test_a_message_names_the_key_that_was_changed(found: tuple[Any, Way]) -> None:
    document, way = found
    keys = {excerpt(part)[:20] for each in [way, *(set(ways(document)) - set(ways(DOCUMENTED)))] for part in each}
    for line in told(written(document)):
        assert any(key in line for key in keys) or "missing" in line or "holds no settings" in line, (
            line,
            way,
        )


@given(st.one_of(SECTIONS.map(written), VALUES.map(repr), st.text()), st.randoms(use_true_random=False))
def test_text_that_was_cut_and_pasted_is_refused_in_words(text: str, random: Any) -> None:
    lines = text.replace(", ", ",\n").splitlines() or [""]
    pasted = [*lines, random.choice(lines), *lines[: random.randrange(len(lines) + 1)]]
    told("\n".join(pasted))
    told(text[: random.randrange(len(text) + 1)])


NAMES = st.sampled_from("abc")
NODES: st.SearchStrategy[str] = st.recursive(
    st.one_of(
        st.sampled_from(
            [*KEYS, "dev", "1", "50%", "''", "'a b'", '"\\e"', '"\\ud800"', "|", ">-", "? ", "!!int x", "!!set {}"]
        ),
        st.builds("*{}".format, NAMES),
    ),
    lambda inner: st.one_of(
        st.builds("&{} {}".format, NAMES, inner),
        st.lists(inner, max_size=5).map(lambda each: f"[{', '.join(each)}]"),
        st.lists(st.tuples(st.one_of(st.sampled_from([*KEYS, "<<", "1", "[a]"]), inner), inner), max_size=5).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=40,
)


@given(st.lists(st.tuples(st.sampled_from([*KEYS, "<<", "dev"]), NODES), max_size=8))
def test_anchors_aliases_merge_keys_and_tags_end_in_words(lines: list[tuple[str, str]]) -> None:
    told("".join(f"{key}: {value}\n" for key, value in lines))


@given(st.integers(2, 60), st.integers(1, 40), st.sampled_from(["[{}]", "{{<<: [{}]}}", "{{a: [{}]}}"]))
def test_bombs_are_refused_before_they_go_off(width: int, depth: int, form: str) -> None:
    lines = ["a0: &a0 {k: v}"]
    for n in range(1, depth):
        before = ", ".join([f"*a{n - 1}"] * width)
        lines.append(f"a{n}: &a{n} {form.format(before)}")

    assert told("\n".join(lines)), "none of these is a setting"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bytes")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(folder: Path, content: bytes) -> None:
    (folder / "deploy.yml").write_bytes(content)

    with pytest.raises(SettingsError):
        settings.load(folder, "dev")
