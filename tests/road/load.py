"""A bounded load on one URL of this machine, every failure counted: `load.py HOST PORT SECONDS`.

Keep-alive clients, clients with a new connection each, and clients whose answers take SLOW_SECONDS (of an
application with LINKS_SLOW=1). Nothing is retried. Kinds of clients are left out by naming them: `… SECONDS KIND`.
Stops early on SIGTERM. Prints one JSON object: answered, failed (the first ones named), and per version how
many answers it gave.
"""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence

PACE_SECONDS = 0.03
CLIENTS = {"keep-alive": 6, "new": 3, "slow": 2}
SLOW_SECONDS = 0.5
"""Shorter than the target group's deregistration delay, after which a request may be cut."""
MAXIMUM_SECONDS = 300.0


class Load:
    def __init__(self, host: str, port: int, seconds: float, without: Sequence[str] = ()) -> None:
        self.host, self.port = host, port
        self.kinds = [kind for kind, count in CLIENTS.items() if kind not in without for _ in range(count)]
        self.end = time.monotonic() + min(seconds, MAXIMUM_SECONDS)
        self.answered = 0
        self.versions: Counter[str] = Counter()
        self.instances: Counter[str] = Counter()
        self.failed: list[str] = []

    async def run(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.stop)
        await asyncio.gather(*(self.client(kind) for kind in self.kinds))

    def stop(self) -> None:
        self.end = 0

    async def client(self, kind: str) -> None:
        connection = None
        while time.monotonic() < self.end:
            try:
                async with asyncio.timeout(15):
                    if connection is None:
                        connection = await asyncio.open_connection(self.host, self.port)
                    is_open = await self.ask(*connection, kind)
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                self.failed.append(f"{time.strftime('%H:%M:%S')} {kind}: {error!r}")
                is_open = False
            if not is_open and connection:
                connection[1].close()
                connection = None
            await asyncio.sleep(PACE_SECONDS)

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: str) -> bool:
        """One request; whether the connection may be used again."""
        how = "keep-alive" if kind == "keep-alive" else "close"
        path = f"/slow?seconds={SLOW_SECONDS}" if kind == "slow" else "/version"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: {how}\r\n\r\n".encode())
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0])
        body = await reader.readexactly(length)
        if head.split()[1] != "200":
            raise ValueError(f"status {head.split()[1]}: {body[:80]!r}")
        self.answered += 1
        if kind != "slow":
            answer = json.loads(body)
            self.versions[answer["version"]] += 1
            self.instances[answer["instance"]] += 1
        return kind == "keep-alive" and "connection: close" not in head


def main() -> None:
    load = Load(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])
    asyncio.run(load.run())
    result = {
        "answered": load.answered,
        "failed": len(load.failed),
        "first_failures": load.failed[:10],
        "versions": load.versions,
        "instances": load.instances,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
