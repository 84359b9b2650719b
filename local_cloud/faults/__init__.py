"""Faults on demand: what can be asked for, which are in force, and what they do to calls, launches and instances."""
