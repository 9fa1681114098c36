"""The locked requirements of a model as a CycloneDX SBOM, made by cyclonedx-python-lib.

The same lock gives the same bytes: no time of day, no random serial number.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from clarifai_build._version import __version__
from clarifai_build.errors import ArtifactError
from clarifai_build.manifest.types import Manifest
from clarifai_build.provenance.lock import Lock
from clarifai_build.requirements.reader import Line, lines_in
from clarifai_build.source.build_records import REPLACED
from clarifai_build.util.small_files import parse_json

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

# Fixed for good: serial numbers follow from it, the model and the pins.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:clarifai-build:sbom")
_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^\s;]+)")


def sbom_of(manifest: Manifest, lock: Lock) -> bytes:
    """Return the SBOM as JSON, CycloneDX 1.6."""
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6

    model = Component(
        name=manifest.model.id,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        description=manifest.model.description or None,
        bom_ref="model",
    )
    tool = Component(name="clarifai-build", version=__version__, type=ComponentType.APPLICATION)
    pins = lock.requirements.pins if lock.requirements else ()
    serial = uuid.uuid5(_NAMESPACE, "\n".join((manifest.model.id, __version__, *pins)))
    metadata = BomMetaData(component=model)
    metadata.tools.components.add(tool)
    bom = Bom(components=list(_components(pins)), metadata=metadata, serial_number=serial)
    bom.register_dependency(model, bom.components)
    written = json.loads(JsonV1Dot6(bom).output_as_string())
    # Without the time, the same lock gives the same bytes, and one digest.
    del written["metadata"]["timestamp"]
    return json.dumps(written, indent=2, sort_keys=True).encode() + b"\n"


def read_sbom(body: bytes) -> dict[str, Any]:
    """Parse an SBOM, and check what is shown of it; raises ArtifactError for anything else."""
    try:
        sbom: dict[str, Any] = parse_json(body)
        packages_of(sbom)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError.of(
            "sbom-unreadable",
            "the SBOM is not a CycloneDX document in JSON",
            hint=REPLACED,
        ) from error
    return sbom


def packages_of(sbom: dict[str, Any]) -> list[str]:
    """Return name and version of every package."""
    return [f"{one['name']} {one['version']}" for one in sbom.get("components", [])]


def _components(pins: tuple[str, ...]) -> Iterator[Component]:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    for line in lines_in("\n".join(pins)):
        if (pin := _PIN.match(line.requirement)) is None:
            continue
        # PyPI's normalised name (PEP 503), which purl asks for.
        name, version = re.sub(r"[-_.]+", "-", pin["name"]).lower(), pin["version"]
        yield Component(
            name=name,
            version=version,
            type=ComponentType.LIBRARY,
            bom_ref=f"{name}=={version}",
            purl=PackageURL("pypi", None, name, version),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=content)
                    for content in _sha256s(line)],
        )  # fmt: skip


def _sha256s(line: Line) -> list[str]:
    pairs = (value.partition(":") for value in line.values("--hash"))
    return [digest for algorithm, _, digest in pairs if algorithm == "sha256"]
