"""Proof that what is published and registered is what the source gives, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.deploy.registration import Registration
from clarifai_build.errors import ArtifactError, NotAuthorisedError, StorageError
from clarifai_build.inspection import contents, diff
from clarifai_build.inspection.contents import Contents
from clarifai_build.inspection.diff import FileDiff
from clarifai_build.inspection.published_zip import Published
from clarifai_build.inspection.version_checks import (
    Check,
    check_records,
    check_registration,
    check_required,
    check_source,
    check_unchanged,
)
from clarifai_build.provenance import records
from clarifai_build.provenance.statement_document import tree_of
from clarifai_build.registry import RemoteVersion
from clarifai_build.storage import ObjectStore

# Bytes a request: two such blocks are in memory, and a GB takes 120 requests.
_BLOCK = 8 << 20


@dataclass(frozen=True, slots=True)
class Verified:
    """The result; `diffs` are the files that differ, the published ones as `before`.

    `unrecorded` is the SHA-256 of a zip whose provenance lacks it, where everything is as it should
    be.
    """

    version: RemoteVersion
    checks: tuple[Check, ...]
    diffs: tuple[FileDiff, ...] = ()
    unrecorded: str = ""

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


def verify(
    version: RemoteVersion,
    registration: Registration,
    artifact: Artifact,
    published: Published,
    *,
    require_sha256: bool = False,
) -> Verified:
    """Compare a version and its published zip with what the source gives.

    With `require_sha256`, its provenance has to name the zip's SHA-256.
    """
    sha256, differs_at = _compare_bytes(artifact, published)
    checks = [
        check_source(version, artifact),
        check_registration(version, registration),
        check_unchanged(version, published, sha256),
        *check_records(version, published, sha256),
        *(check_required(published, sha256) if require_sha256 else ()),
    ]
    # checks[0] is the source: a rebuild of another digest is compared file by file.
    if differs_at is None and checks[0].ok:
        same = f"all {published.size} bytes are those of the rebuilt zip"
        proven = Verified(version, (*checks, Check("bytes", True, same)))
        lacking = proven.ok and tree_of(published.provenance or b"") == artifact.digest
        return replace(proven, unrecorded=sha256) if lacking else proven
    try:
        there = contents.of_zip(published.where, published.read, published.size)
        diffs = _differing(there, artifact)
    except (ArtifactError, StorageError) as error:
        found = f"{error.problems[0].message}; the rebuilt zip has {artifact.size} bytes"
        return Verified(
            version, (*checks, Check("bytes", False, found, error.problems[0].hint or ""))
        )
    checks.append(_bytes(diffs, differs_at))
    return Verified(version, tuple(checks), diffs)


def verify_unpublished(
    version: RemoteVersion, registration: Registration, artifact: Artifact
) -> Verified:
    """Compare a version that is on the platform alone with what the source gives.

    The platform gives nobody back what was uploaded: what was recorded then is all there is.
    """
    checks = [
        check_source(version, artifact),
        check_registration(version, registration),
        *_recorded(version, artifact),
    ]
    message = "nothing was kept in a bucket, and the platform gives back no upload: not compared"
    return Verified(version, (*checks, Check("bytes", True, message)))


def _recorded(version: RemoteVersion, artifact: Artifact) -> Iterator[Check]:
    """Yield whether the rebuilt artifact is, byte for byte, what was recorded of the upload."""
    size, recorded = version.size, version.recorded.sha256
    if size:
        message = f"the source gives {artifact.size} bytes, {size} were uploaded"
        yield Check("size", artifact.size == size, message)
    if recorded:
        found = _sha256(artifact.blocks(0, artifact.size))
        message = f"the source gives SHA-256 {found}, {recorded} was uploaded"
        yield Check("sha256", found == recorded, message)


def fill_in(verified: Verified, store: ObjectStore, key: str) -> Verified:
    """Write what a provenance lacks, the SHA-256 of its zip, and say so among the checks.

    That it can't be written is said, too, and is no failure: what is published is proven.
    """
    if not verified.unrecorded:
        return verified
    try:
        written = records.fill_in(store, key, verified.unrecorded)
        what = "was filled in" if written else "was filled in by someone else"
    except (StorageError, NotAuthorisedError) as error:
        what = f"could not be filled in: {error.problems[0].message}"
    message = f"the zip's SHA-256, {verified.unrecorded}, {what}"
    return replace(verified, checks=(*verified.checks, Check("sha256", True, message)))


def _bytes(diffs: tuple[FileDiff, ...], differs_at: int | None) -> Check:
    if diffs:
        names = ", ".join(found.path for found in diffs[:10])
        more = f" and {len(diffs) - 10} more" if len(diffs) > 10 else ""
        return Check("bytes", False, f"these files differ: {names}{more}")
    if differs_at is None:
        return Check("bytes", True, "the bytes are those of the rebuilt zip")
    message = f"every file is the same, the zip around them differs from byte {differs_at}"
    hint = "a deflated zip depends on what packed it, which its provenance names"
    return Check("bytes", False, message, hint)


def _compare_bytes(artifact: Artifact, published: Published) -> tuple[str, int | None]:
    """Return the SHA-256 of what is published, and where it first differs from the artifact."""
    sha256 = hashlib.sha256()
    differs_at = None if artifact.size == published.size else min(artifact.size, published.size)
    compare = artifact.size == published.size
    for offset in range(0, published.size, _BLOCK):
        block = published.read(offset, min(_BLOCK, published.size - offset))
        sha256.update(block)
        if compare and block != (mine := artifact.read(offset, len(block))):
            compare = False
            pairs = enumerate(zip(block, mine, strict=False))
            differs_at = offset + next(i for i, (a, b) in pairs if a != b)
    return sha256.hexdigest(), differs_at


def _differing(there: Contents, artifact: Artifact) -> tuple[FileDiff, ...]:
    """Compare by listing, then by content: a damaged file keeps its entry in the listing."""
    here = contents.of_artifact("source", artifact)
    found = {one.path: one for one in diff.compare(there, here)}
    for entry in artifact.tree.entries:
        if entry.path not in found and _sha256(there.blocks(entry.path)) != entry.sha256:
            found[entry.path] = diff.explain(entry.path, there, here)
    return tuple(found[path] for path in sorted(found))


def _sha256(blocks: Iterable[bytes | bytearray]) -> str:
    sha256 = hashlib.sha256()
    for block in blocks:
        sha256.update(block)
    return sha256.hexdigest()
