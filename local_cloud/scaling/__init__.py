"""Auto Scaling groups that act: what a group, a refresh and a warm pool do next, and the engine that does it."""
