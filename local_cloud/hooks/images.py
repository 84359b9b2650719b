"""Hooks into moto's images: an AMI here has layers, which boot. See `hooking` for what a hook is."""

import logging
import threading
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami
from moto.ec2.responses import EC2Response
from moto.ec2.utils import convert_tag_spec

from local_cloud.config import REGION
from local_cloud.hooks.backends import ec2
from local_cloud.hooks.cloud import Cloud
from local_cloud.hooks.hooking import Hook, Hooks
from local_cloud.hooks.instance_calls import expect
from local_cloud.machines.source_image import SourceImage

HOOKS = Hooks()

log = logging.getLogger(__name__)


def register_source_image(cloud: Cloud, source: SourceImage) -> None:
    """Show the source image as an AMI of the account's own; it takes the place of one of an earlier recipe."""
    backend = ec2()
    for earlier in [each for each in backend.amis.values() if hasattr(each, "is_source") and each.id != source.id]:
        backend.deregister_image(earlier.id)
    if source.id not in backend.amis:
        image = Ami(
            backend,
            source.id,
            name=source.name,
            description="The local cloud's own Debian",
            architecture=source.architecture,
            region_name=REGION,
        )
        image.is_source = True  # type: ignore[attr-defined]
        backend.amis[source.id] = image


def settle(cloud: Cloud) -> None:
    """After a start: layers of images that are not known go, and images that were being made have failed."""
    known = set(ec2().amis)
    for image in [image for image in cloud.images.ids() if image not in known]:
        cloud.images.remove(image)
    for image in ec2().amis.values():
        if image.state == "pending":
            image.state = "failed"


def image_names() -> dict[str, str]:
    """The images' names by their ids."""
    return {image.id: image.name or "" for image in ec2().amis.values()}


@HOOKS.before(Ami, "__init__")
def _ami(cloud: Cloud, original: Hook, ami: Any, *arguments: Any, **named: Any) -> None:
    """moto's images have RootDeviceType=standard, which Packer takes for no EBS image."""
    original(ami, *arguments, **named)
    ami.root_device_type = "ebs"
    ami.hypervisor = "xen"
    ami.virtualization_type = "hvm"
    ami.architecture = ami.architecture or "x86_64"


@HOOKS.before(EC2Response, "create_image")
def _create_image(cloud: Cloud, original: Hook, response: Any) -> Any:
    """moto fails on snapshot tags, takes any name twice, knows no NoReboot, and keeps no disk."""
    backend, name = response.ec2_backend, response._get_param("Name")
    instance = backend.get_instance(response._get_param("InstanceId"))
    expect(backend, [instance.id], "running", "stopped")
    _name_must_be_free(backend, name)
    response.error_on_dryrun()
    specifications = response._get_param("TagSpecifications", [])
    of_image = [each for each in specifications if each["ResourceType"] != "snapshot"]
    image = backend.create_image(instance.id, name, response._get_param("Description", ""), of_image)
    image.ebs_snapshot.add_tags(convert_tag_spec(specifications).get("snapshot", {}))
    image.state = "pending"
    reboot = not response._get_param("NoReboot", False)
    threading.Thread(target=_take_image, args=(cloud, image, instance.id, reboot), daemon=True).start()
    return ActionResult({"ImageId": image.id})


def _take_image(cloud: Cloud, image: Any, instance_id: str, reboot: bool) -> None:
    try:
        layers = cloud.machines.snapshot(instance_id, cloud.images.new_layer(), reboot=reboot)
        cloud.images.add(image.id, layers)
        image.state = "available"
    except Exception:
        log.exception("%s of %s failed", image.id, instance_id)
        image.state = "failed"
    log.info("%s (%s) of %s is %s", image.id, image.name, instance_id, image.state)
    cloud.changed()


@HOOKS.before(EC2Backend, "copy_image")
def _copy_image(
    cloud: Cloud, original: Hook, backend: Any, source_image_id: str, region: str, name: Any = None, text: Any = None
) -> Any:
    """A copy uses the layers of what it copies."""
    _name_must_be_free(backend, name)
    layers = cloud.images.layers(source_image_id)
    image = original(backend, source_image_id, region, name, text)
    if layers:
        cloud.images.add(image.id, layers)
    return image


@HOOKS.before(EC2Backend, "register_image")
def _register_image(cloud: Cloud, original: Hook, backend: Any, name: Any = None, description: Any = None) -> Any:
    """moto takes any name twice."""
    _name_must_be_free(backend, name)
    return original(backend, name, description)


@HOOKS.before(EC2Backend, "deregister_image")
def _deregister_image(cloud: Cloud, original: Hook, backend: Any, ami_id: str) -> None:
    """moto knows no deregistration protection, and there are layers to delete."""
    image = backend.amis.get(ami_id)
    if image is not None and getattr(image, "deregistration_protection", "disabled") != "disabled":
        raise EC2ClientError("OperationNotPermitted", f"The image '{ami_id}' is protected from deregistration.")
    original(backend, ami_id)
    cloud.images.remove(ami_id)


@HOOKS.before(EC2Response, "deregister_image")
def _deregister_image_call(cloud: Cloud, original: Hook, response: Any) -> Any:
    """moto ignores DeleteAssociatedSnapshots."""
    image = response.ec2_backend.amis.get(response._get_param("ImageId"))
    result = original(response)
    if image is not None and response._get_param("DeleteAssociatedSnapshots", False):
        response.ec2_backend.snapshots.pop(image.ebs_snapshot.id, None)
    return result


def _name_must_be_free(backend: Any, name: str | None) -> None:
    for image in backend.amis.values():
        if name and image.name == name:
            raise EC2ClientError("InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {image.id}")


def _image_of(response: Any) -> Any:
    return response.ec2_backend.describe_images(ami_ids=[response._get_param("ImageId")])[0]


@HOOKS.addition(EC2Response, "enable_image_deprecation")
def _enable_image_deprecation(cloud: Cloud, response: Any) -> Any:
    """Absent from moto."""
    _image_of(response).deprecation_time = response._get_param("DeprecateAt")
    return ActionResult({"Return": True})


@HOOKS.addition(EC2Response, "disable_image_deprecation")
def _disable_image_deprecation(cloud: Cloud, response: Any) -> Any:
    """Absent from moto."""
    _image_of(response).deprecation_time = None
    return ActionResult({"Return": True})


@HOOKS.addition(EC2Response, "enable_image_deregistration_protection")
def _enable_protection(cloud: Cloud, response: Any) -> Any:
    """Absent from moto. The cooldown of 24 h that one may ask for is not kept."""
    _image_of(response).deregistration_protection = "enabled-without-cooldown"
    return ActionResult({"Return": "enabled-without-cooldown"})


@HOOKS.addition(EC2Response, "disable_image_deregistration_protection")
def _disable_protection(cloud: Cloud, response: Any) -> Any:
    """Absent from moto."""
    _image_of(response).deregistration_protection = "disabled"
    return ActionResult({"Return": "disabled"})
