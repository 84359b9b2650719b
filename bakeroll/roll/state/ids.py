"""Ids in the order in which they came, each once. Pure."""

from collections.abc import Collection, Iterable


def united(some: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    """
    >>> united(("a", "b"), ["b", "c"])
    ('a', 'b', 'c')
    """
    known = set(some)
    return (*some, *(each for each in more if each not in known))


def without(some: tuple[str, ...], less: Collection[str]) -> tuple[str, ...]:
    """
    >>> without(("a", "b"), ["b", "c"])
    ('a',)
    """
    gone = set(less)
    return tuple(each for each in some if each not in gone)
