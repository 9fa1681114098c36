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

if TYPE_CHECKING:
    from clarifai_build.contents import Contents


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("zip", metavar="URL|ZIP", help="a published or a local zip")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(args: Namespace, console: Console) -> int:
    import json

    from clarifai_build import contents, records
    from clarifai_build.addresses import shown

    console.json_errors = args.json
    with ExitStack() as stack:
        published = "://" in args.zip
        fetch: Callable[[str], bytes | None]
        fetch = contents.download if published else contents.read_local
        if published:
            found = contents.of_url(shown(args.zip), args.zip)
        else:
            found = stack.enter_context(contents.of_file(Path(args.zip)))
        statement = fetch(records.provenance_key(args.zip))
        sbom = fetch(records.sbom_key(args.zip))
    if args.json:
        console.json(
            {
                "zip": found.name,
                "files": [
                    {"path": f.path, "size": f.size, "mode": f"{f.mode:04o}"}
                    for f in found.files.values()
                ],
                "provenance": json.loads(statement) if statement else None,
                "sbom": json.loads(sbom) if sbom else None,
            }
        )
        return 0
    for line in (*_files(found), *_origin(statement), *_packages(sbom)):
        console.out(line)
    return 0


def _files(found: Contents) -> list[str]:
    return [f"{file.size:>12}  {file.path}" for file in found.files.values()]


def _origin(statement: bytes | None) -> list[str]:
    from clarifai_build.provenance import read_statement

    if statement is None:
        return ["no provenance lies beside it"]
    predicate = read_statement(statement, "the provenance")["predicate"]
    definition = predicate["buildDefinition"]
    parameters = definition["internalParameters"]
    lines = [f"digest  {parameters['artifact']}"]
    if parameters["encoder"]:
        lines.append(f"packed  by {parameters['encoder']}")
    builder: dict[str, Any] = predicate["runDetails"]["builder"]
    lines += [f"builder {name} {version}" for name, version in builder["version"].items()]
    for one in definition["resolvedDependencies"]:
        digest = " ".join(f"{kind}:{value}" for kind, value in one["digest"].items())
        notes = ", ".join(f"{key} {value}" for key, value in one.get("annotations", {}).items())
        lines.append(f"from    {one['name']}  {one.get('uri', '')}  {digest}  {notes}".rstrip())
    return lines


def _packages(sbom: bytes | None) -> list[str]:
    import json

    if sbom is None:
        return ["no SBOM lies beside it: the model was published without a lock"]
    found = json.loads(sbom).get("components", [])
    return [f"package {one['name']} {one['version']}" for one in found]
