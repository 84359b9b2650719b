"""Puts functions of ours before moto's methods. Each gets the cloud, the method, and the method's arguments."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

Hook = Callable[..., Any]
Marked = tuple[Any, str, Hook]
_ABSENT = object()
_before: list[tuple[Any, str, Any]] = []


@dataclass(frozen=True, slots=True)
class Hooks:
    """Those of one module: `hooks` run before methods and properties, `additions` are methods that moto lacks.

    Each is an owner, the method's name and our function.
    """

    hooks: list[Marked] = field(default_factory=list)
    additions: list[Marked] = field(default_factory=list)

    def before(self, owner: Any, name: str) -> Callable[[Hook], Hook]:
        """Mark a function to run before `owner`.`name`, a method or a property."""
        return _marking(self.hooks, owner, name)

    def addition(self, owner: Any, name: str) -> Callable[[Hook], Hook]:
        """Mark a function to be a method that `owner` lacks."""
        return _marking(self.additions, owner, name)


def _marking(kept: list[Marked], owner: Any, name: str) -> Callable[[Hook], Hook]:
    def mark(function: Hook) -> Hook:
        kept.append((owner, name, function))
        return function

    return mark


def put(tables: Iterable[Hooks], cloud: Any) -> None:
    """Put all that these tables hold into moto."""
    for table in tables:
        for owner, name, function in table.hooks:
            _replace(owner, name, _hooked(cloud, getattr(owner, name), function))
        for owner, name, function in table.additions:
            _replace(owner, name, functools.partialmethod(_call, function, cloud))


def remove() -> None:
    """Leave moto as it was: for tests, other parts of which need it so."""
    while _before:
        owner, name, was = _before.pop()
        if was is _ABSENT:
            delattr(owner, name)
        else:
            setattr(owner, name, was)


def _replace(owner: Any, name: str, what: Any) -> None:
    _before.append((owner, name, vars(owner).get(name, _ABSENT)))
    setattr(owner, name, what)


def _hooked(cloud: Any, original: Any, function: Hook) -> Any:
    if isinstance(original, property):
        return property(functools.partial(function, cloud, original.fget))

    @functools.wraps(original)
    def hooked(*arguments: Any, **named: Any) -> Any:
        return function(cloud, original, *arguments, **named)

    return hooked


def _call(self: Any, function: Hook, cloud: Any) -> Any:
    return function(cloud, self)
