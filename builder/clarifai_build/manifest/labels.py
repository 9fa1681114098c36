"""A model's labels: what the integers in its predictions stand for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build.errors import SourceError
from clarifai_build.util.small_files import MIB, read_small

if TYPE_CHECKING:
    from clarifai_build.manifest.types import Manifest

# Of a file: half a million labels of sixteen letters.
MAX_BYTES = 8 * MIB

# Includes every line break of str.splitlines, by which the sandbox reads labels.txt.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

OWN_NAME = "rename it where it stands: predictions are told apart by name, classes by their place"


def labels_of(manifest: Manifest) -> tuple[str, ...]:
    """Return the labels in order; none where the model has none.

    A labels file is UTF-8, with or without a byte order mark, a label a line.
    """
    labels = manifest.model.labels
    if labels is None:
        return ()
    return labels_in(labels) if isinstance(labels, Path) else labels


def unwritable(label: str) -> str | None:
    """Return why a label would not be one line of labels.txt, or None where it is."""
    if not _CONTROL.search(label):
        return None
    return f"label {label!r} holds a line break or another control character"


def labels_in(file: Path) -> tuple[str, ...]:
    """Read a labels file; raises SourceError when it can't be read as UTF-8."""
    try:
        text = read_small(file, MAX_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise SourceError.of(
            "labels-unreadable", f"{file} can't be read: {error.strerror}", file=str(file)
        ) from error
    except UnicodeDecodeError as error:
        raise SourceError.of(
            "labels-encoding",
            f"{file} is not UTF-8 at byte {error.start}",
            file=str(file),
            hint="save it as UTF-8",
        ) from error
    # Not splitlines: U+2028 in a label is to be found and refused, not taken for a line break.
    lines = text.replace("\r\n", "\n").split("\n")
    return tuple(lines[:-1] if lines[-1] == "" else lines)
