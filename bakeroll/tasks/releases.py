"""The road of a release, whole and stage by stage."""

import json as json_text
import sys
from functools import partial
from typing import TYPE_CHECKING

from invoke.context import Context
from invoke.tasks import task as _task

if TYPE_CHECKING:
    from bakeroll.wiring import Site

# Only long flags: the short ones that Invoke would choose are no mnemonics (-b for --verbose).
task = partial(_task, auto_shortflags=False)

_HELP = {
    "env": "the environment of deploy.yml (default: BAKEROLL_ENV)",
    "version": "an earlier version, or a Git tag's; by default the commit that is checked out",
    "dirty": "build the working tree with its uncommitted changes, and mark the version so",
    "dry_run": "say what would be done, and change nothing",
    "verbose": "show what Packer, Ansible and the build print as well",
    "json": "print one JSON object on standard output, people's text on standard error",
    "yes": "do not ask for the environment's name",
    "to": "the version to go back to (default: the one before)",
}


def _help(*names: str) -> dict[str, str]:
    return {name.replace("_", "-"): _HELP[name] for name in names}


@task(help=_help("env", "version", "dirty", "dry_run", "verbose"))
def package(
    context: Context,
    env: str = "",
    version: str = "",
    dirty: bool = False,
    dry_run: bool = False,
    verbose: bool = False,
) -> None:
    """Build the Debian package of a commit."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import opened

    with opened(env, verbose=verbose, is_offline=True) as site:
        request = pipeline.Request(version, dirty, dry_run or context.config.run.dry)
        pipeline.package(site, request)


@task(help=_help("env", "version", "dirty", "dry_run", "verbose"))
def publish(
    context: Context,
    env: str = "",
    version: str = "",
    dirty: bool = False,
    dry_run: bool = False,
    verbose: bool = False,
) -> None:
    """Add the package to the signed apt repository, building it where it is not built."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import opened

    with opened(env, verbose=verbose) as site:
        pipeline.publish(site, pipeline.Request(version, dirty, dry_run or context.config.run.dry))


@task(help=_help("env", "version", "dirty", "dry_run", "verbose"))
def bake(
    context: Context,
    env: str = "",
    version: str = "",
    dirty: bool = False,
    dry_run: bool = False,
    verbose: bool = False,
) -> None:
    """Bake the image of a version, where none with its recipe exists."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import opened

    with opened(env, verbose=verbose) as site:
        pipeline.bake(site, pipeline.Request(version, dirty, dry_run or context.config.run.dry))


@task(help=_help("env", "version", "dirty", "dry_run", "verbose", "yes", "json"))
def roll(
    context: Context,
    env: str = "",
    version: str = "",
    dirty: bool = False,
    dry_run: bool = False,
    verbose: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Replace the fleet's instances by instances of a version's image, which must be baked."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import opened

    with opened(env, is_json=json, verbose=verbose) as site:
        request = pipeline.Request(version, dirty, dry_run or context.config.run.dry)
        _confirm(site, request.is_dry, yes)
        _tell(pipeline.roll(site, request), is_json=json)


@task(help=_help("env", "version", "dirty", "dry_run", "verbose", "yes", "json"))
def deploy(
    context: Context,
    env: str = "",
    version: str = "",
    dirty: bool = False,
    dry_run: bool = False,
    verbose: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Take a commit to the fleet: package, publish, bake, roll."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import opened

    with opened(env, is_json=json, verbose=verbose) as site:
        request = pipeline.Request(version, dirty, dry_run or context.config.run.dry)
        _confirm(site, request.is_dry, yes)
        _tell(pipeline.deploy(site, request), is_json=json)


@task(help=_help("env", "to", "dry_run", "verbose", "yes", "json"))
def rollback(
    context: Context,
    env: str = "",
    to: str = "",
    dry_run: bool = False,
    verbose: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Roll the fleet back to the release before, or to any earlier one."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import opened

    with opened(env, is_json=json, verbose=verbose) as site:
        is_dry = dry_run or context.config.run.dry
        _confirm(site, is_dry, yes)
        _tell(pipeline.rollback(site, to, is_dry=is_dry), is_json=json)


@task(help=_help("env", "json"))
def status(_: Context, env: str = "", json: bool = False) -> None:
    """Show the release that serves, and each instance: in service, or why not."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import opened

    with opened(env, is_json=json) as site:
        found = pipeline.status(site)
        if json:
            _print_json(found)
        else:
            from bakeroll.console.tables import status_lines

            print("\n".join(status_lines(found)))


@task(help=_help("env", "json"))
def history(_: Context, env: str = "", json: bool = False) -> None:
    """List the releases of an environment, the newest first."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import opened

    with opened(env, is_json=json) as site:
        found = pipeline.history(site)
        if json:
            _print_json({"environment": site.environment.name, "releases": found})
        else:
            from bakeroll.console.tables import history_lines

            print("\n".join(history_lines(found)))


def _confirm(site: "Site", is_dry: bool, yes: bool) -> None:
    """Ask for the environment's name where its settings say so. Raises ConfirmationNeeded."""
    environment = site.environment
    if not environment.confirm or yes or is_dry:
        return
    from bakeroll.console.progress import is_interactive
    from bakeroll.errors import ConfirmationNeeded

    if not is_interactive():
        raise ConfirmationNeeded(
            f"{environment.name} wants a word before anything changes, and there is nobody to ask.",
            next_step="Nothing was changed. Say it beforehand: --yes",
        )
    print(f"{environment.application}: this changes {environment.fleet}, {site.where()}.")
    if input("Type the environment’s name to go on: ").strip() != environment.name:
        raise ConfirmationNeeded(f"That is not “{environment.name}”.", next_step="Nothing was changed.")


def _tell(outcome: "dict[str, object] | None", *, is_json: bool) -> None:
    if outcome is None:
        return
    if is_json:
        _print_json(outcome)
    else:
        from bakeroll.console.tables import outcome_lines

        print("\n".join(outcome_lines(outcome)))


def _print_json(found: object) -> None:
    json_text.dump(found, sys.stdout, indent=2, default=str, ensure_ascii=False)
    sys.stdout.write("\n")
