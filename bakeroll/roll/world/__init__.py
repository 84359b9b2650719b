"""What there is: the fleet observed in a few calls, and what follows from it for each instance."""
