"""Rolls a fleet to a release: replaces its instances behind their load balancers without one failed request.

A roll repeats three steps until it is done:

    observe   the whole fleet in a few batched calls (fleet.Fleet)
    decide    pure: the next actions, or what the roll waits for and why, or the end
    act       typed actions, each idempotent, each under the lease

The record holds what must outlive a crash, and is written before the roll acts. The Memory holds the rest, and passes
from turn to turn. The view reads both together. The lease lets one roll at a time change a fleet.
"""
