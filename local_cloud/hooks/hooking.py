"""How functions of ours come to stand before moto's. Each gets the cloud, the method, and its arguments."""

import functools
from collections.abc import Callable
from typing import Any

Hook = Callable[..., Any]
HOOKS: list[tuple[Any, str, Hook]] = []
ADDITIONS: list[tuple[Any, str, Hook]] = []
_ABSENT = object()
_before: list[tuple[Any, str, Any]] = []


def hook(owner: Any, name: str) -> Callable[[Hook], Hook]:
    """Mark a function to stand before `owner`.`name`, a method or a property."""

    def mark(function: Hook) -> Hook:
        HOOKS.append((owner, name, function))
        return function

    return mark


def addition(owner: Any, name: str) -> Callable[[Hook], Hook]:
    """Mark a function to be a method that `owner` lacks."""

    def mark(function: Hook) -> Hook:
        ADDITIONS.append((owner, name, function))
        return function

    return mark


def install(cloud: Any) -> None:
    """Put all that is marked into moto."""
    for owner, name, function in HOOKS:
        _put(owner, name, _standing_before(cloud, getattr(owner, name), function))
    for owner, name, function in ADDITIONS:
        _put(owner, name, functools.partialmethod(_call, function, cloud))


def remove() -> None:
    """Leave moto as it was: for tests, whose other parts want it so."""
    while _before:
        owner, name, was = _before.pop()
        if was is _ABSENT:
            delattr(owner, name)
        else:
            setattr(owner, name, was)


def _put(owner: Any, name: str, what: Any) -> None:
    _before.append((owner, name, vars(owner).get(name, _ABSENT)))
    setattr(owner, name, what)


def _standing_before(cloud: Any, original: Any, function: Hook) -> Any:
    if isinstance(original, property):
        return property(functools.partial(function, cloud, original.fget))

    @functools.wraps(original)
    def hooked(*arguments: Any, **named: Any) -> Any:
        return function(cloud, original, *arguments, **named)

    return hooked


def _call(self: Any, function: Hook, cloud: Any) -> Any:
    return function(cloud, self)
