"""The probes of a roll: HTTP requests and commands."""
