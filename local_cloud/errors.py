"""The errors that the local cloud raises for its callers."""

from pathlib import Path


class LocalCloudError(Exception):
    """What failed, on which resource; what was left; the next command; the log."""

    exit_code = 1

    def __init__(self, what: str, *, left: str = "", next_step: str = "", log: Path | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.left = left
        self.next_step = next_step
        self.log = log


class NotConfirmed(LocalCloudError):
    """The command deletes something, and nobody confirmed it."""

    exit_code = 5
