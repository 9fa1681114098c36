"""Everything that `validate` can find, and `load`, which refuses it."""
