"""An answer to a request, whole, before it is given."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """Of HTTP; `status` as in “200 OK”."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def given(self, start_response: Callable[..., Any]) -> list[bytes]:
        """As WSGI has it."""
        start_response(self.status, list(self.headers))
        return [self.body]
