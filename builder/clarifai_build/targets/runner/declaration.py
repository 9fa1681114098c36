"""What the platform is told of a runner model beside its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from clarifai_build.manifest.types import Compute, Manifest, Runner
from clarifai_build.targets.runner.sdk import PLATFORM
from clarifai_build.targets.runner.signatures import Signature, signatures_of


@dataclass(frozen=True, slots=True)
class RunnerDeclaration:
    """What a version is registered with. Messages are mappings by the names of their fields.

    `compute` is a ComputeInfo; it is empty where `instance`, the id of an instance type, says what
    is needed. `concepts` are labels in order: each is the id and the name of one.
    """

    compute: Mapping[str, Any]
    concepts: tuple[str, ...]
    signatures: tuple[Signature, ...]
    num_threads: int
    platform: str
    secrets: tuple[Mapping[str, str], ...]
    instance: str | None = None

    @classmethod
    def of(cls, manifest: Manifest, labels: tuple[str, ...]) -> RunnerDeclaration:
        """Describe a manifest whose target is runner."""
        runner = manifest.runner or Runner()
        return cls(
            compute={} if runner.instance else compute_info(runner.compute),
            concepts=labels,
            signatures=signatures_of(manifest),
            num_threads=runner.num_threads,
            platform=PLATFORM,
            secrets=secrets_of(runner),
            instance=runner.instance,
        )


def compute_info(compute: Compute) -> dict[str, Any]:
    """Return a ComputeInfo; what is not asked for is left out."""
    given = asdict(compute)
    given["accelerator_type"] = list(compute.accelerator_type)
    optional = ("accelerator_type", "accelerator_memory")
    return {name: value for name, value in given.items() if value or name not in optional}


def secrets_of(runner: Runner) -> tuple[Mapping[str, str], ...]:
    """Return the secrets, by id and variable."""
    return tuple(
        {"id": secret.id, "env_var": secret.env_var, "type": "env"} for secret in runner.secrets
    )
