"""Artifacts that exist: what is in them, how two differ, whether they are what the source gives."""
