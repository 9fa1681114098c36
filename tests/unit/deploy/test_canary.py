"""The one request to a version that is ready, in memory."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from clarifai_build.deploy.canary import black_png, canary_of, outcome, settle
from clarifai_build.errors import BuildFailedError, RegistryError
from clarifai_build.manifest.types import Manifest, Param, Shapes, Trial, TrialInput
from clarifai_build.progress import Event
from clarifai_build.registry import (
    NewVersion,
    NotServedYetError,
    PredictionFailedError,
    PredictionInput,
    RemoteVersion,
)
from clarifai_build.registry.version_metadata import VersionMetadata
from support.fakes import MemoryRegistry, ShortPauses, manifest_of

WORDS = "ValueError: no vocabulary"


class Served(MemoryRegistry):
    """A registry with one version that is ready, of which `params` are declared."""

    def __init__(self, *params: Param) -> None:
        super().__init__()
        metadata = VersionMetadata(artifact_digest="a" * 64, by="me")
        new = NewVersion("http://zip", {}, {}, params, "Said.", "org", metadata)
        self.version_posted = self.post("m", new)
        self.told: list[Event] = []

    def settle(self, manifest: Manifest, version: RemoteVersion | None = None) -> RemoteVersion:
        """Ask, with a clock that is far on at its second look."""
        times = iter((0.0, 1.0, 1000.0))
        return settle(
            *(self, manifest, version or self.version_posted, 60.0, self.told.append),
            clock=lambda: next(times),
            cancel=ShortPauses(),
        )

    @property
    def recorded(self) -> str | None:
        """What is recorded of the canary."""
        (version,) = self.versions("m")
        return version.recorded.canary


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """A manifest of a text model."""
    return replace(manifest_of("m"), path=tmp_path / "clarifai.yaml")


def refused(words: str = WORDS) -> RegistryError:
    """Return what a model raises."""
    return PredictionFailedError.of("prediction-failed", words)


def test_an_answer_is_recorded_and_nothing_else_changes(manifest: Manifest) -> None:
    """Who applied it, what it says of itself and who sees it stay."""
    registry = Served()
    found = registry.settle(manifest)
    (stored,) = registry.versions("m")
    assert found.recorded.canary == registry.recorded == ""
    assert (stored.recorded.by, stored.description, stored.visibility) == ("me", "Said.", "org")
    assert [one[2] for one in registry.asked] == [(PredictionInput(text="Hello"),)]
    # The fixture waits for 60 s.
    assert registry.patience == 60.0


def test_one_that_has_answered_is_not_asked_again(manifest: Manifest) -> None:
    """An apply with nothing to do sends the model nothing."""
    registry = Served()
    assert registry.settle(manifest, registry.settle(manifest)).recorded.canary == ""
    assert len(registry.asked) == 1


def test_a_failure_is_recorded_in_the_models_words_and_asked_again(manifest: Manifest) -> None:
    """What made it fail may have passed by the next apply."""
    registry = Served()
    registry.silence = refused()
    with pytest.raises(BuildFailedError, match=WORDS) as raised:
        registry.settle(manifest)
    assert raised.value.problems[0].code == "canary-failed"
    assert registry.recorded == WORDS
    registry.silence = None
    assert registry.settle(manifest, registry.versions("m")[0]).recorded.canary == ""


def test_long_words_are_cut(manifest: Manifest) -> None:
    """Metadata are read with every list of versions."""
    registry = Served()
    registry.silence = refused("x" * 10_000)
    with pytest.raises(BuildFailedError):
        registry.settle(manifest)
    assert registry.recorded == "x" * 500


def test_who_can_not_be_asked_is_a_warning_and_no_record(manifest: Manifest) -> None:
    """Neither healthy nor degraded: nobody knows."""
    registry = Served(Param("language", "string"))
    assert registry.settle(manifest).recorded.canary is None
    (warning,) = [event.warning for event in registry.told if event.warning]
    assert warning.code == "canary-params"
    assert "language" in warning.message
    assert (registry.recorded, registry.asked) == (None, [])


def test_one_that_is_being_deployed_is_asked_until_the_time_is_over(manifest: Manifest) -> None:
    """Then it is a warning, as nothing is wrong with the model."""
    registry = Served()
    registry.silence = NotServedYetError.of("not-served-yet", "Model is deploying")
    assert registry.settle(manifest).recorded.canary is None
    assert len(registry.asked) == 2
    assert [event.warning.code for event in registry.told if event.warning] == ["not-served-yet"]


def test_inputs_and_parameters_are_the_manifests(manifest: Manifest, tmp_path: Path) -> None:
    """The environment comes first; what this version does not declare is left out."""
    (tmp_path / "cat.png").write_bytes(b"picture")
    inputs = (TrialInput("a text"), TrialInput(None, tmp_path / "cat.png"))
    params = (("threshold", 0.5), ("token", "in a file"), ("gone", 1))
    manifest = replace(manifest, test=Trial(inputs, params))
    registry = Served(Param("threshold", "number", 0.1), Param("token", "secret"))
    version = registry.version_posted
    canary = canary_of(manifest, version, {"CLARIFAI_BUILD_PARAM_token": "given"})
    assert canary.inputs == (PredictionInput("a text"), PredictionInput(None, b"picture"))
    assert (canary.params, canary.missing) == ({"threshold": 0.5, "token": "given"}, ())
    assert outcome(registry, "m", version.id, canary) == ""
    assert registry.asked == [("m", version.id, canary.inputs, canary.params)]


def test_a_variable_of_another_type_is_named_without_its_value(manifest: Manifest) -> None:
    """It may be a secret."""
    version = Served(Param("threshold", "number")).version_posted
    with pytest.raises(RegistryError, match="CLARIFAI_BUILD_PARAM_threshold") as raised:
        canary_of(manifest, version, {"CLARIFAI_BUILD_PARAM_threshold": "s3cr3t"})
    assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize(
    ("image", "size"), [((-1, -1), (64, 64)), ((224, 320), (224, 320)), ((8, -1), (8, 64))]
)
def test_the_smallest_picture_fits_the_shape(
    manifest: Manifest, image: tuple[int, int], size: tuple[int, int]
) -> None:
    """Height and width where the manifest says them; it is a PNG that decodes to black."""
    model = replace(manifest.model, type="visual-classifier")
    seen = replace(manifest, model=model, shapes=Shapes(image))
    (given,) = canary_of(seen, Served().version_posted, {}).inputs
    assert given.image == black_png(*size)
    width, height = struct.unpack(">II", given.image[16:24])
    assert (height, width) == size
    length = struct.unpack(">I", given.image[33:37])[0]
    rows = zlib.decompress(given.image[41 : 41 + length])
    assert rows == bytes((1 + 3 * width) * height)
