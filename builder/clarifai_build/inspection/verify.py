"""Proof that what is published and registered is what the source gives, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.zip_reader import ReadRange
from clarifai_build.deploy.registration import Registration, builder_changes
from clarifai_build.errors import ArtifactError, NotAuthorisedError, StorageError
from clarifai_build.inspection import contents, diff
from clarifai_build.inspection.contents import Contents
from clarifai_build.inspection.diff import FileDiff
from clarifai_build.provenance import records
from clarifai_build.provenance.statement_document import subject_of, tree_of, with_sha256
from clarifai_build.registry import RemoteVersion
from clarifai_build.storage import ObjectStore, stat_existing
from clarifai_build.storage.anonymous import download
from clarifai_build.storage.keys import provenance_key, sbom_key
from clarifai_build.storage.public_download import fetch_range
from clarifai_build.util.urls import redact_url

# Bytes a request: two such blocks are in memory, and a GB takes 120 requests.
_BLOCK = 8 << 20


@dataclass(frozen=True, slots=True)
class Published:
    """A published zip: where it lies, how to read it, its size, and its records by digest."""

    where: str
    read: ReadRange
    size: int
    provenance: bytes | None = None
    sbom: bytes | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `message` says what was found, and what was expected."""

    name: str
    ok: bool
    message: str
    hint: str = ""


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


def in_bucket(store: ObjectStore, key: str) -> Published:
    """Look at the object itself, with the bucket's credentials."""
    notes = (store.get(provenance_key(key)), store.get(sbom_key(key)))
    stored = stat_existing(store, key)
    return Published(
        key,
        lambda offset, length: store.read(key, offset, length),
        stored.size,
        *(note.body if note else None for note in notes),
    )


def at_url(url: str, there: Published | None = None) -> Published:
    """Look at the public URL; where that opens the zip alone, `there` has the records."""
    size = fetch_range(url, 0, 1)[1]
    return Published(
        redact_url(url),
        lambda offset, length: fetch_range(url, offset, length)[0],
        size,
        there.provenance if there else download(provenance_key(url)),
        there.sbom if there else download(sbom_key(url)),
    )


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
        _source(version, artifact),
        _registration(version, registration),
        _unchanged(version, published, sha256),
        *_records(version, published, sha256),
        *(_required(published, sha256) if require_sha256 else ()),
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


def _source(version: RemoteVersion, artifact: Artifact) -> Check:
    if version.artifact_digest == artifact.digest:
        return Check("source", True, f"the source gives {artifact.digest}, as registered")
    found = f"the source gives {artifact.digest}, registered is {version.artifact_digest}"
    recorded = version.recorded
    moved = [f"{name} {then} then, {now} now" for name, then, now in builder_changes(recorded)]
    if moved:
        tool = f"`pip install clarifai-build=={recorded.tool}`" if recorded.tool else "that tool"
        hint = f"rebuild with {tool} to rule the tool out"
        return Check("source", False, f"{found} ({'; '.join(moved)})", hint)
    commit = recorded.commit
    hint = f"verify against the commit it was made from: --commit {commit}" if commit else ""
    if recorded.dirty:
        hint = f"it was made from {commit} with uncommitted changes, which nobody can rebuild"
    return Check("source", False, found, hint)


def _registration(version: RemoteVersion, registration: Registration) -> Check:
    registered = version.registration_digest
    if registered == registration.digest:
        return Check("registration", True, "type, field maps and parameters are as registered")
    return Check(
        "registration",
        False,
        f"the source registers {registration.digest}, the platform has {registered}",
        "the artifact, the parameters or the type differ from what was registered",
    )


def _unchanged(version: RemoteVersion, published: Published, sha256: str) -> Check:
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


def _records(version: RemoteVersion, published: Published, sha256: str) -> Iterator[Check]:
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


def _required(published: Published, sha256: str) -> Iterator[Check]:
    found = subject_of(published.provenance or b"")
    if found == sha256:
        yield Check("sha256", True, f"the provenance names the zip's SHA-256, {sha256}")
        return
    message = f"the provenance names {found or 'no SHA-256'}, the zip has {sha256}"
    hint = "`clarifai-build verify` fills in one that is not there" if not found else ""
    yield Check("sha256", False, message, hint)


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


def _sha256(blocks: Iterator[bytes]) -> str:
    sha256 = hashlib.sha256()
    for block in blocks:
        sha256.update(block)
    return sha256.hexdigest()
