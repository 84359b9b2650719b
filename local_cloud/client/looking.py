"""What an instance or the daemon wrote to its log. Imports nothing heavy."""

import time
from collections.abc import Callable, Iterator

from local_cloud.config import Config
from local_cloud.errors import LocalCloudError
from local_cloud.faults.fault import nearest
from local_cloud.host import cgroup


def logs(config: Config, instance: str = "", *, is_followed: Callable[[], bool] = lambda: False) -> Iterator[str]:
    """The lines of the daemon's log or of an instance's console, and new ones as long as `is_followed` says so."""
    if instance:
        must_be_there(config, instance)
    path = config.instances / instance / "console.log" if instance else config.log
    if not path.exists():
        raise LocalCloudError(
            f"There is no log of {instance or 'the daemon'} yet.", next_step=f"{config.command}status"
        )
    with path.open(errors="replace") as file:
        while True:
            yield from (line.rstrip("\n") for line in file)
            if not is_followed():
                return
            time.sleep(0.2)


def must_be_there(config: Config, instance: str) -> None:
    """Raise LocalCloudError if there is no instance of this id, dead or alive; it names similar ones that live."""
    if instance not in (path.name for path in config.instances.glob("i-*")):
        living = [path.name for path in cgroup.of_cloud(config.bridge).glob("i-*")]
        what = f"There is no instance “{instance}” here." if instance else "Name an instance."
        raise LocalCloudError(f"{what} {nearest(instance, living)}", next_step=f"{config.command}status")
