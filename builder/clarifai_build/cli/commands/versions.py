"""List what is live and what was: each version of a model that this tool made, newest first."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from clarifai_build.cli.arguments import add_manifest, add_sandbox
from clarifai_build.cli.console import Console
from clarifai_build.connection import connect
from clarifai_build.util.urls import redact_url

if TYPE_CHECKING:
    from clarifai_build.registry import RemoteVersion

_HEAD = ("VERSION", "ID", "STATUS", "CREATED", "BY", "COMMIT", "DIGEST", "SIZE", "NOTE")


def configure(parser: ArgumentParser) -> None:
    add_manifest(parser)
    add_sandbox(parser)
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


def run(args: Namespace, console: Console) -> int:
    from clarifai_build.cli.tables import table
    from clarifai_build.deploy.versions import built

    console.json_errors = args.json
    connection = connect(args.manifest, sandbox=args.sandbox, progress=console.progress())
    model = connection.manifest.model.id
    found = connection.registry.versions(model)
    known = built(found)
    if args.json:
        versions = [_document(version, live=index == 0) for index, version in enumerate(known)]
        others = [version.id for version in found if version not in known]
        console.json({"model": model, "versions": versions, "others": others})
        return 0
    if known:
        console.out_lines(table(_HEAD, _rows(known)))
    if len(found) > len(known):
        console.err(f"and {len(found) - len(known)} that clarifai-build did not build")
    elif not found:
        console.err(f"model '{model}' has no versions")
    return 0


def _rows(versions: Sequence[RemoteVersion]) -> list[tuple[str, ...]]:
    from clarifai_build.deploy.versions import label
    from clarifai_build.util.text import short, size_text

    return [
        (
            label(version),
            # `rollback` takes the beginning of an id.
            short(version.id),
            version.health,
            _when(version),
            version.recorded.by or "",
            _commit(version),
            short(str(version.artifact_digest)),
            size_text(version.size),
            _note(version, live=index == 0),
        )
        for index, version in enumerate(versions)
    ]


def _when(version: RemoteVersion) -> str:
    # In UTC, as in CI logs: teams work in several time zones.
    moment = datetime.fromtimestamp(version.created_at, timezone.utc)
    return moment.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00") + "Z"


def _commit(version: RemoteVersion) -> str:
    from clarifai_build.util.text import short_commit

    commit = short_commit(version.recorded.commit or "")
    return f"{commit}+changes" if version.recorded.dirty else commit


def _note(version: RemoteVersion, *, live: bool) -> str:
    source = version.recorded.rollback_of
    return ", ".join(filter(None, ("live" if live else "", f"back to {source}" if source else "")))


def _document(version: RemoteVersion, *, live: bool) -> dict[str, Any]:
    recorded = version.recorded
    return {
        "revision": version.revision,
        "id": version.id,
        "live": live,
        "status": version.health,
        "created": _when(version),
        "by": recorded.by,
        "commit": recorded.commit,
        "dirty": recorded.dirty,
        "artifact_digest": version.artifact_digest,
        "sha256": recorded.sha256,
        "size": version.size,
        "tool": recorded.tool,
        "rollback_of": recorded.rollback_of,
        "url": redact_url(version.zip_url),
    }
