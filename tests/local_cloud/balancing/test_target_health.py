"""What DescribeTargetHealth says, as a table."""

import pytest

from local_cloud.balancing.haproxy import Stat
from local_cloud.balancing.target_health import Phase, Seen, target_health


def seen(phase: Phase, status: str = "UP", check: str = "L7OK", code: int = 200) -> Seen:
    return Seen(phase, Stat(status, check, code, 0))


@pytest.mark.parametrize(
    ("sentence", "at", "is_registered", "has_listener", "instance", "state", "reason", "description"),
    [
        ("not yet looked at", None, True, True, "running", "initial", "Elb.RegistrationInProgress", "registration"),
        ("looked at for the first time", seen("new", "UP 1/5", "INI"), True, True, "running", "initial",
         "Elb.InitialHealthChecking", "Initial health checks"),
        ("its first checks fail", seen("new", "UP 3/5", "L4CON"), True, True, "running", "initial",
         "Elb.InitialHealthChecking", "Initial health checks"),
        ("it has failed for its time", seen("new", "DOWN", "L4CON", 0), True, True, "running", "unhealthy",
         "Target.FailedHealthChecks", "Health checks failed"),
        ("it serves", seen("serving"), True, True, "running", "healthy", None, None),
        ("one check failed of two", seen("serving", "UP 1/2", "L7STS", 503), True, True, "running", "healthy", None,
         None),
        ("it answers 503", seen("serving", "DOWN", "L7STS", 503), True, True, "running", "unhealthy",
         "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"),
        ("it answers too late", seen("serving", "DOWN", "L7TOUT", 0), True, True, "running", "unhealthy",
         "Target.Timeout", "Request timed out"),
        ("an address instead of an instance", seen("serving"), True, True, None, "healthy", None, None),
        ("it drains", seen("draining"), False, True, "running", "draining", "Target.DeregistrationInProgress", ""),
        ("deregistered this moment", seen("serving"), False, True, "running", "draining",
         "Target.DeregistrationInProgress", ""),
        ("its time is over", None, False, True, "running", "unused", "Target.NotRegistered", ""),
        ("deregistered before it served", seen("new"), False, True, "running", "unused", "Target.NotRegistered", ""),
        ("terminated while it drained", seen("draining"), False, True, "terminated", "unused", "Target.NotRegistered",
         ""),
        ("no listener", None, True, False, "running", "unused", "Target.NotInUse", ""),
        ("its instance is stopped", seen("serving"), True, True, "stopped", "unused", "Target.InvalidState",
         "Target is in the stopped state"),
    ],
)  # fmt: skip
def test_the_health_of_a_target(
    sentence: str,
    at: Seen | None,
    is_registered: bool,
    has_listener: bool,
    instance: str | None,
    state: str,
    reason: str | None,
    description: str | None,
) -> None:
    health = target_health(at, is_registered=is_registered, has_listener=has_listener, instance=instance)

    assert (health.state, health.reason) == (state, reason), sentence
    assert (description or "") in (health.description or ""), sentence
