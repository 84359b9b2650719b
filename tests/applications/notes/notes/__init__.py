"""Keeps notes."""
