"""Bake a commit into a machine image, and roll a fleet to it."""
