"""What a model returned → output tensors, checked.

Checks run on stacks: all items of a call at once while all is well, one by one to find the culprit.
"""

from __future__ import annotations

import math
from operator import attrgetter
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np

from ..errors import InvalidOutputError
from ..model_types import ModelType
from ..outputs import NUMERIC_KINDS, as_array, as_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

ROUNDING = 1e-6
"""How far a score or a coordinate may lie outside 0..1 and still count as rounding."""

Tensors = Tuple["Array", ...]
Answer = Union[Tensors, InvalidOutputError]


class Limits(NamedTuple):
    """What the model's declaration says about its outputs: labels (None: unknown) and dims."""

    labels: Optional[int]
    dims: Tuple[int, ...]


Assemble = Callable[[Sequence[Any], Sequence[int], Limits], List[Tensors]]


class Encoder:
    """Turns the outputs of one call into the output tensors of each of its requests."""

    def __init__(self, model_type: ModelType, limits: Limits) -> None:
        self.names = tuple(tensor.name for tensor in model_type.outputs)
        self._output_class = model_type.output_class
        self._assemble = _ASSEMBLERS[model_type.output_class]
        self._limits = limits

    def encode(self, outputs: Sequence[Any], sizes: Sequence[int]) -> Sequence[Answer]:
        """Return the tensors of each request, or what is wrong with its outputs.

        `sizes` says how many of the outputs belong to each request, in order.
        """
        try:
            return self._assemble(outputs, sizes, self._limits)
        except _UNUSABLE as error:
            if len(sizes) == 1:
                return [self._blame(outputs, error)]
        # Some request is to blame, or they differ in shape: each for itself then.
        return [self.encode(outputs[part], [size])[0] for part, size in _parts(sizes)]

    def _blame(self, outputs: Sequence[Any], error: Exception) -> InvalidOutputError:
        """Say which item is wrong; when each is right by itself, they don't fit together."""
        for index, output in enumerate(outputs):
            try:
                self._assemble([output], [1], self._limits)
            except AttributeError:
                kind = type(output).__name__
                return InvalidOutputError(
                    f"item {index} of the prediction is a {kind}, not a {self._output_class}"
                )
            except _UNUSABLE as reason:
                return InvalidOutputError(f"item {index} of the prediction: {reason}")
        return InvalidOutputError(f"the items of the prediction don't fit together: {error}")


# What reading and stacking the attributes of an arbitrary object raises: a tensor of torch that
# requires its gradient, for one, a RuntimeError.
_UNUSABLE = (Exception,)


def _parts(sizes: Sequence[int]) -> Iterator[Tuple[slice, int]]:
    start = 0
    for size in sizes:
        yield slice(start, start + size), size
        start += size


def _split(stack: Array, sizes: Sequence[int]) -> List[Tensors]:
    """Cut a stack of items into the tensors of each request."""
    if len(sizes) == len(stack):  # One item each, which is what most clients send.
        return list(zip(stack[:, np.newaxis]))
    return [(stack[part],) for part, _ in _parts(sizes)]


def _rows(outputs: Sequence[Any], field: str, rank: int) -> List[Array]:
    rows = list(map(attrgetter(field), outputs))
    if set(map(type, rows)) == {np.ndarray}:
        return rows
    return [as_array(row, rank, field) for row in rows]


def _join(rows: Sequence[Array], rank: int, field: str) -> Array:
    """Stack arrays of one shape; a single one is not copied."""
    try:
        stack = rows[0][np.newaxis] if len(rows) == 1 else np.array(rows)
    except ValueError:  # So says numpy when shapes differ.
        stack = np.empty(0)
    if stack.ndim != rank + 1:
        shapes = ", ".join(map(str, sorted({row.shape for row in rows})))
        raise InvalidOutputError(f"{field} must have {rank} dimensions of one size, not {shapes}")
    return _numeric(stack, field)


def _numeric(array: Array, field: str) -> Array:
    if array.dtype.kind not in NUMERIC_KINDS:
        raise InvalidOutputError(f"{field} must hold numbers, but its dtype is {array.dtype}")
    return array


def _floats(stack: Array) -> Array:
    if stack.dtype == np.float32:
        return stack
    with np.errstate(over="ignore"):  # What does not fit becomes infinite, and is refused as that.
        return stack.astype(np.float32)


def _unit(stack: Array, field: str) -> Array:
    """Check that all values lie in 0..1; what rounding put a hair outside is put back."""
    if stack.size == 0:
        return _floats(stack)
    low, high = stack.min(), stack.max()
    if low >= 0 and high <= 1:
        return _floats(stack)
    if np.isnan(low) or np.isnan(high):
        raise InvalidOutputError(f"{field} has NaN")
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise InvalidOutputError(
            f"{field} must lie between 0 and 1, but range from {low:g} to {high:g}"
        )
    return _floats(stack.clip(0, 1))


def _is_finite(flat: Array) -> bool:
    # NaN and infinity survive a product, which is quicker; it may overflow, too. Above 10,000
    # numbers BLAS would start threads for it.
    if flat.size <= 10_000 and math.isfinite(flat.dot(flat)):
        return True
    return bool(np.isfinite(flat).all())


def _integers(stack: Array, field: str) -> Array:
    """Check that all values are whole numbers."""
    whole = stack.dtype.kind != "f" or bool((np.isfinite(stack) & (stack == np.trunc(stack))).all())
    if not whole:
        raise InvalidOutputError(f"{field} must be whole numbers")
    return stack


def _labels(stack: Array, limits: Limits, field: str) -> Array:
    """Check that all values are indexes into labels.txt."""
    _integers(stack, field)
    if stack.size == 0:
        return stack
    low, high = stack.min(), stack.max()
    if low < 0 or (limits.labels is not None and high >= limits.labels):
        allowed = "0 or more" if limits.labels is None else f"0 to {limits.labels - 1}"
        raise InvalidOutputError(
            f"{field} must be indexes into labels.txt ({allowed}), "
            f"but range from {low:g} to {high:g}"
        )
    return stack


def _embeddings(outputs: Sequence[Any], sizes: Sequence[int], limits: Limits) -> List[Tensors]:
    field = "embedding_vector"
    stack = _floats(_join(_rows(outputs, field, 1), 1, field))
    _check_dims(stack, limits.dims, field)
    if stack.shape[1] == 0:
        raise InvalidOutputError(f"{field} is empty")
    if not _is_finite(stack.ravel()):
        raise InvalidOutputError(f"{field} has NaN or infinity")
    return _split(stack, sizes)


def _scores(outputs: Sequence[Any], sizes: Sequence[int], limits: Limits) -> List[Tensors]:
    field = "predicted_scores"
    stack = _join(_rows(outputs, field, 1), 1, field)
    if limits.labels is not None and stack.shape[1] != limits.labels:
        raise InvalidOutputError(
            f"{field} has {stack.shape[1]} scores, but labels.txt has {limits.labels} labels"
        )
    stack = _unit(stack, field)
    return _split(stack, sizes)


def _detections(outputs: Sequence[Any], sizes: Sequence[int], limits: Limits) -> List[Tensors]:
    counts = [len(output.predicted_bboxes) for output in outputs]
    boxes = _flat(outputs, "predicted_bboxes", counts, 4)
    labels = _flat(outputs, "predicted_labels", counts, 1)
    scores = _flat(outputs, "predicted_scores", counts, 1)
    flat = (
        _ordered(_unit(boxes, "predicted_bboxes")),
        _labels(labels, limits, "predicted_labels").astype(np.int32, copy=False),
        _unit(scores, "predicted_scores"),
    )
    answers = []
    start = 0
    for part, _ in _parts(sizes):
        stop = start + sum(counts[part])
        tensors = [_padded(values[start:stop], counts[part]) for values in flat]
        answers.append(tuple(tensors))
        start = stop
    return answers


def _flat(outputs: Sequence[Any], field: str, counts: Sequence[int], width: int) -> Array:
    """Return the rows of all items under each other."""
    rows = _rows(outputs, field, 2)
    if [row.shape for row in rows] != [(count, width) for count in counts]:
        raise InvalidOutputError(f"{field} must have the shape (number of boxes, {width})")
    return _numeric(np.concatenate(rows), field)


def _ordered(boxes: Array) -> Array:
    if (boxes[:, :2] > boxes[:, 2:]).any():
        raise InvalidOutputError(
            "predicted_bboxes must be [top, left, bottom, right], but a box ends before it begins"
        )
    return boxes


def _padded(values: Array, counts: Sequence[int]) -> Array:
    """Give every item of a request as many rows as the longest has; zeros fill up."""
    longest = max(counts)
    if min(counts) == longest:
        return values.reshape(len(counts), longest, values.shape[1])
    padded = np.zeros((len(counts), longest, values.shape[1]), values.dtype)
    start = 0
    for row, count in zip(padded, counts):
        row[:count] = values[start : start + count]
        start += count
    return padded


# Masks and images are joined request by request: over requests, megabytes would be copied to save
# microseconds.


def _masks(outputs: Sequence[Any], sizes: Sequence[int], limits: Limits) -> List[Tensors]:
    field = "predicted_mask"
    rows = _rows(outputs, field, 2)
    stacks = [_labels(_join(rows[part], 2, field), limits, field) for part, _ in _parts(sizes)]
    return [(stack.astype(np.int64, copy=False),) for stack in stacks]


def _images(outputs: Sequence[Any], sizes: Sequence[int], limits: Limits) -> List[Tensors]:
    rows = _rows(outputs, "image", 3)
    stacks = [_pixels(_join(rows[part], 3, "image")) for part, _ in _parts(sizes)]
    for stack in stacks:
        _check_dims(stack, limits.dims, "image")
    return [(stack,) for stack in stacks]


def _pixels(stack: Array) -> Array:
    if stack.shape[3] != 3:
        raise InvalidOutputError(f"image must be height x width x 3, not {stack.shape[1:]}")
    if stack.dtype == np.uint8:
        return stack
    if stack.dtype.kind == "f":
        raise InvalidOutputError(
            f"image must hold whole numbers from 0 to 255, but its dtype is {stack.dtype}; "
            "multiply by 255 if it is 0..1, then .round().astype('uint8')"
        )
    if stack.size and (stack.min() < 0 or stack.max() > 255):
        raise InvalidOutputError(
            f"image must lie between 0 and 255, but ranges from {stack.min()} to {stack.max()}"
        )
    return stack.astype(np.uint8)


def _texts(outputs: Sequence[Any], sizes: Sequence[int], _limits: Limits) -> List[Tensors]:
    # Encoded here, because a lone surrogate would fail later, where nobody can answer for it.
    texts = [as_text(output.predicted_text).encode() for output in outputs]
    stack = np.empty((len(texts), 1), dtype=object)
    stack[:, 0] = texts
    return _split(stack, sizes)


def _check_dims(stack: Array, dims: Tuple[int, ...], field: str) -> None:
    for got, declared in zip(stack.shape[1:], dims):
        if declared not in (got, -1):
            raise InvalidOutputError(
                f"{field} has the shape {stack.shape[1:]}, but the model declares {dims}"
            )


_ASSEMBLERS: Mapping[str, Assemble] = {
    "VisualDetectorOutput": _detections,
    "ClassifierOutput": _scores,
    "TextOutput": _texts,
    "EmbeddingOutput": _embeddings,
    "MasksOutput": _masks,
    "ImageOutput": _images,
}
