"""Load balancers: a haproxy for each, and the addresses at which they answer."""
