"""Files that do not live in Git: located, fetched, verified."""
