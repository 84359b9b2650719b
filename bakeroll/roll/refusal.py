"""What this version cannot roll truthfully, told before anything is changed.

`hold` is asked before every roll, also before one that goes on; all else only before a new one, since a roll
that was cut off has to end. Not refused: scale-in protection and a suspended Terminate, which do not keep
TerminateInstanceInAutoScalingGroup from an instance, and instances in Standby, which are left alone.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-suspend-resume-processes.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bakeroll.errors import RollFailed
from bakeroll.fleet import HOLD_TAG, Fleet, Group, ImageState, TargetGroup
from bakeroll.roll.observe import Layout
from bakeroll.roll.ports import Ports
from bakeroll.roll.record import Goal


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a fleet is not rolled, and what to do about it."""

    what: str
    next_step: str

    def error(self) -> RollFailed:
        return RollFailed(self.what, left="Nothing was changed.", next_step=self.next_step)


def refuse_held(group: Group) -> None:
    """Raises RollFailed where somebody asked that nobody rolls the group."""
    if group.hold is None:
        return
    said = f": “{group.hold}”" if group.hold else ""
    delete = (
        f"aws autoscaling delete-tags --tags ResourceId={group.name},ResourceType=auto-scaling-group,Key={HOLD_TAG}"
    )
    raise Refusal(f"{group.name} is held by its tag {HOLD_TAG}{said}.", f"When that is over: {delete}").error()


def refuse(goal: Goal, group: Group, seen: Layout, fleet: Fleet, ports: Ports) -> None:
    """Raises RollFailed for the first thing that stands against a new roll; two calls."""
    hooks = ports.scaling.launch_hooks(group.name)
    images = ports.machines.images([goal.release.image, *({fleet.image} - {"", goal.release.image})])
    refusals = (
        *_of_group(group),
        *_of_hooks(group, hooks),
        *_of_targets(goal, group, seen),
        *_of_image(goal, fleet, images),
    )
    if found := next(iter(refusals), None):
        raise found.error()


def _of_group(group: Group) -> Iterator[Refusal]:
    if "Launch" in group.suspended:
        yield Refusal(
            f"{group.name}'s process Launch is suspended, which blocks attaching instances as well.",
            f"Resume it: aws autoscaling resume-processes --auto-scaling-group-name {group.name} "
            "--scaling-processes Launch",
        )
    if group.has_warm_pool:
        yield Refusal(
            f"{group.name} has a warm pool, whose instances stay with the old release.",
            f"Delete it: aws autoscaling delete-warm-pool --auto-scaling-group-name {group.name}",
        )
    if group.classic_balancers:
        yield Refusal(
            f"{group.name} is behind the classic load balancer {group.classic_balancers[0]}, whose health is not read.",
            "Put a target group in its place, or detach it: aws autoscaling detach-load-balancers",
        )


def _of_hooks(group: Group, hooks: Sequence[str]) -> Iterator[Refusal]:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html: none runs for attached ones."""
    if hooks:
        yield Refusal(
            f"{group.name} has the launch lifecycle hook {hooks[0]}, which AWS does not run for attached instances.",
            "Do its work when the instance boots, and delete it: aws autoscaling delete-lifecycle-hook "
            f"--auto-scaling-group-name {group.name} --lifecycle-hook-name {hooks[0]}",
        )


def _of_targets(goal: Goal, group: Group, seen: Layout) -> Iterator[Refusal]:
    if other := next((each for each in seen.target_groups if each.type != "instance"), None):
        yield _of_type(group, other)
    if not seen.target_groups and not goal.path:
        yield Refusal(
            f"{group.name} has no target group, and its instances are not asked for their version: "
            "nothing would prove a new one.",
            "Name what tells the version in deploy.yml (version), or attach a target group.",
        )


def _of_type(group: Group, other: TargetGroup) -> Refusal:
    return Refusal(
        f"{group.name}'s target group {other.name} is of type {other.type}, whose targets are not its instances.",
        "Make one of type instance and attach it in its place.",
    )


def _of_image(goal: Goal, fleet: Fleet, images: Mapping[str, ImageState]) -> Iterator[Refusal]:
    image = goal.release.image
    found, before = images.get(image), images.get(fleet.image)
    again = f"Bake it: fab bake --env={goal.release.environment}"
    if found is None:
        yield Refusal(f"The image {image} of {goal.release.version} does not exist.", again)
    elif found.state != "available":
        yield Refusal(f"The image {image} of {goal.release.version} is not available: {found.state}.", again)
    elif before and "" != before.architecture != found.architecture != "":
        yield Refusal(
            f"The image {image} is for {found.architecture}; {fleet.name} launches {before.architecture} "
            f"({fleet.image}).",
            "Bake an image for the architecture of the launch template's instance type, or change that type first.",
        )
