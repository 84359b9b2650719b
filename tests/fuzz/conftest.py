"""What holds for all fuzz tests: few examples, the same in every run, unless BAKEROLL_FUZZ_EXAMPLES asks for more.

An example that takes too long fails as one that hangs, and memory is bounded. Tests here use plain @given.
`scripts/bench fuzz` runs them for minutes, with fresh seeds.
"""

import faulthandler
import functools
import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

EXAMPLES = os.environ.get("BAKEROLL_FUZZ_EXAMPLES", "")
SECONDS = 20.0
"""Of one example. One that does not come back to Python after thrice as long ends the whole run, with a traceback."""
MEMORY = 1024**3
"""Bytes that may come to what the process has before a test."""

settings.register_profile(
    "fuzz",
    max_examples=int(EXAMPLES or "20"),
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


class Hung(Exception):
    """An example that took too long."""


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """@given takes its settings when a module is imported: those of this folder have the profile, no others."""
    settings.load_profile("fuzz")
    try:
        return (yield)
    finally:
        settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        test = getattr(getattr(item, "obj", None), "hypothesis", None)
        if here in item.path.parents and test is not None:
            test.inner_test = _limited(test.inner_test)


def _limited(test: Callable[..., Any]) -> Callable[..., Any]:
    """The test with a limit to each example. After one that hung no other is tried: it would hang as long."""
    hung: dict[str, Hung] = {}

    @functools.wraps(test)
    def limited(*args: Any, **kwargs: Any) -> Any:
        if hung:
            return _again(hung.get(repr(kwargs)))
        signal.signal(signal.SIGALRM, _hung)
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        faulthandler.dump_traceback_later(3 * SECONDS, exit=True)
        try:
            return test(*args, **kwargs)
        except Hung as error:
            hung[repr(kwargs)] = error
            raise
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            faulthandler.cancel_dump_traceback_later()

    return limited


def _again(error: Hung | None) -> None:
    if error:
        raise error


def _hung(_number: int, _frame: FrameType | None) -> None:
    raise Hung(f"no end after {SECONDS:.0f} s")


@pytest.fixture(autouse=True)
def _bounded_memory() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    bound = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (bound if hard < 0 else min(bound, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
