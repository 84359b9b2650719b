"""The road of a release, whole and stage by stage."""

from invoke.context import Context

from bakeroll.tasks.command import PATIENCE, confirmation, followed, help_of, printed, task, tell


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
    from bakeroll.tasks.site import opened

    with opened(env, verbose=verbose, is_offline=True) as site:
        request = pipeline.Request(version, dirty, dry_run or context.config.run.dry)
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
    """Add the package to the signed apt repository, building it where it is not built."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import opened

    with opened(env, verbose=verbose, is_first=True) as site:
        pipeline.publish(site, pipeline.Request(version, dirty, dry_run or context.config.run.dry))


@task(help=help_of("env", "version", "dirty", "dry_run", "verbose"))
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

    with opened(env, verbose=verbose, is_first=True) as site:
        pipeline.bake(site, pipeline.Request(version, dirty, dry_run or context.config.run.dry))


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
    """Replace the fleet's instances by instances of a version's image, which must be baked."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import opened

    is_dry = dry_run or context.config.run.dry
    with opened(env, is_json=json, verbose=verbose, is_first=True) as site:
        confirm = confirmation(site, is_json=json, is_given=yes or is_dry)
        request = pipeline.Request(version, dirty, is_dry, PATIENCE * wait, confirm, yes)
        tell(pipeline.roll(site, request), is_json=json)


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
    from bakeroll.tasks.site import opened

    is_dry = dry_run or context.config.run.dry
    with opened(env, is_json=json, verbose=verbose, is_first=True) as site:
        confirm = confirmation(site, is_json=json, is_given=yes or is_dry)
        request = pipeline.Request(version, dirty, is_dry, PATIENCE * wait, confirm, yes)
        tell(pipeline.deploy(site, request), is_json=json)


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
    """Roll the fleet back to the release before, or to any earlier one."""
    from bakeroll import pipeline
    from bakeroll.tasks.site import opened

    is_dry = dry_run or context.config.run.dry
    with opened(env, is_json=json, verbose=verbose, is_first=True) as site:
        confirm = confirmation(site, is_json=json, is_given=yes or is_dry)
        request = pipeline.Request(to, is_dry=is_dry, patience=PATIENCE * wait, confirm=confirm)
        tell(pipeline.rollback(site, request), is_json=json)


@task(help=help_of("env", "follow", "json"))
def status(_: Context, env: str = "", follow: bool = False, json: bool = False) -> None:
    """Show the release that serves, and each instance: in service, or why not."""
    from bakeroll import survey
    from bakeroll.console.tables import status_lines
    from bakeroll.tasks.site import opened

    with opened(env, is_json=json) as site:
        if follow:
            followed(lambda: survey.status(site), status_lines, is_json=json)
        else:
            printed(survey.status(site), status_lines, is_json=json)


@task(help=help_of("env", "json"))
def history(_: Context, env: str = "", json: bool = False) -> None:
    """List the releases of an environment, the newest first."""
    from bakeroll import survey
    from bakeroll.console.tables import history_lines
    from bakeroll.tasks.site import opened

    with opened(env, is_json=json, is_first=True) as site:
        printed(survey.history(site), history_lines, is_json=json)
