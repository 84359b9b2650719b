"""Whether a roll may be past its commit point. Asks the group itself, because the record alone does not say."""

from bakeroll.errors import CloudError
from bakeroll.roll.ports import Scaling
from bakeroll.roll.state.record import Record


def is_possibly_committed(record: Record, scaling: Scaling) -> bool:
    """Whether the group launches the new release by now. True if AWS does not answer.

    If the group launches the new instances, it does so before they are proved. Such a roll counts as committed
    only when it has begun to retire old instances.
    """
    if record.stage == "back" or not record.versions.made:
        return False
    if record.intended.launcher == "group":
        return record.has_begun_to_retire or record.refresh.id != ""
    try:
        group = scaling.describe(record.group).get(record.group)
    except CloudError:
        return True
    return group is None or group.template_version == record.versions.made
