"""What operators do around a roll: plan it, pause it, have it go on, give it up, mend what a dead one left.

    plan      the same roll, rehearsed; nothing is changed
    pause     a roll that goes on does nothing more until somebody resumes it, or the pause is over
    resume    it goes on; one that was cut off is led from here
    abort     back to the old release; one that was cut off is backed out from here
    doctor    what a dead roll left; with the word for it, mended by running that roll to an end

A roll is asked by a document beside its record, which its own process reads at every turn.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from bakeroll import pipeline
from bakeroll.errors import RolledBack
from bakeroll.events import Event
from bakeroll.pipeline import Request, Stopwatch
from bakeroll.roll.operate.doctor import Ailment, Chart
from bakeroll.roll.state.record import Record
from bakeroll.roll.state.release_form import release_of
from bakeroll.wiring import Site

Confirm = Callable[[str], None]


def plan(site: Site, request: Request) -> dict[str, Any]:
    """What a roll to the version asked for would do, for people and `--json`."""
    release = pipeline.candidate_release(site, request)
    serving = next(iter(site.history()), None)
    found = asdict(site.plan(release))
    if lower := pipeline.lower(release.version, serving):
        found["findings"] = ({"level": "warning", "text": lower}, *found["findings"])
    return {
        "application": release.application,
        "environment": release.environment,
        "where": site.where(),
        "now": serving.version if serving else None,
        "then": release.version,
        **found,
    }


def pause(site: Site, minutes: float) -> dict[str, Any]:
    """Ask the roll that goes on to do nothing more, for so long at most."""
    record = site.steering.record()
    site.steering.ask("pause", record, minutes)
    led = "" if site.steering.is_led() else "; nobody leads it just now"
    done = f"paused, for {minutes:g} min at most{led}"
    return _told(site, record, done, f"Go on: fab resume --env={site.environment.name}")


def resume(site: Site, confirm: Confirm) -> dict[str, Any]:
    """Take back a pause; lead the roll from here where nobody does."""
    record = site.steering.record()
    if not site.steering.is_led():
        confirm(f"  go on with the roll to {record.intended.version}, which was cut off")
        site.steering.ask("none", record)
        return pipeline.serve(site, release_of(record.intended.release), Stopwatch(), is_resumed=True)
    site.steering.ask("none", record)
    return _told(site, record, "resumed", f"Watch it: fab status --env={site.environment.name}")


def abort(site: Site, confirm: Confirm) -> dict[str, Any]:
    """Have the roll back out, in the process that leads it or from here, and wait until it has."""
    record = site.steering.record()
    confirm(f"  give up the roll to {record.intended.version}, and go back to what served before")
    site.steering.ask("abort", record)
    if site.steering.is_led():
        policy = site.environment.policy
        patience = 2 * (policy.in_service_timeout + policy.drain_timeout) + 60
        site.steering.followed(record, site.report, patience)
    else:
        _backed_out(site, record)
    return _told(site, record, "aborted", f"Look: fab status --env={site.environment.name}")


def doctor(site: Site, *, is_fixing: bool, confirm: Confirm) -> dict[str, Any]:
    """What is amiss; with `is_fixing` mended, and what is amiss then."""
    chart = site.examine()
    curable = [each for each in chart.ailments if each.is_curable]
    if is_fixing and curable:
        confirm("\n".join(f"  {each.what}: {each.cure}" for each in curable))
        for each in curable:
            site.report(Event("roll", each.what))
            _cure(site, chart, each)
        mended, chart = curable, site.examine()
    else:
        mended = []
    return {
        "environment": site.environment.name,
        "fleet": chart.fleet.name,
        "mended": [asdict(each) for each in mended],
        "ailments": [asdict(each) | {"is_curable": each.is_curable} for each in chart.ailments],
    }


def _cure(site: Site, chart: Chart, ailment: Ailment) -> None:
    record = chart.record
    match ailment.kind:
        case "cut off" if record and chart.is_committed:
            site.steering.ask("none", record)  # a pause that nobody ended would stop it again
            site.roll(release_of(record.intended.release), is_resumed=True)
        case "cut off" if record:
            site.steering.ask("abort", record)
            _backed_out(site, record)
        case "soak" if record:
            site.roll(release_of(record.intended.release))
        case "stray" | "lease":
            site.take_away(ailment.instances)
        case _:
            pass


def _backed_out(site: Site, record: Record) -> None:
    try:
        site.roll(release_of(record.intended.release), is_resumed=True)
    except RolledBack as error:
        site.report(Event("roll", f"{site.environment.fleet}: {error.left.replace(chr(10), ' ')}", "done"))


def _told(site: Site, record: Record, done: str, next_step: str) -> dict[str, Any]:
    return {
        "environment": site.environment.name,
        "fleet": site.environment.fleet,
        "version": record.intended.version,
        "done": done,
        "next_step": next_step,
    }
