"""What the user's `inference.py` says of itself; it is parsed, and never run."""
