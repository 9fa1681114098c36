"""Build the artifact: a zip, or a runner's tar.gz. Its bytes follow from its content alone.

Its provenance lies beside it, and its SBOM where there is a lock.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build.cli.arguments import add_locked, add_manifest
from clarifai_build.cli.console import Console

if TYPE_CHECKING:
    from clarifai_build.manifest.types import Manifest
    from clarifai_build.progress import ProgressCallback


def configure(parser: ArgumentParser) -> None:
    add_manifest(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=_file,
        metavar="FILE",
        help="the artifact (default: dist/MODEL_ID_MODEL-TYPE.zip, of a runner .tar.gz, beside the "
        "manifest)",
    )
    parser.add_argument(
        "--list",
        action="store_true",
        help="write nothing; list what goes in and what stays out, with sizes and reasons",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; build twice, in unlike surroundings, and compare every byte",
    )
    add_locked(parser)
    cache = parser.add_mutually_exclusive_group()
    cache.add_argument("--no-cache", action="store_true", help="read every file, and keep nothing")
    cache.add_argument(
        "--verify-cache",
        action="store_true",
        help="read every file, and compare with the digests that were kept",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def _file(text: str) -> Path:
    if text.endswith((os.sep, "/")):
        raise ArgumentTypeError(f"'{text}' is a folder: name the file in it")
    return Path(text)


def run(args: Namespace, console: Console) -> int:
    from clarifai_build import pipeline
    from clarifai_build.artifact.packing.output_files import check_output_path
    from clarifai_build.digests.cache import DigestCache, digests_file
    from clarifai_build.provenance.lock_drift import check_lock
    from clarifai_build.repository_layout import artifact_name
    from clarifai_build.source.build_records import OUTPUT_FOLDER, check_existing_records
    from clarifai_build.targets.triton.shared_memory import shared_memory
    from clarifai_build.util import cache_dir
    from clarifai_build.util.text import joined
    from clarifai_build.validation.load import load

    console.json_errors = args.json
    # Offline: a build needs no bucket and no account.
    manifest = load(args.manifest, os.environ, offline=True)
    name = artifact_name(manifest.model.id, manifest.model.type, manifest.target)
    target = args.output or manifest.path.parent / OUTPUT_FOLDER / name
    if args.locked:
        check_lock(manifest)
    if not (args.list or args.check):
        check_existing_records(check_output_path(target))  # before hours of work
    if args.list:
        return _list(manifest, target, console, as_json=args.json)
    progress = console.progress()
    if args.check:
        return _check(manifest, progress, console, as_json=args.json)
    path = None if args.no_cache else digests_file()
    cache = DigestCache(path, verify=args.verify_cache)
    # A cached rendering would hide what a check of the caches is to find.
    renders = None if args.no_cache or args.verify_cache else cache_dir.renders_folder()
    artifact, written = pipeline.build_to(target, manifest, progress, cache, renders)
    if args.json:
        console.json(
            {
                "path": str(written.path),
                "artifact_digest": written.artifact_digest,
                "sha256": written.sha256,
                "size": written.size,
                "files": [
                    {"path": entry.path, "size": entry.size, "sha256": entry.sha256}
                    for entry in artifact.tree.entries
                ],
            }
        )
        return 0
    # In one piece: line by line, thousands of files take as long as to read them.
    console.out_lines(joined(f"{entry.size:>12}  {entry.path}" for entry in artifact.tree.entries))
    for name in ("artifact_digest", "sha256", "size", "path"):
        console.out(f"{name:<15}  {getattr(written, name)}")
    if manifest.target == "triton" and (memory := shared_memory(manifest)):
        console.err(f"Triton will need about {memory / 2**20:.0f} MiB of shared memory for images")
    return 0


def _list(manifest: Manifest, target: Path, console: Console, *, as_json: bool) -> int:
    from clarifai_build.artifact.file_list import listing

    files = listing(manifest, target)
    if as_json:
        console.json(
            {
                "in": [{"path": f.path, "size": f.size} for f in files if not f.reason],
                "out": [f._asdict() for f in files if f.reason],
            }
        )
        return 0
    for file in files:
        mark, reason = ("-", f"  ({file.reason})") if file.reason else ("+", "")
        console.out(f"{mark} {file.size:>12}  {file.path}{reason}")
    return 0


def _check(
    manifest: Manifest, progress: ProgressCallback, console: Console, *, as_json: bool
) -> int:
    from clarifai_build.inspection.reproducibility import build_twice
    from clarifai_build.reports import diff

    rebuilt = build_twice(manifest, progress)
    if as_json:
        files = diff.as_json(rebuilt.diffs)
        console.json({"same": rebuilt.same, "sha256": list(rebuilt.sha256), "files": files})
    elif rebuilt.same:
        console.out(f"same    {rebuilt.sha256[0]}")
    else:
        console.out_lines(diff.as_text(rebuilt.diffs))
        console.out(f"differ  {' '.join(rebuilt.sha256)}")
    return 0 if rebuilt.same else 1
