from bakeroll.tasks import namespace  # noqa: F401
