"""What an artifact was made from, by what and how: an in-toto statement with SLSA provenance v1.

It holds no time of day: the same source, built by the same tool, gives the same statement.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from json.encoder import encode_basestring
from pathlib import Path
from textwrap import indent
from typing import Any

from clarifai_build._version import __version__
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import Entry
from clarifai_build.manifest.types import Manifest
from clarifai_build.progress import ProgressCallback, no_progress
from clarifai_build.provenance.lock import Lock
from clarifai_build.provenance.source_commit import source_commit
from clarifai_build.provenance.statement_document import PREDICATE, as_json, subject
from clarifai_build.repository_layout import artifact_name
from clarifai_build.source.build_records import BUILD_TYPE, STATEMENT
from clarifai_build.targets.toolchain import current_toolchain
from clarifai_build.util import git, urls
from clarifai_build.util.git import Checkout
from clarifai_build.util.redaction import has_token
from clarifai_build.util.urls import redact_url

BUILDER = "urn:clarifai-build"
_NO_BYPRODUCTS = '"byproducts": []'
_FILE = """
        {
          "annotations": {
            "mode": "%04o",
            "size": %d
          },
          "digest": {
            "sha256": "%s"
          },
          "name": %s
        }"""
# Other schemes (file:) name a path on this machine, which says nothing elsewhere.
_NETWORK = frozenset({"http", "https", "ssh", "git"})
# git@host:path, but neither C:/path nor another/path:with-a-colon.
_HOST_AND_PATH = re.compile(r"[^/:\s]{2,}:[^:]")


def statement_of(
    manifest: Manifest,
    artifact: Artifact,
    sha256: str,
    lock: Lock | None,
    sbom: bytes | None,
    progress: ProgressCallback = no_progress,
) -> bytes:
    """Return the statement as JSON. Warns where Git refuses to answer.

    `sha256` is the zip's; where it is empty, nobody knows it yet, and the statement says so.
    """
    return b"".join(statement_parts(manifest, artifact, sha256, lock, sbom, progress))


def statement_parts(
    manifest: Manifest,
    artifact: Artifact,
    sha256: str,
    lock: Lock | None,
    sbom: bytes | None,
    progress: ProgressCallback = no_progress,
) -> Iterator[bytes]:
    """Yield the statement likewise, file by file: that of many files need not be held whole."""
    checkout = source_commit(manifest, artifact, progress)
    name = artifact_name(manifest.model.id, manifest.model.type, manifest.target)
    statement = {
        "_type": STATEMENT,
        "subject": [subject(name, artifact.digest, sha256)],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"manifest": resolved(manifest)},
                "internalParameters": {
                    "artifact_digest": artifact.digest,
                    "size": artifact.size,
                    "encoder": artifact.encoder,
                },
                "resolvedDependencies": list(_dependencies(manifest, checkout, lock)),
            },
            "runDetails": {
                "builder": {"id": BUILDER, "version": {"clarifai-build": __version__}},
                "byproducts": [],
            },
        },
    }
    # No other list can be meant: it is the last, and within a text quotes are escaped.
    before, empty, after = as_json(statement).rpartition(_NO_BYPRODUCTS)
    yield f"{before}{empty[:-1]}".encode()
    for number, one in enumerate(chain(map(_file, artifact.tree.entries), _sbom(sbom))):
        yield f"{',' if number else ''}{one}".encode()
    yield f"\n      ]{after}\n".encode()


def resolved(manifest: Manifest) -> dict[str, Any]:
    """Return the manifest as plain values: paths relative, addresses without credentials."""
    plain: dict[str, Any] = _plain(asdict(manifest), manifest.path.parent)
    del plain["published_to"]  # where it goes is no setting of the manifest
    return plain


def _plain(value: Any, base: Path, name: str = "") -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item, base, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, base) for item in value]
    if isinstance(value, Path):
        inside = value.is_relative_to(base)
        return value.relative_to(base).as_posix() if inside else value.name
    return redact_url(value) if name in urls.FIELDS and value else value


def _repository(remote: str) -> str:
    """Return a remote's address without credentials; nothing for a path on this machine."""
    if has_token(remote.partition("://")[2].rpartition("@")[2]):
        return "git"
    scheme, separator, _ = remote.partition("://")
    if separator:
        known = scheme.lower() in _NETWORK and urls.is_plain(remote, user=True)
        return f"git+{redact_url(remote)}" if known else "git"
    # Who logs in is nobody else's business, and may be a token; `git` is everybody.
    user, _, place = remote.rpartition("@")
    address = remote if user == "git" else place
    return f"git+{address}" if _HOST_AND_PATH.match(address) else "git"


def remote_address(remote: str) -> str:
    """Return a remote's address without credentials; nothing for a path on this machine."""
    return _repository(remote).removeprefix("git").removeprefix("+")


def _dependencies(
    manifest: Manifest, checkout: Checkout | None, lock: Lock | None
) -> Iterator[dict[str, Any]]:
    if checkout:
        yield {
            "name": "source",
            "uri": _repository(git.remote_of(manifest.path.parent)),
            "digest": {"gitCommit": checkout.commit},
            "annotations": {"dirty": checkout.dirty},
        }
    for weight in manifest.weights:
        yield {
            "name": weight.to,
            "uri": redact_url(weight.source),
            "digest": {"sha256": weight.sha256},
        }
    tool = current_toolchain()
    for name, version in (("template", str(tool["template"])), ("runtime", __version__)):
        yield {
            "name": name,
            "digest": {"sha256": tool[f"{name}_sha256"]},
            "annotations": {"version": version},
        }
    if lock:
        yield {"name": "clarifai.lock", "digest": {"sha256": lock.digest}}


def _file(entry: Entry) -> str:
    """Return a file as `as_json` would write it, in a tenth of the time: there may be thousands."""
    return _FILE % (entry.mode, entry.size, entry.sha256, encode_basestring(entry.path))


def _sbom(sbom: bytes | None) -> Iterator[str]:
    if sbom is not None:
        one = {
            "name": "sbom",
            "mediaType": "application/vnd.cyclonedx+json",
            "digest": {"sha256": hashlib.sha256(sbom).hexdigest()},
        }
        yield "\n" + indent(as_json(one), " " * 8)
