"""The user's folder: what goes in. Knows no manifest."""
