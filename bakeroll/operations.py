"""What operators do around a roll: plan, pause, resume, abort and repair it.

    plan      rehearses the roll and changes nothing
    pause     stops a running roll from acting until somebody resumes it or the pause ends
    resume    lets a paused roll continue; continues a roll that was cut off in this process
    abort     goes back to the old release; a roll that was cut off is backed out in this process
    doctor    finds what a dead roll left; if asked to, repairs it by running that roll to its end

The request to a running roll is a document beside its record. The roll's own process reads it at every turn.
"""

from dataclasses import asdict
from typing import Any

from bakeroll import pipeline
from bakeroll.approval import lower_version_warning
from bakeroll.errors import RolledBack
from bakeroll.events import Event
from bakeroll.pipeline import Stopwatch
from bakeroll.release_request import Confirm, ReleaseRequest
from bakeroll.roll.operate.doctor import Ailment, Chart
from bakeroll.roll.state.record import Record
from bakeroll.roll.state.release_form import release_of
from bakeroll.wiring import Site


def plan(site: Site, request: ReleaseRequest) -> dict[str, Any]:
    """What a roll to the requested version would do, for people and `--json`."""
    release = pipeline.find_release(site, request)
    serving = next(iter(site.roller.history()), None)
    found = asdict(site.roller.plan(release))
    if warning := lower_version_warning(release.version, serving):
        found["findings"] = ({"level": "warning", "text": warning}, *found["findings"])
    return {
        "application": release.application,
        "environment": release.environment,
        "where": site.where(),
        "now": serving.version if serving else None,
        "then": release.version,
        **found,
    }


def pause(site: Site, minutes: float) -> dict[str, Any]:
    """Ask the running roll to stop acting for at most `minutes`."""
    record = site.roller.steering.record()
    site.roller.steering.ask("pause", record, minutes)
    led = "" if site.roller.steering.is_led() else "; no process is running it now"
    done = f"paused for {minutes:g} min at most{led}"
    return _outcome(site, record, done, f"Continue it: fab resume --env={site.environment.name}")


def resume(site: Site, confirm: Confirm) -> dict[str, Any]:
    """End a pause. Continue the roll in this process if no other process runs it."""
    record = site.roller.steering.record()
    if not site.roller.steering.is_led():
        confirm(f"  continue the roll to {record.intended.version}, which was cut off")
        site.roller.steering.ask("none", record)
        return pipeline.serve(site, release_of(record.intended.release), Stopwatch(), is_resumed=True)
    site.roller.steering.ask("none", record)
    return _outcome(site, record, "resumed", f"Watch it: fab status --env={site.environment.name}")


def abort(site: Site, confirm: Confirm) -> dict[str, Any]:
    """Back the roll out, in the process that runs it or in this one, and wait for the end."""
    record = site.roller.steering.record()
    confirm(f"  abort the roll to {record.intended.version} and go back to what served before")
    site.roller.steering.ask("abort", record)
    if site.roller.steering.is_led():
        policy = site.environment.policy
        patience = 2 * (policy.in_service_timeout + policy.drain_timeout) + 60
        site.roller.steering.follow(record, site.report, patience)
    else:
        _back_out(site, record)
    return _outcome(site, record, "aborted", f"See the fleet: fab status --env={site.environment.name}")


def doctor(site: Site, *, is_fixing: bool, confirm: Confirm) -> dict[str, Any]:
    """What is wrong. With `is_fixing`, repair it and return what is still wrong."""
    chart = site.roller.examine()
    curable = [each for each in chart.ailments if each.is_curable]
    if is_fixing and curable:
        confirm("\n".join(f"  {each.what}: {each.cure}" for each in curable))
        for each in curable:
            site.report(Event("roll", each.what))
            _cure(site, chart, each)
        mended, chart = curable, site.roller.examine()
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
            site.roller.steering.ask("none", record)  # an open pause would stop it again
            pipeline.lead(site, release_of(record.intended.release), is_resumed=True)
        case "cut off" if record:
            site.roller.steering.ask("abort", record)
            _back_out(site, record)
        case "soak" if record:
            pipeline.lead(site, release_of(record.intended.release))
        case "stray" | "lease":
            site.roller.take_away(ailment.instances)
        case _:
            pass


def _back_out(site: Site, record: Record) -> None:
    try:
        pipeline.lead(site, release_of(record.intended.release), is_resumed=True)
    except RolledBack as error:
        site.report(Event("roll", f"{site.environment.fleet}: {error.left.replace(chr(10), ' ')}", "done"))


def _outcome(site: Site, record: Record, done: str, next_step: str) -> dict[str, Any]:
    return {
        "environment": site.environment.name,
        "fleet": site.environment.fleet,
        "version": record.intended.version,
        "done": done,
        "next_step": next_step,
    }
