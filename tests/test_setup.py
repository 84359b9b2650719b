"""`scripts/setup` run as it is, in a copy, with a PATH whose apt-get, id or uname is another."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

TOOLKIT = Path(__file__).parents[1]
SYSTEM = (
    "awk", "bash", "cat", "cmp", "cp", "dirname", "flock", "grep", "head", "mktemp", "rm", "sleep", "stat", "tail",
)  # fmt: skip
TOOLS = (
    "apt-ftparchive", "curl", "dh", "dpkg-buildpackage", "git", "gpg", "haproxy", "ip", "mmdebstrap", "nft", "packer",
    "setpriv", "ssh",
)  # fmt: skip


@dataclass
class Machine:
    """A machine whose PATH is one folder: links to the system's own programs, and scripts in others' place."""

    clone: Path
    programs: Path

    def has(self, name: str, script: str = "") -> None:
        path = self.programs / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def lacks(self, name: str) -> None:
        (self.programs / name).unlink()

    def setup(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.clone / "scripts" / "setup"],
            env={"PATH": str(self.programs), "HOME": str(self.clone)},
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.clone / "scripts" / "setup"],
            env={"PATH": str(self.programs), "HOME": str(self.clone)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def files(self) -> set[str]:
        return {str(path.relative_to(self.clone)) for path in self.clone.rglob("*")}


# A Python that makes "environments" as `venv` does: pip and uv in them tell what they were asked.
PYTHON = """
if [ "$1 $2" = "-m venv" ]; then
  mkdir -p "$3/bin" "$3/lib/python3.11/site-packages"
  for each in pip uv; do
    printf '#!/bin/bash\\necho "%s $*" >>"%s/asked"\\n[ ! -e "%s/offline" ]\\n' $each "$HOME" "$HOME" >"$3/bin/$each"
  done
  cp "$0" "$3/bin/python"
  chmod 755 "$3"/bin/*
  [ ! -e "$HOME/slow" ] || { : >"$HOME/begun"; exec sleep 60; }
elif [[ "$2" = *purelib* ]]; then
  echo "$(dirname "$(dirname "$0")")/lib/python3.11/site-packages"
elif [ -e "$HOME/old" ] && [[ "$0" != */.venv/* && "$2" = *version_info* ]]; then
  exit 1
fi
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A Debian with all that is needed and no environment yet, and a clone whose path has a blank and an umlaut."""
    clone, programs = tmp_path / "kühne Röllen", tmp_path / "bin"
    (clone / "scripts").mkdir(parents=True)
    (clone / "bakeroll").mkdir()
    programs.mkdir()
    text = (TOOLKIT / "scripts" / "setup").read_text()
    essential = tmp_path / "build-essential"
    essential.touch()
    text = text.replace("/usr/share/build-essential/essential-packages-list", str(essential))
    (clone / "scripts" / "setup").write_text(text)
    (clone / "scripts" / "setup").chmod(0o755)
    (clone / "requirements.lock").write_text("uv==1 \\\n    --hash=sha256:00\nclick==1\n")
    for name in (*SYSTEM, "mkdir", "chmod"):
        (programs / name).symlink_to(shutil.which(name) or name)
    made = Machine(clone, programs)
    for name in (*TOOLS, "apt-get"):
        made.has(name)
    made.has("python3", PYTHON)
    made.has("uname", "echo Linux")
    made.has("id", "echo 0")
    return made


def test_a_first_run_makes_the_environment_and_a_second_says_and_does_nothing(machine: Machine) -> None:
    first = machine.setup()
    asked = (machine.clone / "asked").read_text()
    second = machine.setup()
    assert (first.returncode, first.stderr) == (0, "Setting up the environment in .venv from requirements.lock\n")
    assert (second.returncode, second.stdout + second.stderr) == (0, "")
    assert (machine.clone / "asked").read_text() == asked
    assert "--require-hashes" in asked.splitlines()[0]


def test_who_may_not_install_is_told_the_packages_and_the_command_before_anything_changes(machine: Machine) -> None:
    machine.has("id", "echo 1000")
    machine.lacks("packer")
    machine.lacks("dh")
    before = machine.files()
    done = machine.setup()
    assert done.returncode == 1
    assert "missing: debhelper packer." in done.stderr
    assert "sudo apt-get install --no-install-recommends debhelper packer" in done.stderr
    assert machine.files() == before


def test_without_apt_get_it_says_where_it_runs(machine: Machine) -> None:
    machine.lacks("packer")
    machine.lacks("apt-get")
    done = machine.setup()
    assert done.returncode == 1
    assert "no apt-get here" in done.stderr
    assert "Debian 12" in done.stderr


def test_on_another_system_than_linux_it_says_so_and_changes_nothing(machine: Machine) -> None:
    machine.has("uname", "echo Darwin")
    before = machine.files()
    done = machine.setup()
    assert done.returncode == 1
    assert "on Linux alone, and this is Darwin" in done.stderr
    assert machine.files() == before


def test_an_older_python_that_comes_first_is_passed_over(machine: Machine) -> None:
    (machine.clone / "old").touch()
    newer = PYTHON.replace('-e "$HOME/old"', "1 = 2")
    machine.has("python3.12", newer)
    done = machine.setup()
    assert done.returncode == 0, done.stderr
    assert (machine.clone / ".venv" / "installed.lock").exists()


def test_a_setup_killed_half_way_is_begun_anew(machine: Machine) -> None:
    (machine.clone / "slow").touch()
    killed = machine.start()
    while not (machine.clone / "begun").exists():
        os.sched_yield()
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    (machine.clone / "slow").unlink()
    done = machine.setup()
    assert done.returncode == 0, done.stderr
    assert (machine.clone / ".venv" / "installed.lock").exists()


def test_without_a_network_a_first_environment_leaves_nothing_and_an_old_one_stays(machine: Machine) -> None:
    (machine.clone / "offline").touch()
    first = machine.setup()
    assert first.returncode == 1
    assert "is there a network?" in first.stderr
    assert not (machine.clone / ".venv").exists()

    (machine.clone / "offline").unlink()
    machine.setup()
    (machine.clone / "offline").touch()
    (machine.clone / "requirements.lock").write_text("uv==2 \\\n    --hash=sha256:00\nclick==2\n")
    again = machine.setup()
    assert again.returncode == 1
    assert (machine.clone / ".venv" / "installed.lock").exists()


def test_a_changed_lock_file_is_installed_into_the_environment_that_stands(machine: Machine) -> None:
    machine.setup()
    (machine.clone / "asked").unlink()
    (machine.clone / "requirements.lock").write_text("uv==2 \\\n    --hash=sha256:00\nclick==2\n")
    done = machine.setup()
    assert done.returncode == 0
    assert [line.split()[0] for line in (machine.clone / "asked").read_text().splitlines()] == ["uv"]
    assert machine.setup().stderr == ""


def test_two_at_once_make_one_environment(machine: Machine) -> None:
    both = [machine.start(), machine.start()]
    said = [each.communicate(timeout=20)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    asked = (machine.clone / "asked").read_text().splitlines()
    assert [line.split()[0] for line in asked] == ["pip", "uv"]


def test_the_environment_of_another_clone_is_not_taken_for_ones_own(machine: Machine, tmp_path: Path) -> None:
    machine.setup()
    copy = Machine(tmp_path / "copy", machine.programs)
    shutil.copytree(machine.clone, copy.clone)
    done = copy.setup()
    assert "Setting up the environment" in done.stderr
    pth = next((copy.clone / ".venv").rglob("bakeroll.pth"))
    assert pth.read_text().strip() == str(copy.clone)


def test_the_readme_names_every_debian_package_for_those_who_have_no_clone() -> None:
    needed = (TOOLKIT / "scripts" / "setup").read_text().partition("needed=(")[2].partition("\n)")[0]
    packages = {line.split("#")[0].strip().rpartition(":")[2] for line in needed.strip().splitlines()}
    readme = (TOOLKIT / "README.md").read_text()
    command = readme.partition("apt-get install --no-install-recommends ")[2].partition("```")[0]

    assert packages | {"python3-venv"} == set(command.replace("\\", "").split())
