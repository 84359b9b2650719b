"""What a package's services start has to be in the package, where it could be nowhere else."""

from pathlib import Path

import pytest

from bakeroll.deb.programs import check
from bakeroll.errors import BuildError


def package(root: Path, command: str) -> Path:
    for name in ("opt/small/bin/small", "opt/small/bin/gunicorn", "lib/small/helper"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / "opt/small/bin/python").symlink_to("/usr/bin/python3.99")
    unit = root / "lib/systemd/system/small.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(f"[Service]\nType=exec\n{command}\nRestart=always\n")
    return root


@pytest.mark.parametrize(
    "command",
    [
        "ExecStart=/opt/small/bin/gunicorn --bind :8000 small:app",
        "ExecStartPre=-/opt/small/bin/small\nExecStart=@/opt/small/bin/python small",
        'ExecStart="/opt/small/bin/small" \\\n  --port 8000',
        "ExecStart=\nExecStart=/usr/lib/small/helper",
        "ExecStart=/usr/bin/node /opt/small/server.js",
        "ExecStart=/opt/another/bin/program",
        "ExecStart=small --path",
        "ExecStart=/opt/small/bin/%i",
        "ExecStart=/bin/sh -c 'echo it\\'s'",
    ],
    ids=[
        "in the environment",
        "with a prefix, and by a link",
        "quoted, on two lines",
        "by the other name of /lib",
        "of another package",
        "in a folder of another package",
        "searched for",
        "known at the start alone",
        "quoted as shlex does not read it",
    ],
)
def test_a_program_that_may_be_there_passes(command: str, tmp_path: Path) -> None:
    check(package(tmp_path, command), "small")


@pytest.mark.parametrize(
    "command",
    ["ExecStart=/opt/small/bin/uvicorn small:app", "ExecStartPre=+-/opt/small/bin/uvicorn\nExecStart=/bin/true"],
)
def test_a_program_that_the_environment_lacks_is_named_with_what_it_has(command: str, tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        check(package(tmp_path, command), "small")

    assert caught.value.what == (
        "small.service starts /opt/small/bin/uvicorn, which the package does not have. "
        "/opt/small/bin has gunicorn, python, small."
    )
    assert "package.command in deploy.yml" in caught.value.next_step


def test_a_folder_that_the_package_lacks_is_told(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="It has no /srv/small/bin"):
        check(package(tmp_path, "ExecStart=/srv/small/bin/small"), "small")
