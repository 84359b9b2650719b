"""What answers inside each instance's network namespace: the metadata service and the way out for apt.

One loop serves all instances. The sockets are bound within the namespaces, so that the caller is known
by where the call arrives, and no instance can pass for another.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from local_cloud.host.network import Network
from local_cloud.machines.metadata import Facts, MetadataService
from local_cloud.machines.proxy import Proxy

_METADATA_PORT = 80
_PROXY_PORT = 3128


class Inside:
    """Serves instances from `serve` to `close`. `facts` returns what there is to know of one, None if there is none."""

    def __init__(self, network: Network, proxy: Proxy, facts: Callable[[str], Facts | None]) -> None:
        self._network, self._proxy, self._facts = network, proxy, facts
        self._servers: dict[str, list[asyncio.Server]] = {}
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="inside", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if not self._thread.is_alive():
            return
        for instance in list(self._servers):
            self.close(instance)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    def serve(self, instance: str) -> None:
        metadata = MetadataService(lambda: self._facts(instance))
        servers = []
        for port, handle in ((_METADATA_PORT, metadata.handle), (_PROXY_PORT, self._proxy.handle)):
            listener = self._network.listen(instance, port)
            started = asyncio.run_coroutine_threadsafe(asyncio.start_server(handle, sock=listener), self.loop)
            servers.append(started.result())
        self._servers[instance] = servers

    def close(self, instance: str) -> None:
        """Free the namespace: as long as a socket is in it, it lives."""

        async def close(servers: list[asyncio.Server]) -> None:
            for server in servers:
                server.close()

        with suppress(KeyError):
            asyncio.run_coroutine_threadsafe(close(self._servers.pop(instance)), self.loop).result()
