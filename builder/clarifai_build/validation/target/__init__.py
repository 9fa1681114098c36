"""What depends on the target that a manifest names: its keys, and its requirements."""
