"""A version, its zip and its records against what the source gives: all but the bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from clarifai_build._version import __version__
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.deploy.registration import Registration, builder_changes
from clarifai_build.errors import ArtifactError
from clarifai_build.inspection.published_zip import Published
from clarifai_build.provenance.statement_document import subject_of, tree_of, with_sha256
from clarifai_build.registry import RemoteVersion
from clarifai_build.registry.version_metadata import VersionMetadata


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `message` says what was found, and what was expected."""

    name: str
    ok: bool
    message: str
    hint: str = ""


def check_source(version: RemoteVersion, artifact: Artifact) -> Check:
    """Return whether the source gives the artifact that is registered."""
    if version.artifact_digest == artifact.digest:
        return Check("source", True, f"the source gives {artifact.digest}, as registered")
    found = f"the source gives {artifact.digest}, registered is {version.artifact_digest}"
    recorded = version.recorded
    moved = [f"{name} {then} then, {now} now" for name, then, now in builder_changes(recorded)]
    if moved:
        hint = f"rebuild with {_tool_of(recorded)} to rule the tool out"
        return Check("source", False, f"{found} ({'; '.join(moved)})", hint)
    commit = recorded.commit
    hint = f"verify against the commit it was made from: --commit {commit}" if commit else ""
    if recorded.dirty:
        hint = f"it was made from {commit} with uncommitted changes, which nobody can rebuild"
    return Check("source", False, found, hint)


def _tool_of(recorded: VersionMetadata) -> str:
    """Return how to get the tool that built a version."""
    if not recorded.tool:
        return "that tool"
    if recorded.tool == __version__:
        return f"the clarifai-build that had template {recorded.template}"
    return f"the clarifai-build of then (`pip install clarifai-build=={recorded.tool}`)"


def check_registration(version: RemoteVersion, registration: Registration) -> Check:
    """Return whether all else that is registered is what the manifest says."""
    registered = version.registration_digest
    if registered == registration.digest:
        return Check("registration", True, "type, field maps and parameters are as registered")
    return Check(
        "registration",
        False,
        f"the source registers {registration.digest}, the platform has {registered}",
        "the artifact, the parameters or the type differ from what was registered",
    )


def check_unchanged(version: RemoteVersion, published: Published, sha256: str) -> Check:
    """Return whether the zip has the size and the SHA-256 that were put on record."""
    size, recorded = version.size or published.size, version.recorded.sha256
    if published.size != size:
        message = f"{published.where} has {published.size} bytes, {size} were published"
    elif recorded and recorded != sha256:
        message = f"{published.where} has SHA-256 {sha256}, {recorded} was published"
    else:
        return Check("object", True, f"{published.where} is as it was published")
    hint = (
        "it was cut, damaged or replaced since: `clarifai-build apply` restores it from the source"
    )
    return Check("object", False, message, hint)


def check_records(version: RemoteVersion, published: Published, sha256: str) -> Iterator[Check]:
    """Yield whether each record is the one the version was registered with, and about this zip."""
    recorded = version.recorded
    for name, body, expected in (
        ("provenance", published.provenance, recorded.provenance),
        ("sbom", published.sbom, recorded.sbom),
    ):
        if not expected:
            continue
        found = hashlib.sha256(body).hexdigest() if body is not None else "nothing"
        if name == "provenance" and body and tree_of(body):
            yield _without_sha256(version, body, found, expected)
        elif found != expected and not _was_filled_in(body, expected):
            message = f"found {found}, the version was registered with {expected}"
            yield Check(name, False, message, "it was removed or replaced since")
        elif name == "provenance" and body and subject_of(body) != sha256:
            about = subject_of(body) or "nothing that can be read"
            message = f"it is about {about}, the zip has SHA-256 {sha256}"
            yield Check(name, False, message, "the zip was replaced since")
        elif found != expected:
            message = f"{name} {found} is as registered, but for the SHA-256 of the zip, now known"
            yield Check(name, True, message)
        else:
            yield Check(name, True, f"{name} {found} is as registered")


def _without_sha256(version: RemoteVersion, body: bytes, found: str, expected: str) -> Check:
    """Look at a provenance that was published when the SHA-256 of its zip was not known."""
    if found != expected:
        message = f"found {found}, the version was registered with {expected}"
        return Check("provenance", False, message, "it was removed or replaced since")
    if tree_of(body) != version.artifact_digest:
        message = f"it is about artifact {tree_of(body)}, registered is {version.artifact_digest}"
        return Check("provenance", False, message, "the zip was replaced since")
    message = f"provenance {found} is as registered, without the zip's SHA-256"
    return Check("provenance", True, message)


def _was_filled_in(body: bytes | None, expected: str) -> bool:
    """Return whether a record is that of a version, but for the SHA-256 of the zip."""
    try:
        emptied = with_sha256(body or b"", "")
    except ArtifactError:
        return False
    return hashlib.sha256(emptied).hexdigest() == expected


def check_required(published: Published, sha256: str) -> Iterator[Check]:
    """Yield whether the provenance names the SHA-256 of the zip."""
    found = subject_of(published.provenance or b"")
    if found == sha256:
        yield Check("sha256", True, f"the provenance names the zip's SHA-256, {sha256}")
        return
    message = f"the provenance names {found or 'no SHA-256'}, the zip has {sha256}"
    hint = "`clarifai-build verify` fills in one that is not there" if not found else ""
    yield Check("sha256", False, message, hint)
