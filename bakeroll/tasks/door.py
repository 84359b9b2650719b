"""The one way out for every failure: a foreseen error, an interruption, or a defect with a log to report."""

import errno
import io
import json
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

from bakeroll import workspace
from bakeroll.errors import BakerollError


class Interrupted(BakerollError):
    """Ctrl-C, or a signal that is treated like it."""

    exit_code = 130


@contextmanager
def door(*, is_json: bool = False) -> Iterator[None]:
    """Turn any failure inside into lines for a person and the documented exit code.

    With `is_json`, print an object on standard output as well. SIGTERM and SIGHUP (a cancelled CI job, a closed
    terminal) are treated like Ctrl-C, so that each stage restores what it began.
    """

    def exit_for(error: BakerollError) -> Exit:
        from bakeroll.console import failure

        if is_json:
            print(json.dumps(failure.object_of(error), indent=2, ensure_ascii=False), flush=True)
        return Exit(failure.text_of(error), code=error.exit_code)

    _prepare()
    try:
        yield
    except BakerollError as error:
        raise exit_for(error) from None
    except KeyboardInterrupt as error:
        left = "\n".join(getattr(error, "__notes__", ()))
        interrupted = Interrupted("Interrupted.", left=left, next_step="To continue, run the same command again.")
        raise exit_for(interrupted) from None
    except BrokenPipeError:  # `fab status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Exit(code=0) from None
    except OSError as error:
        raise exit_for(_system_error(error)) from None
    except Exit:
        raise
    except Exception as error:  # noqa: BLE001 (the last door: what nobody foresaw ends in a log and a sentence)
        raise exit_for(_defect(error)) from None


def _prepare() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that the encoding cannot hold (a non-UTF-8 argument, “ in ASCII) is printed as its number.
        sys.stdout.reconfigure(errors="backslashreplace")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _system_error(error: OSError) -> BakerollError:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BakerollError(
            f"The disk is full{where}.",
            next_step="Free some space (df -h; you can delete .bakeroll/), then run the same command again.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return BakerollError(
            f"Not permitted{where}: {error.strerror}.",
            next_step="Run it as a user with that permission; for the local cloud as root or with sudo.",
        )
    return BakerollError(f"{error.strerror or error}{where}.")


def _defect(error: Exception) -> BakerollError:
    text = "".join(traceback.format_exception(error))
    try:
        log = workspace.make_folder(Path()) / "logs" / f"defect-{datetime.now().astimezone():%Y%m%dT%H%M%S}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text)
    except OSError:
        return BakerollError(f"A defect of bakeroll. Its report could not be written:\n{text}")
    return BakerollError(
        f"A defect of bakeroll: {type(error).__name__}: {error}",
        left="The same command continues what had begun.",
        next_step="Report it, and attach that log.",
        log=log,
    )
