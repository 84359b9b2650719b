"""The thread that writes the heartbeat of a lease, so that a roll holds the lease whatever its work waits for.

`wiring` passes the thread in if the clock is the system's. Over another clock there is no thread, and only
`Lease.check` writes heartbeats. The lease decides what a heartbeat writes and proves.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import Event, Thread

from bakeroll.roll.store.lease import Lease

Beating = Callable[[Lease], AbstractContextManager[object]]
"""What runs while a roll holds the lease. `nullcontext` runs nothing."""


@contextmanager
def beside(lease: Lease) -> Iterator[None]:
    """Write heartbeats in a thread until the work inside ends. A killed process writes none."""
    has_ended = Event()
    thread = Thread(target=beat, args=(lease, has_ended.wait), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        thread.join(lease.heartbeat_seconds)  # the thread is a daemon, so that a call that hangs does not delay the end


def beat(lease: Lease, has_ended: Callable[[float], bool]) -> None:
    """Write heartbeats until the work ends or the lease is lost. `has_ended` gets the seconds to wait for that end.

    Failures are ignored. What fails now may work at the next heartbeat, and otherwise the work's own `check` fails too.
    """
    while not (lease.is_lost or has_ended(lease.heartbeat_seconds)):
        with suppress(Exception):
            lease.beat()
