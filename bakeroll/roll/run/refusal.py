"""What this version cannot roll truthfully, told before anything is changed.

`hold` is asked before every roll, also before one that goes on; all else only before a new one, since a roll
that was cut off has to end. Not refused: scale-in protection and a suspended Terminate, which do not keep
TerminateInstanceInAutoScalingGroup from an instance, and instances in Standby, which are left alone.
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
"""The types of target groups whose targets are the group's instances."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a fleet is not rolled, and what to do about it."""

    what: str
    next_step: str


def refuse_held(group: Group) -> None:
    """Raises RollFailed where somebody asked that nobody rolls the group."""
    if group.hold is None:
        return
    said = f": “{group.hold}”" if group.hold else ""
    delete = (
        f"aws autoscaling delete-tags --tags ResourceId={group.name},ResourceType=auto-scaling-group,Key={HOLD_TAG}"
    )
    raise _refused(Refusal(f"{group.name} is held by its tag {HOLD_TAG}{said}.", f"When that is over: {delete}"))


def refuse(
    goal: Goal,
    group: Group,
    twin: Group | None,
    seen: Layout,
    fleet: Fleet,
    policy: Policy,
    refreshes: Sequence[RefreshState],
    images: Mapping[str, ImageState],
) -> None:
    """Raises RollFailed where anything stands against a new roll, and tells all that does."""
    refusals = (
        *_of_group(group, policy),
        *_of_twin(goal, twin, policy),
        *_of_protection(group, policy),
        *_of_refreshes(group, refreshes),
        *_of_targets(goal, group, seen),
        *_of_image(goal, fleet, images),
    )
    if refusals:
        raise _refused(*refusals)


def _refused(*refusals: Refusal) -> RollFailed:
    """A line for each; what mends several is told once."""
    return RollFailed(
        "\n".join(each.what for each in refusals),
        left="Nothing was changed.",
        next_step="\n".join(dict.fromkeys(each.next_step for each in refusals)),
    )


def _of_group(group: Group, policy: Policy) -> Iterator[Refusal]:
    if "Launch" in group.suspended:
        yield Refusal(
            f"{group.name}'s process Launch is suspended, which blocks attaching instances as well.",
            f"Resume it: aws autoscaling resume-processes --auto-scaling-group-name {group.name} "
            "--scaling-processes Launch",
        )
    if group.conflict:
        yield Refusal(f"{group.name} cannot be given one image: {group.conflict}.", "Use one launch template for all.")
    if group.has_warm_pool and policy.strategy == "blue-green":
        yield Refusal(
            f"{group.name} has a warm pool, which its second group would not have.",
            "Use another strategy, or delete the pool: "
            f"aws autoscaling delete-warm-pool --force-delete --auto-scaling-group-name {group.name}",
        )


def _of_twin(goal: Goal, twin: Group | None, policy: Policy) -> Iterator[Refusal]:
    """A blue-green roll deletes its second group, so that must be a roll's own."""
    if policy.strategy == "blue-green" and twin and ROLL_TAG not in twin.tags:
        yield Refusal(
            f"There is a group {twin.name} that no roll made, and {goal.fleet}'s second group would be called so.",
            f"Rename or delete it, or use another strategy. Look: aws autoscaling describe-auto-scaling-groups "
            f"--auto-scaling-group-names {twin.name}",
        )


def _of_protection(group: Group, policy: Policy) -> Iterator[Refusal]:
    """A blue-green roll deletes its first group with the instances that are left, which either level prevents.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/resource-deletion-protection.html
    """
    if policy.strategy == "blue-green" and group.deletion_protection != "none":
        yield Refusal(
            f"{group.name} has deletion protection ({group.deletion_protection}), and a blue-green roll deletes it.",
            f"Use another strategy, or lift it: aws autoscaling update-auto-scaling-group "
            f"--auto-scaling-group-name {group.name} --deletion-protection none",
        )


def _of_refreshes(group: Group, refreshes: Sequence[RefreshState]) -> Iterator[Refusal]:
    if under_way := next((each for each in refreshes if not each.is_over), None):
        yield Refusal(
            f"The instance refresh {under_way.id} of {group.name} is under way ({under_way.status}, "
            f"{under_way.percent} %), which replaces instances as well.",
            f"Wait for it, or stop it: aws autoscaling cancel-instance-refresh --auto-scaling-group-name {group.name}",
        )


def _of_targets(goal: Goal, group: Group, seen: Layout) -> Iterator[Refusal]:
    yield from (_of_type(group, each) for each in seen.target_groups if each.type not in ROLLED)
    if not seen.target_groups and not goal.path:
        yield Refusal(
            f"{group.name} has no target group, and its instances are not asked for their version: "
            "nothing would prove a new one.",
            "Name what tells the version in deploy.yml (version), or attach a target group.",
        )


def _of_type(group: Group, other: TargetGroup) -> Refusal:
    return Refusal(
        f"{group.name}'s target group {other.name} is of type {other.type}, whose targets are not its instances.",
        "Make one of type instance or ip and attach it in its place.",
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
