"""What a person or a program does with the cloud: start and stop it, look at it, set its faults, step into an instance.

Imports nothing heavy: the daemon is another process.
"""
