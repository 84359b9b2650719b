"""The record that a roll begins with: a new one, or one in the place of a dead roll. Pure except for time and id."""

import uuid
from collections.abc import Mapping
from dataclasses import replace

from bakeroll.fleet import Fleet, ImageState
from bakeroll.roll.ports import Clock
from bakeroll.roll.state.ids import without
from bakeroll.roll.state.record import (
    Found,
    Goal,
    InstanceRefresh,
    Intended,
    Launcher,
    Previous,
    Record,
)
from bakeroll.roll.state.release_form import release_document
from bakeroll.roll.view.settled import registered_addresses
from bakeroll.settings import Policy


def new_record(
    goal: Goal,
    fleet: Fleet,
    policy: Policy,
    who: tuple[Launcher, str],
    images: Mapping[str, ImageState],
    clock: Clock,
) -> Record:
    """A new record: the fleet as found, who launches the instances, and why. `images` are those that exist."""
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
    return Record(
        id=_new_id(),
        fleet=goal.fleet,
        group=fleet.name,
        started_at=clock.now().isoformat(),
        found=found,
        intended=_intended(goal, policy.strategy, who),
        addresses=registered_addresses(fleet),
    )


def _intended(goal: Goal, strategy: str, who: tuple[Launcher, str]) -> Intended:
    release, (launcher, because) = goal.release, who
    return Intended(release.image, release.version, release_document(release), strategy, launcher, because)


def takeover_record(
    dead: Record, goal: Goal, fleet: Fleet, policy: Policy, who: tuple[Launcher, str], clock: Clock
) -> Record:
    """A record for a roll in the place of a dead one: what the dead roll found, with the changes made since.

    If somebody else set what the group launches from, or if another group took over, the record takes it from the
    fleet as it is now. It does not if the same release is rolled again and the group before the switch still exists.
    Instances of the release that wait in that other group return.

    If a second group or an instance refresh is half done, the strategy that began it stays and ends it. It also stays
    instead of blue-green if the group launches or has what the dead roll set, because blue-green leaves the first group
    as it is.
    """
    theirs = {dead.identity, *dead.previous.identities} - {dead.found.identity}
    has_theirs = any(each.is_member and each.identity in theirs for each in fleet.instances)
    is_set = policy.strategy == "blue-green" and (fleet.template_version in dead.versions.ours or has_theirs)
    is_kept = is_set or _is_half_done(dead)
    before = dead.intended
    who = (before.launcher, before.because) if is_kept else who
    is_again = bool(dead.second.name) and dead.identity == goal.identity and dead.is_switched
    is_found = is_again or (not dead.is_switched and dead.knows(fleet))
    back = {each.id for each in fleet.instances if each.is_in_twin and each.identity == goal.identity}
    taken = dead if is_found else _found_anew(dead, fleet)
    return replace(
        taken,
        id=_new_id(),
        started_at=clock.now().isoformat(),
        intended=_intended(goal, before.strategy if is_kept else policy.strategy, who),
        stage="forward",
        back_out=None,
        previous=Previous(dead.rolls, (*dead.previous.identities, dead.identity)),
        versions=replace(taken.versions, made=""),
        launches=dead.launches.of_dead(dead.id),
        is_watched=False,
        refresh=InstanceRefresh(),
        retiring=without(dead.retiring, back),
    )


def _is_half_done(dead: Record) -> bool:
    is_refreshing = dead.intended.strategy == "refresh" and not dead.refresh.is_done
    return bool(dead.second.name or dead.second.switching_to) or is_refreshing


def _found_anew(dead: Record, fleet: Fleet) -> Record:
    found = replace(
        dead.found,
        template=fleet.template,
        template_version=fleet.template_version,
        image=fleet.image,
        is_launchable=True,
    )
    if dead.is_switched:
        found = replace(found, group=dead.group, members=tuple(each.id for each in fleet.members))
    ours = dead.versions.ours if fleet.template == dead.found.template else ()
    return replace(dead, found=found, versions=replace(dead.versions, ours=ours, pinned=""))


def _new_id() -> str:
    return uuid.uuid4().hex[:12]
