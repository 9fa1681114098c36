"""The form of a statement, and what one that was written before says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from clarifai_build.errors import ArtifactError
from clarifai_build.source.build_records import REPLACED, STATEMENT
from clarifai_build.util.small_files import parse_json

PREDICATE = "https://slsa.dev/provenance/v1"

TREE = "clarifaiBuildTree"
"""The name of the artifact's digest among those of the subject: in-toto lets anyone name theirs."""

_UNKNOWN = (
    "not known yet: the zip was published without reading all of its content; "
    "`clarifai-build verify` fills it in"
)


def subject(name: str, artifact_digest: str, sha256: str) -> dict[str, Any]:
    """Return what a statement is about: the zip, by its SHA-256 where that is known."""
    if sha256:
        return {"name": name, "digest": {"sha256": sha256}}
    return {"name": name, "digest": {TREE: artifact_digest}, "annotations": {"sha256": _UNKNOWN}}


def with_sha256(body: bytes, sha256: str) -> bytes:
    """Return a statement with this SHA-256 of its zip, or with none where that is empty.

    Either way it is what `statement_of` would have given. Raises ArtifactError for other documents.
    """
    statement = read_statement(body, "the provenance")
    try:
        name = str(statement["subject"][0]["name"])
    except (KeyError, IndexError, TypeError) as error:
        raise unreadable("the provenance") from error
    about = subject(name, artifact_digest_of(body), sha256)
    return f"{as_json({**statement, 'subject': [about]})}\n".encode()


def artifact_digest_of(body: bytes) -> str:
    """Return the digest of the artifact that a statement is about; empty where none can be read."""
    try:
        definition = read_statement(body, "")["predicate"]["buildDefinition"]
        return str(definition["internalParameters"]["artifact_digest"])
    except (ArtifactError, KeyError, TypeError):
        return ""


def read_statement(body: bytes, where: str) -> dict[str, Any]:
    """Parse a statement; raises ArtifactError for any other document."""
    try:
        statement: dict[str, Any] = parse_json(body)
        known = (statement["_type"], statement["predicateType"]) == (STATEMENT, PREDICATE)
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise unreadable(where)
    return statement


def subject_of(body: bytes) -> str:
    """Return the SHA-256 of the zip that a statement is about; empty where that can't be read, or
    was not known."""
    return _digest_ofsubject(body, "sha256")


def tree_of(body: bytes) -> str:
    """Return the artifact's digest where a statement names that in place of the zip's SHA-256."""
    return _digest_ofsubject(body, TREE)


def _digest_ofsubject(body: bytes, algorithm: str) -> str:
    try:
        return str(read_statement(body, "")["subject"][0]["digest"][algorithm])
    except (ArtifactError, KeyError, IndexError, TypeError):
        return ""


def summary_of(statement: dict[str, Any]) -> list[str]:
    """Return what a statement says, line by line; raises ArtifactError where it lacks parts."""
    try:
        unknown = statement["subject"][0].get("annotations", {}).get("sha256")
        told = [_row("sha256", unknown)] if unknown else []
        return [*told, *_summary(statement["predicate"])]
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise unreadable("the provenance") from error


def _summary(predicate: dict[str, Any]) -> Iterator[str]:
    definition = predicate["buildDefinition"]
    parameters = definition["internalParameters"]
    yield _row("artifact_digest", parameters["artifact_digest"])
    if parameters["encoder"]:
        yield _row("packed", f"by {parameters['encoder']}")
    for name, version in predicate["runDetails"]["builder"]["version"].items():
        yield _row("builder", f"{name} {version}")
    for one in definition["resolvedDependencies"]:
        digest = " ".join(f"{kind}:{value}" for kind, value in one["digest"].items())
        notes = ", ".join(f"{key} {value}" for key, value in one.get("annotations", {}).items())
        yield _row("from", f"{one['name']}  {one.get('uri', '')}  {digest}  {notes}".rstrip())


def _row(name: str, value: object) -> str:
    return f"{name:<15}  {value}"


def unreadable(where: str) -> ArtifactError:
    """Return the error of a file that is not such a statement."""
    return ArtifactError.of(
        "provenance-unreadable",
        f"{where} is not an in-toto statement with SLSA provenance v1",
        hint=REPLACED,
    )


def as_json(value: dict[str, Any]) -> str:
    """Return a statement, or a part of one, as it is written."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
