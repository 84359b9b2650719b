"""What every task opens first: the settings, the cloud, and progress on the right stream."""

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
from bakeroll.wording import excerpt


@contextmanager
def open_site(
    env: str, *, is_json: bool = False, verbose: bool = False, is_offline: bool = False, is_first: bool = False
) -> Iterator[Site]:
    """Open the site of environment `env` (default: BAKEROLL_ENV), and start its local cloud if that is down.

    `is_offline` is for tasks that do not need the cloud, `is_first` for tasks that may run before a local environment
    has a fleet. Text for people goes to standard output, or to standard error if standard output holds JSON.
    """
    with door(is_json=is_json):
        environment = _environment(env)
        with progress(sys.stderr if is_json else sys.stdout, verbose=verbose) as report:
            cloud = _local_cloud(report) if environment.cloud == "local" and not is_offline else None
            site = Site(environment, report, operator=operator(), local=cloud)
            if cloud and not is_first and not site.roller.has_fleet():
                raise RollFailed(
                    f"{environment.name} has no fleet yet, because nothing was deployed to it.",
                    next_step=f"Deploy to it: fab deploy --env={environment.name}",
                )
            yield site


def _environment(name: str) -> EnvironmentSettings:
    name = name or os.environ.get("BAKEROLL_ENV", "")
    folder = settings.folder(Path.cwd())
    if not name:
        raise ConfirmationNeeded(
            f"Which environment? None was named. {settings.FILE} has: {', '.join(settings.names(folder))}.",
            next_step="Name one: --env=NAME, or set BAKEROLL_ENV",
        )
    return settings.load(folder, name)


def _local_cloud(report: Report) -> LocalCloud:
    """Start the local cloud if it is down, and point this process's AWS clients to it."""
    from bakeroll import local

    endpoint = local.up(lambda text: report(Event("cloud", text)), meanwhile=_load_clients)
    os.environ.update(endpoint.environment)
    return LocalCloud(endpoint.state / "gnupg", endpoint.gateway)


def _load_clients() -> None:
    """Whatever comes next needs them; they take longer to import than the command takes to answer."""
    import bakeroll.aws.session  # noqa: F401


def operator() -> str:
    """Who runs the task, for the records: user@host. It is the user before sudo; a user without a name is a number."""
    return excerpt(f"{os.environ.get('SUDO_USER') or _user()}@{socket.gethostname()}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # Python 3.13 changed the exception
        return str(os.getuid())
