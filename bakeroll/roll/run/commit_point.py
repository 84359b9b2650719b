"""Whether a roll is past its commit point, asked of the group itself: then there is no simple way back."""

from bakeroll.errors import CloudError
from bakeroll.roll.ports import Scaling
from bakeroll.roll.state.record import Record


def is_possibly_committed(record: Record, scaling: Scaling) -> bool:
    """Whether the group launches the new release by now, or may.

    Where the group launches what is proved, that is before it is proved: until an old one has gone there is a way.
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
