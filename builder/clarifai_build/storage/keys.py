"""The layout of a bucket: where an artifact lies, its records, who uses it, and a model's lease.

PREFIX/DIGEST/MODEL_TYPE.zip                     the artifact, under its content address; a runner's
                                                 is a .tar.gz, and so are the names of its records
PREFIX/DIGEST/MODEL_TYPE.zip.provenance.json     its records
PREFIX/DIGEST/MODEL_TYPE.zip.contents.json       what the zip holds, so that nobody has to read it
PREFIX/DIGEST/used-by/USER/APP/MODEL             a claim: this model's versions refer to it
PREFIX/DIGEST/being-removed                      a removal that is under way
PREFIX/.leases/USER/APP/MODEL.json               the lease of a model
PREFIX/.weights/SHA256.json                      where a weight lies that someone has verified
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clarifai_build.repository_layout import artifact_name
from clarifai_build.source.build_records import PROVENANCE, SBOM

_CLAIMS = "used-by"
_REMOVAL = "being-removed"
_LEASES = ".leases"
_WEIGHTS = ".weights"
_CONTENTS = ".contents.json"
# A tree digest, SHA-256 in hex. Anything else below the prefix is not gc's to touch.
_ARTIFACT_FOLDER = re.compile(r"[0-9a-f]{64}/")
_ARTIFACT = re.compile(r"(?:.*/)?[0-9a-f]{64}/[^/]+\.(?:zip|tar\.gz)\Z")


@dataclass(frozen=True, slots=True)
class Claim:
    """A model of an app (`scope` is its user and app, as a path) that uses an artifact."""

    scope: str
    model: str


def root(prefix: str) -> str:
    """Return what all keys below a prefix begin with: nothing, or a path that ends with a slash."""
    return f"{prefix.strip('/')}/" if prefix.strip("/") else ""


def artifact_key(
    prefix: str, artifact_digest: str, model_id: str, model_type: str, target: str = "triton"
) -> str:
    """Return where the artifact of a model lies: a content address with a readable name."""
    return f"{root(prefix)}{artifact_digest}/{artifact_name(model_id, model_type, target)}"


def artifact_folder(zip_key: str) -> str:
    """Return the folder of a zip, in which all that belongs to it lies; ends with a slash."""
    return zip_key.rpartition("/")[0] + "/"


def artifact_folder_in(key: str, prefix: str) -> str | None:
    """Return the folder of the artifact that a key below `prefix` belongs to, or None."""
    start = root(prefix)
    match = _ARTIFACT_FOLDER.match(key, len(start)) if key.startswith(start) else None
    return start + match[0] if match else None


def digest_of_folder(folder: str) -> str:
    """Return the digest of the artifact in a folder."""
    return folder.rstrip("/").rpartition("/")[2]


def is_artifact(key: str) -> bool:
    """Return whether a key is that of an artifact under its content address."""
    return _ARTIFACT.match(key) is not None


def lease_key(prefix: str, scope: str, model_id: str) -> str:
    """Return where the lease of a model lies; `scope` is the user and the app."""
    return "/".join(filter(None, (f"{root(prefix)}{_LEASES}", scope, f"{model_id}.json")))


def claim_key(folder: str, claim: Claim) -> str:
    """Return where a claim on what lies in `folder` is laid down."""
    return f"{folder}{_CLAIMS}/{claim.scope}/{claim.model}"


def claim_in(key: str) -> Claim | None:
    """Return the claim that a key stands for, or None for other objects."""
    _, mark, rest = key.rpartition(f"/{_CLAIMS}/")
    scope, _, model = rest.rpartition("/")
    return Claim(scope, model) if mark and scope and model else None


def removal_key(folder: str) -> str:
    """Return where the removal of what lies in `folder` is announced."""
    return folder + _REMOVAL


def is_removal(key: str) -> bool:
    """Return whether a key is that of an announced removal."""
    return key.endswith(f"/{_REMOVAL}")


def provenance_key(zip_key: str) -> str:
    """Return where the provenance of the zip at a key, or a URL, lies."""
    return _beside(zip_key, PROVENANCE)


def sbom_key(zip_key: str) -> str:
    """Return where the SBOM of the zip at a key, or a URL, lies."""
    return _beside(zip_key, SBOM)


def contents_key(zip_key: str) -> str:
    """Return where the record of what the zip at a key, or a URL, holds lies."""
    return _beside(zip_key, _CONTENTS)


def weight_folder(prefix: str) -> str:
    """Return the folder of the records of verified weights; ends with a slash."""
    return f"{root(prefix)}{_WEIGHTS}/"


def weight_key(prefix: str, sha256: str) -> str:
    """Return where the record of a verified weight lies."""
    return f"{weight_folder(prefix)}{sha256}.json"


def weight_in(key: str, prefix: str) -> str | None:
    """Return the SHA-256 of the weight whose record lies at a key, or None for other objects."""
    sha256 = key.removeprefix(weight_folder(prefix)).removesuffix(".json")
    return sha256 if key == weight_key(prefix, sha256) and "/" not in sha256 else None


def is_presigned(url: str) -> bool:
    """Return whether a URL may open the zip alone: a signature, in its query, is for one object."""
    return "://" in url and "?" in url


def _beside(zip_key: str, record: str) -> str:
    if not is_presigned(zip_key):
        return zip_key + record
    address, mark, query = zip_key.partition("?")
    return f"{address}{record}{mark}{query}"
