"""What the scaling engine needs of the rest of the cloud, by moto: launch, terminate, register, ask for health."""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from moto.autoscaling.models import ASG_NAME_TAG, FakeAutoScalingGroup, InstanceState
from moto.backends import get_backend
from moto.core.exceptions import ServiceException
from moto.ec2.models.instances import Instance

from local_cloud.balancing.balancers import Balancers
from local_cloud.config import ACCOUNT, REGION
from local_cloud.hooks.launch_sources import configure, is_launched_from, sources
from local_cloud.scaling.capacity import COUNTED
from local_cloud.scaling.launches import Configuration, Source, is_next_spot
from local_cloud.scaling.lifecycle import LifecycleHook
from local_cloud.scaling.surroundings import LaunchFailed

log = logging.getLogger(__name__)


class InThisCloud:
    """`Surroundings` of moto's backends, which have machines and load balancers behind them."""

    def __init__(self, groups: Callable[[], Sequence[Any]], balancers: Balancers) -> None:
        self.groups = groups
        self._balancers = balancers

    def launch(self, group: Any, zone: str, configuration: Configuration) -> Any:
        try:
            return _first_to_be_had(group, zone, _chosen(group, configuration))
        except ServiceException as error:
            raise LaunchFailed(str(error.message).rstrip(".")) from None

    def release(self, group: Any, instance: str) -> None:
        group.ec2_backend.delete_tags([instance], {ASG_NAME_TAG: group.name})

    def terminate(self, group: Any, instance: str) -> None:
        # Protection from termination is for people: a group terminates its members all the same.
        group.ec2_backend.get_instance(instance).disable_api_termination = False
        group.ec2_backend.terminate_instances([instance])
        group.autoscaling_backend.elbv2_backend.notify_terminate_instances([instance])

    def stop(self, group: Any, instance: str) -> None:
        group.ec2_backend.stop_instances([instance])

    def start(self, group: Any, instance: str) -> None:
        group.ec2_backend.start_instances([instance])

    def register(self, group: Any, instance: str) -> None:
        elbv2, elb = group.autoscaling_backend.elbv2_backend, group.autoscaling_backend.elb_backend
        for arn in group.target_group_arns:
            try:
                elbv2.register_targets(arn, [{"Id": instance}])
            except ServiceException as error:
                log.warning("%s is not registered with %s: %s", instance, arn, error.message)
        for name in group.load_balancer_names:
            balancer = elb.load_balancers.get(name)
            if balancer and instance not in balancer.instance_ids:
                elb.register_instances(name, [instance], from_autoscaling=True)

    def deregister(self, group: Any, instance: str) -> None:
        elbv2, elb = group.autoscaling_backend.elbv2_backend, group.autoscaling_backend.elb_backend
        for arn in group.target_group_arns:
            with suppress(ServiceException):  # deleted meanwhile
                elbv2.deregister_targets(arn, [{"Id": instance}])
        for name in group.load_balancer_names:
            if name in elb.load_balancers:
                elb.deregister_instances(name, [instance])

    def is_idle(self, instance: str) -> bool:
        return self._balancers.is_idle(instance)

    def hooks(self, group: Any, transition: str) -> Sequence[LifecycleHook]:
        known = group.autoscaling_backend.describe_lifecycle_hooks(group.name)
        return [
            LifecycleHook(
                each.name, each.heartbeat_timeout, "CONTINUE" if each.default_result == "CONTINUE" else "ABANDON"
            )
            for each in known
            if each.lifecycle_transition == transition
        ]

    def is_refused(self, group: Any, instance: str) -> bool:
        elbv2 = group.autoscaling_backend.elbv2_backend
        known = [arn for arn in group.target_group_arns if arn in elbv2.target_groups]
        health = [each for arn in known for each in elbv2.describe_target_health(arn, [{"Id": instance}])]
        return any(each.status == "unhealthy" for each in health)

    def is_serving(self, group: Any, instance: str) -> bool:
        elbv2 = group.autoscaling_backend.elbv2_backend
        known = [arn for arn in group.target_group_arns if arn in elbv2.target_groups]
        health = [each for arn in known for each in elbv2.describe_target_health(arn, [{"Id": instance}])]
        # A target group without a listener sends nobody anything, and checks nobody: unused.
        return all(each.status in ("healthy", "unused") for each in health)

    def is_launched_from(self, group: Any, instance: str, configuration: Configuration) -> bool:
        launched = group.ec2_backend.get_instance(instance)
        with suppress(ServiceException):  # what was launched from may be gone
            return any(is_launched_from(launched, source) for source in sources(group, configuration))
        return False

    def alarms(self) -> Mapping[str, str]:
        return {alarm.name: alarm.state_value for alarm in self.watched()}

    def watched(self) -> Sequence[Any]:
        return list(_cloudwatch().alarms.values())

    def metric_data(self) -> Sequence[Any]:
        data: Sequence[Any] = _cloudwatch().metric_data
        return data

    def scheduled_actions(self, group: Any) -> Sequence[Any]:
        actions: Sequence[Any] = group.autoscaling_backend.describe_scheduled_actions(group.name)
        return actions

    def forget_action(self, group: Any, action: Any) -> None:
        group.autoscaling_backend.delete_scheduled_action(group.name, action.scheduled_action_name)

    def policies(self, group: Any) -> list[Any]:
        policies: list[Any] = group.autoscaling_backend.describe_policies(group.name)
        return policies

    def set_desired(self, group: Any, wanted: int) -> None:
        group.autoscaling_backend.set_desired_capacity(group.name, wanted)

    def resize(self, group: Any, action: Any) -> None:
        given = {name: getattr(action, name) for name in ("min_size", "max_size", "desired_capacity")}
        names = ("launch_config_name", "launch_template", "vpc_zone_identifier", "availability_zones")
        given |= dict.fromkeys((*names, "health_check_period", "health_check_type"))
        try:
            group.autoscaling_backend.update_auto_scaling_group(group.name, **given)
        except ServiceException as error:
            log.warning("The scheduled action %s of %s: %s", action.scheduled_action_name, group.name, error.message)

    def member(self, group: Any, instance: Any, lifecycle: str) -> Any:
        return InstanceState(instance, lifecycle, autoscaling_group=group)

    def configure(self, group: Any, configuration: Configuration) -> None:
        configure(group, configuration)


def _cloudwatch() -> Any:
    return get_backend("cloudwatch")[ACCOUNT][REGION]


def _first_to_be_had(group: FakeAutoScalingGroup, zone: str, choices: Sequence[Source]) -> Instance:
    first, *others = choices
    try:
        return _launch(group, zone, first)
    except ServiceException as error:
        if error.code != "InsufficientInstanceCapacity" or not others:
            raise
    return _first_to_be_had(group, zone, others)


def _launch(group: FakeAutoScalingGroup, zone: str, source: Source) -> Instance:
    ec2 = group.ec2_backend
    ec2.describe_images(ami_ids=[source.image])  # an error for one that is not there
    rest = dict(source.rest)
    reservation = ec2.run_instances(
        source.image,
        1,
        rest.pop("user_data", None),
        rest.pop("security_groups", None) or [],
        instance_type=source.instance_type,
        is_instance_type_default=not source.instance_type,
        tags={"instance": {**source.tags, **group.get_propagated_tags(), ASG_NAME_TAG: group.name}},
        placement=zone,
        subnet_id=_subnet(group, zone),
        region_name=group.region,
        **rest,
    )
    instance: Any = reservation.instances[0]
    instance.lifecycle = "spot" if source.is_spot else None
    instance.launch_configuration_name = source.configuration or None
    return reservation.instances[0]


def _chosen(group: FakeAutoScalingGroup, configuration: Configuration) -> list[Source]:
    """What to try, the first choice first, each as spot or on-demand as a policy's distribution has it."""
    found = sources(group, configuration)
    if "MixedInstancesPolicy" not in configuration:
        return found
    counted = [state.instance for state in group.instance_states if state.lifecycle_state in COUNTED]
    on_demand = sum(each.lifecycle != "spot" for each in counted)
    # As many as there are to be now: a refresh may want more than the desired capacity.
    wanted = max(group.desired_capacity or 0, len(counted) + 1)
    is_spot = is_next_spot(configuration["MixedInstancesPolicy"], wanted, on_demand)
    return [replace(each, is_spot=is_spot) for each in found]


def _subnet(group: FakeAutoScalingGroup, zone: str) -> str | None:
    """The group's subnet in this zone; None where the group names zones alone."""
    if not group.vpc_zone_identifier:
        return None
    subnets = group.ec2_backend.describe_subnets(subnet_ids=group.vpc_zone_identifier.split(","))
    return next((subnet.id for subnet in subnets if subnet.availability_zone == zone), None)
