"""What `status`, `history` and the end of a deploy print for a person: plain columns, no wrapping. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from textwrap import shorten
from typing import Any

from bakeroll.console.times import age, moment, seconds, since
from bakeroll.wording import counted

LONGEST_REASON = 90
"""Characters of the reason why a roll ended, in a list. The timeline has the whole reason with the console."""


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows as aligned columns, two spaces between.

    >>> list(columns([["a", "bb"], ["ccc", "d"]]))
    ['a    bb', 'ccc  d']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip()


def status_lines(found: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """What serves, each instance, what is wrong and the next command, from the object of `status --json`."""
    yield from _release(found, now)
    if found["roll"]:
        yield _roll(found["roll"], found["fleet"]["name"], now)
        yield from _doing(found["roll"], now)
    if found["stands_by_until"]:
        yield _standing_by(datetime.fromisoformat(found["stands_by_until"]), found["environment"], now)
    yield f"{found['fleet']['name']}: {found['in_service']} in service, {found['fleet']['desired']} desired"
    image = found["release"]["image"] if found["release"] else ""
    rows = [
        [
            each["id"],
            each["zone"],
            each["version"] or "?",
            each["image"] if each["image"] != image else "",
            each["state"],
        ]
        for each in found["instances"]
    ]
    yield from (
        f"  {line}" for line in columns([row if any(each[3] for each in rows) else [*row[:3], row[4]] for row in rows])
    )
    yield from (f"! {each}" for each in found["drift"])
    yield from _unreadable(found)
    if found["next_step"]:
        yield found["next_step"]


def _release(found: Mapping[str, Any], now: datetime) -> Iterator[str]:
    what, where, release = found["application"], found["environment"], found["release"]
    if not release:
        yield f"{what} has no release in {where} yet.   {found['url'] or ''}".rstrip()
        return
    at = since(datetime.fromisoformat(release["at"]), now)
    if found["in_service"]:
        yield f"{what} {release['version']} serves {where} since {at}.   {found['url']}".rstrip()
    else:
        yield f"✗ {what} {release['version']} does not serve {where}: no instance is in service.   {found['url']}"
        yield f"released at {at}"
    yield f"{release['image']}, commit {release['revision'][:7]}, released by {release['by']}"


def _roll(roll: Mapping[str, Any], fleet: str, now: datetime) -> str:
    version = f" to {roll['version']}" if roll["version"] else ""
    began = since(datetime.fromisoformat(roll["since"]), now)
    if roll["is_cut_off"]:
        by = f" ({roll['by']})" if roll["by"] else ""
        return f"! The roll{version}{by}, begun at {began}, was cut off."
    heard = age(datetime.fromisoformat(roll["heard"]), now)
    backing_out = ", and is backing out" if roll["is_backing_out"] else ""
    return f"◼ {roll['by']} is rolling {fleet}{version} since {began}{backing_out}; last heard of {heard} ago."


def _unreadable(found: Mapping[str, Any]) -> Iterator[str]:
    for each in found.get("unreadable", ()):
        first, *rest = each.splitlines()
        yield f"! {first}"
        yield from (f"  {line}" for line in rest)


def _standing_by(until: datetime, environment: str, now: datetime) -> str:
    if now < until:
        return f"The old instances stand by until {moment(until, now)}."
    return f"The old instances stood by until {moment(until, now)}. Retire them: fab doctor --env={environment} --fix"


def _doing(roll: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """The roll's current step, or its pause. A pause also holds a roll that was cut off."""
    if roll["paused_by"]:
        until = datetime.fromisoformat(roll["paused_until"])
        over = "" if now < until else "; nobody resumed it"
        yield f"  paused by {roll['paused_by']} until {moment(until, now)}{over}"
    elif roll["doing"] and roll["doing_seconds"]:
        count = (now - datetime.fromisoformat(roll["doing_since"])).total_seconds()
        yield f"  {roll['doing']} for {max(0, int(count))} of {roll['doing_seconds']:.0f} s"
    elif roll["doing"]:
        yield f"  {roll['doing']}"


def history_lines(found: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """A line per release, newest first, and among them a line per roll whose release does not serve."""
    releases, rolls = found["releases"], found["rolls"]
    yield from _unreadable(found)
    if not releases:
        yield "No release can be read." if found.get("unreadable") else f"No release in {found['environment']} yet."
    marked = [("" if index else "→", each) for index, each in enumerate(releases)] + [("✗", each) for each in rolls]
    marked.sort(key=lambda each: datetime.fromisoformat(each[1]["at"]), reverse=True)
    if marked:
        rows = [_history_row(mark, each, now) for mark, each in marked]
        yield from columns([["", "version", "commit", "when", "", "by", "image", ""], *rows])
    if releases:
        yield f"→ the latest release. What serves now: fab status --env={found['environment']}"
    if rolls:
        yield "✗ a roll that did not complete; its release does not serve."


def _history_row(mark: str, it: Mapping[str, Any], now: datetime) -> list[str]:
    at = datetime.fromisoformat(it["at"])
    texts = [mark, it["version"], it["revision"][:7], moment(at, now), f"{age(at, now)} ago"]
    return [*texts, it["by"], it["image"], shorten(_how(it), LONGEST_REASON, placeholder=" …")]


def _how(it: Mapping[str, Any]) -> str:
    """How a roll ended and why. Empty for a release."""
    outcome, why = it.get("outcome", ""), it.get("why", "")
    return why if why.startswith(outcome) else f"{outcome}: {why}"


def outcome_lines(outcome: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """The end of a deploy: what serves, since when, where, the way back, how long each stage took."""
    release, environment = outcome["release"], outcome["environment"]
    at = moment(datetime.fromisoformat(release["at"]), now)
    yield f"{outcome['application']} {release['version']} serves {environment} since {at}.   {outcome['url']}".rstrip()
    if outcome["before"]:
        until = outcome.get("stands_by_until")
        standby = f"; its instances stand by until {moment(datetime.fromisoformat(until), now)}" if until else ""
        yield f"Back: fab rollback --env={environment}   (to {outcome['before']}{standby})"
    if outcome["timeline"]:
        yield f"Timeline: {outcome['timeline']}"
    if stages := outcome["seconds"]:
        parts = ", ".join(f"{stage} {seconds(count)}" for stage, count in stages.items())
        yield f"{seconds(sum(stages.values()))} in all: {parts}"


def local_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """What is in the local cloud. Terminated instances appear only with `--json`."""
    yield f"The local cloud is up: {found['endpoint']} (process {found['pid']}, for {seconds(found['uptime'])})"
    if found.get("trouble"):
        yield f"! its state cannot be saved: {found['trouble']}"
    if found.get("faults"):
        yield f"! injected faults in force: {len(found['faults'])}   (fab local.fault)"
    if room := found.get("room"):
        yield room_line(room)
    live = [each for each in found["instances"] if each["state"] != "terminated"]
    names = {each["id"]: each["name"] for each in found["images"]}
    yield from _part(
        "instances",
        [[each["id"], each["state"], each["address"], each["zone"], each["name"], each["reason"]] for each in live],
    )
    yield from _part("images", [[identifier, name] for identifier, name in names.items()])
    yield from _part("load balancers", [_balancer(each) for each in found.get("load_balancers", [])])
    yield from _part("Auto Scaling groups", [_group(each) for each in found.get("groups", [])])


def room_line(room: Mapping[str, Any]) -> str:
    """How many more instances fit, what limits them, and how to get more."""
    return f"room for {room['left']} more instances: {room['bound']} (more: {room['remedy']})"


def fault_lines(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The local cloud's faults in force: what each does, how often it hit, on which instances, for how long."""
    if not found:
        yield "No fault is in force."
    for each in found:
        parts = [f"hit {each['struck']}"] if each["struck"] else []
        parts += [f"on {', '.join(each['instances'])}"] if each["instances"] else []
        parts += [f"for {seconds(each['seconds_left'])} more"] if each["seconds_left"] is not None else []
        yield f"{each['fault']}: {'; '.join([each['does'], *parts])}"


def _part(title: str, rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"{title}: {len(rows) or 'none'}"
    yield from (f"  {line}" for line in columns(rows))


def _balancer(found: Mapping[str, Any]) -> list[str]:
    ports = [f"http://{found['address']}" + (f":{port}" if port != 80 else "") for port in found["ports"]]
    wrong = [f"{target}: {state}" for target, state in found["targets"].items() if not state.startswith("serving")]
    serving = f"{len(found['targets']) - len(wrong)} of {counted(len(found['targets']), 'target')} serving"
    return [found["name"], " ".join(ports) or found["address"], "; ".join([serving, *wrong])]


def _group(found: Mapping[str, Any]) -> list[str]:
    wrong = [f"{each}: {state}" for each, state in found["instances"].items() if state != "InService"]
    suspended = [f"suspended: {', '.join(found['suspended'])}"] if found["suspended"] else []
    size = f"{counted(len(found['instances']), 'instance')}, {found['desired']} desired"
    warm = [f"{len(found['warm'])} in the warm pool"] if found.get("warm") else []  # an older daemon sends none
    return [found["name"], "; ".join([size, *warm, *wrong, *suspended])]
