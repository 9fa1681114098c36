"""Files that take their places together, and only when all of them are whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

from clarifai_build.errors import ArtifactError, cannot_write
from clarifai_build.util.atomic_file import (
    fresh_mark,
    open_partial,
    partial_path,
    remove_abandoned,
)

if TYPE_CHECKING:
    from typing_extensions import Self

# How artifacts begin; the last: an empty file, as mktemp makes.
_ARTIFACTS = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\x00", b"")


class _Output(NamedTuple):
    target: Path
    partial: Path
    descriptor: int


class Outputs:
    """A context in which files are written beside `target`; at its end all take their places.

    Where anything goes wrong before the first file is in its place, all that was there stays. The
    others follow it, and what they replace is moved aside before: at no time do files that do not
    belong together lie side by side. Raises ArtifactError where something can't be written.
    """

    def __init__(self, target: Path) -> None:
        self.named, self.target = target, check_output_path(target)
        self._written: list[_Output] = []
        self._removed: list[Path] = []
        self._made: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def open(self, suffix: str = "") -> int:
        """Return the descriptor of a new file, for the target's name and this suffix."""
        target = self.target.with_name(self.target.name + suffix)
        try:
            self._make(target.parent)
            if not self._written:
                remove_abandoned(target.parent)
            partial, descriptor = open_partial(target)
        except OSError as exc:
            raise ArtifactError(cannot_write(target, exc)) from exc
        self._written.append(_Output(target, partial, descriptor))
        return descriptor

    def _make(self, folder: Path) -> None:
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        self._made += missing

    def put(self, suffix: str, data: bytes | Iterable[bytes] | None) -> None:
        """Write a file, whole or in parts; None has whatever is in its place removed."""
        if data is None:
            self._removed.append(self.target.with_name(self.target.name + suffix))
            return
        descriptor = self.open(suffix)
        try:
            with os.fdopen(descriptor, "wb", closefd=False) as stream:
                stream.writelines([data] if isinstance(data, bytes) else data)
        except OSError as exc:
            raise ArtifactError(cannot_write(self.target, exc)) from exc

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        try:
            self._close(whole=kind is None)
            if kind is None:
                self._put_in_place()
        except OSError as exc:
            raise ArtifactError(cannot_write(self.target, exc)) from exc
        finally:
            for output in self._written:
                with suppress(OSError):
                    output.partial.unlink(missing_ok=True)
            # With something in it, as when all went well, a folder stays.
            for folder in self._made:
                with suppress(OSError):
                    folder.rmdir()
        if isinstance(error, OSError):
            raise ArtifactError(cannot_write(self.target, error)) from error

    def _close(self, *, whole: bool) -> None:
        try:
            for output in self._written if whole else ():
                os.fsync(output.descriptor)
        finally:
            for output in self._written:
                os.close(output.descriptor)

    def _put_in_place(self) -> None:
        first, *others = self._written
        aside: dict[Path, Path] = {}
        replaced = partial_path(first.target, fresh_mark())
        try:
            # Old records go first, so that none lies beside a zip that it is not of.
            for place in (*self._removed, *(output.target for output in others)):
                aside[place] = partial_path(place, fresh_mark())
                with suppress(FileNotFoundError):
                    place.replace(aside[place])
            with suppress(OSError):
                # To free a large file takes a second, in which its records should not be missing.
                os.link(first.target, replaced)
            first.partial.replace(first.target)
        finally:
            # An interrupt may come between the rename and here: only the disk knows.
            is_in_place = not first.partial.exists()
            for output in others if is_in_place else ():
                output.partial.replace(output.target)
            for place, old in aside.items():
                with suppress(OSError):
                    old.unlink() if is_in_place else old.replace(place)
            with suppress(OSError):
                replaced.unlink()


def check_output_path(target: Path) -> Path:
    """Return where a zip will lie, links followed; raises ArtifactError where it must not."""
    try:
        place = Path(os.path.realpath(target))
    except OSError as exc:
        raise ArtifactError(cannot_write(target, exc)) from exc
    try:
        mode = place.stat().st_mode
    except FileNotFoundError:
        return place
    except OSError as exc:
        raise ArtifactError(cannot_write(target, exc)) from exc
    if stat.S_ISDIR(mode):
        raise _refused(target, "is a folder", "name a file in it")
    if not stat.S_ISREG(mode):
        raise _refused(
            target, "is not a regular file", "name a new file, or the artifact to replace"
        )
    if not _is_artifact(place):
        raise _refused(
            target, "is there already, and is not an artifact", "remove it, or name another"
        )
    return place


def _is_artifact(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(4) in _ARTIFACTS
    except OSError as exc:
        raise ArtifactError(cannot_write(file, exc)) from exc


def _refused(target: Path, what: str, hint: str) -> ArtifactError:
    return ArtifactError.of("output-target", f"{target} {what}", file=str(target), hint=hint)
