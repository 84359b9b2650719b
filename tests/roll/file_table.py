"""A table in a folder, for several processes. It has no lock, so a process that is stopped blocks no other."""

import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from bakeroll.document import Document


@dataclass(frozen=True, slots=True)
class FileTable:
    """Each document is a folder of versions, numbered from 0. The first line of a version is its token.

    link(2) makes a version. It fails if another process has already made it.
    """

    folder: Path

    def get(self, pk: str, sk: str) -> Document | None:
        versions = self._versions(pk, sk)
        return _read(versions[-1]) if versions else None

    def put(self, pk: str, sk: str, new: Document, *, over: str | None) -> Document | None:
        versions = self._versions(pk, sk)
        there = _read(versions[-1]) if versions else None
        if (there.token if there else None) != over:
            return there
        draft = self.folder / uuid.uuid4().hex
        draft.write_text(f"{new.token}\n{new.body}")
        try:
            os.link(draft, self._place(pk, sk) / f"{len(versions):06}")
        except FileExistsError:
            return self.get(pk, sk)
        finally:
            draft.unlink()
        return None

    def newest(self, pk: str, prefix: str, limit: int) -> Sequence[Document]:
        names = (each.name.split(" ") for each in self.folder.iterdir() if " " in each.name)
        keys = sorted((unquote(sk) for its, sk in names if its == quote(pk, safe="")), reverse=True)
        found = (self.get(pk, each) for each in keys if each.startswith(prefix))
        return [each for each in found if each][:limit]

    def _versions(self, pk: str, sk: str) -> list[Path]:
        return sorted(self._place(pk, sk).iterdir())

    def _place(self, pk: str, sk: str) -> Path:
        place = self.folder / f"{quote(pk, safe='')} {quote(sk, safe='')}"
        place.mkdir(exist_ok=True)
        return place


def _read(version: Path) -> Document:
    token, _, body = version.read_text().partition("\n")
    return Document(body, token)
