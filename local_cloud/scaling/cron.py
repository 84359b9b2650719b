"""When a recurring scheduled action is due: cron's five fields. Pure.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
"""

from datetime import datetime

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMED = {name: number for number, name in enumerate(_MONTHS, 1)} | {name: number for number, name in enumerate(_DAYS)}


def is_due(expression: str, moment: datetime) -> bool:
    """Whether the expression names the minute of this moment. Raises ValueError for what is no cron expression."""
    fields = expression.lower().split()
    if len(fields) != len(_RANGES):
        raise ValueError(f"{expression!r} has {len(fields)} fields, not {len(_RANGES)}")
    minutes, hours, days, months, weekdays = (_numbers(*each) for each in zip(fields, _RANGES, strict=True))
    is_day = moment.day in days
    is_weekday = bool({moment.isoweekday(), moment.isoweekday() % 7} & weekdays)
    # Where both are restricted, either will do: crontab(5).
    fits = is_day or is_weekday if "*" not in (fields[2][0], fields[4][0]) else is_day and is_weekday
    return moment.minute in minutes and moment.hour in hours and moment.month in months and fits


def _numbers(field: str, bounds: tuple[int, int]) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        low, high = bounds if first == "*" else (_number(first), _number(last or first))
        if step and not last and first != "*":
            high = bounds[1]
        if not bounds[0] <= low <= high <= bounds[1]:
            raise ValueError(f"{part!r} is not within {bounds[0]} to {bounds[1]}")
        found.update(range(low, high + 1, int(step or 1)))
    return found


def _number(word: str) -> int:
    return _NAMED[word] if word in _NAMED else int(word)
