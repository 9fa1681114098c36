"""Show what a zip holds, published or local, and what is known of how it was made.

The files are read from the zip's directory alone. The provenance and the SBOM lie beside it.
"""

from __future__ import annotations

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
    parser.add_argument("zip", metavar="URL|ZIP", help="a published or a local zip")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(args: Namespace, console: Console) -> int:
    from clarifai_build.inspection import contents
    from clarifai_build.provenance.sbom import read_sbom
    from clarifai_build.provenance.statement import read_statement
    from clarifai_build.util.urls import redact_url

    console.json_errors = args.json
    with ExitStack() as stack:
        published = "://" in args.zip
        fetch: Callable[[str], bytes | None]
        fetch = download if published else contents.read_local
        if published:
            found = contents.of_url(redact_url(args.zip), args.zip)
        else:
            found = stack.enter_context(contents.of_file(Path(args.zip)))
        recorded = fetch(provenance_key(args.zip))
        listed = fetch(sbom_key(args.zip))
    statement = None if recorded is None else read_statement(recorded, "the provenance")
    sbom = None if listed is None else read_sbom(listed)
    if args.json:
        console.json(
            {
                "zip": found.name,
                "files": [
                    {"path": f.path, "size": f.size, "mode": f"{f.mode:04o}"}
                    for f in found.files.values()
                ],
                "provenance": statement,
                "sbom": sbom,
            }
        )
        return 0
    signed = is_presigned(args.zip)
    for line in (*_files(found), *_origin(statement, signed), *_packages(sbom, signed)):
        console.out(line)
    return 0


def _files(found: Contents) -> list[str]:
    return [f"{file.size:>12}  {file.path}" for file in found.files.values()]


def _origin(statement: dict[str, Any] | None, signed: bool) -> list[str]:
    from clarifai_build.provenance.statement import summary_of

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
