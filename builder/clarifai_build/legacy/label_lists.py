"""Lists of labels as they are found: each class keeps its place, and gets a name of its own."""

from __future__ import annotations

import codecs
import re
from collections.abc import MutableMapping, Sequence
from pathlib import Path

from clarifai_build.errors import SourceError
from clarifai_build.manifest.labels import MAX_BYTES, labels_in
from clarifai_build.util.small_files import read_small

# A file beside the user's, since an import changes nothing that exists.
KEPT_LABELS = "labels.serving.txt"
# How many names a note tells.
_SHOWN = 5
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_INDEXED = re.compile(r"(\d+)\t+(.*)")
# The longer first: UTF-16's mark is how UTF-32's begins.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def from_file(folder: Path, name: str, notes: list[str], files: MutableMapping[str, str]) -> str:
    """Return the labels file to name: the user's, or a new one where that can't be taken as it is.

    A file that is not there, or has no labels, stays what it is: `validate` says so.
    """
    file = folder / name
    try:
        raw = read_small(file, MAX_BYTES)
    except (OSError, ValueError):
        return name
    found: list[str] = []
    lines = _lines(raw, name, found)
    if lines is None:
        return name
    labels = usable(lines, name, found)
    if not any(label.strip() for label in labels):
        return name
    if not found and _as_they_are(file) == labels:
        return name
    notes += [f"{note} (see {KEPT_LABELS})" for note in found or [f"{name}: its line ends"]]
    files[KEPT_LABELS] = "".join(f"{label}\n" for label in labels)
    return KEPT_LABELS


def usable(labels: Sequence[str], where: str, notes: list[str]) -> list[str]:
    """Return the labels in their order, each one line, and each with a name of its own."""
    clean = [
        _CONTROL.sub(" ", label).strip() if _CONTROL.search(label) else label for label in labels
    ]
    if changed := [new for new, old in zip(clean, labels, strict=True) if new != old]:
        notes.append(f"{where}: tabs and control characters became spaces: {_some(changed)}")
    return distinct(clean, where, notes)


def distinct(labels: Sequence[str], where: str, notes: list[str]) -> list[str]:
    """Return the labels in their order, with a name of its own for each blank and repeated one.

    The place in the list is what the model predicts, so that none is removed. Places count from 0.
    """
    if not any(label.strip() for label in labels):
        return list(labels)
    taken = {label.strip() for label in labels}
    seen: set[str] = set()
    result: list[str] = []
    named: list[str] = []
    renamed: list[str] = []
    for index, label in enumerate(labels):
        key = label.strip()
        if key and key not in seen:
            seen.add(key)
            result.append(label)
            continue
        new = _free(f"{key or 'unnamed'}-{index}", taken)
        taken.add(new)
        (renamed if key else named).append(new)
        result.append(new)
    if named:
        notes.append(f"{where}: classes without a name: they became {_some(named)}")
    if renamed:
        notes.append(f"{where}: names that come again: they became {_some(renamed)}")
    return result


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "-again"
    return name


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    more = len(names) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _as_they_are(file: Path) -> list[str] | None:
    try:
        return list(labels_in(file))
    except SourceError:
        return None


def _lines(raw: bytes, name: str, notes: list[str]) -> list[str] | None:
    """Return the lines of a file in whatever encoding; None where it is no text."""
    text = _decoded(raw, name, notes)
    if text is None:
        return None
    # Old Mac files end their lines with a carriage return alone.
    lines = re.split("\r\n|\n" if "\n" in text else "\r", text)
    if not lines[-1]:
        lines.pop()
    count = len(lines)
    while lines and not lines[-1].strip():
        lines.pop()
    if count > len(lines):
        notes.append(f"{name}: {count - len(lines)} blank lines at its end")
    return _without_indexes(lines, name, notes)


def _decoded(raw: bytes, name: str, notes: list[str]) -> str | None:
    marked = next((known for mark, known in _MARKS if raw.startswith(mark)), None)
    encoding = marked or _unmarked(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        if marked:
            return None
        # What Windows and older tools write in the West. Wherever else it comes from, lines and
        # their order are right, and the names are told.
        text = raw.decode("cp1252", errors="replace")
        odd = [line.strip() for line in text.splitlines() if not line.isascii()]
        notes.append(f"{name}: not UTF-8, read as windows-1252: check {_some(odd)}")
        return text
    if not encoding.startswith("utf-8"):
        notes.append(f"{name}: it is in {encoding.upper()}, and was written as UTF-8")
    return text


def _unmarked(raw: bytes) -> str:
    """Return UTF-16 for text whose every other byte is null, as Windows writes it without mark."""
    if len(raw) >= 4 and len(raw) % 2 == 0:
        for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if not any(raw[start::2]):
                return encoding
    return "utf-8"


def _without_indexes(lines: list[str], name: str, notes: list[str]) -> list[str]:
    """Remove `0<tab>`, `1<tab>`, … where they only count the lines."""
    found = [_INDEXED.fullmatch(line) for line in lines]
    numbers = [int(match[1]) for match in found if match]
    if len(numbers) < len(lines) or not lines:
        return lines
    if numbers != list(range(numbers[0], numbers[0] + len(lines))) or numbers[0] > 1:
        notes.append(f"{name}: its lines have numbers that do not count them; the lines count")
        return lines
    notes.append(f"{name}: the numbers before its labels, which only count the lines")
    return [match[2] for match in found if match]
