"""Manifest and Artifact to Registration: all that the platform is asked to hold, and its digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from clarifai_build._version import __version__
from clarifai_build.manifest.types import Deployment, Manifest, Param, Runner, Target, Visibility
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.registry import NewModel, NewVersion
from clarifai_build.registry.runners.protocol import Declaration
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.storage.keys import artifact_key
from clarifai_build.targets.template import TEMPLATE_VERSION
from clarifai_build.util.canonical_json import json_sha256

FORMAT = 1
"""Raised when the same registration gives another digest."""

ARTIFACT_DIGEST = "clarifai-build-artifact-digest"
"""The key in an object's metadata under which the digest of the artifact stands."""

TEMPLATE = str(TEMPLATE_VERSION)


@dataclass(frozen=True, slots=True)
class Registration:
    """What is to be live. `size` is the artifact's, in bytes.

    Of a runner, `declaration` is what the platform is told beside its files, `runner` what the
    manifest says of it, and the maps are empty.
    """

    model: NewModel
    input_fields_map: Mapping[str, str]
    output_fields_map: Mapping[str, str]
    params: tuple[Param, ...]
    artifact_digest: str
    size: int
    project: str | None = None
    declaration: Declaration | None = None
    runner: Runner | None = None

    @classmethod
    def of(cls, manifest: Manifest, artifact_digest: str, size: int) -> Registration:
        """Describe what applying this manifest, built into this artifact, makes live."""
        model_type = MODEL_TYPES[manifest.model.type]
        # A runner's tensors are its own affair.
        maps = (model_type.input_fields_map, model_type.output_fields_map)
        input_fields_map, output_fields_map = ({}, {}) if manifest.runner else maps
        return cls(
            model=NewModel(
                id=manifest.model.id,
                type=manifest.model.type,
                description=manifest.model.description,
                visibility=manifest.clarifai.visibility,
            ),
            input_fields_map=input_fields_map,
            output_fields_map=output_fields_map,
            params=manifest.params,
            artifact_digest=artifact_digest,
            size=size,
            project=manifest.project,
            declaration=_declaration_of(manifest),
            runner=manifest.runner,
        )

    @property
    def target(self) -> Target:
        return "runner" if self.declaration else "triton"

    @property
    def deployment(self) -> Deployment | None:
        return self.runner.deployment if self.runner else None

    # Not in it: what is updated in place, and the URL, which follows from the storage.
    @property
    def digest(self) -> str:
        """SHA-256 (hex) over the canonical JSON of what can't change without a new version."""
        registered: dict[str, Any] = {
            "format": FORMAT,
            "model": self.model.id,
            "type": self.model.type,
            "artifact": self.artifact_digest,
            "input_fields_map": dict(self.input_fields_map),
            "output_fields_map": dict(self.output_fields_map),
            "params": [asdict(param) for param in self.params],
        }
        # Where there is none, nothing: digests of before hold.
        if self.declaration:
            registered["runner"] = _plain(self.declaration)
        return json_sha256(registered)

    @property
    def description(self) -> str:
        return self.model.description

    @property
    def visibility(self) -> Visibility:
        return self.model.visibility

    def key(self, prefix: str) -> str:
        """Return where the artifact lies in the bucket: a content address with a readable name."""
        model = self.model
        return artifact_key(prefix, self.artifact_digest, model.id, model.type, self.target)

    def new_version(self, zip_url: str, origin: VersionMetadata) -> NewVersion:
        """Return the version to register; `origin` has what is recorded beside (Git commit, …)."""
        return NewVersion.of(self, zip_url, self.metadata(origin))

    def metadata(self, origin: VersionMetadata) -> VersionMetadata:
        """Return what is recorded with a version, and with what is known of its `origin`."""
        return replace(
            origin,
            artifact_digest=self.artifact_digest,
            registration_digest=self.digest,
            size=self.size,
            project=self.project or "",
            tool=__version__,
            template=TEMPLATE,
            target=None if self.target == "triton" else self.target,
        )


def _declaration_of(manifest: Manifest) -> Declaration | None:
    if manifest.runner is None:
        return None
    from clarifai_build.manifest.labels import labels_of
    from clarifai_build.targets.runner.declaration import RunnerDeclaration

    return RunnerDeclaration.of(manifest, labels_of(manifest))


def _plain(declared: Declaration) -> dict[str, Any]:
    """Return a declaration as JSON has it."""
    return {
        "compute": dict(declared.compute),
        "instance": declared.instance,
        "concepts": list(declared.concepts),
        "signatures": [dict(one) for one in declared.signatures],
        "num_threads": declared.num_threads,
        "platform": declared.platform,
        "secrets": [dict(one) for one in declared.secrets],
    }


def builder_changes(built: VersionMetadata) -> list[tuple[str, str, str]]:
    """Name what builds artifacts and is not what built this one: its name, then and now."""
    pairs = (("tool", built.tool, __version__), ("template", built.template, TEMPLATE))
    return [(name, then or "unknown", now) for name, then, now in pairs if then != now]
