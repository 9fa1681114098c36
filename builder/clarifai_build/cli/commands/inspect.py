"""Show what an artifact holds, published or local, and what is known of how it was made.

Its bytes are checked, those of a large published zip excepted. Provenance and SBOM lie beside it.
Exits with 1 where it is damaged.
"""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clarifai_build.cli.console import Console
from clarifai_build.storage.anonymous import download
from clarifai_build.storage.keys import is_presigned, provenance_key, sbom_key

if TYPE_CHECKING:
    from clarifai_build.inspection.contents import Contents


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("zip", metavar="URL|FILE", help="a published or a local artifact")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(args: Namespace, console: Console) -> int:
    from clarifai_build.inspection import contents
    from clarifai_build.provenance.sbom import read_sbom
    from clarifai_build.provenance.statement_document import read_statement, subject_of, tree_of
    from clarifai_build.util.urls import redact_url

    console.json_errors = args.json
    with ExitStack() as stack:
        published = "://" in args.zip
        fetch: Callable[[str], bytes | None]
        fetch = download if published else contents.read_local
        if published:
            found = contents.measured_url(redact_url(args.zip), args.zip)
        else:
            found = stack.enter_context(contents.of_file(Path(args.zip)))
        recorded = fetch(provenance_key(args.zip))
        listed = fetch(sbom_key(args.zip))
    statement = None if recorded is None else read_statement(recorded, "the provenance")
    problems = list(found.damage)
    about = subject_of(recorded) if recorded is not None and not tree_of(recorded) else None
    if about is not None and not published and about != _sha256(Path(args.zip)):
        problems.append("its provenance is about another artifact")
    sbom = None if listed is None else read_sbom(listed)
    if args.json:
        console.json(
            {
                "zip": found.name,
                "files": [
                    {"path": f.path, "size": f.size, "mode": f"{f.mode:04o}"}
                    for f in found.files.values()
                ],
                "damage": problems,
                "notes": found.notes,
                "provenance": statement,
                "sbom": sbom,
            }
        )
        return 1 if problems else 0
    signed = is_presigned(args.zip)
    damage = [f"damaged: {one}" for one in problems]
    for line in (*_files(found), *damage, *_origin(statement, signed), *_packages(sbom, signed)):
        console.out(line)
    for note in found.notes:
        console.err(note)
    return 1 if damage else 0


def _sha256(file: Path) -> str:
    sha256 = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            sha256.update(block)
    return sha256.hexdigest()


def _files(found: Contents) -> list[str]:
    return [f"{file.size:>12}  {file.path}" for file in found.files.values()]


def _origin(statement: dict[str, Any] | None, signed: bool) -> list[str]:
    from clarifai_build.provenance.statement_document import summary_of

    if statement is not None:
        return summary_of(statement)
    if signed:
        return ["no provenance can be read: a signed URL opens the zip alone"]
    return ["no provenance lies beside it"]


def _packages(sbom: dict[str, Any] | None, signed: bool) -> list[str]:
    from clarifai_build.provenance.sbom import packages_of

    if sbom is not None:
        return [f"package {package}" for package in packages_of(sbom)]
    if signed:
        return ["no SBOM can be read: a signed URL opens the zip alone"]
    return ["no SBOM lies beside it: the model was published without a lock"]
