"""Collections of ids that keep their order and hold each id once. Pure."""

from collections.abc import Collection, Iterable


def united(some: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    """The ids of `some`, then those of `more` that `some` does not have.

    >>> united(("a", "b"), ["b", "c"])
    ('a', 'b', 'c')
    """
    known = set(some)
    return (*some, *(each for each in more if each not in known))


def without(some: tuple[str, ...], less: Collection[str]) -> tuple[str, ...]:
    """The ids of `some` that `less` does not have.

    >>> without(("a", "b"), ["b", "c"])
    ('a',)
    """
    gone = set(less)
    return tuple(each for each in some if each not in gone)
