"""The tasks around a roll: plan, pause, resume, abort and repair it."""

from invoke.context import Context

from bakeroll.tasks.command import confirmation, help_of, print_result, task


@task(help=help_of("env", "version", "steps", "json"))
def plan(_: Context, env: str = "", version: str = "", steps: bool = False, json: bool = False) -> None:
    """Show what a roll to a version would do and cost, how long it takes, and what prevents it. Changes nothing."""
    from functools import partial

    from bakeroll import operations
    from bakeroll.console.plan import plan_lines
    from bakeroll.release_request import ReleaseRequest
    from bakeroll.tasks.site import open_site

    with open_site(env, is_json=json) as site:
        found = operations.plan(site, ReleaseRequest(version))
        print_result(found, partial(plan_lines, is_whole=steps), is_json=json)


@task(help=help_of("env", "minutes", "json"))
def pause(_: Context, env: str = "", minutes: str = "60", json: bool = False) -> None:
    """Stop a running roll from acting until somebody resumes it."""
    from bakeroll import operations
    from bakeroll.console.plan import steered_lines
    from bakeroll.tasks.site import open_site

    with open_site(env, is_json=json) as site:
        print_result(operations.pause(site, _number(minutes)), steered_lines, is_json=json)


@task(help=help_of("env", "verbose", "yes", "json"))
def resume(_: Context, env: str = "", verbose: bool = False, yes: bool = False, json: bool = False) -> None:
    """Continue a paused roll, or a roll that was cut off."""
    from bakeroll import operations
    from bakeroll.console.plan import steered_lines
    from bakeroll.console.tables import outcome_lines
    from bakeroll.tasks.site import open_site

    with open_site(env, is_json=json, verbose=verbose) as site:
        found = operations.resume(site, confirmation(site, is_json=json, is_given=yes))
        print_result(found, steered_lines if "done" in found else outcome_lines, is_json=json)


@task(help=help_of("env", "verbose", "yes", "json"))
def abort(_: Context, env: str = "", verbose: bool = False, yes: bool = False, json: bool = False) -> None:
    """Abort a roll that runs or was cut off: go back to the old release and restore everything."""
    from bakeroll import operations
    from bakeroll.console.plan import steered_lines
    from bakeroll.tasks.site import open_site

    with open_site(env, is_json=json, verbose=verbose) as site:
        found = operations.abort(site, confirmation(site, is_json=json, is_given=yes))
        print_result(found, steered_lines, is_json=json)


@task(help=help_of("env", "fix", "verbose", "yes", "json"))
def doctor(
    _: Context, env: str = "", fix: bool = False, verbose: bool = False, yes: bool = False, json: bool = False
) -> None:
    """Find what a dead roll left, and with --fix repair it. Ends with 1 if something still needs repair."""
    from invoke.exceptions import Exit

    from bakeroll import operations
    from bakeroll.console.plan import doctor_lines
    from bakeroll.tasks.site import open_site

    with open_site(env, is_json=json, verbose=verbose) as site:
        confirm = confirmation(site, is_json=json, is_given=yes or not fix)
        found = operations.doctor(site, is_fixing=fix, confirm=confirm)
        print_result(found, doctor_lines, is_json=json)
    if any(each["is_curable"] for each in found["ailments"]):
        raise Exit(code=1)


def _number(text: str) -> float:
    """The number of minutes. Invoke's own conversion would end in a traceback for a word."""
    from datetime import timedelta

    from bakeroll.errors import SettingsError
    from bakeroll.roll.store.requests import LONGEST_PAUSE

    longest = LONGEST_PAUSE // timedelta(minutes=1)
    try:
        found = float(text)
    except ValueError:
        found = 0
    if not 0 < found <= longest:
        raise SettingsError(f"--minutes is “{text}”. It must be a number above 0 and at most {longest}.")
    return found
