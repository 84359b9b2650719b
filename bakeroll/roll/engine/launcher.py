"""Who launches a roll's new instances, and why. Pure.

The roller launches beside the group only if the group itself would launch the same. Then the group launches the old
release until the commit point. https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html
"""

from collections.abc import Sequence

from bakeroll.fleet import Group
from bakeroll.roll.state.record import Launcher
from bakeroll.settings import Policy


def launcher(group: Group, hooks: Sequence[str], policy: Policy) -> tuple[Launcher, str]:
    """Who launches, and a half-sentence that says why. `hooks` are the group's lifecycle hooks for launches."""
    if policy.strategy == "rolling":
        return "group", "rolling replaces instances within the group"
    if policy.strategy == "refresh":
        return "group", "AWS's instance refresh launches"
    if policy.strategy == "blue-green":
        return "group", "the second group launches"
    if hooks:
        return "group", f"its lifecycle hook {hooks[0]} would not run for attached instances"
    if group.launches_from == "mixed instances policy":
        return "group", "its mixed instances policy decides on types and spot"
    if group.launches_from == "launch configuration":
        return "group", "RunInstances does not accept a launch configuration"
    return "roller", "beside the group, which launches the old release until the commit point"
