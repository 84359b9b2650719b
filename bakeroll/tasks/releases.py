"""The tasks for the road of a release: each stage, the whole road, and its state."""

from invoke.context import Context

from bakeroll.release_request import ReleaseRequest
from bakeroll.tasks.command import (
    LONGEST_WAIT_SECONDS,
    confirmation,
    follow_status,
    help_of,
    print_outcome,
    print_result,
    task,
)


@task(help=help_of("env", "version", "dirty", "dry_run", "verbose"))
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
    from bakeroll.tasks.site import open_site

    with open_site(env, verbose=verbose, is_offline=True) as site:
        request = ReleaseRequest(version, dirty, dry_run or context.config.run.dry)
        pipeline.package(site, request)


@task(help=help_of("env", "version", "dirty", "dry_run", "verbose"))
def publish(
    context: Context,
    env: str = "",
    version: str = "",
    dirty: bool = False,
    dry_run: bool = False,
    verbose: bool = False,
) -> None:
    """Build the package and add it to the signed apt repository, if it is not there yet."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import open_site

    with open_site(env, verbose=verbose, is_first=True) as site:
        pipeline.publish(site, ReleaseRequest(version, dirty, dry_run or context.config.run.dry))


@task(help=help_of("env", "version", "dirty", "dry_run", "verbose"))
def bake(
    context: Context,
    env: str = "",
    version: str = "",
    dirty: bool = False,
    dry_run: bool = False,
    verbose: bool = False,
) -> None:
    """Bake the image of a version, if there is none of the same recipe."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import open_site

    with open_site(env, verbose=verbose, is_first=True) as site:
        pipeline.bake(site, ReleaseRequest(version, dirty, dry_run or context.config.run.dry))


@task(help=help_of("env", "version", "dirty", "dry_run", "verbose", "yes", "wait", "json"))
def roll(
    context: Context,
    env: str = "",
    version: str = "",
    dirty: bool = False,
    dry_run: bool = False,
    verbose: bool = False,
    yes: bool = False,
    wait: bool = False,
    json: bool = False,
) -> None:
    """Replace the fleet's instances with instances of a version's image, which must exist."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import open_site

    is_dry = dry_run or context.config.run.dry
    with open_site(env, is_json=json, verbose=verbose, is_first=True) as site:
        confirm = confirmation(site, is_json=json, is_given=yes or is_dry)
        request = ReleaseRequest(version, dirty, is_dry, LONGEST_WAIT_SECONDS * wait, confirm, yes)
        print_outcome(pipeline.roll(site, request), is_json=json)


@task(help=help_of("env", "version", "dirty", "dry_run", "verbose", "yes", "wait", "json"))
def deploy(
    context: Context,
    env: str = "",
    version: str = "",
    dirty: bool = False,
    dry_run: bool = False,
    verbose: bool = False,
    yes: bool = False,
    wait: bool = False,
    json: bool = False,
) -> None:
    """Take a commit to the fleet: package, publish, bake, roll."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import open_site

    is_dry = dry_run or context.config.run.dry
    with open_site(env, is_json=json, verbose=verbose, is_first=True) as site:
        confirm = confirmation(site, is_json=json, is_given=yes or is_dry)
        request = ReleaseRequest(version, dirty, is_dry, LONGEST_WAIT_SECONDS * wait, confirm, yes)
        print_outcome(pipeline.deploy(site, request), is_json=json)


@task(help=help_of("env", "to", "dry_run", "verbose", "yes", "wait", "json"))
def rollback(
    context: Context,
    env: str = "",
    to: str = "",
    dry_run: bool = False,
    verbose: bool = False,
    yes: bool = False,
    wait: bool = False,
    json: bool = False,
) -> None:
    """Roll the fleet back to the previous release, or to any earlier one."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import open_site

    is_dry = dry_run or context.config.run.dry
    with open_site(env, is_json=json, verbose=verbose, is_first=True) as site:
        confirm = confirmation(site, is_json=json, is_given=yes or is_dry)
        request = ReleaseRequest(to, is_dry=is_dry, patience=LONGEST_WAIT_SECONDS * wait, confirm=confirm)
        print_outcome(pipeline.rollback(site, request), is_json=json)


@task(help=help_of("env", "follow", "json"))
def status(_: Context, env: str = "", follow: bool = False, json: bool = False) -> None:
    """Show the release that serves, and each instance: in service, or why not."""
    from bakeroll import survey
    from bakeroll.console.tables import status_lines
    from bakeroll.tasks.site import open_site

    with open_site(env, is_json=json) as site:
        if follow:
            follow_status(lambda: survey.status(site), status_lines, is_json=json)
        else:
            print_result(survey.status(site), status_lines, is_json=json)


@task(help=help_of("env", "json"))
def history(_: Context, env: str = "", json: bool = False) -> None:
    """List the releases of an environment, newest first."""
    from bakeroll import survey
    from bakeroll.console.tables import history_lines
    from bakeroll.tasks.site import open_site

    with open_site(env, is_json=json, is_first=True) as site:
        print_result(survey.history(site), history_lines, is_json=json)
