"""How a roll begins: anew, or in the place of a dead one. Pure, but for the time and the roll's name."""

import uuid
from collections.abc import Mapping
from dataclasses import replace

from bakeroll.fleet import Fleet, ImageState
from bakeroll.roll.ports import Clock
from bakeroll.roll.state.record import Found, Goal, Launcher, Record
from bakeroll.roll.state.release_form import release_document
from bakeroll.settings import Policy


def begin(
    goal: Goal,
    fleet: Fleet,
    policy: Policy,
    who: tuple[Launcher, str],
    images: Mapping[str, ImageState],
    clock: Clock,
) -> Record:
    """A new record: the fleet as found, and who is to launch, and why. `images` are those that there are."""
    before = images.get(fleet.image)
    found = Found(
        minimum=fleet.minimum,
        maximum=fleet.maximum,
        desired=fleet.desired,
        template=fleet.template,
        template_version=fleet.template_version,
        image=fleet.image,
        suspended=tuple(sorted(fleet.suspended)),
        members=tuple(each.id for each in fleet.members),
        registered={
            group.arn: tuple(each.id for each in fleet.instances if group.arn in each.health)
            for group in fleet.target_groups
        },
        serving=sum(1 for each in fleet.members if fleet.is_in_service(each)),
        group=fleet.name,
        is_launchable=before is not None and before.state == "available",
    )
    launcher, because = who
    return Record(
        id=_new_id(),
        fleet=goal.fleet,
        group=fleet.name,
        image=goal.release.image,
        version=goal.release.version,
        release=release_document(goal.release),
        started_at=clock.now().isoformat(),
        strategy=policy.strategy,
        launcher=launcher,
        because=because,
        found=found,
    )


def take_over(
    dead: Record, goal: Goal, fleet: Fleet, policy: Policy, who: tuple[Launcher, str], clock: Clock
) -> Record:
    """A new roll in the place of a dead one: as found then, with the changes that were made since.

    What the group launches from counts as found anew where somebody else set it, or where another group took over;
    not where the same release is rolled again and the group that it took over from is there to go back to.
    What waits in that other group and is of the release comes back. Where a second group or an instance refresh is
    half done, the strategy stays that which began it and knows how to end it; so it does instead of blue-green, which
    leaves the first group as it is, where that launches or has what the dead roll set.
    """
    theirs = {dead.image, *dead.others} - {dead.found.image}
    has_theirs = any(each.is_member and each.image in theirs for each in fleet.instances)
    is_set = policy.strategy == "blue-green" and (fleet.template_version in dead.versions or has_theirs)
    is_kept = is_set or _is_half_done(dead)
    launcher, because = (dead.launcher, dead.because) if is_kept else who
    unheard = tuple((dead.id, str(n)) for n in range(len(dead.slots)) if str(n) not in dead.filled)
    is_again = bool(dead.twin) and dead.image == goal.release.image and dead.group != dead.found.group
    is_found = is_again or (dead.group == dead.found.group and dead.knows(fleet))
    back = {each.id for each in fleet.instances if each.is_in_twin and each.image == goal.release.image}
    return replace(
        dead if is_found else _found_anew(dead, fleet),
        id=_new_id(),
        image=goal.release.image,
        version=goal.release.version,
        release=release_document(goal.release),
        started_at=clock.now().isoformat(),
        strategy=dead.strategy if is_kept else policy.strategy,
        launcher=launcher,
        because=because,
        stage="forward",
        why="",
        ending="",
        previous=dead.rolls,
        made="",
        slots=(),
        filled={},
        back_from=None,
        unheard=(*dead.unheard, *unheard),
        others=(*dead.others, dead.image),
        is_watched=False,
        refresh="",
        is_refreshed=False,
        retiring=tuple(each for each in dead.retiring if each not in back),
    )


def _is_half_done(dead: Record) -> bool:
    return bool(dead.twin or dead.switching) or (dead.strategy == "refresh" and not dead.is_refreshed)


def _found_anew(dead: Record, fleet: Fleet) -> Record:
    found = replace(
        dead.found,
        template=fleet.template,
        template_version=fleet.template_version,
        image=fleet.image,
        is_launchable=True,
    )
    if dead.group != found.group:
        found = replace(found, group=dead.group, members=tuple(each.id for each in fleet.members))
    versions = dead.versions if fleet.template == dead.found.template else ()
    return replace(dead, found=found, versions=versions, pinned="")


def _new_id() -> str:
    return uuid.uuid4().hex[:12]
