"""Short links: keeps them, follows them, counts the clicks."""
