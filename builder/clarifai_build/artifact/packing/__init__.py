"""A zip onto a disk: fast, and all or nothing."""
