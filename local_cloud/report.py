"""What a process says to the one that started it: an object of JSON a line, as long as somebody listens."""

import json
import os
import select
from typing import Any


class Report:
    """Says it at a descriptor, such as a pipe's end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @property
    def is_heard(self) -> bool:
        """Whether somebody may still read it."""
        if self._descriptor is None:
            return False
        poll = select.poll()
        poll.register(self._descriptor, 0)  # poll always reports POLLERR: nobody reads the pipe any more
        return not poll.poll(0)

    def say(self, **message: Any) -> None:
        if self._descriptor is None:
            return
        unsaid = memoryview(json.dumps(message).encode() + b"\n")
        try:
            while unsaid:
                unsaid = unsaid[os.write(self._descriptor, unsaid) :]
        except OSError:  # the person has gone; the work goes on
            self._descriptor = None

    def close(self) -> None:
        if self._descriptor is not None and self._descriptor > 2:
            os.close(self._descriptor)
        self._descriptor = None
