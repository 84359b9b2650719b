"""The cloud in memory, behind the ports of a roll."""
