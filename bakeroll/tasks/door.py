"""The one door that every failure leaves by: foreseen, interrupted, or unforeseen with a log to report."""

import errno
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType

from invoke.exceptions import Exit

INTERRUPTED = 130


@contextmanager
def door() -> Iterator[None]:
    """Turn whatever fails inside into lines for a person and the documented exit code.

    SIGTERM and SIGHUP (a CI job cancelled, a terminal closed) are taken as Ctrl-C, so that each stage
    puts back what it began.
    """
    from bakeroll.errors import BakerollError

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        yield
    except BakerollError as error:
        from bakeroll.console.failure import told

        raise Exit(told(error), code=error.exit_code) from None
    except KeyboardInterrupt:
        raise Exit("\nInterrupted. The same command goes on from here.", code=INTERRUPTED) from None
    except BrokenPipeError:  # `fab status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Exit(code=0) from None
    except OSError as error:
        raise Exit(_told_of_the_system(error), code=1) from None
    except Exit:
        raise
    except Exception as error:
        raise Exit(_told_of_a_defect(error), code=1) from None


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _told_of_the_system(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"✗ The disk is full{where}.\n  Make room (df -h; .bakeroll/ may go), and run the same command again."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"✗ Not permitted{where}.\n  Run it as a user who may, for the local cloud as root or with sudo."
    return f"✗ {error.strerror or error}{where}."


def _told_of_a_defect(error: Exception) -> str:
    text = "".join(traceback.format_exception(error))
    try:
        log = Path(".bakeroll") / "logs" / f"defect-{datetime.now():%Y%m%dT%H%M%S}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text)
    except OSError:
        return f"✗ A defect of bakeroll, and its report could not be written:\n{text}"
    return (
        f"✗ A defect of bakeroll: {type(error).__name__}: {error}\n"
        f"  Please report it with {log}. What had begun goes on with the same command."
    )
