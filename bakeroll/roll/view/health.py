"""Whether an instance counts as in service, and if not, why.

An instance is in service if it is healthy by its id in every target group for a number of consecutive observations, and
if it reports the expected version. `Memory` holds what must be remembered from turn to turn.
"""

from bakeroll.fleet import Fleet, Instance
from bakeroll.roll.state.memory import Memory
from bakeroll.wording import counted


def not_yet(fleet: Fleet, instance: Instance, memory: Memory, checks: int, version: str | None) -> str:
    """Why the instance does not count yet. Empty if it is in service."""
    if instance.state != "running":
        return "booting" if instance.state == "pending" else instance.state
    if reason := unready(instance, memory, version):
        return reason
    for group in fleet.target_groups:
        health = instance.health.get(group.arn)
        if health is None:
            return f"{'starting: ' if instance.is_starting else ''}not registered in {group.name}"
        if health.state != "healthy":
            return str(health)
    passed = memory.healthy.get(instance.id, 0)
    return "" if passed >= checks else f"healthy {passed} of {counted(checks, 'time')}"


def unready(instance: Instance, memory: Memory, version: str | None) -> str:
    """Why the instance must not get traffic yet. Empty if it runs and reports the expected version."""
    if instance.state != "running":
        return "booting" if instance.state == "pending" else instance.state
    if version is None:
        return ""
    answer = memory.answers.get(instance.id) or instance.answer
    if answer is None:
        return "starting: not asked for its version yet"
    if answer.problem:
        return f"does not report its version yet: {answer.problem}"
    return "" if answer.version == version else f"says that it runs {answer.version}, not {version}"


def says_another(instance: Instance, memory: Memory, version: str | None) -> bool:
    """Whether the instance reports a version that is not the expected one. Waiting does not help then."""
    answer = memory.answers.get(instance.id) or instance.answer
    return bool(version and answer and answer.version and answer.version != version)
