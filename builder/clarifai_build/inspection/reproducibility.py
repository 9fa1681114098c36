"""Proof that a build does not depend on where it runs: built twice, as differently as one machine
allows, and compared."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from clarifai_build.artifact.layout import files_named_by, walk_source
from clarifai_build.errors import ArtifactError, SourceError
from clarifai_build.inspection import contents, diff
from clarifai_build.inspection.diff import FileDiff
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.source.ignoring.ignore import default_reason
from clarifai_build.source.source_file import unreadable
from clarifai_build.util.processes import children
from clarifai_build.util.processes.child_environment import without_tokens
from clarifai_build.util.processes.scratch_folder import ScratchFolder

# Bytes: from here on, weights mostly, a link saves the time and the disk of a copy.
_LARGE = 1 << 20


@dataclass(frozen=True, slots=True)
class BuildEnvironment:
    """What a build must not depend on. Files are copied `backwards` or by name."""

    name: str
    umask: int
    environ: Mapping[str, str]
    backwards: bool

    def __str__(self) -> str:
        return f"umask {self.umask:03o}, " + ", ".join(self.environ.values())


BOTH = (
    BuildEnvironment(
        "a", 0o022, {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0"}, backwards=False
    ),
    BuildEnvironment(
        # Turkish has its own upper and lower case, and Kiritimati is 14 hours ahead of UTC.
        "another/folder",
        0o077,
        {"LC_ALL": "tr_TR.ISO-8859-9", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "4242"},
        backwards=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The SHA-256 of each of the two zips, and the files in which they differ."""

    sha256: tuple[str, ...]
    diffs: tuple[FileDiff, ...]

    @property
    def same(self) -> bool:
        return len(set(self.sha256)) == 1


def build_twice(manifest: Manifest, progress: ProgressCallback = no_progress) -> Rebuilt:
    """Build in two folders, umasks, locales, time zones, hash seeds and orders of files."""
    with ScratchFolder() as made, ExitStack() as stack:
        zips, sums = [], []
        origin = manifest.path.parent
        for surroundings in BOTH:
            folder = Path(made, surroundings.name)
            copy = _copy(manifest, origin, folder, surroundings)
            origin = copy.parent
            zips.append(folder / "made.zip")
            sums.append(_build(copy, zips[-1], surroundings))
            progress(Event("check", "done", f"{surroundings}: {sums[-1]}"))
        if len(set(sums)) == 1:
            return Rebuilt(tuple(sums), ())
        before, after = (stack.enter_context(contents.of_file(path)) for path in zips)
        return Rebuilt(tuple(sums), diff.compare(before, after))


def _build(manifest: Path, target: Path, surroundings: BuildEnvironment) -> str:
    command = [sys.executable, "-m", "clarifai_build", "build", str(manifest)]
    done = children.run(
        [*command, "--output", str(target), "--no-cache", "--json"],
        cwd=target.parent,
        env={**without_tokens(), **surroundings.environ},
        umask=surroundings.umask,
    )
    if done.returncode:
        raise ArtifactError.of(
            "check-failed",
            f"a copy of the model can't be built: {done.stdout.strip() or done.stderr.strip()}",
            hint="something outside of the manifest's folder may be needed",
        )
    return str(json.loads(done.stdout)["sha256"])


def _copy(manifest: Manifest, origin: Path, folder: Path, surroundings: BuildEnvironment) -> Path:
    """Copy the manifest's folder, as it is at `origin`, and return the copied manifest.

    Weights that lie outside of the folder are found from the copy, too.
    """
    source = manifest.path.parent
    outside = [w.source for w in manifest.weights if "://" not in w.source and ".." in w.source]
    levels = max((Path(name).parts.count("..") for name in outside), default=0)
    target = folder.joinpath(*["up"] * levels, "model")
    scope = _CopyScope.of(manifest)
    old = os.umask(surroundings.umask)
    try:
        _SourceCopier(origin, target, scope, from_copy=origin != source).folder(
            "", backwards=surroundings.backwards
        )
    finally:
        os.umask(old)
    for name in outside:
        link = Path(os.path.normpath(target / name))
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to((source / name).resolve())
    return target / manifest.path.name


class _CopyScope(NamedTuple):
    """What a build looks at, by paths from the manifest: the folder of the `code`, but for what is
    `left` out of it, and what else is `needed`."""

    code: str
    left: frozenset[str]
    needed: tuple[str, ...]

    @classmethod
    def of(cls, manifest: Manifest) -> _CopyScope:
        def path(file: str | Path) -> str:
            return os.path.relpath(file, manifest.path.parent).replace(os.sep, "/")

        code = manifest.code.path
        return cls(
            path(code),
            frozenset(path(item.file) for item in walk_source(manifest).left),
            (path(code), *(path(code / file) for file in files_named_by(manifest).elsewhere)),
        )

    def skips(self, folder: str) -> bool:
        """Return whether no build looks into a folder."""
        if any(f"{file}/".startswith(f"{folder}/") for file in self.needed):
            return False
        if self.code == "." or folder.startswith(f"{self.code}/"):
            return folder in self.left
        return default_reason(folder.rpartition("/")[2]) is not None


class _SourceCopier(NamedTuple):
    """Copies from `source` to `target` what is in `scope`.

    Large files are linked where the source is a copy (`from_copy`), not where they are the user's:
    a link would change their times.
    """

    source: Path
    target: Path
    scope: _CopyScope
    from_copy: bool

    def folder(self, path: str, *, backwards: bool) -> None:
        (self.target / path).mkdir(parents=True)
        for item in sorted((self.source / path).iterdir(), reverse=backwards):
            inner = f"{path}/{item.name}".lstrip("/")
            try:
                if item.is_symlink() and inner in self.scope.needed and item.is_file():
                    self.file(item, self.target / inner)  # it may lead to what is not copied
                elif item.is_symlink():
                    if inner not in self.scope.left:
                        (self.target / inner).symlink_to(self.leads_to(item))
                elif item.is_dir() and not self.scope.skips(inner):
                    self.folder(inner, backwards=backwards)
                elif item.is_file():
                    self.file(item, self.target / inner)
            except OSError as exc:
                if inner not in self.scope.left:
                    raise SourceError(unreadable(str(item), exc)) from exc

    def leads_to(self, link: Path) -> str:
        """Return where a link leads, so that one within the folder does so in the copy, too."""
        to = link.readlink()
        inside = to.is_absolute() and to.is_relative_to(self.source.absolute())
        return os.path.relpath(to, link.parent.absolute()) if inside else str(to)

    def file(self, item: Path, there: Path) -> None:
        """Copy content, and the right to execute."""
        if self.from_copy and item.stat().st_size >= _LARGE:
            os.link(item, there)
            return
        shutil.copyfile(item, there)
        if os.access(item, os.X_OK):
            there.chmod(there.stat().st_mode | 0o100)
