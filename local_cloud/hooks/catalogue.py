"""All hooks, module by module, and how they come into moto.

They are written for the series of moto that is named here: a test compares the signature of every hooked method with
the one that its hook was written for.
"""

from typing import Any

import moto

from local_cloud.errors import LocalCloudError
from local_cloud.hooks import (
    classic_balancers,
    conditional_writes,
    groups,
    images,
    instance_calls,
    launch_templates,
    launched_from,
    launching,
    lifecycle_actions,
    load_balancers,
    members,
    network,
    notifications,
    refreshes,
    requests,
    targets,
    triggers,
    warm_pools,
)
from local_cloud.hooks.hooking import put

SERIES = "5.2."
ALL = (
    classic_balancers.HOOKS,
    conditional_writes.HOOKS,
    groups.HOOKS,
    images.HOOKS,
    instance_calls.HOOKS,
    launch_templates.HOOKS,
    launched_from.HOOKS,
    launching.HOOKS,
    lifecycle_actions.HOOKS,
    load_balancers.HOOKS,
    members.HOOKS,
    network.HOOKS,
    notifications.HOOKS,
    refreshes.HOOKS,
    requests.HOOKS,
    targets.HOOKS,
    triggers.HOOKS,
    warm_pools.HOOKS,
)


def install(cloud: Any) -> None:
    """Put all hooks into moto, once in a process. Raises LocalCloudError for another series of moto."""
    if not moto.__version__.startswith(SERIES):
        raise LocalCloudError(
            f"moto {moto.__version__} is installed; the local cloud is written for {SERIES}x.",
            next_step="pip install 'bakeroll[local]'",
        )
    put(ALL, cloud)
