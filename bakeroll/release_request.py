"""What an operator asks of the pipeline. No input or output."""

from collections.abc import Callable
from dataclasses import dataclass, field

Confirm = Callable[[str], None]
"""Shows what is about to change. Raises ConfirmationNeeded if the operator does not agree."""


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """What an operator asks for. An empty version means the commit that is checked out.

    `patience` is how many seconds the roll waits while somebody else rolls the fleet. `confirm` is called before
    anything changes. `is_agreed` says that the operator passed --yes.
    """

    version: str = ""
    is_dirty_allowed: bool = False
    is_dry: bool = False
    patience: float = 0
    confirm: Confirm = field(default=lambda _: None)
    is_agreed: bool = False
