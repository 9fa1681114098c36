"""What the platform is told of methods: as the SDK reads them, whose own are the goldens."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from clarifai_build.manifest.types import Model, Param, Runner
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.targets.runner.signatures import signatures_of
from support.runner_folders import GOLDEN_SIGNATURES, PARAMS, SIGNED
from support.trees import manifest_of

GOLDEN = json.loads(GOLDEN_SIGNATURES.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SIGNED)
def test_signatures_are_the_sdks(name: str) -> None:
    """Of every type, with parameters of each kind; and of a model that streams."""
    assert list(signatures_of(SIGNED[name])) == GOLDEN[name]


def test_a_secret_is_in_no_signature() -> None:
    """Its value comes from the environment, not from callers."""
    made = replace(
        manifest_of(Path("/models")),
        model=Model("m", "text-to-text"),
        target="runner",
        runner=Runner(),
        params=(Param("key", "secret"), *PARAMS),
    )
    (predict,) = signatures_of(made)
    names = [field["name"] for field in predict["input_fields"]]
    assert names == ["text", *(param.name for param in PARAMS)]


def test_there_is_a_golden_for_every_type() -> None:
    """And none for what is gone."""
    assert GOLDEN.keys() == SIGNED.keys() >= MODEL_TYPES.keys()
