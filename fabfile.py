"""The tasks of bakeroll, for the application that deploy.yml names."""

from bakeroll.tasks import namespace

__all__ = ["namespace"]
