"""Decides the next step of a roll. Pure."""
