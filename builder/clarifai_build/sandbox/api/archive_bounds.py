"""What an archive from outside may hold: so many entries, so deep, so large, and none outside."""

from __future__ import annotations

from pathlib import PurePosixPath

MOST_ENTRIES = 200_000
# Far more than models have; functions of the standard library call themselves once a level.
MOST_LEVELS = 100
# Up to a GiB unpacks whatever its ratio: small bombs are harmless.
FREE_RATIO_BYTES = 1 << 30
# Deflate reaches about 1,000 on zeros; weights and code stay below 10.
MOST_RATIO = 100
PIECE = 1 << 20


def most_unpacked(packed: int) -> int:
    """Return how many bytes an archive of so many bytes may unpack to."""
    return max(FREE_RATIO_BYTES, packed * MOST_RATIO)


def fault_of_name(name: str) -> str | None:
    """Return why an entry of this name can't be unpacked, or None."""
    path = PurePosixPath(name)
    unsafe = path.is_absolute() or ".." in path.parts or not path.parts
    if len(path.parts) > MOST_LEVELS:
        return f"an entry lies {len(path.parts)} folders deep"
    # Backslashes and colons (drives, streams) mean more than a name on Windows.
    if unsafe or "\\" in name or "\0" in name or ":" in path.parts[0]:
        return f"entry '{name}' points outside of it"
    return None
