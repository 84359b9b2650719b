"""The cloud inside this machine."""

import json as json_text

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from bakeroll.tasks.door import door
from bakeroll.wording import all_printable, one_line, printable


@task
def up(_: Context) -> None:
    """Start the local cloud."""
    with door():
        from bakeroll import local
        from bakeroll.console.tables import room_line

        endpoint = local.up(print)
        print(f"The local cloud is up: {endpoint.url} ({endpoint.region}), {room_line(local.status()['room'])}")


@task
def down(_: Context) -> None:
    """Stop the local cloud and all its machines; images, packages and records are kept."""
    with door():
        from bakeroll import local

        local.down(print)


@task(help={"json": "print one JSON object on standard output; it holds what is terminated as well"})
def status(_: Context, json: bool = False) -> None:
    """Show the local cloud: its instances, images and load balancers."""
    with door(is_json=json):
        from bakeroll import local
        from bakeroll.console.tables import local_lines

        found = all_printable(local.status())
        text = json_text.dumps(found, indent=2) if json else "\n".join(map(one_line, local_lines(found)))
        print(text, flush=True)


@task(
    positional=["instance"], help={"instance": "the instance's id", "command": "what its shell is to run: “a; b | c”"}
)
def shell(_: Context, instance: str = "", command: str = "") -> None:
    """Open a root shell in an instance, or have one run a command; ends with its exit code."""
    with door():
        from bakeroll import local

        code = local.shell(instance, command)
    if code:
        raise Exit(code=code)


@task(positional=["instance"], help={"instance": "an instance's id; without, the cloud's own log", "follow": "go on"})
def logs(_: Context, instance: str = "", follow: bool = False) -> None:
    """Show the console of an instance, or the log of the local cloud."""
    with door():
        from bakeroll import local

        local.logs(instance, lambda line: print(printable(line), flush=follow), follow=follow)


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
        from bakeroll import local
        from bakeroll.console.tables import fault_lines

        done = local.fault(kind, asked, clear=clear)
        if "ended" in done:
            print(f"Faults ended: {done['ended']}")
        if "fault" in done:
            print(f"In force: {done['fault']}   (end all: fab local.fault --clear)")
        if "in_force" in done:
            print("\n".join(fault_lines(done["in_force"])))


@task(
    help={
        "cache": "delete the source image as well, which every local cloud of this machine shares",
        "yes": "do not ask",
    }
)
def reset(_: Context, cache: bool = False, yes: bool = False) -> None:
    """Stop the local cloud and delete its images, packages and records."""
    with door():
        from bakeroll import local
        from bakeroll.tasks.command import must_be_said

        deleted = local.held(cache=cache)
        if deleted and not yes:
            must_be_said("reset", f"This stops the local cloud and deletes all that it holds: {' and '.join(deleted)}.")
        local.reset(print, cache=cache)
