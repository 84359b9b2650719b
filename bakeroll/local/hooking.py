"""How functions of ours come to stand before moto's."""

import functools
from collections.abc import Callable
from typing import Any

Hook = Callable[..., Any]


class Hooks:
    """Marked functions; each gets the cloud, the method it stands before, and the method's own arguments."""

    def __init__(self) -> None:
        self.marked: list[tuple[Any, str, Hook]] = []
        self._undo: list[tuple[Any, str, Any]] = []

    def before(self, owner: Any, name: str) -> Callable[[Hook], Hook]:
        """Mark a function to stand before `owner`.`name`."""

        def mark(function: Hook) -> Hook:
            self.marked.append((owner, name, function))
            return function

        return mark

    def install(self, cloud: Any) -> None:
        for owner, name, function in self.marked:
            original = owner.__dict__[name]
            self._undo.append((owner, name, original))
            setattr(owner, name, _standing_before(cloud, original, function))

    def remove(self) -> None:
        while self._undo:
            setattr(*self._undo.pop())


def _standing_before(cloud: Any, original: Any, function: Hook) -> Any:
    if isinstance(original, property):
        getter: Any = original.fget
        return property(lambda thing: function(cloud, getter, thing))

    @functools.wraps(original)
    def hooked(*arguments: Any, **named: Any) -> Any:
        return function(cloud, original, *arguments, **named)

    return hooked
