"""What operators do beside a roll: look at it, steer it, repair what it left."""
