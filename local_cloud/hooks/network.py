"""Hooks into the network that moto's instances are in: here it is the bridge's."""

import random
from typing import Any

from moto.ec2.models import EC2Backend, elastic_network_interfaces

from local_cloud.config import REGION
from local_cloud.hooks.backends import ec2
from local_cloud.hooks.cloud import Cloud
from local_cloud.hooks.hooking import Hook, Hooks

HOOKS = Hooks()


@HOOKS.before(EC2Backend, "create_default_vpc")
def _default_vpc(cloud: Cloud, original: Hook, backend: Any) -> Any:
    """moto's default VPC is 172.31.0.0/16: here it is the network of the bridge, with a subnet in each zone."""
    if backend.region_name != REGION:
        return original(backend)
    vpc = backend.create_vpc(cidr_block=str(cloud.config.network), is_default=True)
    for zone, subnet in cloud.config.subnets.items():
        backend.create_subnet(vpc_id=vpc.id, cidr_block=str(subnet), availability_zone=zone)
    return vpc


@HOOKS.before(elastic_network_interfaces, "random_public_ip")
def _public_address(cloud: Cloud, original: Hook) -> str:
    """moto's public addresses are somebody's on the internet: here they are the bridge's."""
    taken = {nic.public_ip for nic in ec2().enis.values()}
    network = cloud.config.public_network
    while (address := str(network[random.randrange(4, network.num_addresses - 4)])) in taken:  # noqa: S311
        pass
    return address
