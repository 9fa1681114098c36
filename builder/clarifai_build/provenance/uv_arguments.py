"""Requirements as uv takes them: it reads fewer forms of a file than pip does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from clarifai_build.requirements.inlined import Inlined, Part
from clarifai_build.requirements.location import is_local
from clarifai_build.requirements.reader import Line

PLACES = ("--index-url", "--extra-index-url", "--find-links")
"""The options that say where packages lie."""

FORMATS = ("--no-binary", "--only-binary")
"""Those that say which of a version's files are taken."""

_SWITCHES = {"--no-index": "--no-index", "--pre": "--prerelease=allow"}


def inputs(found: Inlined, folder: Path) -> list[str]:
    """Write requirements and constraints into a folder, and return the arguments that name them."""
    named = [_written(line) for _, line in found.lines if not _is_option(line)]
    limits = [_written(line) for _, line in found.constraints]
    _write(folder / "requirements.txt", named)
    _write(folder / "constraints.txt", limits)
    return [str(folder / "requirements.txt"), "--constraints", str(folder / "constraints.txt")]


def options(found: Inlined) -> list[str]:
    """Return the options that hold for all requirements."""
    settings = [(part, line) for part, line in found.lines if line.is_setting]
    given = list(dict.fromkeys(one for part, line in settings for one in _of(part, line)))
    # Of several, the last one counts, and uv takes no second.
    indexes = [one for one in given if one.startswith("--index-url=")]
    return [one for one in given if one not in indexes[:-1]]


def _of(part: Part, line: Line) -> Iterator[str]:
    for option in PLACES:
        for place in line.values(option):
            # As pip: beside the file that names it, if it is there.
            beside = part.file.parent / place
            is_beside = option == "--find-links" and is_local(place) and beside.exists()
            yield f"{option}={beside.resolve() if is_beside else place}"
    for option in FORMATS:
        for value in line.values(option):
            yield from (f"{option}={name}" for name in value.split(","))
    yield from (f"--allow-insecure-host={host}" for host in line.values("--trusted-host"))
    yield from (ours for pips, ours in _SWITCHES.items() if line.values(pips))


def _is_option(line: Line) -> bool:
    return line.is_setting and not (line.included or line.constrained_by)


def _written(line: Line) -> str:
    if line.error or line.is_setting:
        return line.text
    hashes = (f" --hash={digest}" for digest in line.values("--hash"))
    return (f"-e {line.editable}" if line.editable else line.requirement) + "".join(hashes)


def _write(file: Path, lines: list[str]) -> None:
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
