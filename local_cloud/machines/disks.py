"""The machines' disks: a directory for each, with what it wrote over its image's layers, and its console's log."""

import shutil
import subprocess
from pathlib import Path

_PARTS = ("upper", "work", "root")


class Disks:
    """Those of one cloud, in `instances`; images' layers are in `layers`."""

    def __init__(self, instances: Path, layers: Path) -> None:
        self._instances, self.layers = instances, layers

    def of(self, instance: str) -> Path:
        return self._instances / instance

    def console(self, instance: str) -> Path:
        """The log of its console."""
        return self.of(instance) / "console.log"

    def make(self, instance: str) -> None:
        """Make the disk, or make one ready that is there."""
        directory = self.of(instance)
        shutil.rmtree(directory / "work", ignore_errors=True)
        for name in _PARTS:
            (directory / name).mkdir(mode=0o755, parents=True, exist_ok=True)

    def copy(self, instance: str, layer: str) -> None:
        """Copy what the machine has written, as it is just now, to a new layer."""
        # The overlay's own marks (whiteouts, opaque directories) are devices and extended attributes: cp -a keeps them.
        written = str(self.of(instance) / "upper")
        subprocess.run(["cp", "-a", "--reflink=auto", written, str(self.layers / layer)], check=True)

    def move(self, instance: str, layer: str) -> None:
        """Make what the machine has written a new layer, and give it an empty disk."""
        (self.of(instance) / "upper").rename(self.layers / layer)
        self.make(instance)

    def delete(self, instance: str) -> None:
        """Delete all but the log of its console: a dead machine's last words are asked for."""
        for name in _PARTS:
            shutil.rmtree(self.of(instance) / name, ignore_errors=True)

    def forget(self, instance: str) -> None:
        """Delete the log as well."""
        shutil.rmtree(self.of(instance), ignore_errors=True)
