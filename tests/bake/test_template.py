"""Packer's HCL: rendered whole, and nothing breaks out of its strings."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bakeroll.bake.folder import TOOLKIT
from bakeroll.bake.template import Literal, hcl, is_modern, render, variables
from bakeroll.errors import BakeError

VALUES: dict[str, Literal] = {
    "region": "eu-west-1",
    "endpoint": False,
    "source_ami": "ami-0a2",
    "instance_type": "t3.small",
    "subnet": "",
    "ssh_username": "admin",
    "modern": False,
}
QUIET = {"CHECKPOINT_DISABLE": "1", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("eu-west-1", '"eu-west-1"'),
        ('a"b\\c', r'"a\"b\\c"'),
        ("${env.HOME} %{ if true }", r'"\u0024{env.HOME} \u0025{ if true }"'),
        ("$5 and 100%", '"$5 and 100%"'),
        ("two\nlines", r'"two\U0000000alines"'),
        ("smörgås 🍞", '"smörgås 🍞"'),
        (True, "true"),
        (3, "3"),
        (["a", 'b"'], r'["a", "b\""]'),
    ],
)
def test_a_value_is_printed_as_one_literal(value: Literal, literal: str) -> None:
    assert hcl(value) == literal


def test_a_template_of_packers_own_in_a_value_is_refused() -> None:
    with pytest.raises(BakeError, match="contains \\{\\{"):
        hcl("{{ env `AWS_SECRET_ACCESS_KEY` }}")


@settings(max_examples=12, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40), max_size=20))
def test_packer_reads_back_what_was_printed(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    texts = [*(text for text in texts if "{{" not in text), "$${x}", '"${', "%%{", "\\${"]
    folder = tmp_path_factory.mktemp("packer")
    lines = "\n".join(f'    "V{index}=${{var.v{index}}}",' for index in range(len(texts)))
    declared = "\n".join(f'variable "v{index}" {{\n  default = {hcl(text)}\n}}' for index, text in enumerate(texts))
    (folder / "t.pkr.hcl").write_text(
        declared
        + '\nsource "null" "it" {\n  communicator = "none"\n}\nbuild {\n  sources = ["source.null.it"]\n'
        + '  provisioner "shell-local" {\n    inline = ["env -0 > said"]\n    environment_vars = [\n'
        + f"{lines}\n    ]\n  }}\n}}\n"
    )

    subprocess.run(["packer", "build", "."], cwd=folder, env=QUIET, check=True, capture_output=True)

    said = dict(line.split("=", 1) for line in (folder / "said").read_bytes().decode().split("\0") if "=" in line)
    expected = [normalize("NFC", text) for text in texts]  # as HCL does with every string
    assert [said[f"V{index}"] for index in range(len(texts))] == expected


@pytest.mark.parametrize("kind", ["base", "application"])
@pytest.mark.parametrize("endpoint", [False, True])
def test_debians_packer_finds_the_rendered_folder_valid(kind: str, endpoint: bool, tmp_path: Path) -> None:
    assert kind in ("base", "application")
    rendered = render("base" if kind == "base" else "application", [TOOLKIT], VALUES | {"endpoint": endpoint})
    for name, text in rendered.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "ansible").mkdir()
    (tmp_path / "ansible" / f"{kind}.yml").write_text("---\n")
    given_values: dict[str, str | Mapping[str, str]] = {
        "key_pair": "k",
        "image_name": "links",
        "image_tags": {"a": "b"},
        "run_tags": {},
    }
    if endpoint:
        given_values["endpoint"] = "http://127.0.0.1:1"
    (tmp_path / "it.auto.pkrvars.json").write_text(variables(given_values))

    checked = subprocess.run(
        ["packer", "validate", "."],
        cwd=tmp_path,
        env=QUIET | {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"},
        capture_output=True,
        text=True,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert ("custom_endpoint_ec2" in rendered["builder.pkr.hcl"]) is endpoint
    assert "plugins.pkr.hcl" not in rendered


def test_only_modern_packer_gets_plugins_and_newer_options() -> None:
    old, new = (render("base", [TOOLKIT], VALUES | {"modern": modern}) for modern in (False, True))
    assert set(new) - set(old) == {"plugins.pkr.hcl"}
    assert "imds_support" in new["builder.pkr.hcl"]
    assert "imds_support" not in old["builder.pkr.hcl"]


def test_an_applications_template_wins_over_the_toolkits(tmp_path: Path) -> None:
    (tmp_path / "packer").mkdir()
    (tmp_path / "packer/application.pkr.hcl.j2").write_text("# region {{ region }}\n")
    assert render("application", [TOOLKIT, tmp_path], VALUES)["application.pkr.hcl"] == '# region "eu-west-1"\n'


@pytest.mark.parametrize(("text", "said"), [("{{ regoin }}", "regoin"), ("{% if %}", "line 1|Expected")])
def test_a_template_that_cannot_be_rendered_is_named(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "packer").mkdir()
    (tmp_path / "packer/application.pkr.hcl.j2").write_text(text)
    with pytest.raises(BakeError, match=said) as caught:
        render("application", [TOOLKIT, tmp_path], VALUES)
    assert "application.pkr.hcl.j2" in caught.value.what


def test_no_template_holds_credentials() -> None:
    for path in (TOOLKIT / "packer").iterdir():
        assert "access_key" not in path.read_text()
        assert "secret" not in path.read_text()


def test_packer_is_modern_from_1_7_on() -> None:
    assert [version for version in ("1.6.6", "1.7.0", "1.11.2", "2.0.0") if is_modern(version)] == [
        "1.7.0",
        "1.11.2",
        "2.0.0",
    ]
