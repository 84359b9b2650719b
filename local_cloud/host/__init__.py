"""This machine: what the cloud takes of it, how much there is, and how everything of a cloud is found and removed."""
