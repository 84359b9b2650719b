"""What a roll would do, in one sentence, for `--dry-run` and before a confirmation."""

from collections import Counter

from bakeroll.release import Release
from bakeroll.roll.engine.decide import serves
from bakeroll.roll.ports import Ports
from bakeroll.roll.state.amounts import floor_of, surge_of
from bakeroll.roll.state.record import Goal
from bakeroll.roll.store.records import Records
from bakeroll.roll.world.observe import observe
from bakeroll.settings import Policy

TO_BE_BAKED = "the image to be baked"


def preview_of_new(fleet: str, size: int, release: Release | None) -> str:
    """What a first roll would do to a fleet that it creates with `size` instances."""
    return f"create the fleet {fleet} and launch {size} × {release.image if release else TO_BE_BAKED}"


def preview(fleet: str, goal: Goal | None, policy: Policy, ports: Ports) -> str:
    """What a roll of the fleet would replace, and by what. `goal` is None if the image is not baked yet.

    Raises RollFailed if the group does not exist.
    """
    record = Records(ports.table, fleet).read()
    observed = observe(fleet, ports, record)
    is_open = record is not None and record.stage != "soaking"
    if goal and not is_open and serves(observed, goal):
        return f"change nothing: {goal.release.version} serves already, {len(observed.members)} in service"
    old = Counter(each.image for each in observed.members)
    what = " and ".join(f"{count} × {image}" for image, count in sorted(old.items())) or "no instance"
    by = f"{observed.desired} × {goal.release.image if goal else TO_BE_BAKED}"
    amounts = f"surge {surge_of(policy, observed.desired)}, floor {floor_of(policy, observed.desired)}"
    cut_off = (
        f", taking over from the roll to {record.intended.version} that has not ended" if record and is_open else ""
    )
    return f"replace in {fleet} {what} by {by}, {amounts}{cut_off}"
