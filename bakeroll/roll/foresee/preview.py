"""What a roll would do, in a sentence, for `--dry-run` and before a confirmation."""

from collections import Counter

from bakeroll.roll.engine.decide import serves
from bakeroll.roll.ports import Ports
from bakeroll.roll.state.amounts import floor_of, surge_of
from bakeroll.roll.state.record import Goal
from bakeroll.roll.store.records import Records
from bakeroll.roll.world.observe import observe
from bakeroll.settings import Policy


def preview(fleet: str, goal: Goal | None, policy: Policy, ports: Ports) -> str:
    """What a roll of the fleet would replace by what; `goal` is None where its image is yet to be baked.

    Raises RollFailed where there is no such group.
    """
    record = Records(ports.table, fleet).read()
    seen = observe(fleet, ports, record)
    is_open = record is not None and record.stage != "soaking"
    if goal and not is_open and serves(seen, goal):
        return f"change nothing: {goal.release.version} serves already, {len(seen.members)} in service"
    old = Counter(each.image for each in seen.members)
    what = " and ".join(f"{count} × {image}" for image, count in sorted(old.items())) or "no instance"
    by = f"{seen.desired} × {goal.release.image if goal else 'the image to be baked'}"
    amounts = f"surge {surge_of(policy, seen.desired)}, floor {floor_of(policy, seen.desired)}"
    cut_off = (
        f", taking over from the roll to {record.intended.version} that has not ended" if record and is_open else ""
    )
    return f"replace in {fleet} {what} by {by}, {amounts}{cut_off}"
