"""Reads instances' consoles: whether a service keeps failing, so that waiting is useless, and the last lines.

An instance reports each failure of its service on its console (ansible/roles/base/files/service-ended). Reading costs
at most one call in LOOKS_SECONDS, whatever the size of the fleet. Leaves the judgement to `decide`.
"""

import re
from dataclasses import replace

from bakeroll.errors import CloudError
from bakeroll.fleet import Instance
from bakeroll.roll.ports import Machines
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.view.view import View

FAILURES = 5
"""How many failures of a service end the wait. Fewer may mean that it waits for a database. systemd itself stops after
as many starts in quick succession (StartLimitBurst= in systemd.unit(5))."""
LOOKS_SECONDS = 5.0
"""Seconds between two reads of consoles, and from the start of a wait for an instance until the first read."""
FAILURE_LINE = re.compile(r"^bakeroll: (\S+) ended with (.+), failure (\d+) since boot\s*$", re.MULTILINE)
LINES_AT_MOST = 20
NOISE = "systemd[1]"
"""PID 1 writes lines about a failing service after that service's own last lines. They are left out."""
NEVER = float("-inf")


def read_console(view: View, machines: Machines) -> Memory:
    """Read the console of one silent instance if that is due, and return the memory with the result."""
    memory, silent = view.memory, [each.id for each in view.awaited if _is_silent(each, view)]
    is_due = view.now - max(memory.consoles.values(), default=NEVER) >= LOOKS_SECONDS
    if not silent or not is_due:
        return memory
    instance = min(silent, key=lambda each: memory.consoles.get(each, NEVER))
    try:
        crash = crash_in(machines.console(instance))
    except CloudError:
        crash = ""  # the wait ends by its timeout without it
    crashing = {**memory.crashing, instance: crash} if crash else memory.crashing
    return replace(memory, consoles={**memory.consoles, instance: view.now}, crashing=crashing)


def crash_in(console: str) -> str:
    """Which service failed how often since the last boot. Empty if none failed FAILURES times."""
    last = {unit: (how, int(count)) for unit, how, count in FAILURE_LINE.findall(console)}
    failing = (f"{unit} ended with {how}, {count} times" for unit, (how, count) in last.items() if count >= FAILURES)
    return next(failing, "")


def _is_silent(instance: Instance, view: View) -> bool:
    """Whether it has run for a while, and was never in service and never answered."""
    memory = view.memory
    if not view.is_forward or instance.state != "running" or instance.id in {*memory.answers, *memory.served}:
        return False
    return view.now - memory.waiting.get(instance.id, view.now) >= LOOKS_SECONDS


def last_words(machines: Machines, instance: str) -> str:
    """The last lines of an instance's console, for people. Empty if it is no instance or cannot be read."""
    if not instance.startswith("i-"):
        return ""
    try:
        console = machines.console(instance).rstrip().splitlines()
    except CloudError:
        return ""
    lines = [line for line in console if NOISE not in line][-LINES_AT_MOST:]
    return "\n".join(["", "last lines of its console:", *(f"  {line}" for line in lines)]) if lines else ""
