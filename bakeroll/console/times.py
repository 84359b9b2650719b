"""Times for people. Pure."""

from datetime import datetime

from bakeroll import wording


def seconds(count: float) -> str:
    """How long something took.

    >>> [seconds(each) for each in (0.04, 8.25, 61, 3720)]
    ['0.0 s', '8.2 s', '1 min 1 s', '62 min']
    """
    if count < 60:
        return f"{count:.1f} s"
    minutes, rest = divmod(round(count), 60)
    return f"{minutes} min {rest} s" if minutes < 10 else f"{minutes} min"


def whole_seconds(count: float) -> str:
    """How long something has lasted so far, without tenths, which would flicker.

    >>> [whole_seconds(each) for each in (8.25, 61, 3720)]
    ['8 s', '1 min 1 s', '62 min']
    """
    return f"{int(count)} s" if count < 60 else seconds(int(count))


def age(of: datetime, now: datetime) -> str:
    """How long ago something was, in one unit. A time in the future, from a clock that differs, is 0 s.

    >>> from datetime import UTC, timedelta
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> [age(now - timedelta(seconds=each), now) for each in (-3, 59, 240, 7300, 200000)]
    ['0 s', '59 s', '4 min', '2 h', '2 days']
    """
    count = max(0, int((now - of).total_seconds()))
    if count < 60:
        return f"{count} s"
    if count < 3600:
        return f"{count // 60} min"
    return f"{count // 3600} h" if count < 48 * 3600 else f"{count // 86400} days"


def moment(at: datetime, now: datetime) -> str:
    """The local time of `at`, with its date if it is not today.

    >>> from datetime import UTC
    >>> now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> len(moment(now, now)), len(moment(datetime(2025, 1, 1, tzinfo=UTC), now))
    (8, 16)
    """
    return wording.moment(at, now.astimezone())


def since(at: datetime, now: datetime) -> str:
    """`14:02:11, 3 min ago`."""
    return f"{moment(at, now)}, {age(at, now)} ago"
