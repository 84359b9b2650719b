"""What the hooks into Auto Scaling need of the rest of the cloud."""

from typing import Protocol

from local_cloud.scaling.engine import Scaling


class Scaled(Protocol):
    """What the hooks need of the rest."""

    scaling: Scaling
