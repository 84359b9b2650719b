"""The last word before each request that is sent to a fleet's services, its retries included.

What holds is the caller's to know: a roll's lease. DynamoDB is left out, for that is where it is asked.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bakeroll.aws.session import Clients


@contextmanager
def guarded(clients: Clients, check: Callable[[], None]) -> Iterator[None]:
    """Call `check` before every request inside; where it raises, nothing is sent, and the caller hears the error.

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
