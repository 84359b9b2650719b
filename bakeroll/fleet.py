"""The vocabulary of a fleet: what an observation of it holds. Frozen data; no input or output."""
