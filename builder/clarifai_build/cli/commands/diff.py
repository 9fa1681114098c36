"""Show what differs between two artifacts: files, sizes, text, configuration by field.

Contents are compared, not what a zip says of them; damage of a zip is named, and counts.

Each of the two is `source` (what the manifest gives now), a local artifact, a published version
(`live`, `v3`, an id, or how an id or a digest begins), or a Git revision. Without any: live and
source. With one: that and source.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build.cli.arguments import DEFAULT_MANIFEST, add_sandbox
from clarifai_build.cli.console import Console
from clarifai_build.connection import Connection, connect
from clarifai_build.errors import BuilderError
from clarifai_build.progress import ProgressCallback
from clarifai_build.repository_layout import ENDINGS
from clarifai_build.util.vcs.process import GitError

if TYPE_CHECKING:
    from clarifai_build.inspection.contents import Contents
    from clarifai_build.manifest.types import Manifest

SOURCE = "source"


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("before", nargs="?", default="live", metavar="BEFORE")
    parser.add_argument("after", nargs="?", default=SOURCE, metavar="AFTER")
    parser.add_argument(
        "-f",
        "--manifest",
        type=Path,
        default=DEFAULT_MANIFEST,
        help="the manifest (default: clarifai.yaml)",
    )
    add_sandbox(parser)
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 1 when something differs"
    )
    parser.add_argument("--json", action="store_true", help="print the differences as JSON")


def run(args: Namespace, console: Console) -> int:
    from clarifai_build.inspection import diff
    from clarifai_build.reports.diff import as_json, as_text

    console.json_errors = args.json
    with ExitStack() as stack:
        sides = _Sides(args, console.progress(), stack)
        before, after = sides.look(args.before), sides.look(args.after)
        diffs = diff.compare(before, after)
        otherwise = diff.packed_otherwise(before, after)
    if args.json:
        console.json(
            {
                "before": before.name,
                "after": after.name,
                "files": as_json(diffs),
                "damage": {"before": before.damage, "after": after.damage},
                "notes": {"before": before.notes, "after": after.notes},
                "packed_otherwise": otherwise,
            }
        )
    else:
        console.err(f"{before.name} → {after.name}")
        for side in (before, after):
            for note in side.notes:
                console.err(f"{side.name}: {note}")
            for damage in side.damage:
                console.out(f"! {side.name}: {damage}")
        for path in otherwise:
            console.err(f"{path}: the same content, compressed into other bytes")
        console.out_lines(as_text(diffs))
    differs = diffs or before.damage != after.damage
    return 1 if differs and args.exit_code else 0


class _Sides:
    """Finds what a name means. The platform is asked only when a name needs it."""

    def __init__(self, args: Namespace, progress: ProgressCallback, stack: ExitStack) -> None:
        self._args, self._progress, self._stack = args, progress, stack
        self._connection: Connection | None = None

    def look(self, name: str) -> Contents:
        from clarifai_build import pipeline
        from clarifai_build.deploy import versions
        from clarifai_build.inspection import contents, git_revision
        from clarifai_build.util import git
        from clarifai_build.util.text import short_commit

        if name == SOURCE:
            artifact = pipeline.build(self._manifest(), self._progress)
            return contents.of_artifact(SOURCE, artifact)
        if name.endswith(tuple(ENDINGS.values())):
            return self._stack.enter_context(contents.of_file(Path(name)))
        # Before Git is asked: a branch called `v3` would else hide the version.
        if versions.is_version_name(name):
            return self._published(name)
        manifest = self._manifest()
        try:
            commit = git.commit_of(manifest.path.parent, name)
        except GitError as unanswered:
            return self._published_or(name, unanswered)
        if commit is None:
            if not git.is_revision_name(name):
                return self._published(name)
            # To be told why: a shallow clone, no repository at all.
            commit = name
        there = git_revision.manifest_at(manifest, commit, os.environ)
        rebuilt = self._stack.enter_context(there)
        artifact = pipeline.build(rebuilt, self._progress)
        return contents.of_artifact(f"{name} ({short_commit(commit)})", artifact)

    def _manifest(self) -> Manifest:
        from clarifai_build.validation.load import load

        return load(self._args.manifest, os.environ, offline=True)

    def _published_or(self, name: str, unanswered: GitError) -> Contents:
        """Look for a version; where there is none, it may be a revision, which Git did not say."""
        try:
            return self._published(name)
        except BuilderError as error:
            raise GitError(*unanswered.problems, *error.problems) from error

    def _published(self, name: str) -> Contents:
        from clarifai_build.deploy import versions
        from clarifai_build.inspection import contents

        if self._connection is None:
            args = self._args
            self._connection = connect(args.manifest, sandbox=args.sandbox, progress=self._progress)
        manifest, store = self._connection.manifest, self._connection.store()
        found = self._connection.registry.versions(manifest.model.id)
        version = versions.find(found, name, manifest.model.id)
        key = versions.key_of(version, manifest, manifest.destination)
        label = f"{versions.label(version)} ({version.id})"
        crc32 = version.recorded.crc32 or ""
        # An exit code is a promise: it rests on no claim of a directory.
        return contents.of_store(label, store, key, crc32, whole=self._args.exit_code)
