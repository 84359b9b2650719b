"""A roll from its lease to its end: observe, decide, act."""
