"""Answers of a runner model are those that the platform makes of Triton's tensors."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from clarifai_grpc.grpc.api import resources_pb2
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.sandbox.api.rpc import outputs
from clarifai_runtime.errors import InvalidOutputError
from clarifai_runtime.model_types import MODEL_TYPES
from clarifai_runtime.runner import answers

LABELS = ("first", "zweites Grün", "third")
labels = st.integers(0, len(LABELS) - 1)
unit = st.floats(0, 1, width=32)


def detections(draw: st.DrawFn) -> list[Any]:
    """Draw the tensors of a detector."""
    count = draw(st.integers(0, 4))
    boxes = draw(st.lists(st.lists(unit, min_size=4, max_size=4), min_size=count, max_size=count))
    found = draw(st.lists(labels, min_size=count, max_size=count))
    scores = draw(st.lists(unit, min_size=count, max_size=count))
    return [
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(found, np.int32).reshape(-1, 1),
        np.array(scores, np.float32).reshape(-1, 1),
    ]


def scores(draw: st.DrawFn) -> list[Any]:
    """Draw the tensor of a classifier."""
    size = len(LABELS)
    return [np.array(draw(st.lists(unit, min_size=size, max_size=size)), np.float32)]


def vector(draw: st.DrawFn) -> list[Any]:
    """Draw the tensor of an embedder."""
    floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
    return [np.array(draw(st.lists(floats, min_size=1, max_size=5)), np.float32)]


def text(draw: st.DrawFn) -> list[Any]:
    """Draw the tensor of a text."""
    return [np.array([draw(st.text()).encode()], dtype=object)]


def mask(draw: st.DrawFn) -> list[Any]:
    """Draw the tensor of a segmenter."""
    return [np.array(draw(st.lists(labels, min_size=6, max_size=6)), np.int64).reshape(2, 3)]


def image(draw: st.DrawFn) -> list[Any]:
    """Draw the tensor of a picture."""
    return [np.frombuffer(draw(st.binary(min_size=24, max_size=24)), np.uint8).reshape(2, 4, 3)]


DRAW = {
    "VisualDetectorOutput": detections,
    "ClassifierOutput": scores,
    "EmbeddingOutput": vector,
    "TextOutput": text,
    "MasksOutput": mask,
    "ImageOutput": image,
}


@given(st.data(), st.sampled_from(sorted(MODEL_TYPES)))
def test_an_answer_is_the_one_that_the_sandbox_gives(data: st.DataObject, name: str) -> None:
    """Whatever a model puts out, but for the ids of regions, which the sandbox leaves out."""
    model_type = MODEL_TYPES[name]
    arrays = data.draw(st.composite(DRAW[model_type.output_class])())
    names = [tensor.name for tensor in model_type.outputs]
    served = SimpleNamespace(
        config=SimpleNamespace(max_batch_size=0),
        labels={tensor.name: LABELS for tensor in model_type.outputs if tensor.labels},
    )
    expected = outputs.data(
        dict(zip(names, arrays, strict=True)), model_type.output_fields_map, served
    )
    found = answers.data_of(model_type, LABELS, arrays)
    ids = [region.id for region in found.regions]
    assert all(ids)
    assert len(set(ids)) == len(ids)
    for region in found.regions:
        region.id = ""
    assert found == expected


CONFIGS = st.builds(
    resources_pb2.OutputConfig,
    min_value=unit,
    max_concepts=st.integers(0, 3),
    select_concepts=st.lists(
        st.builds(resources_pb2.Concept, name=st.sampled_from(LABELS)), max_size=2
    ),
)


@given(st.data(), st.sampled_from(["visual-detector", "visual-classifier"]), CONFIGS)
def test_what_output_config_leaves_is_the_same(
    data: st.DataObject, name: str, config: resources_pb2.OutputConfig
) -> None:
    """Concepts and regions."""
    model_type = MODEL_TYPES[name]
    arrays = data.draw(st.composite(DRAW[model_type.output_class])())
    found = answers.data_of(model_type, LABELS, arrays)
    expected = resources_pb2.Data()
    expected.CopyFrom(found)
    outputs.select(expected, config)
    answers.select(found, config)
    assert found == expected


def test_a_label_beyond_the_last_is_refused() -> None:
    """Where nothing says how many there are, the runtime can't have checked it before."""
    with pytest.raises(InvalidOutputError, match="answers label 2, and has 1 labels"):
        answers.data_of(MODEL_TYPES["visual-segmenter"], ("only",), [np.full((2, 2), 2)])
