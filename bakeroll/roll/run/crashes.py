"""What consoles tell: whether a service fails again and again, so that waiting for it is of no use; its last lines.

An instance tells each failure on its console (ansible/roles/base/files/service-ended), which can be read from outside.
The looking is an effect, and costs at most one call in LOOKS_SECONDS whatever the size of the fleet; `decide` judges.
"""

import re
from dataclasses import replace

from bakeroll.errors import CloudError
from bakeroll.fleet import Instance
from bakeroll.roll.ports import Machines
from bakeroll.roll.state.memory import Memory
from bakeroll.roll.view.view import View

FAILURES = 5
"""So often a service may fail before it serves: it may wait for a database so. systemd gives up after as many, where
they follow each other closely (StartLimitBurst= in systemd.unit(5))."""
LOOKS_SECONDS = 5.0
"""Between looks at consoles, and from when an instance is waited for until the first look at its own."""
FAILURE_LINE = re.compile(r"^bakeroll: (\S+) ended with (.+), failure (\d+) since boot\s*$", re.MULTILINE)
LINES_AT_MOST = 20
NOISE = "systemd[1]"
"""What PID 1 says of a service that dies again and again stands between its last words and the end."""
NEVER = float("-inf")


def read_console(view: View, machines: Machines) -> Memory:
    """The memory after a look at the console of one instance that is silent, where one is due."""
    memory, silent = view.memory, [each.id for each in view.awaited if _is_silent(each, view)]
    is_due = view.now - max(memory.consoles.values(), default=NEVER) >= LOOKS_SECONDS
    if not silent or not is_due:
        return memory
    instance = min(silent, key=lambda each: memory.consoles.get(each, NEVER))
    try:
        crash = crash_in(machines.console(instance))
    except CloudError:
        crash = ""  # nobody needs it: the wait ends by its timeout as well
    crashing = {**memory.crashing, instance: crash} if crash else memory.crashing
    return replace(memory, consoles={**memory.consoles, instance: view.now}, crashing=crashing)


def crash_in(console: str) -> str:
    """What failed how often, in words; empty where nothing failed too often since the last boot."""
    last = {unit: (how, int(count)) for unit, how, count in FAILURE_LINE.findall(console)}
    told = (f"{unit} ended with {how}, {count} times" for unit, (how, count) in last.items() if count >= FAILURES)
    return next(told, "")


def _is_silent(instance: Instance, view: View) -> bool:
    """Whether it runs for a while and was neither in service nor heard ever."""
    memory = view.memory
    if not view.is_forward or instance.state != "running" or instance.id in {*memory.answers, *memory.served}:
        return False
    return view.now - memory.waiting.get(instance.id, view.now) >= LOOKS_SECONDS


def last_words(machines: Machines, instance: str) -> str:
    """The last lines of an instance's console, for people; empty for what is no instance, or cannot be read."""
    if not instance.startswith("i-"):
        return ""
    try:
        console = machines.console(instance).rstrip().splitlines()
    except CloudError:
        return ""
    lines = [line for line in console if NOISE not in line][-LINES_AT_MOST:]
    return "\n".join(["", "last lines of its console:", *(f"  {line}" for line in lines)]) if lines else ""
