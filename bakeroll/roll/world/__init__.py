"""Reads the fleet in a few calls."""
