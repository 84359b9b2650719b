"""What the hooks into EC2 need of the rest of the cloud."""

from collections.abc import Callable

from local_cloud.config import Config
from local_cloud.faults.in_force import Faults
from local_cloud.host.room import Room
from local_cloud.machines.images import Images
from local_cloud.machines.machines import Machines


class Cloud:
    """What the hooks need of the rest: filled in by the daemon before `install`."""

    config: Config
    machines: Machines
    images: Images
    faults: Faults
    changed: Callable[[], None]
    room: Callable[[], Room]
    """How many machines more this machine carries."""
