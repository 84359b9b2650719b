"""How the command says what it does, what it found, and what failed: to people, or to the program that runs it."""

import json
import sys
from typing import Any, Protocol

from local_cloud.errors import LocalCloudError
from local_cloud.report import Report


class Voice(Protocol):
    """What the command can say."""

    @property
    def is_heard(self) -> bool: ...

    def tell(self, text: str) -> None:
        """What is being done."""

    def line(self, text: str) -> None:
        """A line of a log."""

    def result(self, found: Any) -> None: ...

    def failed(self, error: LocalCloudError) -> None: ...

    def refused(self, error: OSError) -> None:
        """The system refused something: a full disk, a file of another user's."""

    def broken(self, error: Exception) -> None:
        """A defect."""


class ForPeople:
    """Results and lines on standard output, the rest on standard error."""

    is_heard = True

    def tell(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def line(self, text: str) -> None:
        print(text, flush=True)

    def result(self, found: Any) -> None:
        print(json.dumps(found, indent=2), flush=True)

    def failed(self, error: LocalCloudError) -> None:
        log = f"The whole log: {error.log}" if error.log else ""
        self.tell("\n  ".join(filter(None, (error.what, error.left, log, error.next_step))))

    def refused(self, error: OSError) -> None:
        self.tell(str(error))

    def broken(self, error: Exception) -> None:
        self.tell(_traceback(error))


class ForPrograms:
    """An object of JSON a line: `tell`, `line`, `result`; `failed` with `left`, `next_step`, `log` and `exit_code`;
    `refused` with the system's number, words and file; `broken` with a traceback."""

    def __init__(self, descriptor: int) -> None:
        self._report = Report(descriptor)

    @property
    def is_heard(self) -> bool:
        return self._report.is_heard

    def tell(self, text: str) -> None:
        self._report.say(tell=text)

    def line(self, text: str) -> None:
        self._report.say(line=text)

    def result(self, found: Any) -> None:
        self._report.say(result=found)

    def failed(self, error: LocalCloudError) -> None:
        said = {"failed": error.what, "left": error.left, "next_step": error.next_step}
        self._report.say(**said, log=str(error.log) if error.log else None, exit_code=error.exit_code)

    def refused(self, error: OSError) -> None:
        self._report.say(refused=[error.errno, error.strerror or str(error), error.filename and str(error.filename)])

    def broken(self, error: Exception) -> None:
        self._report.say(broken=_traceback(error))


def _traceback(error: Exception) -> str:
    import traceback  # not for every start

    return "".join(traceback.format_exception(error))
