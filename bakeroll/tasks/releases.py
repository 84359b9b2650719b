"""The road of a release, whole and stage by stage."""

import json as json_text
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

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

    is_dry = dry_run or context.config.run.dry
    with opened(env, is_json=json, verbose=verbose) as site:
        confirm = _confirmation(site, is_json=json, is_given=yes or is_dry)
        request = pipeline.Request(version, dirty, is_dry, confirm)
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

    is_dry = dry_run or context.config.run.dry
    with opened(env, is_json=json, verbose=verbose) as site:
        confirm = _confirmation(site, is_json=json, is_given=yes or is_dry)
        request = pipeline.Request(version, dirty, is_dry, confirm)
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

    is_dry = dry_run or context.config.run.dry
    with opened(env, is_json=json, verbose=verbose) as site:
        confirm = _confirmation(site, is_json=json, is_given=yes or is_dry)
        request = pipeline.Request(to, is_dry=is_dry, confirm=confirm)
        _tell(pipeline.rollback(site, request), is_json=json)


@task(help=_help("env", "json"))
def status(_: Context, env: str = "", json: bool = False) -> None:
    """Show the release that serves, and each instance: in service, or why not."""
    from bakeroll import survey
    from bakeroll.console.tables import status_lines
    from bakeroll.tasks.site import opened

    with opened(env, is_json=json) as site:
        _print(survey.status(site), status_lines, is_json=json)


@task(help=_help("env", "json"))
def history(_: Context, env: str = "", json: bool = False) -> None:
    """List the releases of an environment, the newest first."""
    from bakeroll import survey
    from bakeroll.console.tables import history_lines
    from bakeroll.tasks.site import opened

    with opened(env, is_json=json) as site:
        _print(survey.history(site), history_lines, is_json=json)


def _confirmation(site: "Site", *, is_json: bool, is_given: bool) -> Callable[[str], None]:
    """What asks for the environment's name where its settings say so; it raises ConfirmationNeeded.

    At once where it is wanted and there is nobody to ask.
    """
    from bakeroll.console.progress import asked, is_interactive
    from bakeroll.errors import ConfirmationNeeded

    environment = site.environment
    stream = sys.stderr if is_json else sys.stdout
    if is_given or not environment.confirm:
        return lambda _: None
    if not is_interactive(stream):
        raise ConfirmationNeeded(
            f"{environment.name} wants a word before anything changes, and there is nobody to ask.",
            left="Nothing was changed.",
            next_step="Say it beforehand: --yes",
        )

    def confirm(what: str) -> None:
        print(f"This changes {environment.fleet}, {site.where()}:\n{what}", file=stream)
        answer = asked("Type the environment’s name to go on:", stream)
        if answer != environment.name:
            said = f"That is not “{environment.name}”." if answer else f"Nobody said “{environment.name}”."
            raise ConfirmationNeeded(said, left="Nothing was changed.")

    return confirm


def _tell(outcome: dict[str, Any] | None, *, is_json: bool) -> None:
    """The outcome; of a dry run, where there is none, an empty object."""
    from bakeroll.console.tables import outcome_lines

    if outcome is not None or is_json:
        _print(outcome or {}, outcome_lines, is_json=is_json)


def _print(found: dict[str, Any], lines: Callable[[dict[str, Any], datetime], Iterable[str]], *, is_json: bool) -> None:
    text = (
        json_text.dumps(found, indent=2, ensure_ascii=False) if is_json else "\n".join(lines(found, datetime.now(UTC)))
    )
    print(text, flush=True)
