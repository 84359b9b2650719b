"""Hooks into launch configurations, and into what groups and members say that they are launched from."""

from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState

from local_cloud.hooks.hooking import Hook, Hooks
from local_cloud.hooks.scaled import Scaled

HOOKS = Hooks()


def must_be_configured(backend: Any, name: str | None) -> None:
    """Raise ValidationError if a launch configuration is named that is not there."""
    if name and name not in backend.launch_configurations:
        raise ValidationError(f"Launch configuration name not found - Launch configuration {name} not found")


@HOOKS.before(FakeAutoScalingGroup, "launch_template")
def _template_of_group(cloud: Scaled, original: Hook, group: Any) -> dict[str, Any] | None:
    """moto shows a mixed group's template at the top, too."""
    return None if group.mixed_instances_policy else original(group)


@HOOKS.before(InstanceState, "launch_template")
def _template_of_instance(cloud: Scaled, original: Hook, state: Any) -> dict[str, Any] | None:
    """moto shows the template's default version; here is what the instance was launched from."""
    tags = {tag["key"]: tag["value"] for tag in state.instance.get_tags()}
    if "aws:ec2launchtemplate:id" not in tags:
        return None
    template = tags["aws:ec2launchtemplate:id"]
    known = state.instance.ec2_backend.launch_templates.get(template)
    return {
        "LaunchTemplateId": template,
        "LaunchTemplateName": known.name if known else None,
        "Version": tags["aws:ec2launchtemplate:version"],
    }


@HOOKS.before(InstanceState, "launch_configuration_name")
def _configuration_of_instance(cloud: Scaled, original: Hook, state: Any) -> str | None:
    """moto shows the group's; here is what the instance was launched from, while it is there."""
    name = getattr(state.instance, "launch_configuration_name", None)
    return name if name in state.auto_scaling_group.autoscaling_backend.launch_configurations else None


@HOOKS.before(AutoScalingBackend, "create_launch_configuration")
def _create_configuration(cloud: Scaled, original: Hook, backend: Any, name: str, *rest: Any, **named: Any) -> Any:
    """moto takes a name twice."""
    if name in backend.launch_configurations:
        raise AutoscalingClientError("AlreadyExists", f"Launch Configuration by this name already exists - {name}")
    return original(backend, name, *rest, **named)


@HOOKS.before(AutoScalingBackend, "delete_launch_configuration")
def _delete_configuration(cloud: Scaled, original: Hook, backend: Any, name: str) -> None:
    """moto deletes one that a group launches from, and one that is not there."""
    must_be_configured(backend, name)
    if any(getattr(group, "launch_configuration_name", None) == name for group in backend.autoscaling_groups.values()):
        message = f"Cannot delete launch configuration {name} because it is attached to AutoScalingGroup"
        raise AutoscalingClientError("ResourceInUse", message)
    original(backend, name)
