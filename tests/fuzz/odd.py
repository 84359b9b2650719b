"""Odd values, for every fuzz test: what people, editors, other versions and enemies write."""

from typing import Any

from hypothesis import strategies as st

NUMBERS: st.SearchStrategy[Any] = st.one_of(
    st.integers(-(10**30), 10**30), st.floats(), st.sampled_from([0, -1, 1, 2**31, 2**63, 2**64, 10**400, 1e30, 1e308])
)
WORDS = st.sampled_from(
    [
        *(
            "",
            " ",
            "-",
            "--",
            "0",
            "-1",
            "00%",
            "0%",
            "101%",
            "inf",
            "nan",
            "1e30",
            "٣",
            "²",
            "yes",
            "null",
            "~",
            "{{env}}",
        ),
        *(
            "${x}",
            "%{y}",
            "../..",
            "/",
            "a/b",
            "a,b",
            "a=b",
            "a:b",
            "x" * 5000,
            "\u202eabc",
            "é",
            "e\u0301",
            "\x1b[31m",
        ),
        *(
            "\u2028",
            "\x7f",
            "\x85",
            "2026-02-30",
            "9999-12-31T23:59:59+00:00",
            "0001-01-01T00:00:00",
            "'; --",
            "$(id)",
            "a\udc80",
            "\ud800",
        ),
    ]
)
TEXTS = st.one_of(
    WORDS, st.text(max_size=40), st.text(st.characters(categories=["Cc", "Cs", "Cf", "Zl", "Nd"]), max_size=8)
)
SCALARS: st.SearchStrategy[Any] = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=8
)

Way = tuple[str | int, ...]


def ways(tree: Any, at: Way = ()) -> list[Way]:
    """The ways to every value in a tree of mappings and lists, the tree itself among them."""
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [at, *(way for key, value in inside for way in ways(value, (*at, key)))]


def put(tree: Any, way: Way, value: Any) -> Any:
    """The tree with `value` at the end of the way."""
    if not way:
        return value
    copy: Any = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[way[0]] = put(tree[way[0]], way[1:], value)
    return copy


@st.composite
def mutated(draw: st.DrawFn, tree: Any) -> tuple[Any, Way]:
    """The tree with one thing in it changed, taken away or added; and the way to that."""
    way = draw(st.sampled_from(ways(tree)))
    there = tree
    for part in way:
        there = there[part]
    how = draw(st.sampled_from(["change", "take", "add"]))
    if how == "add" and isinstance(there, dict):
        key = draw(TEXTS.filter(lambda key: key not in there))
        return put(tree, way, {**there, key: draw(VALUES)}), (*way, key)
    if how == "take" and isinstance(there, dict) and there:
        key = draw(st.sampled_from(sorted(there)))
        return put(tree, way, {name: value for name, value in there.items() if name != key}), (*way, key)
    return put(tree, way, draw(VALUES)), way
