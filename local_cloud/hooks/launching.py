"""Hooks into RunInstances: an instance here needs an image with layers, an address on the bridge, and room."""

import hashlib
import json
import threading
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import (
    EC2ClientError,
    InvalidAMIIdError,
    UnvailableAMIIdError,
)
from moto.ec2.models import EC2Backend
from moto.ec2.responses import EC2Response

from local_cloud.config import REGION
from local_cloud.faults.in_force import Capacity, Launched
from local_cloud.hooks.cloud import Cloud
from local_cloud.hooks.hooking import Hook, Hooks
from local_cloud.hooks.instances import addresses, hostname, set_state
from local_cloud.hooks.launch_templates import template_data, user_data_of

HOOKS = Hooks()


_REMEMBERED = 500


_launching = threading.RLock()


class NoCapacity(EC2ClientError):
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshooting-launch.html"""

    code = "InsufficientInstanceCapacity"


@HOOKS.before(EC2Response, "run_instances")
def _run_instances_call(cloud: Cloud, original: Hook, response: Any) -> Any:
    """moto ignores ClientToken and MaxCount, and a dry run succeeds whatever it is of."""
    parameters, backend = response.params, response.ec2_backend
    with _launching:
        _launchable(cloud, backend, parameters.get("ImageId"), parameters.get("LaunchTemplate"))
        response.error_on_dryrun()
        token = parameters.get("ClientToken")
        print_ = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).hexdigest()
        remembered = backend.__dict__.setdefault("client_tokens", {})
        if token in remembered:
            return ActionResult(_same_again(remembered[token], print_))
        least = parameters.get("MinCount", 1)
        parameters["MinCount"] = max(least, min(parameters.get("MaxCount", least), cloud.room().left))
        try:
            result = original(response)
        except NoCapacity as error:  # a server's error, which clients repeat; moto would say 400
            _, headers, body = response.serialized(ActionResult(error))
            return body, {**headers, "status": 500}
        if token:
            remembered[token] = (print_, result.result)
            for oldest in list(remembered)[:-_REMEMBERED]:
                del remembered[oldest]
        return result


def _same_again(remembered: tuple[str, Any], fingerprint: str) -> Any:
    """https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html"""
    known, reservation = remembered
    if known != fingerprint:
        raise EC2ClientError("IdempotentParameterMismatch", "The request has the client token of another request.")
    if all(each.state == "terminated" for each in reservation.instances):
        raise EC2ClientError("IdempotentInstanceTerminated", "The instances of this client token are terminated.")
    return reservation


@HOOKS.before(EC2Backend, "run_instances")
def _run_instances(
    cloud: Cloud, original: Hook, backend: Any, image_id: Any, count: int, user_data: Any, groups: Any, **named: Any
) -> Any:
    """moto accepts images that are not there, loses parts of the launch template, and nothing boots."""
    with _launching:
        image, template, layers = _launchable(cloud, backend, image_id, named.get("launch_template"))
        _fill_from(template, named)
        _place(backend, named)
        if key := named.get("key_name"):
            backend.describe_key_pairs(key_names=[key])
        _must_have_capacity(cloud, backend, template, named)
        _must_have_room(cloud, count)
        user_data = user_data or user_data_of(template)
        reservation = original(backend, image, count, user_data, groups, **named)
        for instance in reservation.instances:
            set_state(instance, "pending")
            cloud.faults.strike(Launched(instance.id, image))
            cloud.machines.launch(instance.id, hostname(instance), layers, addresses(instance))
    cloud.changed()
    return reservation


def _launchable(cloud: Cloud, backend: Any, image_id: Any, template: Any) -> tuple[str, dict[str, Any], Any]:
    """The image, the template's data and the image's layers; AWS's own errors where they are not to be had."""
    if backend.region_name != REGION:
        raise EC2ClientError("UnsupportedOperation", f"The local cloud's instances run in {REGION} alone.")
    data = template_data(backend, template) if template else {}
    image = image_id or data.get("ImageId")
    if not image:
        raise EC2ClientError("MissingParameter", "The request must contain the parameter ImageId")
    if image in backend.deleted_amis or image not in backend.amis:
        raise InvalidAMIIdError([image])
    layers = cloud.images.layers(image)
    if backend.amis[image].state != "available" or layers is None:
        raise UnvailableAMIIdError(image)
    return image, data, layers


def _fill_from(template: dict[str, Any], named: dict[str, Any]) -> None:
    """What of a launch template moto leaves out."""
    named["metadata_options"] = {**template.get("MetadataOptions", {}), **(named.get("metadata_options") or {})}
    for key, parameter in (
        ("InstanceInitiatedShutdownBehavior", "instance_initiated_shutdown_behavior"),
        ("NetworkInterfaces", "nics"),
        ("KeyName", "key_name"),
    ):
        if not named.get(parameter) and key in template:
            named[parameter] = template[key]


def _place(backend: Any, named: dict[str, Any]) -> None:
    """Without a subnet moto invents an address from anywhere: take the zone's default subnet."""
    nics = [{"DeviceIndex": 0, **nic} for nic in named.get("nics") or []]
    if not named.get("subnet_id") and not any("SubnetId" in nic for nic in nics):
        defaults = backend.get_default_subnets()
        zone = named.get("placement") or min(defaults)
        if zone not in defaults:
            raise EC2ClientError("InvalidParameterValue", f"Invalid availability zone: [{zone}]")
        if nics:
            nics[0]["SubnetId"] = defaults[zone].id
        else:
            named["subnet_id"] = defaults[zone].id
    named["nics"] = nics


def _must_have_capacity(cloud: Cloud, backend: Any, template: dict[str, Any], named: dict[str, Any]) -> None:
    subnet = backend.get_subnet(named.get("subnet_id") or named["nics"][0]["SubnetId"])
    of_template = template.get("InstanceType") if named.get("is_instance_type_default") else None
    wanted = Capacity(subnet.availability_zone, of_template or named.get("instance_type") or "m1.small")
    if cloud.faults.strike(wanted):
        raise NoCapacity(
            f"We currently do not have sufficient {wanted.instance_type} capacity in the Availability Zone you "
            f"requested ({wanted.zone}). (A fault on demand.)"
        )


def _must_have_room(cloud: Cloud, count: int) -> None:
    """A quota of AWS's; here it is this machine's to give, which does not boot more."""
    room = cloud.room()
    if count > room.left:
        raise EC2ClientError(
            "InstanceLimitExceeded",
            f"You have requested {count} more instances, and this machine has room for {room.left}: {room.bound}. "
            f"Its owner can make room: {room.remedy}",
        )
