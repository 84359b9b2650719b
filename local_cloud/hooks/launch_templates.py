"""Hooks into moto's launch templates: versions made from versions, and deleted. See `hooking` for what a hook is."""

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, InvalidLaunchTemplateVersionNotFound
from moto.ec2.models import EC2Backend
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.responses import EC2Response
from moto.ec2.utils import parse_user_data

from local_cloud.hooks.hooking import Hook, Hooks

HOOKS = Hooks()


def _template(backend: Any, named: dict[str, Any]) -> Any:
    if named.get("LaunchTemplateId"):
        return backend.get_launch_template(named["LaunchTemplateId"])
    return backend.get_launch_template_by_name(named["LaunchTemplateName"])


def template_data(backend: Any, named: dict[str, Any]) -> dict[str, Any]:
    """The data of the launch template version that is named in the API's form."""
    data: dict[str, Any] = _template(backend, named).get_version(named.get("Version", "$Default")).data
    return data


def user_data_of(data: dict[str, Any]) -> Any:
    """The user data of a template's data as moto takes it; none where it has none."""
    given = data.get("UserData")
    return parse_user_data(None if given is None else str(given))


@HOOKS.before(EC2Response, "create_launch_template_version")
def _create_template_version(cloud: Any, original: Hook, response: Any) -> Any:
    """moto ignores SourceVersion, and leaves user data a plain string, which it then refuses itself."""
    data = dict(response._get_param("LaunchTemplateData", {}))
    if source := response._get_param("SourceVersion"):
        named = {key: response._get_param(key) for key in ("LaunchTemplateId", "LaunchTemplateName")}
        given = {key: value for key, value in named.items() if value}
        data = {**template_data(response.ec2_backend, {**given, "Version": source}), **data}
    if "UserData" in data:
        data["UserData"] = user_data_of(data)
    response.params["LaunchTemplateData"] = data
    return original(response)


@HOOKS.before(EC2Response, "describe_launch_template_versions")
def _describe_template_versions(cloud: Any, original: Hook, response: Any) -> Any:
    """moto shows 15 versions and no token for the rest: show AWS's 200."""
    response.params.setdefault("MaxResults", 200)
    return original(response)


@HOOKS.before(EC2Response, "describe_launch_templates")
def _describe_templates(cloud: Any, original: Hook, response: Any) -> Any:
    """moto shows 15 templates and no token for the rest: show AWS's 200."""
    response.params.setdefault("MaxResults", 200)
    return original(response)


@HOOKS.addition(EC2Response, "delete_launch_template_versions")
def _delete_template_versions(cloud: Any, response: Any) -> Any:
    """Absent from moto. Numbers are not given twice, so a deleted version keeps its place and is not shown."""
    named = {key: response._get_param(key) for key in ("LaunchTemplateId", "LaunchTemplateName")}
    template = _template(response.ec2_backend, named)
    deleted = []
    for number in response._get_param("Versions", []):
        version = template.get_version(int(number))
        if template.is_default(version):
            raise EC2ClientError("OperationNotPermitted", f"Version {number} is the default of {template.id}")
        version.is_deleted = True
        shown = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": version.number}
        deleted.append(shown)
    return ActionResult({"SuccessfullyDeletedLaunchTemplateVersions": deleted})


@HOOKS.before(LaunchTemplate, "get_version")
def _get_version(cloud: Any, original: Hook, template: Any, num: Any) -> Any:
    """moto deletes no versions."""
    if str(num).lower() == "$latest":
        return template.latest_version()
    version = original(template, num)
    if getattr(version, "is_deleted", False):
        raise InvalidLaunchTemplateVersionNotFound(template_id=template.id, version=num)
    return version


@HOOKS.before(LaunchTemplate, "latest_version")
def _latest_version(cloud: Any, original: Hook, template: Any) -> Any:
    """moto deletes no versions."""
    return next(each for each in reversed(template.versions) if not getattr(each, "is_deleted", False))


@HOOKS.before(EC2Backend, "describe_launch_template_versions")
def _template_versions(cloud: Any, original: Hook, backend: Any, *arguments: Any, **named: Any) -> Any:
    """moto deletes no versions."""
    found = original(backend, *arguments, **named)
    return [(template, version) for template, version in found if not getattr(version, "is_deleted", False)]
