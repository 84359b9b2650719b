"""The bugs of scripts/mutations still fit the source that they are put into."""

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parents[3]


def loaded() -> ModuleType:
    spec = spec_from_loader("mutations", SourceFileLoader("mutations", str(HERE / "scripts" / "mutations")))
    assert spec
    assert spec.loader
    sys.modules["mutations"] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MUTATIONS = loaded()


@pytest.mark.parametrize("mutation", MUTATIONS.MUTATIONS, ids=lambda each: each.name)
def test_what_a_mutation_replaces_stands_in_the_source_once(mutation: object) -> None:
    source = (HERE / MUTATIONS.ROLL / mutation.file).read_text()  # type: ignore[attr-defined]

    assert MUTATIONS.mutated(source, mutation) != source
