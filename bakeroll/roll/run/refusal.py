"""What a roll refuses, before it changes anything.

A hold stops every roll, also one that continues. All else stops only a new roll, because a roll that was cut off has to
end. Not refused are scale-in protection and a suspended Terminate, which do not stop
TerminateInstanceInAutoScalingGroup, and instances in Standby, which a roll leaves alone.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-suspend-resume-processes.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bakeroll.errors import RollFailed
from bakeroll.fleet import HOLD_TAG, ROLL_TAG, Fleet, Group, ImageState, RefreshState, TargetGroup
from bakeroll.roll.state.record import Goal
from bakeroll.roll.world.observe import Layout
from bakeroll.settings import Policy

ROLLED = ("instance", "ip", "classic")
"""The types of target groups that have the group's instances as targets."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a roll refuses a fleet, and the next step."""

    what: str
    next_step: str


def refuse_held(group: Group) -> None:
    """Raise RollFailed if somebody put a hold on the group."""
    if group.hold is None:
        return
    said = f": “{group.hold}”" if group.hold else ""
    delete = (
        f"aws autoscaling delete-tags --tags ResourceId={group.name},ResourceType=auto-scaling-group,Key={HOLD_TAG}"
    )
    raise _refused(
        Refusal(f"{group.name} is held by its tag {HOLD_TAG}{said}.", f"Delete the tag when the hold is over: {delete}")
    )


def refuse(
    goal: Goal,
    group: Group,
    twin: Group | None,
    layout: Layout,
    fleet: Fleet,
    policy: Policy,
    refreshes: Sequence[RefreshState],
    images: Mapping[str, ImageState],
) -> None:
    """Raise RollFailed if anything prevents a new roll. The error names all of it."""
    refusals = (
        *_of_group(group, policy),
        *_of_twin(goal, twin, policy),
        *_of_protection(group, policy),
        *_of_refreshes(group, refreshes),
        *_of_targets(goal, group, layout),
        *_of_image(goal, fleet, images),
    )
    if refusals:
        raise _refused(*refusals)


def _refused(*refusals: Refusal) -> RollFailed:
    """The error with a line for each refusal. A next step that several share appears once."""
    return RollFailed(
        "\n".join(each.what for each in refusals),
        left="Nothing was changed.",
        next_step="\n".join(dict.fromkeys(each.next_step for each in refusals)),
    )


def _of_group(group: Group, policy: Policy) -> Iterator[Refusal]:
    if "Launch" in group.suspended:
        yield Refusal(
            f"{group.name}'s process Launch is suspended. That blocks attaching instances too.",
            f"Resume it: aws autoscaling resume-processes --auto-scaling-group-name {group.name} "
            "--scaling-processes Launch",
        )
    if group.conflict:
        yield Refusal(
            f"{group.name} cannot launch all its instances from one image: {group.conflict}.",
            "Use one launch template for all.",
        )
    if group.has_warm_pool and policy.strategy == "blue-green":
        yield Refusal(
            f"{group.name} has a warm pool, and its second group would have none.",
            "Use another strategy, or delete the pool: "
            f"aws autoscaling delete-warm-pool --force-delete --auto-scaling-group-name {group.name}",
        )


def _of_twin(goal: Goal, twin: Group | None, policy: Policy) -> Iterator[Refusal]:
    """A blue-green roll deletes its second group, so a roll must have made that group."""
    if policy.strategy == "blue-green" and twin and ROLL_TAG not in twin.tags:
        yield Refusal(
            f"The group {twin.name} was not made by a roll, and {goal.fleet}'s second group needs that name.",
            f"Rename or delete it, or use another strategy. See it: aws autoscaling describe-auto-scaling-groups "
            f"--auto-scaling-group-names {twin.name}",
        )


def _of_protection(group: Group, policy: Policy) -> Iterator[Refusal]:
    """A blue-green roll deletes its first group with its remaining instances. Either level prevents that.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/resource-deletion-protection.html
    """
    if policy.strategy == "blue-green" and group.deletion_protection != "none":
        yield Refusal(
            f"{group.name} has deletion protection ({group.deletion_protection}), but a blue-green roll deletes it.",
            f"Use another strategy, or lift the protection: aws autoscaling update-auto-scaling-group "
            f"--auto-scaling-group-name {group.name} --deletion-protection none",
        )


def _of_refreshes(group: Group, refreshes: Sequence[RefreshState]) -> Iterator[Refusal]:
    if under_way := next((each for each in refreshes if not each.is_over), None):
        yield Refusal(
            f"The instance refresh {under_way.id} of {group.name} is in progress ({under_way.status}, "
            f"{under_way.percent} %). It replaces instances too.",
            f"Wait, or cancel it: aws autoscaling cancel-instance-refresh --auto-scaling-group-name {group.name}",
        )


def _of_targets(goal: Goal, group: Group, layout: Layout) -> Iterator[Refusal]:
    yield from (_of_type(group, each) for each in layout.target_groups if each.type not in ROLLED)
    if not layout.target_groups and not goal.path:
        yield Refusal(
            f"{group.name} has no target group, and deploy.yml sets no version path. "
            "Nothing would prove a new instance.",
            "Set version in deploy.yml, or attach a target group.",
        )


def _of_type(group: Group, other: TargetGroup) -> Refusal:
    return Refusal(
        f"{group.name}'s target group {other.name} is of type {other.type}. Its targets are not the group's instances.",
        "Attach a target group of type instance or ip instead.",
    )


def _of_image(goal: Goal, fleet: Fleet, images: Mapping[str, ImageState]) -> Iterator[Refusal]:
    image = goal.release.image
    found, before = images.get(image), images.get(fleet.image)
    again = f"Bake it: fab bake --env={goal.release.environment}"
    if found is None:
        yield Refusal(f"The image {image} of {goal.release.version} does not exist.", again)
        return
    if found.state != "available":
        yield Refusal(f"The image {image} of {goal.release.version} is not available: {found.state}.", again)
    if before and "" != before.architecture != found.architecture != "":
        yield Refusal(
            f"The image {image} is for {found.architecture}; {fleet.name} launches {before.architecture} "
            f"({fleet.image}).",
            "Bake an image for the architecture of the launch template's instance type, or change that type first.",
        )
