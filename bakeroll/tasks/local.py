"""The cloud inside this machine."""

import json as json_text
from functools import partial

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from bakeroll.tasks.door import door
from bakeroll.wording import all_printable, one_line, printable


@task
def up(_: Context) -> None:
    """Start the local cloud."""
    with door():
        from bakeroll.console.tables import room_line
        from local_cloud import client

        config = client.from_environment()
        endpoint = client.up(config, print)
        print(f"The local cloud is up: {endpoint.url} ({endpoint.region}), {room_line(client.status(config)['room'])}")


@task
def down(_: Context) -> None:
    """Stop the local cloud and all its machines; images, packages and records are kept."""
    with door():
        from local_cloud import client

        client.down(client.from_environment(), print)


@task(help={"json": "print one JSON object on standard output; it holds what is terminated as well"})
def status(_: Context, json: bool = False) -> None:
    """Show the local cloud: its instances, images and load balancers."""
    with door(is_json=json):
        from bakeroll.console.tables import local_lines
        from local_cloud import client

        found = all_printable(client.status(client.from_environment()))
        text = json_text.dumps(found, indent=2) if json else "\n".join(map(one_line, local_lines(found)))
        print(text, flush=True)


@task(
    positional=["instance"], help={"instance": "the instance's id", "command": "what its shell is to run: “a; b | c”"}
)
def shell(_: Context, instance: str = "", command: str = "") -> None:
    """Open a root shell in an instance, or have one run a command; ends with its exit code."""
    with door():
        from local_cloud import client
        from local_cloud.client.shell import step_in

        code = step_in(client.from_environment(), instance, command)
    if code:
        raise Exit(code=code)


@task(positional=["instance"], help={"instance": "an instance's id; without, the cloud's own log", "follow": "go on"})
def logs(_: Context, instance: str = "", follow: bool = False) -> None:
    """Show the console of an instance, or the log of the local cloud."""
    with door():
        from local_cloud import client

        for line in client.logs(client.from_environment(), instance or None, follow=follow):
            print(printable(line), flush=follow)


@task(
    positional=["kind"],
    help={
        "kind": "unhealthy, late, flaps, dies; throttled, failing, slow, lost; no-capacity; stale",
        "action": "of calls: an action or a pattern, RegisterTargets or ec2:* (default: all; stale: Describe*)",
        "instance": "of instances: this one; without, those launched from now on",
        "image": "of instances: those launched of this image from now on",
        "zone": "no-capacity: in this zone alone",
        "instance-type": "no-capacity: of this instance type alone",
        "times": "over after so many strikes: calls, or instances launched",
        "seconds": "over after so many seconds",
        "after": "late, dies: seconds from the launch; flaps: of a turn; slow: of delay; stale: how old at most",
        "chance": "of each call or launch to be struck, 0.1 for one in ten",
        "seed": "of the chances: the same seed, the same sequence",
        "clear": "end all faults",
    },
)
def fault(
    _: Context,
    kind: str = "",
    action: str = "",
    instance: str = "",
    image: str = "",
    zone: str = "",
    instance_type: str = "",
    times: str = "",
    seconds: str = "",
    after: str = "",
    chance: str = "",
    seed: str = "",
    clear: bool = False,
) -> None:
    """Have the local cloud go wrong, on demand; alone, show the faults in force.

    Of instances: unhealthy, late, flaps, dies. Of API calls: throttled, failing, slow, lost. Of launches:
    no-capacity. Of what Describe calls answer: stale. docs/local-cloud.md says what each does.
    """
    asked = {"action": action, "instance": instance, "image": image, "zone": zone, "instance_type": instance_type}
    asked |= {"times": times, "seconds": seconds, "after": after, "chance": chance, "seed": seed}
    with door():
        from bakeroll.console.tables import fault_lines
        from local_cloud import client
        from local_cloud.client import faults as fault_client

        config = client.from_environment()
        if clear:
            print(f"Faults ended: {fault_client.clear(config)}")
        if kind or any(asked.values()):
            print(f"In force: {fault_client.inflict(config, kind, **asked)}   (end all: fab local.fault --clear)")
        elif not clear:
            print("\n".join(fault_lines(fault_client.in_force(config))))


@task(
    help={
        "cache": "delete the source image as well, which every local cloud of this machine shares",
        "yes": "do not ask",
    }
)
def reset(_: Context, cache: bool = False, yes: bool = False) -> None:
    """Stop the local cloud and delete its images, packages and records."""
    with door():
        from bakeroll.tasks.command import must_be_said
        from local_cloud import client

        confirm = (lambda _: None) if yes else partial(must_be_said, "reset")
        client.reset(client.from_environment(), print, confirm, cache=cache)
