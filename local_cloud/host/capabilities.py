"""What of this machine's kernel the processes of a machine must not have, in setpriv's words (capabilities(7))."""

from collections.abc import Collection

# Its modules, clock, devices, log, security policy, files by their handles, and (for a machine cannot have another's
# address then) its network.
_DROPPED = (
    "sys_module", "sys_rawio", "sys_time", "mknod", "mac_override", "mac_admin", "syslog", "wake_alarm",
    "block_suspend", "audit_control", "audit_read", "perfmon", "bpf", "checkpoint_restore", "dac_read_search",
    "net_admin", "net_raw",
)  # fmt: skip


def bounded(*, but: Collection[str] = ()) -> list[str]:
    """setpriv with the options that take them away for good, all `but` these; the command is to follow."""
    dropped = ",".join(f"-{name}" for name in _DROPPED if name not in but)
    return ["setpriv", "--bounding-set", dropped, "--inh-caps", dropped]
