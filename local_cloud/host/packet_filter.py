"""Keeps instances from the services of this machine that listen at all of its addresses, such as its sshd.

What comes from the bridge into this machine may open connections to S3 at the gateway and to the load
balancers' listeners, and answer those that this machine opens; nothing else. Instances that are cut off answer ssh
alone, which their launch waits for: load balancers do not hear from their services. It is an nftables table of the
family netdev: it sees the bridge's packets alone, tracks no connections, and does not meet a firewall's tables.
"""

import logging
import subprocess
from collections.abc import Set

from local_cloud.config import Config
from local_cloud.programs import Run, ToolFailed

Door = tuple[str, int]
"""An address and a TCP port that instances may open connections to."""

# Ports from 32768 on are those of this machine's own questions (ip_local_port_range in ip(7)).
_TABLE = """\
table netdev {name} {{
  set doors {{ type ipv4_addr . inet_service; }}
  set cut_off {{ type ipv4_addr; }}
  chain ingress {{
    type filter hook ingress device "{bridge}" priority 0; policy accept;
    meta protocol ip6 drop
    meta protocol != ip accept
    ip daddr . tcp dport @doors accept
    ip saddr @cut_off tcp sport != 22 drop
    tcp flags & (syn | ack) == syn drop
    udp dport 0-32767 drop
    meta l4proto != {{ tcp, udp, icmp }} drop
  }}
}}
"""

log = logging.getLogger(__name__)


class PacketFilter:
    """The filter of one cloud's bridge; none, with a word in the log, where this machine has no nftables."""

    def __init__(self, config: Config, run: Run) -> None:
        self._config, self._run = config, run
        self._gateway: Door = (str(config.gateway), config.port)
        self._doors: Set[Door] | None = None

    def start(self) -> None:
        """Begin, with S3 the only door; the bridge is there."""
        try:
            self._nft(_TABLE.format(name=table(self._config), bridge=self._config.bridge))
            self._doors = frozenset()
            self.admit(frozenset())
        except (ToolFailed, FileNotFoundError) as error:
            log.warning(
                "no nftables here, so instances reach what listens at all of this machine's addresses: %s", error
            )

    def admit(self, doors: Set[Door]) -> None:
        """Let connections in to these and to S3, and to no others."""
        wanted = doors | {self._gateway}
        if self._doors is None or wanted == self._doors:
            return
        elements = ", ".join(f"{address} . {port}" for address, port in sorted(wanted))
        name = table(self._config)
        self._nft(f"flush set netdev {name} doors\nadd element netdev {name} doors {{ {elements} }}\n")
        self._doors = wanted

    @property
    def is_on(self) -> bool:
        return self._doors is not None

    def cut_off(self, addresses: Set[str]) -> None:
        """Let no answer of a service at these addresses, and of no others, through to this machine, but ssh's."""
        name = table(self._config)
        added = f"add element netdev {name} cut_off {{ {', '.join(sorted(addresses))} }}\n" if addresses else ""
        self._nft(f"flush set netdev {name} cut_off\n{added}")

    def _nft(self, commands: str) -> None:
        """All of `commands` or none: nft makes one transaction of them."""
        self._run(["nft", "-f", "-"], stdin=commands)


def table(config: Config) -> str:
    """The name of a cloud's nftables table."""
    return f"bakeroll-{config.bridge}"


def is_there(config: Config) -> bool:
    """Whether the table exists."""
    return _nft("list", "table", "netdev", table(config))


def remove(config: Config) -> None:
    """Remove the table, if there is one."""
    if is_there(config):
        _nft("delete", "table", "netdev", table(config))


def _nft(*arguments: str) -> bool:
    try:
        return subprocess.run(["nft", *arguments], check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
