"""What one turn knows: the fleet, the settled record, and the role and the reason of each instance. Pure."""
