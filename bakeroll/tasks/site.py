"""What every task opens first: the settings, the cloud, and the progress on the right stream."""

import getpass
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bakeroll import settings
from bakeroll.console.progress import progress
from bakeroll.errors import ConfirmationNeeded, RollFailed
from bakeroll.events import Event, Report
from bakeroll.settings import EnvironmentSettings
from bakeroll.tasks.door import door
from bakeroll.wiring import LocalCloud, Site
from bakeroll.wording import shown


@contextmanager
def opened(
    env: str, *, is_json: bool = False, verbose: bool = False, is_offline: bool = False, is_first: bool = False
) -> Iterator[Site]:
    """The site of environment `env` (else BAKEROLL_ENV's), its local cloud started where it is one and down.

    `is_offline` is for what asks nothing of the cloud, `is_first` for what may come before a local environment has a
    fleet. People's text goes to standard output, to standard error where that must hold JSON alone.
    """
    with door(is_json=is_json):
        environment = _environment(env)
        with progress(sys.stderr if is_json else sys.stdout, verbose=verbose) as report:
            cloud = _local_cloud(report) if environment.cloud == "local" and not is_offline else None
            site = Site(environment, report, operator=operator(), local=cloud)
            if cloud and not is_first and not site.has_fleet():
                raise RollFailed(
                    f"{environment.name} has no fleet yet: nothing was deployed to it.",
                    next_step=f"The first: fab deploy --env={environment.name}",
                )
            yield site


def _environment(name: str) -> EnvironmentSettings:
    name = name or os.environ.get("BAKEROLL_ENV", "")
    folder = settings.folder(Path.cwd())
    if not name:
        raise ConfirmationNeeded(
            f"Which environment? None was named, and {settings.FILE} has: {', '.join(settings.names(folder))}.",
            next_step="Name it: --env=NAME, or set BAKEROLL_ENV",
        )
    return settings.load(folder, name)


def _local_cloud(report: Report) -> LocalCloud:
    """Start it where it is down, and have AWS's clients of this process talk to it."""
    from bakeroll import local

    endpoint = local.up(lambda text: report(Event("cloud", text)), meanwhile=_load_clients)
    os.environ.update(endpoint.environment)
    return LocalCloud(endpoint.state / "gnupg", endpoint.gateway)


def _load_clients() -> None:
    """Whatever comes next needs them; they take longer to import than the command takes to answer."""
    import bakeroll.aws.session  # noqa: F401


def operator() -> str:
    """Who does it, for the records: user@host, the user before sudo; a user without a name by number."""
    return shown(f"{os.environ.get('SUDO_USER') or _user()}@{socket.gethostname()}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # what is raised changed with Python 3.13
        return str(os.getuid())
