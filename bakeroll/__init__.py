"""Bake a commit into a machine image, and roll a fleet to it."""

__version__ = "0.1.0"
