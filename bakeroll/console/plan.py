"""What `plan`, `pause`, `resume`, `abort` and `doctor` print for a person. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bakeroll.console.tables import columns
from bakeroll.console.times import seconds
from bakeroll.wording import counted

MARKS = {"ok": "✓", "warning": "!", "failure": "✗"}


def plan_lines(found: Mapping[str, Any], _: datetime, *, is_whole: bool = False) -> Iterator[str]:
    """The plan of a roll, from the object of `plan --json`. `is_whole` adds each step."""
    yield f"{found['application']}: {found['environment']}, {found['where']}"
    yield from (f"  {line}" for line in columns([[name, text] for name, text in _rows(found) if text]))
    if is_whole:
        yield from (f"  {number:>3}  {text}" for number, text in enumerate(found["steps"], 1))
    if found["is_needed"]:
        yield f"Nothing was changed. Roll it: fab roll --env={found['environment']} --version={found['then']}"
    else:
        yield f"{found['then']} serves already. A roll would change nothing."


def _rows(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    old = " and ".join(f"{count} × {image}" for image, count in sorted(found["old"].items())) or "no instance"
    yield "now", f"{found['now'] or 'no release'}   {old}"
    yield "then", f"{found['then']}   {found['desired']} × {found['image']}"
    yield "fleet", found["fleet"]
    if not found["is_needed"]:
        return
    yield "launched", f"by the {found['launcher']}: {found['because']}"
    yield "the roll", _roll(found)
    if found["warm"]:
        yield "warm", f"{found['warm']} in the pool; the roll replaces them when the group launches {found['image']}"
    yield "fails", found["why"]
    name = "checks"
    for each in found["findings"]:
        yield name, f"{MARKS[each['level']]} {each['text']}"
        name = ""


def _roll(found: Mapping[str, Any]) -> str:
    last = f" (last: {seconds(found['last_seconds'])})" if found["last_seconds"] else " (no earlier roll to compare)"
    usd = found["usd"]
    amount = "price unknown" if usd is None else f"≈ ${usd:.2f}" if usd >= 0.01 else "less than $0.01"
    cost = f"{amount} (prices of {found['dated']})" if found["dated"] else amount
    return (
        f"{found['strategy']}, surge {found['surge']}, floor {found['floor']}, "
        f"peak {counted(found['peak'], 'instance')}, about {seconds(found['seconds'])}{last}, "
        f"+{found['extra_hours']:.2f} instance-hours, {cost}, "
        f"{counted(found['calls'], 'API call')}, {counted(len(found['steps']), 'step')}"
    )


def steered_lines(found: Mapping[str, Any], _: datetime) -> Iterator[str]:
    """What a pause, resume or abort did, and the next command."""
    yield f"{found['fleet']}: the roll to {found['version']} is {found['done']}."
    yield found["next_step"]


def doctor_lines(found: Mapping[str, Any], _: datetime) -> Iterator[str]:
    """What was repaired, what is wrong, and what to do about it."""
    yield from (f"✓ repaired: {each['what']}" for each in found["mended"])
    for each in found["ailments"]:
        yield f"{'✗' if each['is_curable'] else '!'} {each['what']}"
        yield from (f"    {line}" for line in each["cure"].splitlines())
    if not found["ailments"]:
        yield f"{found['fleet']}: nothing is wrong."
    elif any(each["is_curable"] for each in found["ailments"]):
        yield f"Repair it: fab doctor --env={found['environment']} --fix"
