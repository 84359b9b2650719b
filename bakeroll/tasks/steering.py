"""What operators do around a roll."""

from invoke.context import Context

from bakeroll.tasks.command import confirmation, help_of, printed, task


@task(help=help_of("env", "version", "steps", "json"))
def plan(_: Context, env: str = "", version: str = "", steps: bool = False, json: bool = False) -> None:
    """Say what a roll to a version would do, take and cost, and what stands against it. Nothing is changed."""
    from functools import partial

    from bakeroll import operations
    from bakeroll.console.plan import plan_lines
    from bakeroll.pipeline import Request
    from bakeroll.tasks.site import opened

    with opened(env, is_json=json) as site:
        found = operations.plan(site, Request(version))
        printed(found, partial(plan_lines, is_whole=steps), is_json=json)


@task(help=help_of("env", "minutes", "json"))
def pause(_: Context, env: str = "", minutes: str = "60", json: bool = False) -> None:
    """Have the roll that goes on do nothing more until it is resumed."""
    from bakeroll import operations
    from bakeroll.console.plan import steered_lines
    from bakeroll.tasks.site import opened

    with opened(env, is_json=json) as site:
        printed(operations.pause(site, _number(minutes)), steered_lines, is_json=json)


@task(help=help_of("env", "verbose", "yes", "json"))
def resume(_: Context, env: str = "", verbose: bool = False, yes: bool = False, json: bool = False) -> None:
    """Have a paused roll go on; lead it from here where it was cut off."""
    from bakeroll import operations
    from bakeroll.console.plan import steered_lines
    from bakeroll.console.tables import outcome_lines
    from bakeroll.tasks.site import opened

    with opened(env, is_json=json, verbose=verbose) as site:
        found = operations.resume(site, confirmation(site, is_json=json, is_given=yes))
        printed(found, steered_lines if "done" in found else outcome_lines, is_json=json)


@task(help=help_of("env", "verbose", "yes", "json"))
def abort(_: Context, env: str = "", verbose: bool = False, yes: bool = False, json: bool = False) -> None:
    """Give up the roll that goes on or was cut off: back to the old release, and all put back."""
    from bakeroll import operations
    from bakeroll.console.plan import steered_lines
    from bakeroll.tasks.site import opened

    with opened(env, is_json=json, verbose=verbose) as site:
        found = operations.abort(site, confirmation(site, is_json=json, is_given=yes))
        printed(found, steered_lines, is_json=json)


@task(help=help_of("env", "fix", "verbose", "yes", "json"))
def doctor(
    _: Context, env: str = "", fix: bool = False, verbose: bool = False, yes: bool = False, json: bool = False
) -> None:
    """Find what a dead roll left; with --fix mend it. Ends with 1 where something is left to mend."""
    from invoke.exceptions import Exit

    from bakeroll import operations
    from bakeroll.console.plan import doctor_lines
    from bakeroll.tasks.site import opened

    with opened(env, is_json=json, verbose=verbose) as site:
        confirm = confirmation(site, is_json=json, is_given=yes or not fix)
        found = operations.doctor(site, is_fixing=fix, confirm=confirm)
        printed(found, doctor_lines, is_json=json)
    if any(each["is_curable"] for each in found["ailments"]):
        raise Exit(code=1)


def _number(text: str) -> float:
    """Invoke would show a traceback for a word in the place of a number."""
    from datetime import timedelta

    from bakeroll.errors import SettingsError
    from bakeroll.roll.store.requests import LONGEST_PAUSE

    longest = LONGEST_PAUSE // timedelta(minutes=1)
    try:
        found = float(text)
    except ValueError:
        found = 0
    if not 0 < found <= longest:
        raise SettingsError(f"--minutes is “{text}”; it must be a number above 0, and {longest} at most.")
    return found
