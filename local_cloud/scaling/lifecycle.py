"""Lifecycle hooks: instances that wait for somebody's word before they enter or leave service.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Result = Literal["CONTINUE", "ABANDON"]

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"


@dataclass(frozen=True, slots=True)
class LifecycleHook:
    """`timeout` is in seconds; `default` is what counts when nobody says anything."""

    name: str
    timeout: float
    default: Result


@dataclass(slots=True)
class _Wait:
    hook: LifecycleHook
    until: float
    result: Result | None = None


class Waits:
    """Which instance waits for which hooks."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, _Wait]] = {}

    def begin(self, instance: str, hooks: Iterable[LifecycleHook], now: float) -> None:
        """Wait for all of `hooks`."""
        self._of[instance] = {hook.name: _Wait(hook, now + hook.timeout) for hook in hooks}

    def complete(self, instance: str, hook: str, result: Result) -> bool:
        """Somebody's word; False where nobody waits for it."""
        wait = self._of.get(instance, {}).get(hook)
        if wait:
            wait.result = result
        return wait is not None

    def heartbeat(self, instance: str, hook: str, now: float) -> bool:
        """Wait the hook's time again from now; False where nobody waits."""
        wait = self._of.get(instance, {}).get(hook)
        if wait:
            wait.until = now + wait.hook.timeout
        return wait is not None

    def outcome(self, instance: str, now: float) -> Result | None:
        """ABANDON as soon as one hook says so, CONTINUE when all do, None until then."""
        results = [
            wait.result or (wait.hook.default if now >= wait.until else None)
            for wait in self._of.get(instance, {}).values()
        ]
        if "ABANDON" in results:
            return "ABANDON"
        return None if None in results else "CONTINUE"

    def end(self, instance: str) -> None:
        self._of.pop(instance, None)
