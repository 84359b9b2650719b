"""The heartbeat of a lease beside the work, so that it is held whatever the work waits for.

The thread is made where the clock is the system's, by `wiring`. Over another clock there is none, and `Lease.check`
alone writes heartbeats. What may be written, and what it proves, is the lease's own.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import Event, Thread

from bakeroll.roll.store.lease import Lease

Beating = Callable[[Lease], AbstractContextManager[object]]
"""What goes on while a lease is held; `nullcontext`: nothing."""


@contextmanager
def beside(lease: Lease) -> Iterator[None]:
    """Beat in a thread until the work inside has ended, however that ends. A process that is killed beats no more."""
    has_ended = Event()
    thread = Thread(target=beat, args=(lease, has_ended.wait), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        thread.join(lease.heartbeat_seconds)  # a call that hangs keeps nobody waiting: the thread is a daemon


def beat(lease: Lease, has_ended: Callable[[float], bool]) -> None:
    """Beat until the work `has_ended`, which is asked with the seconds to wait for that, or the lease is lost.

    It says nothing: what hinders a heartbeat now may be over at the next, and hinders the `check` of the work as well.
    """
    while not (lease.is_lost or has_ended(lease.heartbeat_seconds)):
        with suppress(Exception):
            lease.beat()
