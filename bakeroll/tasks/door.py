"""The one door that every failure leaves by: foreseen, interrupted, or unforeseen with a log to report."""

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
    """Ctrl-C, or what is taken as such."""

    exit_code = 130


@contextmanager
def door(*, is_json: bool = False) -> Iterator[None]:
    """Turn whatever fails inside into lines for a person and the documented exit code.

    With `is_json` standard output holds an object that tells of it as well. SIGTERM and SIGHUP (a CI job
    cancelled, a terminal closed) are taken as Ctrl-C, so that each stage puts back what it began.
    """

    def told(error: BakerollError) -> Exit:
        from bakeroll.console import failure

        if is_json:
            print(json.dumps(failure.object_of(error), indent=2, ensure_ascii=False), flush=True)
        return Exit(failure.told(error), code=error.exit_code)

    _prepare()
    try:
        yield
    except BakerollError as error:
        raise told(error) from None
    except KeyboardInterrupt as error:
        left = "\n".join(getattr(error, "__notes__", ()))
        raise told(Interrupted("Interrupted.", left=left, next_step="The same command goes on from here.")) from None
    except BrokenPipeError:  # `fab status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Exit(code=0) from None
    except OSError as error:
        raise told(_of_the_system(error)) from None
    except Exit:
        raise
    except Exception as error:  # noqa: BLE001 (the last door: what nobody foresaw ends in a log and a sentence)
        raise told(_defect(error)) from None


def _prepare() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What an encoding cannot hold (an argument that is no UTF-8, “ in ASCII) is told by its number: in JSON, too.
        sys.stdout.reconfigure(errors="backslashreplace")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _of_the_system(error: OSError) -> BakerollError:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BakerollError(
            f"The disk is full{where}.",
            next_step="Make room (df -h; .bakeroll/ may go), and run the same command again.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return BakerollError(
            f"Not permitted{where}: {error.strerror}.",
            next_step="Run it as a user who may write there, for the local cloud as root or with sudo.",
        )
    return BakerollError(f"{error.strerror or error}{where}.")


def _defect(error: Exception) -> BakerollError:
    text = "".join(traceback.format_exception(error))
    try:
        log = workspace.made(Path()) / "logs" / f"defect-{datetime.now().astimezone():%Y%m%dT%H%M%S}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text)
    except OSError:
        return BakerollError(f"A defect of bakeroll, and its report could not be written:\n{text}")
    return BakerollError(
        f"A defect of bakeroll: {type(error).__name__}: {error}",
        left="What had begun goes on with the same command.",
        next_step="Please report it with that log.",
        log=log,
    )
