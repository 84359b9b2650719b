"""The names that a fleet's Auto Scaling groups have."""

SUFFIX = "-green"


def names(fleet: str) -> tuple[str, str]:
    """Both names that the fleet's Auto Scaling group may have.

    >>> names("links-dev")
    ('links-dev', 'links-dev-green')
    """
    return fleet, fleet + SUFFIX


def other(fleet: str, group: str) -> str:
    """The name of the fleet's other group."""
    return next(each for each in names(fleet) if each != group)
