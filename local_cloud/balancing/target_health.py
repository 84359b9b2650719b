"""What DescribeTargetHealth says, from what haproxy sees. Pure.

States, reasons and descriptions are AWS's own:
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
"""

from dataclasses import dataclass
from typing import Literal

from local_cloud.balancing.haproxy import Stat

Phase = Literal["new", "serving", "draining"]


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a target is: checked for the first time, serving, or draining; and what haproxy says of it."""

    phase: Phase
    stat: Stat | None = None


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """A state, with AWS's reason and description where it has them."""

    state: str
    reason: str | None = None
    description: str | None = None


HEALTHY = TargetHealth("healthy")
REGISTERING = TargetHealth("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = TargetHealth("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
DRAINING = TargetHealth("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_REGISTERED = TargetHealth("unused", "Target.NotRegistered", "Target is not registered to the target group")
NOT_IN_USE = TargetHealth(
    "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)


def target_health(seen: Seen | None, *, is_registered: bool, has_listener: bool, instance: str | None) -> TargetHealth:
    """The health of a target. `instance` is the state of the instance behind it, None for an address."""
    is_alive = instance in (None, "running", "pending")
    if not is_registered:
        return DRAINING if is_alive and seen and seen.phase != "new" else NOT_REGISTERED
    if not is_alive:
        return TargetHealth("unused", "Target.InvalidState", f"Target is in the {instance} state")
    if not has_listener:
        return NOT_IN_USE
    if seen is None or seen.stat is None or seen.phase == "draining":
        return REGISTERING
    if seen.stat.is_up:
        return HEALTHY if seen.phase == "serving" else CHECKING
    return _unhealthy(seen.stat)


def _unhealthy(stat: Stat) -> TargetHealth:
    if stat.check == "L7STS":
        codes = f"Health checks failed with these codes: [{stat.code}]"
        return TargetHealth("unhealthy", "Target.ResponseCodeMismatch", codes)
    if stat.check.endswith("TOUT"):
        return TargetHealth("unhealthy", "Target.Timeout", "Request timed out")
    return TargetHealth("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
