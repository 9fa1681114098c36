"""Pin what the manifest leaves open: requirements with hashes, weights, what builds them.

The pins go into clarifai.lock. Commit it: with it, a rebuild gives the same bytes, and
`apply --locked` refuses when it is out of date. Of weights that are on this machine it also holds
size and checksums, by which other machines know them without fetching.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from clarifai_build.cli.arguments import add_manifest
from clarifai_build.cli.console import Console
from clarifai_build.provenance.lock_drift import check_lock


def configure(parser: ArgumentParser) -> None:
    add_manifest(parser)
    parser.add_argument(
        "--upgrade", action="store_true", help="take the newest versions; else pins that fit stay"
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail when the lock is out of date"
    )


def run(args: Namespace, console: Console) -> int:
    from clarifai_build.digests.cache import DigestCache, digests_file
    from clarifai_build.provenance import lock, locked_contents
    from clarifai_build.validation.load import load

    manifest = load(args.manifest, os.environ, offline=True, locking=True)
    path = lock.path_of(manifest)
    if args.check:
        check_lock(manifest)
        console.err(f"{path} is up to date")
        return 0
    previous = lock.read(path)
    cache, known = DigestCache(digests_file()), previous.contents if previous else {}
    contents = locked_contents.gather(manifest, known, console.progress(), cache)
    made = lock.make(manifest, previous, contents, upgrade=args.upgrade)
    lock.write(made, path)
    pins = made.requirements.pins if made.requirements else ()
    # Hashes stand on indented lines below their package, options before all of them.
    packages = sum(not line.startswith((" ", "#", "-")) for line in pins)
    console.err(f"pinned {packages} packages and {len(made.weights)} weights")
    if unknown := sorted(to for to, sha256 in made.weights.items() if sha256 not in contents):
        names = ", ".join(unknown)
        console.err(f"not on this machine, so without size and checksums: {names}")
    console.out(str(path))
    return 0
