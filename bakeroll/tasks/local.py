"""The tasks of the local cloud, which runs inside this machine."""

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
    """Stop the local cloud and all its machines. Keep its images, packages and records."""
    with door():
        from bakeroll import local

        local.down(print)


@task(help={"json": "print one JSON object on standard output; it also holds terminated instances"})
def status(_: Context, json: bool = False) -> None:
    """Show the local cloud: its instances, images and load balancers."""
    with door(is_json=json):
        from bakeroll import local
        from bakeroll.console.tables import local_lines

        found = all_printable(local.status())
        text = json_text.dumps(found, indent=2) if json else "\n".join(map(one_line, local_lines(found)))
        print(text, flush=True)


@task(positional=["instance"], help={"instance": "the instance's id", "command": "what its shell runs: “a; b | c”"})
def shell(_: Context, instance: str = "", command: str = "") -> None:
    """Open a root shell in an instance, or run a command there. Ends with its exit code."""
    with door():
        from bakeroll import local

        code = local.shell(instance, command)
    if code:
        raise Exit(code=code)


@task(
    positional=["instance"],
    help={"instance": "the instance's id (default: the log of the cloud)", "follow": "print new lines as they come"},
)
def logs(_: Context, instance: str = "", follow: bool = False) -> None:
    """Show the console of an instance, or the log of the local cloud."""
    with door():
        from bakeroll import local

        local.logs(instance, lambda line: print(printable(line), flush=follow), follow=follow)


@task(
    positional=["kind"],
    help={
        "kind": "unhealthy, late, flaps, dies; throttled, failing, slow, lost; no-capacity; stale",
        "action": "for calls: an action or a pattern, RegisterTargets or ec2:* (default: all; stale: Describe*)",
        "instance": "for instances: only this one (default: instances that are launched from now on)",
        "image": "for instances: only those launched from this image from now on",
        "zone": "for no-capacity: only this zone",
        "instance-type": "for no-capacity: only this instance type",
        "times": "how many calls or launches it hits before it ends",
        "seconds": "how many seconds it lasts",
        "after": "seconds; late, dies: after the launch; flaps: per turn; slow: of delay; stale: greatest age",
        "chance": "the probability that a call or launch is hit: 0.1 for one in ten",
        "seed": "the seed of the probability; the same seed gives the same sequence",
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
    """Inject a fault into the local cloud. Without arguments, show the faults in force.

    For instances: unhealthy, late, flaps, dies. For API calls: throttled, failing, slow, lost. For launches:
    no-capacity. For the answers of Describe calls: stale. docs/local-cloud.md explains each.
    """
    options = {"action": action, "instance": instance, "image": image, "zone": zone, "instance_type": instance_type}
    options |= {"times": times, "seconds": seconds, "after": after, "chance": chance, "seed": seed}
    with door():
        from bakeroll import local
        from bakeroll.console.tables import fault_lines

        done = local.fault(kind, options, clear=clear)
        if "ended" in done:
            print(f"Faults ended: {done['ended']}")
        if "fault" in done:
            print(f"In force: {done['fault']}   (end all: fab local.fault --clear)")
        if "in_force" in done:
            print("\n".join(fault_lines(done["in_force"])))


@task(
    help={
        "cache": "also delete the source image, which all local clouds of this machine share",
        "yes": "do not ask",
    }
)
def reset(_: Context, cache: bool = False, yes: bool = False) -> None:
    """Stop the local cloud and delete its images, packages and records."""
    with door():
        from bakeroll import local
        from bakeroll.tasks.command import require_word

        deleted = local.held(cache=cache)
        if deleted and not yes:
            require_word("reset", f"This stops the local cloud and deletes all that it holds: {' and '.join(deleted)}.")
        local.reset(print, cache=cache)
