"""The toolkit as a wheel: built from this tree, installed where no clone is, and an application deployed with it."""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from uv import find_uv_bin

from bakeroll.bake.folder import tree_hash

CLONE = Path(__file__).parents[2]
TREES = ("ansible", "debian", "examples", "packer")
BRIDGE = "brwheel0"
CLOUD = {
    "BAKEROLL_LOCAL_BRIDGE": BRIDGE,
    "BAKEROLL_LOCAL_NETWORK": "10.108.0.0/16",
    "BAKEROLL_LOCAL_PORT": "5708",
}


def ran(*command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """What a program says that ends well."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    ran(find_uv_bin(), "--system-certs", "build", "--quiet", "--out-dir", folder, CLONE)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment that holds the wheel with its extra `local`, and nothing of the clone."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    uv = (find_uv_bin(), "--system-certs", "--quiet")
    ran(*uv, "venv", environment)
    # The versions of the lock file: what the tests ran with, and what uv's cache holds.
    lock = CLONE / "requirements.lock"
    what = f"bakeroll[local] @ {wheel.as_uri()}"
    ran(*uv, "pip", "install", "--python", environment / "bin" / "python", "--constraint", lock, what)
    return environment / "bin"


@dataclass(frozen=True)
class Repository:
    """An application's repository, and `fab` in it with as little around it as `env -i` leaves."""

    path: Path
    programs: Path
    environment: Mapping[str, str]

    def fab(self, *arguments: str) -> str:
        return ran(self.programs / "fab", *arguments, cwd=self.path, env=self.environment)


@pytest.fixture
def links(installed: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """The example that the wheel brings, copied and committed; its local cloud is forgotten afterwards."""
    state = tmp_path_factory.mktemp("cloud")  # a short name: haproxy's socket lies in it (unix(7), 108 characters)
    environment = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    environment |= CLOUD | {"BAKEROLL_LOCAL_STATE": str(state)}
    repository = Repository(tmp_path / "links", installed, environment)
    shutil.copytree(next(installed.parent.glob("lib/*/site-packages/bakeroll/share/examples/links")), repository.path)
    git = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.invalid")
    for command in (("init", "--quiet"), ("add", "--all"), ("commit", "--quiet", "--message=Begin"), ("tag", "v1.0")):
        ran(*git, *command, cwd=repository.path, env=environment)
    yield repository
    repository.fab("local.reset", "--yes")


def files_of(top: Path, names: list[str]) -> Mapping[str, Path]:
    return {name: top / name for name in names}


@pytest.mark.slow
def test_a_wheel_holds_what_lies_beside_the_package_bit_for_bit(installed: Path) -> None:
    share = Path(
        ran(installed / "python", "-c", "from bakeroll import toolkit; print(toolkit.folder())", cwd=Path("/")).strip()
    )
    ours = ran("git", "ls-files", "--cached", "--others", "--exclude-standard", *TREES, cwd=CLONE).splitlines()

    theirs = [str(path.relative_to(share)) for path in share.rglob("*") if path.is_file()]

    assert share.is_relative_to(installed.parent)
    assert sorted(theirs) == sorted(ours)
    assert tree_hash(files_of(share, theirs)) == tree_hash(files_of(CLONE, ours))


@pytest.mark.slow
def test_a_wheel_knows_its_version_and_its_types(wheel: Path, installed: Path) -> None:
    told = "import bakeroll, local_cloud; print(bakeroll.__version__, *bakeroll.__path__, *local_cloud.__path__)"

    version, *packages = ran(installed / "python", "-c", told, cwd=Path("/")).split()

    assert wheel.name.startswith(f"bakeroll-{version}-")
    assert [(Path(each) / "py.typed").is_file() for each in packages] == [True, True]


@pytest.mark.slow
@pytest.mark.machine
def test_an_application_is_deployed_from_a_wheel_with_no_clone_beside_it(links: Repository) -> None:
    said = links.fab("deploy:env=local")

    assert "links 1.0-1 serves local since" in said
    status = json.loads(links.fab("status:env=local", "--json"))
    with urllib.request.urlopen(f"{status['url']}/version", timeout=10) as answer:  # noqa: S310 - our own balancer's
        assert json.load(answer)["version"] == "1.0-1"
    links.fab("local.reset", "--yes")
    assert not Path(links.environment["BAKEROLL_LOCAL_STATE"]).exists()
    assert BRIDGE not in ran("ip", "-brief", "link") + ran("ip", "netns")
    assert not [line for line in ran("ps", "-eww", "-o", "args=").splitlines() if str(links.programs) in line]
