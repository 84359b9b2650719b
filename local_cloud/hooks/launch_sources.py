"""What a group launches from, found among moto's launch templates and launch configurations; set at moto's group."""

from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.ec2.models.instances import Instance

from local_cloud.scaling.launches import Configuration, Source, completed


def configure(group: Any, given: Configuration) -> None:
    """Set the group to launch from this, and from nothing else."""
    wanted = completed(group, given)
    policy = wanted.get("MixedInstancesPolicy")
    group.launch_config = group.launch_configuration_name = group.ec2_launch_template = None
    group.mixed_instances_policy = policy
    group._set_launch_configuration(wanted.get("LaunchConfigurationName"), wanted.get("LaunchTemplate"), policy)


def sources(group: FakeAutoScalingGroup, chosen: Configuration) -> list[Source]:
    """What to launch from, the first choice first. Resolved now: $Latest is what is the latest now.
    Raises moto's ServiceException for what is not there."""
    if "LaunchConfigurationName" in chosen:
        return [_of_configuration(group, chosen["LaunchConfigurationName"])]
    if "LaunchTemplate" in chosen:
        return [_of_template(group, chosen["LaunchTemplate"], {})]
    policy = chosen["MixedInstancesPolicy"]["LaunchTemplate"]
    given = policy["LaunchTemplateSpecification"]
    overrides = policy.get("Overrides") or [{}]
    return [_of_template(group, each.get("LaunchTemplateSpecification") or given, each) for each in overrides]


def is_launched_from(instance: Instance, source: Source) -> bool:
    """Whether an instance was launched from this source."""
    if source.configuration:
        return getattr(instance, "launch_configuration_name", None) == source.configuration
    tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
    launched = {"LaunchTemplateId": tags.get("aws:ec2launchtemplate:id"), "Version": tags.get(_VERSION)}
    type_fits = not source.instance_type or instance.instance_type == source.instance_type
    return launched == source.template and instance.image_id == source.image and type_fits


_VERSION = "aws:ec2launchtemplate:version"


def _of_configuration(group: FakeAutoScalingGroup, name: str) -> Source:
    # One that was deleted while a group has it: the group's own copy goes on.
    config = group.autoscaling_backend.launch_configurations.get(name) or group.launch_config
    rest = {key: getattr(config, key) for key in ("user_data", "security_groups", "key_name")}
    rest |= {"launch_config": config, "associate_public_ip": config.associate_public_ip_address}
    return Source(config.image_id, config.instance_type, None, name, bool(config.spot_price), {}, rest)


def _of_template(group: FakeAutoScalingGroup, given: dict[str, Any], override: dict[str, Any]) -> Source:
    if "LaunchTemplateId" in given:
        template = group.ec2_backend.get_launch_template(given["LaunchTemplateId"])
    else:
        template = group.ec2_backend.get_launch_template_by_name(given["LaunchTemplateName"])
    version = template.get_version(given.get("Version") or "$Default")
    pinned = {"LaunchTemplateId": template.id, "Version": str(version.number)}
    return Source(
        image=override.get("ImageId") or version.image_id,
        instance_type=override.get("InstanceType") or version.instance_type or "",
        template=pinned,
        is_spot=version.data.get("InstanceMarketOptions", {}).get("MarketType") == "spot",
        tags=version.instance_tags,
        rest={"user_data": version.user_data, "launch_template": pinned},
    )
