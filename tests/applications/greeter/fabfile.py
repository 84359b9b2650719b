from bakeroll.tasks import namespace

__all__ = ["namespace"]
