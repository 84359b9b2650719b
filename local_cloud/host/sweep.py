"""Removes what a cloud left on this machine: processes, namespaces, interfaces, routes, packet filters, cgroups.

Everything is found by the cloud's name, never by what a daemon remembers, so it works after a SIGKILL too.
Mounts need no sweeping: a machine's are in its own mount namespace and end with it.
"""

from local_cloud.config import Config
from local_cloud.host import cgroup, network, packet_filter


def leftovers(config: Config) -> list[str]:
    """What is there of this cloud, in words."""
    group = cgroup.of_cloud(config.bridge)
    found = [f"process {process}" for process in cgroup.processes(group)]
    found += [f"cgroup {group}"] if group.exists() else []
    found += [f"network namespace {name}" for name in network.namespaces(config.bridge)]
    found += [f"nftables table {packet_filter.table(config)}"] if packet_filter.is_there(config) else []
    return found + [f"bridge {each['ifname']}" for each in network.interfaces() if each["ifname"] == config.bridge]


def sweep(config: Config) -> list[str]:
    """Remove all of it, only while no daemon holds the lock. Returns what could not be removed."""
    if network.is_foreign(config) or not leftovers(config):
        return []
    cgroup.kill(cgroup.of_cloud(config.bridge))
    network.remove(config)
    packet_filter.remove(config)
    return leftovers(config)
