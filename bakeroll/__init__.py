"""Bake a commit into a machine image, and roll a fleet to it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    __version__: str
else:

    def __getattr__(name):
        """`__version__`, on first use: a clone asks Git for it, and most tasks need none."""
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from bakeroll import toolkit

        return toolkit.version()
