"""The addresses of load balancers: each has one of its own, on the bridge, with all ports free."""

import socket
import threading
from collections.abc import Callable, Iterable

from local_cloud.config import Config
from local_cloud.errors import LocalCloudError
from local_cloud.host.network import Network


class Addresses:
    """Hands out the addresses of the balancers' network that are not among those `taken`.

    What was handed out counts at once: the load balancer that gets it names it a moment later.
    """

    def __init__(self, config: Config, network: Network, taken: Callable[[], Iterable[str]]) -> None:
        self._config, self._network, self._taken = config, network, taken
        self._lock, self._handed_out = threading.Lock(), set[str]()

    def start(self) -> None:
        """Put those on the bridge that load balancers of an earlier daemon have."""
        for address in self._taken():
            self._network.add_address(address)

    def take(self) -> str:
        with self._lock:
            taken = {*self._taken(), *self._handed_out}
            free = (str(each) for each in self._config.balancer_network.hosts() if str(each) not in taken)
            address = next(free, None)
            if address is None:
                raise LocalCloudError(f"All addresses of {self._config.balancer_network} have a load balancer.")
            self._network.add_address(address)
            self._handed_out.add(address)
        return address

    def is_free(self, address: str, port: int) -> bool:
        """Whether nothing listens there: another program of this machine may, at all of its addresses."""
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((address, port))
            except OSError:
                return False
        return True

    def give_back(self, address: str) -> None:
        with self._lock:
            self._network.remove_address(address)
            self._handed_out.discard(address)
