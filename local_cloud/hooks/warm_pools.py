"""Warm pools by the API: moto stores one, without effect. What a pool does is in scaling/warm_pools.py."""

from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult

from local_cloud.hooks.hooking import Hook, Hooks
from local_cloud.hooks.launch_sources import sources
from local_cloud.hooks.scaled import Scaled
from local_cloud.scaling.launches import configuration
from local_cloud.scaling.refreshes import active
from local_cloud.scaling.warm_pools import warm_of

HOOKS = Hooks()

MOST_SHOWN = 50
"""https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeWarmPool.html"""


@HOOKS.before(AutoScalingBackend, "put_warm_pool")
def _put(
    cloud: Scaled, original: Hook, backend: Any, group_name: str, max_group_prepared_capacity: int | None,
    min_size: int | None, pool_state: str | None, instance_reuse_policy: dict[str, bool] | None,
) -> None:  # fmt: skip
    """moto forgets what an update does not name. What is not named stays, and a capacity of -1 is none:
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutWarmPool.html"""
    _must_be_possible(pool_state, instance_reuse_policy)
    with cloud.scaling.lock:
        group = backend.autoscaling_groups[group_name]
        if active(group):
            raise AutoscalingClientError("InstanceRefreshInProgress", "An Instance Refresh is in progress.")
        _must_be_on_demand(group)
        before = group.warm_pool
        if before and max_group_prepared_capacity is None:
            max_group_prepared_capacity = before.max_group_prepared_capacity
        group.put_warm_pool(
            max_group_prepared_capacity=None if max_group_prepared_capacity == -1 else max_group_prepared_capacity,
            min_size=before.min_size if before and min_size is None else min_size,
            pool_state=pool_state or (before and before.pool_state),
            instance_reuse_policy=instance_reuse_policy,
        )
    cloud.scaling.wake(group_name)


def _must_be_possible(pool_state: str | None, reuse: dict[str, bool] | None) -> None:
    if pool_state not in (None, "Stopped", "Running"):
        raise ValidationError(f"The local cloud keeps warm instances Stopped or Running alone, not {pool_state}.")
    if (reuse or {}).get("ReuseOnScaleIn"):
        raise ValidationError("The local cloud returns no instances to a warm pool: ReuseOnScaleIn must be false.")


def _must_be_on_demand(group: Any) -> None:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-warm-pools.html#warm-pools-limitations"""
    distribution = (group.mixed_instances_policy or {}).get("InstancesDistribution") or {}
    try:
        is_spot = any(each.is_spot for each in sources(group, configuration(group)))
    except ServiceException:  # what it launches from is not there, and is no spot request
        is_spot = False
    if is_spot or int(distribution.get("OnDemandPercentageAboveBaseCapacity", 100)) < 100:
        raise ValidationError("You can't add a warm pool to an Auto Scaling group that requests Spot Instances.")


@HOOKS.before(AutoScalingResponse, "describe_warm_pool")
def _describe(cloud: Scaled, original: Hook, response: Any) -> Any:
    """moto shows no instances."""
    with cloud.scaling.lock:
        group = _group(response)
        there = list(warm_of(group))
    first, most = int(response._get_param("NextToken") or 0), response._get_int_param("MaxRecords", MOST_SHOWN)
    token = str(first + most) if len(there) > first + most else None
    shown = {"WarmPoolConfiguration": group.warm_pool, "Instances": there[first : first + most], "NextToken": token}
    return ActionResult({key: value for key, value in shown.items() if value is not None})


@HOOKS.before(AutoScalingResponse, "delete_warm_pool")
def _delete(cloud: Scaled, original: Hook, response: Any) -> Any:
    """moto ignores ForceDelete, and has no instances to terminate. Until those are gone it is PendingDelete:
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteWarmPool.html"""
    with cloud.scaling.lock:
        group = _group(response)
        if group.warm_pool is None:
            raise ValidationError(f"No warm pool found for AutoScalingGroup {group.name}.")
        if warm_of(group) and not response._get_bool_param("ForceDelete", False):
            raise AutoscalingClientError(
                "ResourceInUse", f"The warm pool of {group.name} has instances. Use ForceDelete to terminate them."
            )
        group.warm_pool.status = "PendingDelete"
        cloud.scaling.pools.end(group)
    cloud.scaling.wake(group.name)
    return EmptyResult()


@HOOKS.before(AutoScalingBackend, "describe_auto_scaling_instances")
def _instances(cloud: Scaled, original: Hook, backend: Any, instance_ids: list[str]) -> list[Any]:
    """The only list of members that has warm instances, too: their lifecycle states are among its own.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingInstanceDetails.html"""
    with cloud.scaling.lock:
        warm = [state for group in backend.autoscaling_groups.values() for state in warm_of(group)]
        found: list[Any] = original(backend, instance_ids)
        return found + [state for state in warm if not instance_ids or state.instance.id in instance_ids]


def _group(response: Any) -> Any:
    return response.autoscaling_backend.autoscaling_groups[response._get_param("AutoScalingGroupName")]
