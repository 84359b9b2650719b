"""A cloud in memory that implements the ports of a roll."""
