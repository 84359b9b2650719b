"""What every task opens first: the settings, the cloud, and the progress on the right stream."""

import getpass
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bakeroll.tasks.door import door
from bakeroll.wiring import Site


@contextmanager
def opened(env: str, *, is_json: bool = False, verbose: bool = False, is_offline: bool = False) -> Iterator[Site]:
    """The site of environment `env` (else BAKEROLL_ENV's), its local cloud started where it is one and down.

    `is_offline` is for what asks nothing of the cloud. People's text goes to standard output, to standard
    error where that must hold JSON alone.
    """
    with door(is_json=is_json):
        from bakeroll import settings, wiring
        from bakeroll.console.progress import progress
        from bakeroll.errors import ConfirmationNeeded
        from bakeroll.events import Event

        name = env or os.environ.get("BAKEROLL_ENV", "")
        folder = settings.folder(Path.cwd())
        if not name:
            raise ConfirmationNeeded(
                f"Which environment? None was named, and {settings.FILE} has: {', '.join(settings.names(folder))}.",
                next_step="Name it: --env=NAME, or set BAKEROLL_ENV",
            )
        environment = settings.load(folder, name)
        with progress(sys.stderr if is_json else sys.stdout, verbose=verbose) as report:
            cloud = None
            if environment.cloud == "local" and not is_offline:
                from bakeroll.local import client

                config = client.from_environment()
                endpoint = client.up(config, lambda text: report(Event("cloud", text)))
                os.environ.update(endpoint.environment())
                cloud = wiring.LocalCloud(config.state / "gnupg", f"http://{config.gateway}:{config.port}")
            site = wiring.Site(environment, report, operator=operator(), local=cloud)
            if cloud and not site.has_fleet():
                for sentence in site.provision():
                    report(Event("cloud", sentence))
            yield site


def operator() -> str:
    """Who does it, for the records: user@host, the user before sudo; a user without a name by number."""
    return f"{os.environ.get('SUDO_USER') or _user()}@{socket.gethostname()}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # what is raised changed with Python 3.13
        return str(os.getuid())
