"""What a roll is, as values: its record, its actions, what a turn decides, how many. It does nothing."""
