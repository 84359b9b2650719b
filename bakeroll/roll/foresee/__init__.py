"""What a roll would do: preflight, preview and plan, by the same loop over a model."""
