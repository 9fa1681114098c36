"""The SBOM: what stands in it beside the packages, and which lines are packages."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from clarifai_build._version import __version__
from clarifai_build.manifest.types import Manifest
from clarifai_build.provenance.lock import Lock, Requirements
from clarifai_build.provenance.sbom import packages_of, read_sbom, sbom_of
from support.fakes import manifest_of

HASH = f"    --hash=sha256:{'a' * 64}"


def lock_of(*pins: str) -> Lock:
    """Return a lock with these pins."""
    return Lock("1", 1, "t", "r", {}, Requirements("s", "3.11", "linux", pins))


def made(*pins: str, model_id: str = "lines", **model: Any) -> Any:
    """Make an SBOM, and read it."""
    return json.loads(sbom_of(manifest_of(model_id, **model), lock_of(*pins)))


def test_it_says_of_what_and_by_what() -> None:
    """The model, with its description, and this tool with its version."""
    metadata = made("a==1", description="Finds lines.")["metadata"]
    assert metadata["component"] == {
        "bom-ref": "model",
        "description": "Finds lines.",
        "name": "lines",
        "type": "machine-learning-model",
    }
    (tool,) = metadata["tools"]["components"]
    assert (tool["name"], tool["version"]) == ("clarifai-build", __version__)
    assert tool["type"] == "application"
    assert "timestamp" not in metadata
    assert "description" not in made("a==1")["metadata"]["component"]


def test_the_model_depends_on_every_package() -> None:
    """By the references that the packages have."""
    sbom = made("a==1 \\", HASH, "B_c.d[x]==2.0; python_version < '4'")
    assert [one["bom-ref"] for one in sbom["components"]] == ["a==1", "b-c-d==2.0"]
    (model,) = [one for one in sbom["dependencies"] if one["ref"] == "model"]
    assert model["dependsOn"] == ["a==1", "b-c-d==2.0"]
    first, second = sbom["components"]
    assert first["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert second["purl"] == "pkg:pypi/b-c-d@2.0"
    assert "hashes" not in second
    assert packages_of(sbom) == ["a 1", "b-c-d 2.0"]
    assert first["type"] == "library"


def test_what_is_no_pin_is_no_package() -> None:
    """Options and addresses have no version that could be named."""
    assert packages_of(made("--pre", "a @ https://h/a.whl", "b==1", "# c==2")) == ["b 1"]


def test_the_serial_number_is_that_of_the_content() -> None:
    """Another model or another pin is another document, the same ones the same."""
    serials = [
        made("a==1")["serialNumber"],
        made("a==2")["serialNumber"],
        made("a==1", model_id="other")["serialNumber"],
        made()["serialNumber"],
    ]
    assert len(set(serials)) == 4
    assert made("a==1")["serialNumber"] == serials[0]
    bare = Lock("1", 1, "t", "r", {}, None)
    assert json.loads(sbom_of(manifest_of(), bare)).get("components", []) == []


@pytest.mark.parametrize("body", [b"{}", b'{"components": []}'])
def test_a_document_without_packages_is_one(body: bytes) -> None:
    """A model may need nothing."""
    assert packages_of(read_sbom(body)) == []


def cyclonedx_validator() -> Draft7Validator:
    """Return a validator of the CycloneDX 1.6 schema, which cyclonedx-python-lib carries."""
    folder = resources.files("cyclonedx.schema") / "_res"
    schemas = {
        name: json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text())
        for name in ("bom-1.6", "spdx", "jsf-0.82")
    }
    known = [Resource.from_contents(schema) for schema in schemas.values()]
    return Draft7Validator(schemas["bom-1.6"], registry=known @ Registry())


def test_sbom_is_valid_and_the_same_each_time(lock: Lock, manifest: Manifest) -> None:
    """The SBOM holds each pin with its hashes, fits CycloneDX's own schema, and has no clock."""
    made = sbom_of(manifest, lock)
    assert made == sbom_of(manifest, lock)
    cyclonedx_validator().validate(json.loads(made))
    components = {item["name"]: item for item in json.loads(made)["components"]}
    assert components["numpy"]["version"] == "1.26.4"
    assert len(components["numpy"]["hashes"]) == 2
    assert components["ruamel-yaml"]["purl"] == "pkg:pypi/ruamel-yaml@0.18.6"
