"""What scaling policies and cron expressions come to, as tables."""

from datetime import UTC, datetime

import pytest

from local_cloud.scaling.adjustments import adjusted, step, tracked
from local_cloud.scaling.cron import is_due

STEPS = [
    {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
    {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 3},
    {"MetricIntervalUpperBound": 0, "ScalingAdjustment": -1},
]


@pytest.mark.parametrize(
    ("desired", "kind", "adjustment", "least", "wanted"),
    [
        (4, "ExactCapacity", 2, 0, 2),
        (4, "ChangeInCapacity", -1, 0, 3),
        (10, "PercentChangeInCapacity", 25, 0, 12),
        (4, "PercentChangeInCapacity", 10, 0, 5),
        (4, "PercentChangeInCapacity", -10, 0, 3),
        (10, "PercentChangeInCapacity", -25, 0, 8),
        (10, "PercentChangeInCapacity", 10, 2, 12),
    ],
)
def test_what_an_adjustment_makes_of_the_capacity(
    desired: int, kind: str, adjustment: int, least: int, wanted: int
) -> None:
    assert adjusted(desired, kind, adjustment, least) == wanted


@pytest.mark.parametrize(("breach", "adjustment"), [(0, 1), (9.9, 1), (10, 3), (-5, -1)])
def test_which_step_a_breach_is_in(breach: float, adjustment: int) -> None:
    assert step(STEPS, breach) == adjustment


@pytest.mark.parametrize(
    ("value", "scales_in", "wanted"), [(100, True, 8), (51, True, 5), (48, True, 4), (25, True, 2), (25, False, 4)]
)
def test_what_brings_a_metric_to_its_target(value: float, scales_in: bool, wanted: int) -> None:
    assert tracked(4, value, 50, scales_in=scales_in) == wanted


@pytest.mark.parametrize(
    ("expression", "is_so"),
    [
        ("* * * * *", True),
        ("30 8 * * *", True),
        ("31 8 * * *", False),
        ("*/15 6-9 * * *", True),
        ("0/20 * * * *", False),
        ("30 8 * * thu", True),
        ("30 8 * * 1-5", True),
        ("30 8 * * sun", False),
        ("30 8 1 * thu", True),
        ("30 8 1 * *", False),
        ("30 8 * nov,dec *", True),
    ],
)
def test_when_a_recurrence_is_due(expression: str, is_so: bool) -> None:
    assert is_due(expression, datetime(2026, 11, 26, 8, 30, tzinfo=UTC)) is is_so


@pytest.mark.parametrize("expression", ["", "* * * *", "61 * * * *", "a * * * *", "5-1 * * * *"])
def test_what_is_no_recurrence(expression: str) -> None:
    with pytest.raises(ValueError, match=r"fields|within|invalid"):
        is_due(expression, datetime(2026, 11, 26, tzinfo=UTC))
