"""The values of a roll: its record, its actions, its decisions and its amounts. This room has no effects."""
