"""What a model may return, and what it is told when it returns something else."""

from __future__ import annotations

import numpy as np
import pytest

from clarifai_runtime import (
    ClassifierOutput,
    EmbeddingOutput,
    ImageOutput,
    MasksOutput,
    TextOutput,
    VisualDetectorOutput,
)
from clarifai_runtime.errors import InvalidOutputError
from clarifai_runtime.model_types import MODEL_TYPES
from clarifai_runtime.serving.encoding import Encoder, Limits

BOX = [[0.1, 0.2, 0.3, 0.4]]


def encode(model_type, outputs, labels=3, dims=(-1,), sizes=None):
    """Encode outputs and return the answers of the requests."""
    encoder = Encoder(MODEL_TYPES[model_type], Limits(labels, dims))
    return encoder.encode(outputs, sizes or [len(outputs)])


def detection(boxes=BOX, labels=None, scores=None):
    """Make a detector output."""
    count = len(boxes)
    return VisualDetectorOutput(
        np.array(boxes, np.float64).reshape(-1, 4),
        np.array([[0]] * count if labels is None else labels).reshape(-1, 1),
        np.array([[0.5]] * count if scores is None else scores).reshape(-1, 1),
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ClassifierOutput(np.zeros((2, 2))), "1 dimension"),
        (lambda: ClassifierOutput(["a", "b"]), "must hold numbers"),
        (lambda: EmbeddingOutput(3.0), "1 dimension"),
        (lambda: MasksOutput(np.zeros((2, 2, 1))), "2 dimensions"),
        (lambda: ImageOutput(np.zeros((2, 2), np.uint8)), "3 dimensions"),
        (lambda: ImageOutput(np.zeros((2, 2, 4), np.uint8)), "RGB"),
        (lambda: TextOutput(5), "must be a str"),
        (lambda: VisualDetectorOutput(np.zeros((1, 4)), np.zeros(1), np.zeros((1, 1))), "reshape"),
        (
            lambda: VisualDetectorOutput(np.zeros((2, 4)), np.zeros((1, 1)), np.zeros((2, 1))),
            r"\(n, 4\), \(n, 1\)",
        ),
    ],
)
def test_wrong_structure_shows_where_the_output_is_made(make, said):
    """Type and rank are checked by the constructor."""
    with pytest.raises(InvalidOutputError, match=said):
        make()


@pytest.mark.parametrize(
    ("model_type", "bad", "said"),
    [
        ("visual-classifier", ClassifierOutput([0.1, np.nan, 0.2]), "NaN"),
        ("visual-classifier", ClassifierOutput([0.1, 1.2, 0.2]), "between 0 and 1"),
        ("visual-classifier", ClassifierOutput([0.1, -0.2, 0.2]), "between 0 and 1"),
        ("text-classifier", ClassifierOutput([0.1, 0.2]), "2 scores, but labels.txt has 3"),
        ("text-embedder", EmbeddingOutput([0.1, np.inf, 0.2]), "NaN or infinity"),
        ("text-embedder", EmbeddingOutput(np.array([0.1, np.nan, 1], np.float16)), "NaN"),
        ("text-embedder", EmbeddingOutput([1e300, 0.1, 0.2]), "NaN or infinity"),
        ("text-embedder", EmbeddingOutput(np.zeros(0)), "empty"),
        ("visual-segmenter", MasksOutput([[0, 3]]), r"0 to 2"),
        ("visual-segmenter", MasksOutput([[0, -1]]), r"0 to 2"),
        ("visual-segmenter", MasksOutput([[0, 0.5]]), "whole numbers"),
        ("visual-segmenter", MasksOutput([[0, np.nan]]), "whole numbers"),
        ("text-to-image", ImageOutput(np.zeros((2, 2, 3), np.float32)), "float32"),
        ("text-to-image", ImageOutput(np.full((2, 2, 3), 300)), "0 and 255"),
        ("text-to-text", TextOutput("\ud800"), "surrogates"),
        ("visual-detector", detection([[0.5, 0, 0.4, 1]]), "ends before it begins"),
        ("visual-detector", detection([[0, 0, 2, 2]]), "between 0 and 1"),
        ("visual-detector", detection([[0, 0, np.nan, 1]]), "NaN"),
        ("visual-detector", detection(labels=[3]), "0 to 2"),
        ("visual-detector", detection(labels=[0.5]), "whole numbers"),
        ("visual-detector", detection(scores=[1.5]), "between 0 and 1"),
        ("visual-detector", object(), "is a object, not a VisualDetectorOutput"),
        ("visual-classifier", None, "is a NoneType, not a ClassifierOutput"),
    ],
)
def test_a_wrong_value_is_refused_and_the_item_named(model_type, bad, said):
    """Fault 20: NaN, ranges, box order, label range; the error says which item and which rule."""
    good = {
        "visual-classifier": ClassifierOutput([0.1, 0.2, 0.3]),
        "text-classifier": ClassifierOutput([0.1, 0.2, 0.3]),
        "text-embedder": EmbeddingOutput([1, 2, 3]),
        "visual-segmenter": MasksOutput([[0, 2]]),
        "text-to-image": ImageOutput(np.zeros((2, 2, 3), np.uint8)),
        "text-to-text": TextOutput("fine"),
        "visual-detector": detection(),
    }[model_type]
    dims = MODEL_TYPES[model_type].outputs[0].dims
    first, second = encode(model_type, [good, good, good, bad], dims=dims, sizes=[2, 2])
    assert isinstance(first, tuple)
    with pytest.raises(InvalidOutputError, match=f"item 1 of the prediction.*{said}"):
        raise second


def test_rounding_is_not_an_error():
    """A score a hair above 1 is 1, as float32 makes it."""
    ((scores,),) = encode("visual-classifier", [ClassifierOutput([1.0000001, 0, -1e-9])])
    assert scores.tolist() == [[1, 0, 0]]


def test_dtypes_are_the_declared_ones():
    """Whatever numbers a model returns, the tensors have the dtypes of the model type."""
    ((boxes, labels, scores),) = encode("visual-detector", [detection()])
    assert (boxes.dtype, labels.dtype, scores.dtype) == (np.float32, np.int32, np.float32)
    ((mask,),) = encode("visual-segmenter", [MasksOutput(np.ones((2, 2), bool))])
    assert mask.dtype == np.int64
    ((image,),) = encode("text-to-image", [ImageOutput(np.full((1, 1, 3), 255))], dims=(-1, -1, 3))
    assert image.dtype == np.uint8
    assert image.max() == 255


def test_detections_of_one_request_are_padded_and_others_are_not():
    """Fault 2: counts may differ; score 0, label 0 and box 0 fill up, inside a request only."""
    outputs = [detection(BOX * count) for count in (1, 3, 2)]
    first, second = encode("visual-detector", outputs, sizes=[2, 1])
    assert [tensor.shape for tensor in first] == [(2, 3, 4), (2, 3, 1), (2, 3, 1)]
    assert first[2][0].ravel().tolist() == [0.5, 0, 0]
    assert not first[0][0][1:].any()
    assert [tensor.shape for tensor in second] == [(1, 2, 4), (1, 2, 1), (1, 2, 1)]


def test_every_image_of_a_request_keeps_its_own_detections():
    """Boxes, labels and scores that all differ: each stays with its image, whatever fills up."""
    rows = [[0.1 * n, 0.2, 0.1 * n + 0.1, 0.9] for n in range(7)]
    found = [
        detection(rows[start:stop], range(start, stop), [[0.1 * n] for n in range(start, stop)])
        for start, stop in ((0, 1), (1, 4), (4, 4), (4, 6), (6, 7))
    ]
    answers = encode("visual-detector", found, labels=7, sizes=[3, 1, 1])
    labels = [tensors[1][..., 0].tolist() for tensors in answers]
    assert labels == [[[0, 0, 0], [1, 2, 3], [0, 0, 0]], [[4, 5]], [[6]]]
    first, second, third = [tensors[0] for tensors in answers]
    none = [0.0] * 4
    assert np.allclose(first, [[rows[0], none, none], rows[1:4], [none] * 3])
    assert np.allclose(second, [rows[4:6]])
    assert np.allclose(third, [rows[6:7]])
    scores = [tensors[2][..., 0] for tensors in answers]
    assert np.allclose(scores[0], [[0, 0, 0], [0.1, 0.2, 0.3], [0, 0, 0]])
    assert np.allclose(scores[1], [[0.4, 0.5]])
    assert np.allclose(scores[2], [[0.6]])


def test_images_with_as_many_detections_each_keep_their_own():
    """Where nothing has to be filled up, boxes stay with their image just so."""
    rows = [[0.1 * n, 0.2, 0.1 * n + 0.1, 0.9] for n in range(4)]
    (answer,) = encode("visual-detector", [detection(rows[:2]), detection(rows[2:])])
    assert np.allclose(answer[0], [rows[:2], rows[2:]])


def test_no_detection_at_all_keeps_the_batch():
    """Fault 3: nothing found answers (N, 0, 4), not (0, 4)."""
    ((boxes, labels, scores),) = encode("visual-detector", [detection([]), detection([])])
    assert (boxes.shape, labels.shape, scores.shape) == ((2, 0, 4), (2, 0, 1), (2, 0, 1))


def test_text_has_the_declared_shape():
    """Fault 4: text-to-text answers (N, 1)."""
    ((text,),) = encode("text-to-text", [TextOutput("a"), TextOutput(np.array("ü", dtype=object))])
    assert text.tolist() == [[b"a"], ["ü".encode()]]


@pytest.mark.parametrize(
    ("model_type", "outputs"),
    [
        ("visual-embedder", [EmbeddingOutput([1, 2]), EmbeddingOutput([1, 2, 3])]),
        ("visual-segmenter", [MasksOutput([[0]]), MasksOutput([[0, 1]])]),
    ],
)
def test_ragged_items_of_one_request_are_an_error_of_that_request(model_type, outputs):
    """Items of different requests may differ in shape, those of one may not."""
    dims = MODEL_TYPES[model_type].outputs[0].dims
    answers = encode(model_type, outputs, sizes=[1, 1])
    assert [type(answer) for answer in answers] == [tuple, tuple]
    bad, good = encode(model_type, [*outputs, outputs[0]], dims=dims, sizes=[2, 1])
    assert isinstance(good, tuple)
    with pytest.raises(InvalidOutputError, match="don't fit together"):
        raise bad


def test_declared_dims_hold():
    """An embedding of another length than config.pbtxt declares is refused."""
    (answer,) = encode("text-embedder", [EmbeddingOutput([1, 2, 3])], dims=(4,))
    with pytest.raises(InvalidOutputError, match=r"\(3,\).*\(4,\)"):
        raise answer


def test_declared_dims_hold_for_images():
    """An image of another size than config.pbtxt declares is refused."""
    image = ImageOutput(np.zeros((2, 2, 3), np.uint8))
    (answer,) = encode("text-to-image", [image], dims=(4, 2, 3))
    with pytest.raises(InvalidOutputError, match=r"\(2, 2, 3\).*\(4, 2, 3\)"):
        raise answer


def test_numbers_as_text_are_refused():
    """Put in after the output was made, which checked it."""
    output = EmbeddingOutput([1, 2])
    output.embedding_vector = np.array(["1", "2"])
    (answer,) = encode("text-embedder", [output])
    with pytest.raises(InvalidOutputError, match="must hold numbers, but its dtype is <U1"):
        raise answer


def test_without_labels_any_number_of_scores_will_do():
    """Nothing says how many there should be."""
    ((scores,),) = encode("visual-classifier", [ClassifierOutput([0.25, 0.5])], labels=None)
    assert scores.tolist() == [[0.25, 0.5]]
