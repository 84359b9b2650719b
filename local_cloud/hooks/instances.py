"""What becomes of a machine, shown by moto's instance; and what the daemon asks of instances."""

import base64
import logging
from datetime import timedelta
from typing import Any

from moto.backends import get_backend
from moto.core.utils import utcnow
from moto.ec2.exceptions import (
    EC2ClientError,
)

from local_cloud.config import ACCOUNT, REGION
from local_cloud.hooks.backends import ec2
from local_cloud.hooks.cloud import Cloud
from local_cloud.machines.machine import State
from local_cloud.machines.metadata import Facts

_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
# AWS shows a terminated instance for about an hour:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html
_SHOWN_AFTER_END = timedelta(hours=1)

log = logging.getLogger(__name__)


def settle(cloud: Cloud) -> None:
    """After a start: what ran is terminated, as after a power failure; stopped machines kept their disks."""
    for instance in ec2().all_instances():
        if instance.state == "stopped" and (cloud.config.instances / instance.id / "upper").exists():
            layers = getattr(instance, "layers", ())
            cloud.machines.adopt(instance.id, hostname(instance), layers, addresses(instance))
        elif instance.state != "terminated":
            end(instance, "Server.InternalError: the local cloud went down")


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
        end(instance, reason)
    elif state == "stopped" and reason and instance.instance_initiated_shutdown_behavior == "terminate":
        _terminate_by_guest(instance_id)
    elif state == "stopped":
        stop(instance)
    if reason and state != "terminated":
        explain(instance, reason)
    if state != "terminated" and instance.state not in ("shutting-down", "terminated"):
        set_state(instance, state)
    if state == "stopped":
        instance.layers = cloud.machines.layers(instance_id)
    cloud.changed()


def facts(instance_id: str) -> Facts | None:
    """What the metadata service shows to an instance."""
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


def set_state(instance: Any, state: str) -> None:
    """Put an instance in a state."""
    instance._state.name, instance._state.code = state, _CODES[state]


def explain(instance: Any, reason: str) -> None:
    """Say why an instance is in its state."""
    instance._reason = reason
    instance.state_reason.message, instance.state_reason.code = reason, reason.partition(":")[0]


def stop(instance: Any) -> None:
    """moto's stop, but for the public address: the machine keeps it."""
    address = instance.nics[0].public_ip
    instance.stop()
    instance.nics[0].public_ip = address


def end(instance: Any, reason: str = "") -> None:
    """Terminated, at last: moto's own part is done here if no call has done it."""
    if instance.state not in ("shutting-down", "terminated"):
        instance.terminate()
        explain(instance, reason or "Server.InternalError: the machine ended")
    set_state(instance, "terminated")
    instance.ended_at = utcnow()


def _terminate_by_guest(instance_id: str) -> None:
    """As TerminateInstances does, with the word to its neighbours."""
    ec2().terminate_instances([instance_id])
    for service in ("autoscaling", "elbv2"):
        neighbour: Any = get_backend(service)[ACCOUNT][REGION]
        neighbour.notify_terminate_instances([instance_id])


def addresses(instance: Any) -> list[str]:
    """The instance's addresses, the private one first."""
    return [address for address in (instance.private_ip, instance.public_ip) if address]


def hostname(instance: Any) -> str:
    """The instance's host name, without its domain."""
    return str(instance.private_dns_name).partition(".")[0]


def _decoded(user_data: Any) -> bytes:
    return base64.b64decode(str(user_data)) if user_data else b""
