"""AMIs as stacks of overlay layers, kept as one JSON file each.

Owns layers on the disk: which image uses which, and when a layer can go. Leaves names, tags and states
of images to the API.
"""

import json
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from local_cloud.machines.source_image import SourceImage, discard


class Images:
    """The images of one cloud. `in_use` returns the layers that instances use."""

    def __init__(self, directory: Path, in_use: Callable[[], set[str]]) -> None:
        self._directory, self._in_use = directory, in_use
        self.layers_directory = directory / "layers"

    def start(self, source: SourceImage) -> None:
        """Make ready, with the source image among the images; layers that nothing uses go."""
        self.layers_directory.mkdir(parents=True, exist_ok=True)
        layer = self.layers_directory / source.id
        if not layer.exists():
            layer.unlink(missing_ok=True)  # a link into a cache that has been emptied
            layer.symlink_to(source.tree)
        self.add(source.id, [source.id])

    def add(self, image: str, layers: Sequence[str]) -> None:
        path = self._path(image)
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps({"id": image, "layers": list(layers)}))
        draft.rename(path)

    def ids(self) -> list[str]:
        return sorted(path.stem for path in self._directory.glob("ami-*.json"))

    def layers(self, image: str) -> tuple[str, ...] | None:
        """Names of the image's layers, top first; None for an image that is not here, or not whole."""
        with suppress(FileNotFoundError):
            layers: list[str] = json.loads(self._path(image).read_text())["layers"]
            if all((self.layers_directory / layer).exists() for layer in layers):
                return tuple(layers)
        return None

    def new_layer(self) -> str:
        return secrets.token_hex(6)

    def remove(self, image: str) -> None:
        self._path(image).unlink(missing_ok=True)
        self.collect()

    def collect(self) -> None:
        """Delete the layers that no image and no instance uses."""
        used = self._in_use().union(*(self.layers(image) or () for image in self.ids()))
        for layer in self.layers_directory.iterdir():
            if layer.name not in used:
                layer.unlink() if layer.is_symlink() else discard(layer)

    def _path(self, image: str) -> Path:
        return self._directory / f"{image}.json"
