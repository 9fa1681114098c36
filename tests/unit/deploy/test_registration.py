"""What is registered, and which of it makes another version."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clarifai_build._version import __version__
from clarifai_build.deploy.registration import ARTIFACT_DIGEST, Registration
from clarifai_build.manifest.types import Deployment, Param, Runner
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.registry.version_metadata import FORMAT, VersionMetadata
from clarifai_build.storage.keys import artifact_key, is_artifact
from clarifai_build.targets.template import TEMPLATE_VERSION
from support.fakes import manifest_of
from support.runner_declarations import declared

PARAM = Param("k", "number", 3, "How many.")
MANIFEST = replace(manifest_of(description="Reads."), params=(PARAM,), project="ocr")
MADE = Registration.of(MANIFEST, "a" * 64, 100)


def test_all_of_the_manifest_that_is_registered() -> None:
    """Names, texts and maps are the manifest's and those of its model type."""
    kind = MODEL_TYPES["text-to-text"]
    assert (MADE.model.id, MADE.model.type, MADE.model.description) == (
        "lines",
        "text-to-text",
        "Reads.",
    )
    assert (MADE.visibility, MADE.project, MADE.params) == ("private", "ocr", (PARAM,))
    assert (MADE.input_fields_map, MADE.output_fields_map) == (
        kind.input_fields_map,
        kind.output_fields_map,
    )
    assert (MADE.artifact_digest, MADE.size) == ("a" * 64, 100)


@pytest.mark.parametrize(
    "other",
    [
        replace(MADE, model=replace(MADE.model, id="other")),
        replace(MADE, model=replace(MADE.model, type="text-embedder")),
        replace(MADE, artifact_digest="b" * 64),
        replace(MADE, input_fields_map={"text": "other"}),
        replace(MADE, output_fields_map={"text": "other"}),
        replace(MADE, params=()),
        replace(MADE, params=(replace(PARAM, default=4),)),
        replace(MADE, params=(replace(PARAM, description="Other."),)),
        replace(MADE, params=(replace(PARAM, type="string"),)),
    ],
)
def test_what_can_not_be_changed_in_place_is_in_the_digest(other: Registration) -> None:
    """A version that differs in it is another version."""
    assert other.digest != MADE.digest


@pytest.mark.parametrize(
    "other",
    [
        replace(MADE, project=None),
        replace(MADE, size=99),
        replace(MADE, model=replace(MADE.model, description="Other.", visibility="org")),
        replace(MADE, input_fields_map=dict(reversed(MADE.input_fields_map.items()))),
    ],
)
def test_what_can_be_changed_in_place_is_not(other: Registration) -> None:
    """Nor does the order of keys count."""
    assert other.digest == MADE.digest


def test_the_digest_is_what_it_always_was() -> None:
    """Another one would register every model anew."""
    fixed = replace(MADE, input_fields_map={"ü": "x"}, output_fields_map={})
    assert fixed.digest == "ce4e483fe6fe758af00a9aea2986bc8d3546f856fa0765f40bd6ad56d4d12793"


def test_the_metadata_say_of_what_and_by_what() -> None:
    """What is told of the origin does not replace what is known."""
    origin = VersionMetadata(by="me", artifact_digest="theirs", tool="theirs")
    new = MADE.new_version("http://zip", origin)
    assert new.metadata.to_struct() == {
        "by": "me",
        "format": FORMAT,
        "artifact_digest": "a" * 64,
        "registration_digest": MADE.digest,
        "size": 100,
        "project": "ocr",
        "tool": __version__,
        "template": str(TEMPLATE_VERSION),
    }
    assert (new.zip_url, new.description, new.visibility) == ("http://zip", "Reads.", "private")
    assert (new.params, new.input_fields_map) == (MADE.params, MADE.input_fields_map)
    assert new.output_fields_map == MADE.output_fields_map
    outside = replace(MADE, project=None).new_version("", origin)
    assert outside.metadata.project == ""


@pytest.mark.parametrize(
    ("prefix", "begins"), [("", ""), ("/", ""), ("a", "a/"), ("/a/b/", "a/b/")]
)
def test_the_key_is_the_digest_below_the_prefix(prefix: str, begins: str) -> None:
    """With a name that tells people what it is."""
    expected = f"{begins}{'a' * 64}/lines_text-to-text.zip"
    assert MADE.key(prefix) == artifact_key(prefix, "a" * 64, "lines", "text-to-text") == expected


def test_the_key_of_a_runner_says_what_lies_there() -> None:
    """And gc, and what tidies up uploads, know it for an artifact."""
    key = artifact_key("p", "a" * 64, "lines", "text-to-text", "runner")
    assert key == f"p/{'a' * 64}/lines_text-to-text.tar.gz"
    assert is_artifact(key)
    assert not is_artifact(key + ".provenance.json")
    assert not is_artifact(key.removesuffix(".gz"))


def test_the_key_of_the_digest_in_a_bucket_is_what_it_always_was() -> None:
    """By another one, an object that was replaced would not be noticed."""
    assert ARTIFACT_DIGEST == "clarifai-build-artifact-digest"


RUNNER = replace(MADE, declaration=declared(), input_fields_map={}, output_fields_map={})


@pytest.mark.parametrize(
    "changed",
    [
        {"compute": {"cpu_limit": "2"}},
        {"concepts": ("a", "b")},
        {"signatures": ()},
        {"num_threads": 1},
        {"platform": "linux/arm64"},
        {"secrets": ()},
        {"instance": "g5"},
    ],
)
def test_all_that_a_runner_declares_is_in_the_digest(changed: dict[str, Any]) -> None:
    """A version that differs in it is another version."""
    other = replace(RUNNER, declaration=declared(**changed))
    assert other.digest != RUNNER.digest


def test_where_a_runner_is_deployed_is_not_in_the_digest() -> None:
    """That is changed in place."""
    deployed = replace(RUNNER, runner=Runner(deployment=Deployment("pool", "cluster")))
    assert deployed.digest == RUNNER.digest


def test_the_digest_of_a_runner_is_what_it_always_was() -> None:
    """Another one would upload every runner anew."""
    assert RUNNER.digest == "9c2fca73c2046c80fdfc1104900619ccf82150db22c13fc57541569704fbba50"


def test_a_runner_is_recorded_as_one() -> None:
    """Triton's metadata are what they were."""
    assert RUNNER.metadata(VersionMetadata()).target == RUNNER.target == "runner"
    assert "target" not in MADE.metadata(VersionMetadata()).to_struct()
