"""What groups do by themselves while time passes.

A group takes members in and drops ended ones, launches what it lacks, balances its zones, fills its warm pool and
carries out an instance refresh.
"""

from dataclasses import replace

from bakeroll.roll.simulate.cloud import Cloud
from bakeroll.roll.simulate.parts import RunningRefresh, Squad


def enter(cloud: Cloud, squad: Squad) -> None:
    """Drop members that ended, and put running ones into service. A launch hook delays that."""
    for identifier in list(squad.lifecycles):
        machine = cloud.machines[identifier]
        boots = cloud.behaviour(identifier).boots + (cloud.hooked if cloud.launch_hooks else 0)
        if machine.instance.state == "terminated":
            if machine.ends is None and cloud.time - machine.ended < cloud.notice:
                continue
            del squad.lifecycles[identifier]
            squad.gone.append(identifier)
            for arn in cloud.arns(squad):
                cloud.targets.setdefault(arn, {}).pop(identifier, None)
            continue
        is_ready = machine.instance.state == "running" and cloud.time - machine.launched >= boots
        if is_ready and squad.lifecycles[identifier] == "Pending":
            cloud.enter_service(squad, identifier)


def scale(cloud: Cloud, squad: Squad) -> None:
    """Launch or terminate members, so that the group has its desired capacity and its zones are balanced."""
    lacking = squad.group.desired - len(squad.members)
    is_even = lacking == 0 and not _is_skewed(cloud, squad)
    squad.short = None if is_even else (squad.short if squad.short is not None else cloud.time)
    if squad.short is None or cloud.time - squad.short < cloud.pace:
        return
    if lacking < 0:
        _scale_in(cloud, squad, -lacking)
    else:
        _launch(cloud, squad, lacking or 1)


def _is_skewed(cloud: Cloud, squad: Squad) -> bool:
    """Whether AZRebalance acts: it launches in the emptiest zone, and the group then terminates the surplus."""
    if {"AZRebalance", "Launch", "Terminate"} & squad.group.suspended or len(squad.group.subnets) < 2:
        return False
    if any(squad.lifecycles[each] != "InService" for each in squad.members):
        return False
    zones = cloud.zones(squad)
    return max(zones.values()) - min(zones.values()) >= 2


def _launch(cloud: Cloud, squad: Squad, number: int) -> None:
    image = cloud.versions[cloud.version(squad.group.template_version)]
    if image not in cloud.images or "Launch" in squad.group.suspended:
        return
    for _ in range(number):
        zones = cloud.zones(squad)
        zone = min((each for each in zones if each not in cloud.full), key=lambda each: zones[each], default="")
        if zone:
            squad.lifecycles[_take_warm(cloud, squad, zone) or cloud.start(image, zone, squad.group.tags)] = "Pending"


def _take_warm(cloud: Cloud, squad: Squad, zone: str) -> str:
    """Boot an instance of the warm pool. Returns its id, or an empty text if there is none in the zone."""
    ready = [cloud.machines[each] for each in squad.warm if cloud.machines[each].instance.state == "stopped"]
    machine = next((each for each in ready if each.instance.zone == zone and each.ends is None), None)
    if machine is None:
        return ""
    machine.launched = cloud.time
    cloud.set_state(machine.instance.id, "pending")
    del squad.warm[machine.instance.id]
    return machine.instance.id


def warm_up(cloud: Cloud, squad: Squad) -> None:
    """Stop running instances of the warm pool, drop terminated ones, and launch what the pool lacks."""
    for identifier in list(squad.warm):
        machine = cloud.machines[identifier]
        if machine.instance.state == "running":
            cloud.set_state(identifier, "stopped")
        if machine.instance.state == "terminated" or (machine.ends is not None and cloud.time >= machine.ends):
            cloud.set_state(identifier, "terminated")
            squad.gone.append(identifier)
            del squad.warm[identifier]
    version = cloud.version(squad.group.template_version)
    if cloud.versions[version] not in cloud.images or "Launch" in squad.group.suspended:
        return
    while len(squad.warm) < squad.pool and (free := [each for each in cloud.zones(squad) if each not in cloud.full]):
        zone = free[len(squad.warm) % len(free)]
        squad.warm[cloud.start(cloud.versions[version], zone, squad.group.tags)] = version


def _scale_in(cloud: Cloud, squad: Squad, number: int) -> None:
    if "Terminate" not in squad.group.suspended:
        zones = cloud.zones(squad)
        order = sorted(squad.members, key=lambda each: (-zones[cloud.machines[each].instance.zone], each))
        for identifier in [each for each in order if not cloud.machines[each].protected][:number]:
            cloud.end(identifier)


def refresh(cloud: Cloud, running: RunningRefresh) -> None:
    """Carry out the instance refresh: whenever all desired members serve, terminate one old member."""
    squad = cloud.squads.get(running.group)
    if squad is None or {"InstanceRefresh", "Launch", "Terminate"} & squad.group.suspended:
        return
    squad.group = replace(squad.group, template_version=running.version)
    image = cloud.versions[running.version]
    old = [each for each in squad.members if cloud.machines[each].instance.image != image]
    percent = 100 - 100 * len(old) // max(1, len(squad.members))
    status = "InProgress" if old or not _all_serve(cloud, squad) else "Successful"
    if running.ends and percent >= 50:
        running.state = replace(running.state, status=running.ends, reason="an alarm", percent=percent)
        return
    running.state = replace(running.state, status=status, percent=percent)
    if old and _all_serve(cloud, squad):
        cloud.end(old[0])


def _all_serve(cloud: Cloud, squad: Squad) -> bool:
    mine = [each for each in squad.members if squad.lifecycles[each] == "InService"]
    is_healthy = all(
        each in cloud.targets.get(arn, {}) and cloud.health(arn, each).state == "healthy"
        for each in mine
        for arn in cloud.arns(squad)
    )
    return is_healthy and len(mine) >= squad.group.desired
