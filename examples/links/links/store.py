"""Where the links live: one SQLite file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

SCHEMA = """
create table if not exists links (
    code text primary key,
    url text not null,
    clicks integer not null default 0
) strict
"""


class Store:
    """Links by their codes. Every call opens the file anew, so that threads share nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._connect() as connection:
            connection.execute(SCHEMA)

    def add(self, code: str, url: str) -> bool:
        """Keep `url` under `code`; False where the code is taken."""
        with self._connect() as connection:
            sql = "insert into links (code, url) values (?, ?) on conflict do nothing"
            return connection.execute(sql, (code, url)).rowcount == 1

    def follow(self, code: str) -> str | None:
        """The address behind `code`, its click counted; None where there is none."""
        with self._connect() as connection:
            sql = "update links set clicks = clicks + 1 where code = ? returning url"
            row = connection.execute(sql, (code,)).fetchone()
        return str(row[0]) if row else None

    def most_clicked(self, limit: int = 20) -> list[tuple[str, str, int]]:
        with self._connect() as connection:
            sql = "select code, url, clicks from links order by clicks desc, code limit ?"
            return list(connection.execute(sql, (limit,)))

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            yield connection
