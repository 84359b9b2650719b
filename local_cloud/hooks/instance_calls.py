"""Hooks into what is done with instances that are there: start, stop, reboot, terminate, describe."""

import time
from collections.abc import Iterator
from copy import copy
from typing import Any

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.core.utils import utcnow
from moto.ec2.exceptions import (
    EC2ClientError,
    InvalidInstanceIdError,
)
from moto.ec2.models import EC2Backend
from moto.ec2.responses import EC2Response

from local_cloud.hooks.cloud import Cloud
from local_cloud.hooks.hooking import Hook, Hooks
from local_cloud.hooks.instances import end, set_state, stop, younger_than
from local_cloud.requests.calls import Call

HOOKS = Hooks()


_NEWS_WITHIN = 0.9
"""Seconds; less than the second that a client waits anyway until it asks again."""


@HOOKS.before(EC2Backend, "start_instances")
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
            set_state(instance, "pending")
            cloud.machines.start(instance.id)
        found.append((instance, previous))
    return found


@HOOKS.before(EC2Backend, "stop_instances")
def _stop_instances(cloud: Cloud, original: Hook, backend: Any, instance_ids: list[str]) -> Any:
    """moto's instances are stopped at once; here the machine shuts down first."""
    expect(backend, instance_ids, "running", "pending", "stopping", "stopped")
    found = []
    for instance in backend.get_multi_instances_by_id(instance_ids):
        if instance.disable_api_stop is True:
            return original(backend, instance_ids)
        previous = copy(instance._state)
        if instance.state in ("running", "pending"):
            stop(instance)
            set_state(instance, "stopping")
            cloud.machines.stop(instance.id)
        found.append((instance, previous))
    return found


@HOOKS.before(EC2Backend, "reboot_instances")
def _reboot_instances(cloud: Cloud, original: Hook, backend: Any, instance_ids: list[str]) -> Any:
    """moto's reboot does nothing."""
    expect(backend, instance_ids, "running", "pending")
    for instance_id in instance_ids:
        cloud.machines.reboot(instance_id)
    return original(backend, instance_ids)


@HOOKS.before(EC2Backend, "terminate_instances")
def _terminate_instances(cloud: Cloud, original: Hook, backend: Any, instance_ids: list[str]) -> Any:
    """moto's instances are gone at once; here the machine shuts down first. Twice is no error."""
    known = backend.get_multi_instances_by_id(instance_ids)
    ended = {each.id: copy(each._state) for each in known if each.state in ("shutting-down", "terminated")}
    live = [each.id for each in known if each.id not in ended]
    found = original(backend, live) if live else []
    for instance, _ in found:
        set_state(instance, "shutting-down")
        if cloud.machines.state(instance.id) is None:
            end(instance)
        else:
            cloud.machines.terminate(instance.id)
    cloud.changed()
    return found + [(each, ended[each.id]) for each in known if each.id in ended]


def expect(backend: Any, instance_ids: list[str], *states: str) -> None:
    """Raise AWS's IncorrectInstanceState if one of the instances is in none of these states."""
    for instance in backend.get_multi_instances_by_id(instance_ids):
        if instance.state not in states:
            raise EC2ClientError(
                "IncorrectInstanceState",
                f"The instance '{instance.id}' is not in a state from which this can be done: {instance.state}.",
            )


@HOOKS.before(EC2Response, "describe_instances")
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


@HOOKS.before(EC2Backend, "modify_instance_metadata_options")
def _modify_metadata_options(cloud: Cloud, original: Hook, backend: Any, instance_id: str, **named: Any) -> Any:
    """moto forgets the options that a call does not name."""
    before = copy(backend.get_instance(instance_id).metadata_options)
    after = original(backend, instance_id, **named)
    for name, value in vars(before).items():
        if getattr(after, name) is None:
            setattr(after, name, value)
    return after


@HOOKS.before(EC2Response, "get_console_output")
def _console_output(cloud: Cloud, original: Hook, response: Any) -> Any:
    """moto's console output is canned: here is the machine's own."""
    instance = response.ec2_backend.get_instance(response._get_param("InstanceId"))
    output = cloud.machines.console(instance.id).decode(errors="replace")
    encoded = Base64EncodedString.from_raw_string(output)
    return ActionResult({"InstanceId": instance.id, "Timestamp": utcnow(), "Output": encoded})
