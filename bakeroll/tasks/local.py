"""The cloud inside this machine."""

import json as json_text
import shlex

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from bakeroll.tasks.door import door


@task
def up(_: Context) -> None:
    """Start the local cloud."""
    with door():
        from bakeroll.local import client

        endpoint = client.up(client.from_environment(), print)
        print(f"The local cloud is up: {endpoint.url} ({endpoint.region})")


@task
def down(_: Context) -> None:
    """Stop the local cloud and all its machines; images, packages and records are kept."""
    with door():
        from bakeroll.local import client

        client.down(client.from_environment(), print)


@task(help={"json": "print one JSON object on standard output; it holds what is terminated as well"})
def status(_: Context, json: bool = False) -> None:
    """Show the local cloud: its instances, images and load balancers."""
    with door(is_json=json):
        from bakeroll.console.tables import local_lines
        from bakeroll.local import client

        found = client.status(client.from_environment())
        print(json_text.dumps(found, indent=2) if json else "\n".join(local_lines(found)), flush=True)


@task(positional=["instance"], help={"instance": "the instance's id", "command": "what to run (default: a shell)"})
def shell(_: Context, instance: str, command: str = "") -> None:
    """Open a root shell in an instance."""
    with door():
        from bakeroll.local import client

        code = client.shell(client.from_environment(), instance, shlex.split(command))
    if code:
        raise Exit(code=code)


@task(optional=["instance"], help={"instance": "an instance's id; without, the cloud's own log", "follow": "go on"})
def logs(_: Context, instance: str = "", follow: bool = False) -> None:
    """Show the console of an instance, or the log of the local cloud."""
    with door():
        from bakeroll.local import client

        for line in client.logs(client.from_environment(), instance or None, follow=follow):
            print(line, flush=follow)


@task(help={"cache": "delete the source image as well, which every local cloud of this machine shares"})
def reset(_: Context, cache: bool = False) -> None:
    """Stop the local cloud and delete its images, packages and records."""
    with door():
        from bakeroll.local import client

        client.reset(client.from_environment(), print, cache=cache)
