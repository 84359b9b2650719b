"""Hooks into moto's EC2 and its conditional writes: each closes one gap between moto and AWS.

Written for the series of moto named here; a test compares every hooked method's signature with the one it
was written for. A hook gets the cloud, the method it stands before, and the method's own arguments.
"""

import base64
import hashlib
import importlib
import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from copy import copy
from datetime import timedelta
from typing import Any

import moto
from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from moto.core.responses import ActionResult, BaseResponse
from moto.core.types import Base64EncodedString
from moto.core.utils import method_names_from_class, utcnow
from moto.dynamodb.responses import DynamoHandler
from moto.ec2.exceptions import (
    EC2ClientError,
    InvalidAMIIdError,
    InvalidInstanceIdError,
    UnvailableAMIIdError,
)
from moto.ec2.models import EC2Backend, elastic_network_interfaces
from moto.ec2.responses import EC2Response
from moto.s3.models import FakeKey
from moto.s3.responses import S3Response

from local_cloud.config import ACCOUNT, REGION, Config
from local_cloud.errors import LocalCloudError
from local_cloud.faults.in_force import Capacity, Faults, Launched
from local_cloud.hooks import hooking
from local_cloud.hooks.hooking import Hook, hook
from local_cloud.hooks.launch_templates import template_data, user_data_of
from local_cloud.host.room import Room
from local_cloud.machines.images import Images
from local_cloud.machines.machines import Machines, State
from local_cloud.machines.metadata import Facts
from local_cloud.requests.calls import S3_ACTIONS, Call

SERIES = "5.2."
SERVICES = ("autoscaling", "cloudwatch", "dynamodb", "ec2", "elb", "elbv2", "iam", "s3", "ssm", "sts")
S3_OBJECT = FakeKey
_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
_REMEMBERED = 500
_NEWS_WITHIN = 0.9
"""Seconds; less than the second that a client waits anyway until it asks again."""
# AWS shows a terminated instance for about an hour:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html
_SHOWN_AFTER_END = timedelta(hours=1)

log = logging.getLogger(__name__)
_launching = threading.RLock()
_putting = threading.Lock()


class Cloud:
    """What the hooks need of the rest: filled in by the daemon before `install`."""

    config: Config
    machines: Machines
    images: Images
    faults: Faults
    changed: Callable[[], None]
    room: Callable[[], Room]
    """How many machines more this machine carries."""


def install(cloud: Cloud) -> None:
    """Put all hooks into moto, once in a process. Raises LocalCloudError for another series of moto."""
    if not moto.__version__.startswith(SERIES):
        raise LocalCloudError(
            f"moto {moto.__version__} is installed; the local cloud is written for {SERIES}x.",
            next_step="pip install 'bakeroll[local]'",
        )
    hooking.install(cloud)


# ------------------------------------------------------------------ what the daemon asks of moto


def collect() -> Any:
    """moto's backends of the services used here, to be pickled as one, so that they go on referring to each other.

    moto answers for others as well, but has backends that cannot be pickled: those live until the cloud goes down.
    """
    services = {
        each.service_name: {account: dict(regions.items()) for account, regions in list(each.items())}
        for each in list(BackendDict._instances)  # type: ignore[misc]
        if each.service_name in SERVICES
    }
    return {"moto": moto.__version__, "services": services}


def restore(kept: Any) -> None:
    """Put back what `collect` gave."""
    for service, accounts in kept["services"].items():
        for account, regions in accounts.items():
            for region, backend in regions.items():
                get_backend(service)[account][region] = backend
    s3: Any = get_backend("s3")
    for account, partition, backend in s3.iter_backends():
        for bucket in backend.buckets:
            s3.bucket_accounts[bucket] = (partition, account)


def ec2() -> Any:
    return get_backend("ec2")[ACCOUNT][REGION]


def settle(cloud: Cloud) -> None:
    """After a start: what ran is terminated, as after a power failure; stopped machines kept their disks."""
    for instance in ec2().all_instances():
        if instance.state == "stopped" and (cloud.config.instances / instance.id / "upper").exists():
            layers = getattr(instance, "layers", ())
            cloud.machines.known(instance.id, _hostname(instance), layers, _addresses(instance))
        elif instance.state != "terminated":
            _end(instance, "Server.InternalError: the local cloud went down")


def forget_terminated() -> list[str]:
    """Drop the instances that ended more than an hour ago, as AWS does; return their ids."""
    backend, gone = ec2(), []
    for key, reservation in list(backend.reservations.items()):
        ends = [getattr(each, "ended_at", None) for each in reservation.instances]
        if all(end and utcnow() - end > _SHOWN_AFTER_END for end in ends):
            del backend.reservations[key]
            gone += [each.id for each in reservation.instances]
    return gone


def machine_changed(cloud: Cloud, instance_id: str, state: State, reason: str) -> None:
    """Show in the API what became of a machine."""
    instance = ec2().get_instance(instance_id)
    if state == "terminated":
        _end(instance, reason)
    elif state == "stopped" and reason and instance.instance_initiated_shutdown_behavior == "terminate":
        _terminate_by_guest(instance_id)
    elif state == "stopped":
        _stop(instance)
    if reason and state != "terminated":
        _explain(instance, reason)
    if state != "terminated" and instance.state not in ("shutting-down", "terminated"):
        _set(instance, state)
    if state == "stopped":
        instance.layers = cloud.machines.layers(instance_id)
    cloud.changed()


def facts(instance_id: str) -> Facts | None:
    """What the metadata service tells an instance."""
    try:
        instance = ec2().get_instance(instance_id)
    except EC2ClientError:
        return None
    options, nic, key = instance.metadata_options, instance.nics[0], ec2().key_pairs.get(instance.key_name)
    tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
    return Facts(
        instance=instance.id,
        image=instance.image_id,
        instance_type=instance.instance_type,
        zone=instance.placement.zone,
        private_address=instance.private_ip,
        public_address=instance.public_ip or "",
        hostname=instance.private_dns_name,
        public_hostname=instance.public_dns_name or "",
        mac=nic.mac_address,
        subnet=instance.subnet_id,
        vpc=instance.vpc_id or "",
        launched_at=instance.launch_time,
        launch_index=instance.ami_launch_index,
        architecture=instance.architecture or "x86_64",
        security_groups=tuple((group.id, group.name) for group in instance.security_groups),
        # With the key's name as its comment, as EC2 does; Packer's ssh_clear_authorized_keys looks for it.
        key=(key.key_name, f"{' '.join(key.public_key.split()[:2])} {key.key_name}") if key else None,
        user_data=_decoded(instance.user_data),
        tags=tags if options.instance_metadata_tags == "enabled" else None,
        tokens_required=options.http_tokens == "required",
        enabled=options.http_endpoint != "disabled",
        life_cycle=instance.lifecycle or "on-demand",
    )


def instances() -> list[dict[str, str]]:
    """All instances, for `status`."""
    return [
        {
            "id": each.id,
            "state": each.state,
            "address": each.private_ip or "",
            "public_address": each.public_ip or "",
            "image": each.image_id,
            "zone": each.placement.zone,
            "reason": each.state_reason.message,
            "name": next((tag["value"] for tag in each.get_tags() if tag["key"] == "Name"), ""),
        }
        for each in ec2().all_instances()
    ]


def younger_than(seconds: float) -> frozenset[str]:
    """The instances that were launched within the last `seconds`."""
    return frozenset(
        each.id for each in ec2().all_instances() if utcnow() - each.launch_time < timedelta(seconds=seconds)
    )


def actions() -> frozenset[str]:
    """The names of what moto knows of the services that are used here."""
    modules = [importlib.import_module(f"moto.{service}.responses") for service in SERVICES]
    kinds = [kind for module in modules for kind in vars(module).values() if isinstance(kind, type)]
    methods = {name for kind in kinds if issubclass(kind, BaseResponse) for name in method_names_from_class(kind)}
    return S3_ACTIONS | {"".join(word.capitalize() for word in name.split("_")) for name in methods}


def _set(instance: Any, state: str) -> None:
    instance._state.name, instance._state.code = state, _CODES[state]


def _explain(instance: Any, reason: str) -> None:
    instance._reason = reason
    instance.state_reason.message, instance.state_reason.code = reason, reason.partition(":")[0]


def _stop(instance: Any) -> None:
    """moto's stop, but for the public address: the machine keeps it."""
    address = instance.nics[0].public_ip
    instance.stop()
    instance.nics[0].public_ip = address


def _end(instance: Any, reason: str = "") -> None:
    """Terminated, at last: moto's own part is done here if no call has done it."""
    if instance.state not in ("shutting-down", "terminated"):
        instance.terminate()
        _explain(instance, reason or "Server.InternalError: the machine ended")
    _set(instance, "terminated")
    instance.ended_at = utcnow()


def _terminate_by_guest(instance_id: str) -> None:
    """As TerminateInstances does, with the word to its neighbours."""
    ec2().terminate_instances([instance_id])
    for service in ("autoscaling", "elbv2"):
        neighbour: Any = get_backend(service)[ACCOUNT][REGION]
        neighbour.notify_terminate_instances([instance_id])


def _addresses(instance: Any) -> list[str]:
    return [address for address in (instance.private_ip, instance.public_ip) if address]


def _hostname(instance: Any) -> str:
    return str(instance.private_dns_name).partition(".")[0]


def _decoded(user_data: Any) -> bytes:
    return base64.b64decode(str(user_data)) if user_data else b""


# ------------------------------------------------------------------ the network that instances are in


@hook(EC2Backend, "create_default_vpc")
def _default_vpc(cloud: Cloud, original: Hook, backend: Any) -> Any:
    """moto's default VPC is 172.31.0.0/16: here it is the network of the bridge, with a subnet in each zone."""
    if backend.region_name != REGION:
        return original(backend)
    vpc = backend.create_vpc(cidr_block=str(cloud.config.network), is_default=True)
    for zone, subnet in cloud.config.subnets.items():
        backend.create_subnet(vpc_id=vpc.id, cidr_block=str(subnet), availability_zone=zone)
    return vpc


@hook(elastic_network_interfaces, "random_public_ip")
def _public_address(cloud: Cloud, original: Hook) -> str:
    """moto's public addresses are somebody's on the internet: here they are the bridge's."""
    taken = {nic.public_ip for nic in ec2().enis.values()}
    network = cloud.config.public_network
    while (address := str(network[random.randrange(4, network.num_addresses - 4)])) in taken:  # noqa: S311
        pass
    return address


# ------------------------------------------------------------------ launching


class NoCapacity(EC2ClientError):
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshooting-launch.html"""

    code = "InsufficientInstanceCapacity"


@hook(EC2Response, "run_instances")
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


@hook(EC2Backend, "run_instances")
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
            _set(instance, "pending")
            cloud.faults.strike(Launched(instance.id, image))
            cloud.machines.launch(instance.id, _hostname(instance), layers, _addresses(instance))
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


# ------------------------------------------------------------------ instances' lives


@hook(EC2Backend, "start_instances")
def _start_instances(cloud: Cloud, original: Hook, backend: Any, instance_ids: list[str]) -> Any:
    """moto's instances run at once; here the machine has to boot."""
    expect(backend, instance_ids, "stopped", "running", "pending")
    found = []
    for instance in backend.get_multi_instances_by_id(instance_ids):
        previous = copy(instance._state)
        if instance.state == "stopped":
            address = instance.nics[0].public_ip
            instance.start()
            instance.nics[0].public_ip = address
            _set(instance, "pending")
            cloud.machines.start(instance.id)
        found.append((instance, previous))
    return found


@hook(EC2Backend, "stop_instances")
def _stop_instances(cloud: Cloud, original: Hook, backend: Any, instance_ids: list[str]) -> Any:
    """moto's instances are stopped at once; here the machine shuts down first."""
    expect(backend, instance_ids, "running", "pending", "stopping", "stopped")
    found = []
    for instance in backend.get_multi_instances_by_id(instance_ids):
        if instance.disable_api_stop is True:
            return original(backend, instance_ids)
        previous = copy(instance._state)
        if instance.state in ("running", "pending"):
            _stop(instance)
            _set(instance, "stopping")
            cloud.machines.stop(instance.id)
        found.append((instance, previous))
    return found


@hook(EC2Backend, "reboot_instances")
def _reboot_instances(cloud: Cloud, original: Hook, backend: Any, instance_ids: list[str]) -> Any:
    """moto's reboot does nothing."""
    expect(backend, instance_ids, "running", "pending")
    for instance_id in instance_ids:
        cloud.machines.reboot(instance_id)
    return original(backend, instance_ids)


@hook(EC2Backend, "terminate_instances")
def _terminate_instances(cloud: Cloud, original: Hook, backend: Any, instance_ids: list[str]) -> Any:
    """moto's instances are gone at once; here the machine shuts down first. Twice is no error."""
    known = backend.get_multi_instances_by_id(instance_ids)
    ended = {each.id: copy(each._state) for each in known if each.state in ("shutting-down", "terminated")}
    live = [each.id for each in known if each.id not in ended]
    found = original(backend, live) if live else []
    for instance, _ in found:
        _set(instance, "shutting-down")
        if cloud.machines.state(instance.id) is None:
            _end(instance)
        else:
            cloud.machines.terminate(instance.id)
    cloud.changed()
    return found + [(each, ended[each.id]) for each in known if each.id in ended]


def expect(backend: Any, instance_ids: list[str], *states: str) -> None:
    for instance in backend.get_multi_instances_by_id(instance_ids):
        if instance.state not in states:
            raise EC2ClientError(
                "IncorrectInstanceState",
                f"The instance '{instance.id}' is not in a state from which this can be done: {instance.state}.",
            )


@hook(EC2Response, "describe_instances")
def _describe_instances(cloud: Cloud, original: Hook, response: Any) -> Any:
    """Packer (Go's SDK) asks once a second at most: it is answered when there is news, if that is soon. The
    answer may be made to lag behind what was launched."""
    instance_ids = response._get_param("InstanceIds", [])
    unseen = younger_than(cloud.faults.staleness(Call("ec2", "DescribeInstances")))
    if hidden := [each for each in instance_ids if each in unseen]:
        raise InvalidInstanceIdError(hidden)
    if instance_ids and "aws-sdk-go" in response.headers.get("User-Agent", ""):
        deadline = time.monotonic() + _NEWS_WITHIN
        while _is_changing(response.ec2_backend, instance_ids) and time.monotonic() < deadline:
            time.sleep(0.02)
    result = original(response)
    if unseen:
        result.result["Reservations"] = list(_without(unseen, result.result["Reservations"]))
    return result


def _without(unseen: frozenset[str], reservations: list[Any]) -> Iterator[Any]:
    for reservation in reservations:
        seen = copy(reservation)
        seen.instances = [each for each in reservation.instances if each.id not in unseen]
        if seen.instances:
            yield seen


def _is_changing(backend: Any, instance_ids: list[str]) -> bool:
    found = backend.get_multi_instances_by_id(instance_ids)
    return any(instance.state in ("pending", "stopping", "shutting-down") for instance in found)


@hook(EC2Backend, "modify_instance_metadata_options")
def _modify_metadata_options(cloud: Cloud, original: Hook, backend: Any, instance_id: str, **named: Any) -> Any:
    """moto forgets the options that a call does not name."""
    before = copy(backend.get_instance(instance_id).metadata_options)
    after = original(backend, instance_id, **named)
    for name, value in vars(before).items():
        if getattr(after, name) is None:
            setattr(after, name, value)
    return after


@hook(EC2Response, "get_console_output")
def _console_output(cloud: Cloud, original: Hook, response: Any) -> Any:
    """moto's console output is canned: here is the machine's own."""
    instance = response.ec2_backend.get_instance(response._get_param("InstanceId"))
    output = cloud.machines.console(instance.id).decode(errors="replace")
    encoded = Base64EncodedString.from_raw_string(output)
    return ActionResult({"InstanceId": instance.id, "Timestamp": utcnow(), "Output": encoded})


# ------------------------------------------------------------------ conditional writes


@hook(S3Response, "put_object")
def _put_object(cloud: Cloud, original: Hook, response: Any) -> Any:
    """moto looks whether If-Match and If-None-Match hold, and writes later: two writers could both win."""
    with _putting:
        return original(response)


@hook(DynamoHandler, "put_item")
def _put_item(cloud: Cloud, original: Hook, response: Any) -> Any:
    """moto looks whether the condition holds, and writes later: two writers could both win."""
    with _putting:
        return original(response)
