"""What the scaling engine does to the rest of the cloud: launch, terminate, register, ask for health."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from moto.autoscaling.models import ASG_NAME_TAG, FakeAutoScalingGroup
from moto.core.exceptions import ServiceException
from moto.ec2.models.instances import Instance

from bakeroll.local.balancer import Balancers
from bakeroll.local.lifecycle import LifecycleHook
from bakeroll.local.scaling import LaunchFailed

log = logging.getLogger(__name__)


class InThisCloud:
    """`Surroundings` of moto's backends, which have machines and load balancers behind them."""

    def __init__(self, groups: Callable[[], Sequence[FakeAutoScalingGroup]], balancers: Balancers) -> None:
        self.groups = groups
        self._balancers = balancers

    def launch(self, group: FakeAutoScalingGroup, zone: str) -> Instance:
        try:
            return _launch(group, zone)
        except ServiceException as error:
            raise LaunchFailed(str(error.message).rstrip(".")) from None

    def terminate(self, group: FakeAutoScalingGroup, instance: str) -> None:
        # Protection from termination is for people: a group terminates its members all the same.
        group.ec2_backend.get_instance(instance).disable_api_termination = False
        group.ec2_backend.terminate_instances([instance])
        group.autoscaling_backend.elbv2_backend.notify_terminate_instances([instance])

    def register(self, group: FakeAutoScalingGroup, instance: str) -> None:
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

    def deregister(self, group: FakeAutoScalingGroup, instance: str) -> None:
        elbv2, elb = group.autoscaling_backend.elbv2_backend, group.autoscaling_backend.elb_backend
        for arn in group.target_group_arns:
            with suppress(ServiceException):  # deleted meanwhile
                elbv2.deregister_targets(arn, [{"Id": instance}])
        for name in group.load_balancer_names:
            if name in elb.load_balancers:
                elb.deregister_instances(name, [instance], from_autoscaling=True)
                elb.deregister_instances(name, [instance])

    def is_idle(self, instance: str) -> bool:
        return self._balancers.is_idle(instance)

    def hooks(self, group: FakeAutoScalingGroup, transition: str) -> Sequence[LifecycleHook]:
        known = group.autoscaling_backend.describe_lifecycle_hooks(group.name)
        return [
            LifecycleHook(
                each.name, each.heartbeat_timeout, "CONTINUE" if each.default_result == "CONTINUE" else "ABANDON"
            )
            for each in known
            if each.lifecycle_transition == transition
        ]

    def is_refused(self, group: FakeAutoScalingGroup, instance: str) -> bool:
        elbv2 = group.autoscaling_backend.elbv2_backend
        known = [arn for arn in group.target_group_arns if arn in elbv2.target_groups]
        health = [each for arn in known for each in elbv2.describe_target_health(arn, [{"Id": instance}])]
        return any(each.status == "unhealthy" for each in health)


def _launch(group: FakeAutoScalingGroup, zone: str) -> Instance:
    ec2 = group.ec2_backend
    image, instance_type, chosen = _template(group)
    ec2.describe_images(ami_ids=[image])  # an error for one that is not there
    reservation = ec2.run_instances(
        image,
        1,
        chosen.get("user_data"),
        chosen.get("security_groups") or [],
        instance_type=instance_type,
        is_instance_type_default=not instance_type,
        launch_template=chosen.get("launch_template"),
        launch_config=chosen.get("launch_config"),
        key_name=chosen.get("key_name"),
        tags={"instance": {**chosen.get("tags", {}), **group.get_propagated_tags(), ASG_NAME_TAG: group.name}},
        placement=zone,
        subnet_id=_subnet(group, zone),
        associate_public_ip=chosen.get("associate_public_ip"),
        region_name=group.region,
    )
    return reservation.instances[0]


def _template(group: FakeAutoScalingGroup) -> tuple[str, str, dict[str, Any]]:
    """Image, instance type and the rest to launch from, resolved now: $Latest is what is the latest now.

    Of a mixed instances policy it is the first override's, as with the strategy “prioritized”.
    """
    if group.ec2_launch_template is None:
        config = group.launch_config
        chosen = {name: getattr(config, name) for name in ("user_data", "security_groups", "key_name")}
        chosen["associate_public_ip"] = config.associate_public_ip_address
        return config.image_id, config.instance_type, {**chosen, "launch_config": config}
    override = _first_override(group)
    given = override.get("LaunchTemplateSpecification") or {}
    if "LaunchTemplateId" in given:
        template = group.ec2_backend.get_launch_template(given["LaunchTemplateId"])
    elif "LaunchTemplateName" in given:
        template = group.ec2_backend.get_launch_template_by_name(given["LaunchTemplateName"])
    else:
        template = group.ec2_backend.get_launch_template(group.ec2_launch_template.id)
    version = template.get_version(given.get("Version") or ("$Default" if given else group.launch_template_version))
    instance_type = override.get("InstanceType") or version.instance_type
    pinned = {"LaunchTemplateId": template.id, "Version": str(version.number)}
    chosen = {"launch_template": pinned, "tags": version.instance_tags, "user_data": version.user_data}
    return override.get("ImageId") or version.image_id, instance_type, chosen


def _first_override(group: FakeAutoScalingGroup) -> dict[str, Any]:
    policy = (group.mixed_instances_policy or {}).get("LaunchTemplate", {})
    overrides: list[dict[str, Any]] = policy.get("Overrides") or [{}]
    return overrides[0]


def _subnet(group: FakeAutoScalingGroup, zone: str) -> str | None:
    """The group's subnet in this zone; None where the group names zones alone."""
    if not group.vpc_zone_identifier:
        return None
    subnets = group.ec2_backend.describe_subnets(subnet_ids=group.vpc_zone_identifier.split(","))
    return next((subnet.id for subnet in subnets if subnet.availability_zone == zone), None)
