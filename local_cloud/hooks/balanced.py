"""moto's load balancers in the form that the balancer works on. Reads, and changes nothing."""

from collections.abc import Mapping
from typing import Any

from local_cloud.balancing.haproxy import HealthCheck, Layout, Listener, Mode, Server, TargetGroup
from local_cloud.balancing.moves import Wanted

PACE = 10
"""Health checks run this many times as often as the target group says."""

ALIVE = ("pending", "running")


def wanted(elbv2: Any, elb: Any, ec2: Any) -> list[Wanted]:
    """All load balancers, as the API has them; the classic ones last."""
    instances = {each.id: each for each in ec2.all_instances()}
    modern = [_load_balancer(each, elbv2, instances) for each in list(elbv2.load_balancers.values())]
    return modern + [_classic(each, instances) for each in list(elb.load_balancers.values())]


def forwards(actions: Any) -> dict[str, int]:
    """The target groups that a listener's actions forward to, by ARN, with their weights."""
    found: dict[str, int] = {}
    for data in (action.data for action in actions):
        if "ForwardConfig" in data:
            groups = data["ForwardConfig"].get("TargetGroups", [])
            found |= {each["TargetGroupArn"]: int(each.get("Weight", 1)) for each in groups}
        elif "TargetGroupArn" in data:
            found[data["TargetGroupArn"]] = 1
    return found


def in_use(balancer: Any) -> set[str]:
    """The ARNs of the target groups that a load balancer's listeners forward to."""
    return {arn for listener in list(balancer.listeners.values()) for arn in forwards(listener.default_actions)}


def server_name(target: Mapping[str, Any]) -> str:
    """How haproxy names a target."""
    return f"{target['Id']}:{target['Port']}"


def classic_group(balancer: str, port: object) -> str:
    """How the instances of a classic load balancer behind one of its listeners are called as a target group."""
    return f"{balancer}:{port}"


def _load_balancer(balancer: Any, elbv2: Any, instances: Mapping[str, Any]) -> Wanted:
    groups = [group for arn, group in list(elbv2.target_groups.items()) if arn in in_use(balancer)]
    names = {group.arn: group.name for group in groups}
    return Wanted(
        name=f"{balancer.name}-{balancer.arn[-6:]}",
        layout=Layout(
            balancer.dns_name,
            tuple(_listener(each, names) for each in list(balancer.listeners.values())),
            tuple(_target_group(each) for each in groups),
        ),
        registered={group.name: _servers(list(group.targets.values()), instances) for group in groups},
        delays={each.name: float(each.attributes["deregistration_delay.timeout_seconds"]) for each in groups},
        gone=_gone(instances),
    )


def _gone(instances: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(each.id for each in instances.values() if each.state not in ALIVE)


def _servers(targets: list[Any], instances: Mapping[str, Any]) -> dict[str, Server]:
    servers = {}
    for target in targets:
        instance = instances.get(target["Id"])
        address = instance.private_ip if instance else target["Id"]
        if instance or not target["Id"].startswith("i-"):
            name = server_name(target)
            servers[name] = Server(name, address, int(target["Port"]))
    return servers


def _listener(listener: Any, names: Mapping[str, str]) -> Listener:
    weights = forwards(listener.default_actions)
    used = tuple((names[arn], weight) for arn, weight in weights.items() if weight and arn in names)
    return Listener(int(listener.port), _mode(listener.protocol), used)


def _mode(protocol: str) -> Mode:
    return "http" if protocol.upper() == "HTTP" else "tcp"


def _target_group(group: Any) -> TargetGroup:
    is_http = group.health_check_protocol == "HTTP"
    matcher = getattr(group, "matcher", None) or {}
    check = HealthCheck(
        path=(group.health_check_path or "/") if is_http else "",
        codes=matcher.get("HttpCode") or "200-399",
        interval_ms=int(group.health_check_interval_seconds) * 1000 // PACE,
        timeout_ms=int(group.health_check_timeout_seconds) * 1000,
        healthy_threshold=int(group.healthy_threshold_count),
        unhealthy_threshold=int(group.unhealthy_threshold_count),
        port=_port(group.health_check_port),
    )
    return TargetGroup(group.name, _mode(group.protocol or "HTTP"), check)


def _port(given: Any) -> int | None:
    return int(given) if str(given or "").isdigit() else None


def _classic(balancer: Any, instances: Mapping[str, Any]) -> Wanted:
    """A classic load balancer: each of its listeners forwards to a port of all its instances.

    Unlike a target, an instance is deregistered as soon as it has answered all:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/config-conn-drain.html
    """
    check = _classic_check(balancer.health_check)
    modes = {int(each.instance_port): _mode(each.protocol) for each in balancer.listeners}
    names = {port: classic_group(balancer.name, port) for port in modes}
    return Wanted(
        name=f"{balancer.name}-classic",
        layout=Layout(
            balancer.dns_name,
            tuple(
                Listener(int(each.load_balancer_port), _mode(each.protocol), ((names[int(each.instance_port)], 1),))
                for each in balancer.listeners
            ),
            tuple(TargetGroup(names[port], mode, check) for port, mode in modes.items()),
        ),
        registered={
            names[port]: _servers([{"Id": each, "Port": port} for each in balancer.instance_ids], instances)
            for port in modes
        },
        delays=dict.fromkeys(names.values(), _classic_delay(balancer)),
        gone=_gone(instances),
        ends_idle=True,
    )


def _classic_delay(balancer: Any) -> float:
    """Seconds that connections may go on. moto keeps the attribute in the API's words once it was set."""
    draining = balancer.attributes["connection_draining"]
    return float(draining.get("Timeout", 300)) if draining.get("Enabled") else 0.0


def _classic_check(check: Any) -> HealthCheck:
    """From “HTTP:8000/health” or “TCP:80”; without one, TCP to the instances' port."""
    if check is None:
        return HealthCheck("", "", 30_000 // PACE, 5000, 10, 2)
    protocol, _, rest = check.target.partition(":")
    port, slash, path = rest.partition("/")
    return HealthCheck(
        path=slash + path if protocol.upper() == "HTTP" else "",
        codes="200",
        interval_ms=int(check.interval) * 1000 // PACE,
        timeout_ms=int(check.timeout) * 1000,
        healthy_threshold=int(check.healthy_threshold),
        unhealthy_threshold=int(check.unhealthy_threshold),
        port=_port(port),
    )
