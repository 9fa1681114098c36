"""Rebuild from the source, and prove that what is published is the same, byte for byte.

Checks the source against the registered digest, the published zip against the rebuilt one and
against what was recorded when it was published, and its provenance and SBOM. Where something
differs, the files are named. A SHA-256 that was not known when the zip was published is filled in.

Of a runner without `storage`, nothing is kept: the rebuilt artifact is compared with what was
recorded of the upload.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING

from clarifai_build.cancellation import CancelToken
from clarifai_build.cli.arguments import add_manifests, add_sandbox
from clarifai_build.cli.console import Console
from clarifai_build.cli.fleet_command import Models, Results
from clarifai_build.connection import Connection
from clarifai_build.errors import UsageError
from clarifai_build.inspection.published_zip import at_url, in_bucket
from clarifai_build.manifest.types import FILE_NAME
from clarifai_build.progress import ProgressCallback
from clarifai_build.storage.keys import is_presigned

if TYPE_CHECKING:
    from clarifai_build.inspection.verify import Verified
    from clarifai_build.registry import RemoteVersion

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
        "--url",
        action="store_true",
        help="check what an anonymous client downloads, not the bucket",
    )
    parser.add_argument(
        "--require-sha256",
        action="store_true",
        help="fail where the provenance lacks the zip's SHA-256; else it is filled in",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="every model below the folder that is live; others are left out",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: Namespace, console: Console) -> int:
    console.json_errors = args.json
    # Without names, --all means every manifest below, not the one that is the default.
    names = ["."] if args.all and args.manifests == [FILE_NAME] else args.manifests
    models = Models(names, args, console)
    results = models.each(partial(_verify, args=args, cancel=models.cancel))
    _show(results, args, console)
    if any(not verified.ok for _, verified in results.done):
        return 1
    return results.exit_code


def _verify(
    connection: Connection, progress: ProgressCallback, args: Namespace, cancel: CancelToken
) -> Verified | None:
    from clarifai_build import pipeline
    from clarifai_build.deploy.registration import Registration
    from clarifai_build.deploy.versions import built, find, key_of
    from clarifai_build.inspection import git_revision, verify

    manifest = connection.manifest
    versions = connection.registry.versions(manifest.model.id)
    # Never published: with --all, that is not a failure.
    if args.all and not built(versions):
        return None
    version = find(versions, args.which, manifest.model.id)
    commit = _recorded_commit(version) if args.commit == RECORDED else args.commit
    source = (
        git_revision.manifest_at(manifest, commit, connection.environ)
        if commit
        else nullcontext(manifest)
    )
    with source as rebuilt:
        artifact = pipeline.build(rebuilt, progress, cancel=cancel)  # a cache would be no proof
        registration = Registration.of(rebuilt, artifact.digest, artifact.size)
        if not manifest.is_kept:
            _refuse_unkept(args)
            return verify.verify_unpublished(version, registration, artifact)
        store, key = connection.store(), key_of(version, manifest, manifest.destination)
        if args.url and not is_presigned(version.zip_url):
            published = at_url(version.zip_url)
        else:
            published = in_bucket(store, key)
            if args.url:
                published = at_url(version.zip_url, published)
        strict: bool = args.require_sha256
        verified = verify.verify(version, registration, artifact, published, require_sha256=strict)
        return verified if strict or args.url else verify.fill_in(verified, store, key)


def _refuse_unkept(args: Namespace) -> None:
    """Refuse to look for what is kept nowhere."""
    for option, asked in (("--url", args.url), ("--require-sha256", args.require_sha256)):
        if asked:
            raise UsageError.of(
                "nothing-kept",
                f"{option} looks at what lies in a bucket, and the manifest has no 'storage:'",
                hint="leave it out, or add `storage` and apply again",
            )


def _recorded_commit(version: RemoteVersion) -> str:
    from clarifai_build.deploy.versions import label

    if commit := version.recorded.commit:
        return commit
    raise UsageError.of(
        "commit-unknown",
        f"{label(version)} was applied outside of Git, or where Git gave no answer: no commit is "
        "recorded",
        hint="name one: --commit REVISION",
    )


def _show(results: Results[Verified], args: Namespace, console: Console) -> None:
    from clarifai_build.cli.tables import error_json, report_errors
    from clarifai_build.reports import verify as verify_report

    done = [(one.name, one.manifest.model.id, verified) for one, verified in results.done]
    if args.json:
        models = [verify_report.as_json(*one) for one in done]
        failed = [error_json(name, error) for name, error in results.errors.items()]
        console.json({"format_version": 1, "models": models, "errors": failed})
        return
    report_errors(results.errors, console)
    for _, model, verified in done:
        console.out_lines(verify_report.as_text(model, verified))
