"""What operators do beside a roll: see its status, steer it, repair what it left."""
