"""A bounded load on one URL of this machine, every failure counted: `load.py HOST PORT SECONDS`.

Keep-alive clients, clients with a new connection each, and clients that ask slowly. Nothing is retried.
Stops early on SIGTERM. Prints one JSON object: answered, failed (the first ones named), and per version how
many answers it gave.
"""

import asyncio
import json
import signal
import sys
import time
from collections import Counter

PACE_SECONDS = 0.03
CLIENTS = {"keep-alive": 6, "new": 3}
MAXIMUM_SECONDS = 300.0


class Load:
    def __init__(self, host: str, port: int, seconds: float) -> None:
        self.host, self.port = host, port
        self.end = time.monotonic() + min(seconds, MAXIMUM_SECONDS)
        self.versions: Counter[str] = Counter()
        self.instances: Counter[str] = Counter()
        self.failed: list[str] = []

    async def run(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.stop)
        await asyncio.gather(*(self.client(kind) for kind, count in CLIENTS.items() for _ in range(count)))

    def stop(self) -> None:
        self.end = 0

    async def client(self, kind: str) -> None:
        connection = None
        while time.monotonic() < self.end:
            try:
                async with asyncio.timeout(15):
                    if connection is None:
                        connection = await asyncio.open_connection(self.host, self.port)
                    is_open = await self.ask(*connection, keep=kind == "keep-alive")
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                self.failed.append(f"{time.strftime('%H:%M:%S')} {kind}: {error!r}")
                is_open = False
            if not is_open and connection:
                connection[1].close()
                connection = None
            await asyncio.sleep(PACE_SECONDS)

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, keep: bool) -> bool:
        """One request for /version; whether the connection may be used again."""
        how = "keep-alive" if keep else "close"
        writer.write(f"GET /version HTTP/1.1\r\nHost: {self.host}\r\nConnection: {how}\r\n\r\n".encode())
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0])
        body = await reader.readexactly(length)
        if head.split()[1] != "200":
            raise ValueError(f"status {head.split()[1]}: {body[:80]!r}")
        answer = json.loads(body)
        self.versions[answer["version"]] += 1
        self.instances[answer["instance"]] += 1
        return keep and "connection: close" not in head


def main() -> None:
    load = Load(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
    asyncio.run(load.run())
    result = {
        "answered": sum(load.versions.values()),
        "failed": len(load.failed),
        "first_failures": load.failed[:10],
        "versions": load.versions,
        "instances": load.instances,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
