"""A check before each request to a fleet's services, retries included.

The caller gives the check: that the roll still holds its lease. DynamoDB is left out, because the check itself uses it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bakeroll.aws.session import Clients


@contextmanager
def guarded(clients: Clients, check: Callable[[], None]) -> Iterator[None]:
    """Call `check` before every request inside the block. If it raises, nothing is sent and the caller gets the error.

    https://boto3.amazonaws.com/v1/documentation/api/latest/guide/events.html
    """

    def ask(**_: object) -> None:
        check()

    hooks = [each.meta.events for each in (clients.autoscaling, clients.ec2, clients.elb, clients.elbv2)]
    for each in hooks:
        each.register_first("before-send", ask)
    try:
        yield
    finally:
        for each in hooks:
            each.unregister("before-send", ask)
