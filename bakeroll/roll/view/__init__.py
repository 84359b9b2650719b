"""What one turn knows: the fleet, the settled record, and for each instance one role with one reason. Pure."""
