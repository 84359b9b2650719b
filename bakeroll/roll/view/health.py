"""Whether an instance counts: ready, or not yet, because ….

An instance is in service when it, by its id, is healthy in every target group for so many observations on
end and says that it runs the expected version. What must be remembered from turn to turn is a value, the
Memory; after a crash it is empty, and filling it again costs a few observations.
"""

from bakeroll.fleet import Fleet, Instance
from bakeroll.roll.state.memory import Memory
from bakeroll.wording import counted


def not_yet(fleet: Fleet, instance: Instance, memory: Memory, checks: int, version: str | None) -> str:
    """Why the instance does not count yet; empty where it is in service."""
    if instance.state != "running":
        return "booting" if instance.state == "pending" else instance.state
    if said := unready(instance, memory, version):
        return said
    for group in fleet.target_groups:
        health = instance.health.get(group.arn)
        if health is None:
            return f"{'starting: ' if instance.is_starting else ''}not registered in {group.name}"
        if health.state != "healthy":
            return str(health)
    seen = memory.healthy.get(instance.id, 0)
    return "" if seen >= checks else f"healthy {seen} of {counted(checks, 'time')}"


def unready(instance: Instance, memory: Memory, version: str | None) -> str:
    """Why the instance may not have traffic yet: it has to run, and to say that it runs the version."""
    if instance.state != "running":
        return "booting" if instance.state == "pending" else instance.state
    if version is None:
        return ""
    answer = memory.answers.get(instance.id) or instance.answer
    if answer is None:
        return "starting: not asked for its version yet"
    if answer.problem:
        return f"does not tell its version yet: {answer.problem}"
    return "" if answer.version == version else f"says that it runs {answer.version}, not {version}"


def says_another(instance: Instance, memory: Memory, version: str | None) -> bool:
    """Whether it told a version that is not the expected one, which no waiting mends."""
    answer = memory.answers.get(instance.id) or instance.answer
    return bool(version and answer and answer.version and answer.version != version)
