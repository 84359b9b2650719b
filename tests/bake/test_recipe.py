"""A release is its inputs: what changes a digest, and what is said of it."""

from dataclasses import replace

import pytest

from bakeroll.bake.recipe import SHORT, Method, application_recipe, base_recipe, tool_versions, why

METHOD = Method(playbook="tree", template="hcl", tools="packer 1.6, ansible-core 2.19")
PACKAGE = "links 1.4.0-1 9f86d081"


def test_the_same_parts_have_the_same_digest_in_every_process_and_version() -> None:
    """Whoever changes it has every image of every fleet baked again."""
    found = application_recipe("ami-1", PACKAGE, 8000, METHOD).digest

    assert found == "eb803751f35d0c0349dac162b74fba7e9be6c7862afe18205cecaa8e8313e949"


def test_a_base_and_an_application_image_of_the_same_parts_have_different_digests() -> None:
    assert base_recipe("ami-1", PACKAGE, METHOD).digest != application_recipe("ami-1", PACKAGE, 8000, METHOD).digest


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (application_recipe("ami-1", "links 1.4.1-1 60303ae2", 8000, METHOD), "package changed"),
        (application_recipe("ami-1", PACKAGE, 9000, METHOD), "port changed"),
        (application_recipe("ami-2", PACKAGE, 8000, METHOD), "base image changed"),
        (application_recipe("ami-1", PACKAGE, 8000, replace(METHOD, playbook="other")), "playbook changed"),
        (application_recipe("ami-1", PACKAGE, 8000, replace(METHOD, template="other")), "template changed"),
        (application_recipe("ami-1", PACKAGE, 8000, replace(METHOD, tools="other")), "tools changed"),
        (application_recipe("ami-2", "links 2-1 00", 8000, METHOD), "package and base image changed"),
    ],
)
def test_each_part_changes_the_digest_and_is_named_as_the_reason(changed: object, reason: str) -> None:
    old = application_recipe("ami-1", PACKAGE, 8000, METHOD)
    assert isinstance(changed, type(old))
    assert changed.digest != old.digest
    assert why(old.short_parts, changed) == reason


def test_without_an_image_before_it_an_image_is_the_first() -> None:
    assert why("", base_recipe("ami-1", "repository", METHOD)) == "the first"


def test_the_reason_for_a_recipe_that_did_not_change_says_so() -> None:
    recipe = base_recipe("ami-1", "repository", METHOD)
    assert why(recipe.short_parts, recipe) == "the same recipe"


def test_the_parts_fit_into_a_tag() -> None:
    parts = base_recipe("ami-1", "x" * 5000, METHOD).short_parts
    assert len(parts) <= 256
    assert parts.startswith("source AMI=")
    assert all(len(part.split("=")[1]) == SHORT for part in parts.split("/"))


def test_a_patch_release_of_a_tool_is_no_other_tool() -> None:
    assert tool_versions("1.11.2", "2.19.14") == tool_versions("1.11.3", "2.19.0") == "packer 1.11, ansible-core 2.19"
