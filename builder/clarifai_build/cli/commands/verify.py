"""Rebuild from the source, and prove that what is published is the same, byte for byte.

Checks the source against the registered digest, the published zip against the rebuilt one and
against what was recorded when it was published, and its provenance and SBOM. Where something
differs, the files are named.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from clarifai_build.cli.arguments import add_manifests, add_sandbox
from clarifai_build.cli.console import Console
from clarifai_build.connection import Connection, connect_all
from clarifai_build.errors import BuilderError
from clarifai_build.progress import ProgressCallback, named
from clarifai_build.storage.keys import is_presigned

if TYPE_CHECKING:
    from clarifai_build.inspection.verify import Verified

RECORDED = "recorded"


def configure(parser: ArgumentParser) -> None:
    add_manifests(parser)
    add_sandbox(parser)
    parser.add_argument(
        "--version",
        dest="which",
        default="live",
        metavar="VERSION",
        help="which version: live (default), v3, an id, or how an id or a digest begins",
    )
    parser.add_argument(
        "--commit",
        nargs="?",
        const=RECORDED,
        metavar="REVISION",
        help="rebuild from this Git revision; without a value, from the one that was recorded",
    )
    parser.add_argument(
        "--url", action="store_true", help="check what a stranger downloads, not the bucket"
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="every model below the folder that is live; others are left out",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: Namespace, console: Console) -> int:
    from clarifai_build.deploy import fleet

    console.json_errors = args.json
    stop = fleet.Stop()
    progress = stop.cancellable(console.progress())
    names = ["."] if args.all and args.manifests == ["clarifai.yaml"] else args.manifests
    found = connect_all(names, sandbox=args.sandbox, progress=progress)
    many = len(found.connections) > 1

    def verify(connection: Connection) -> Verified | None:
        report = named(connection.manifest.model.id, progress) if many else progress
        return _verify(connection, args, report)

    outcomes = fleet.each(found.connections, verify, args.jobs, stop)
    errors = {**found.errors, **{o.item.name: o.error for o in outcomes if o.error}}
    done = [(outcome.item, outcome.value) for outcome in outcomes if outcome.value]
    _show(done, errors, args, console)
    if any(not verified.ok for _, verified in done):
        return 1
    return fleet.exit_code(list(errors.values()))


def _verify(connection: Connection, args: Namespace, progress: ProgressCallback) -> Verified | None:
    from clarifai_build import pipeline
    from clarifai_build.deploy import versions as history
    from clarifai_build.deploy.registration import Registration
    from clarifai_build.inspection import git_revision, verify

    manifest = connection.manifest
    versions = connection.registry.versions(manifest.model.id)
    if args.all and not history.built(versions):
        return None
    version = history.find(versions, args.which, manifest.model.id)
    commit = (version.recorded.commit or "HEAD") if args.commit == RECORDED else args.commit
    source = (
        git_revision.manifest_at(manifest, commit, connection.environ)
        if commit
        else nullcontext(manifest)
    )
    with source as rebuilt:
        artifact = pipeline.build(rebuilt, progress)  # a cache would be no proof
        registration = Registration.of(rebuilt, artifact.digest, artifact.size)
        if args.url and not is_presigned(version.zip_url):
            published = verify.at_url(version.zip_url)
        else:
            store = connection.store()
            key = history.key_of(version, manifest, manifest.destination)
            published = verify.in_bucket(store, key)
            if args.url:
                published = verify.at_url(version.zip_url, published)
        return verify.verify(version, registration, artifact, published)


def _show(
    done: Sequence[tuple[Connection, Verified]],
    errors: Mapping[str, BuilderError],
    args: Namespace,
    console: Console,
) -> None:
    from clarifai_build.cli.tables import error_json, report_errors
    from clarifai_build.reports import verify as verify_report

    results = [(one.name, one.manifest.model.id, verified) for one, verified in done]
    if args.json:
        models = [verify_report.as_json(*result) for result in results]
        failed = [error_json(name, error) for name, error in errors.items()]
        console.json({"format_version": 1, "models": models, "errors": failed})
        return
    report_errors(errors, console)
    for _, model, verified in results:
        console.out(verify_report.as_text(model, verified))
