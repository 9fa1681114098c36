"""One call of the user's model for the requests of a group, and what to answer when it fails."""

from __future__ import annotations

import traceback
from itertools import accumulate
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Sequence

from .errors import (
    InvalidInputError,
    InvalidOutputError,
    ModelFailedError,
    OutOfMemoryError,
    RequestError,
)
from .loading import Predict
from .outputs import OUTPUT_CLASSES
from .parameters import Value

_RUNTIME_FOLDER = Path(__file__).parent


class Group(NamedTuple):
    """Requests that one call can answer: same parameters, same shape of items.

    `places` are the requests' places in the `execute()` they came with; `sizes` says how many of
    the `items` belong to each.
    """

    places: List[int]
    sizes: List[int]
    items: List[Any]
    values: Dict[str, Value]

    def part(self, numbers: Sequence[int]) -> Group:
        """Return a group of the requests with these numbers in the group."""
        starts = [0, *accumulate(self.sizes)]
        return Group(
            [self.places[n] for n in numbers],
            [self.sizes[n] for n in numbers],
            [
                item
                for number in numbers
                for item in self.items[starts[number] : starts[number + 1]]
            ],
            self.values,
        )


def call(predict: Predict, group: Group) -> List[Any]:
    """Return one output for each item of a group, or raise what answers its requests."""
    count = len(group.items)
    try:
        outputs = predict(list(group.items), group.values)
        if not isinstance(outputs, (list, str, bytes, dict)) and isinstance(outputs, Iterable):
            outputs = list(outputs)
    except BaseException as error:  # whatever user code raises answers its request
        raise failure_of(error) from error
    if not isinstance(outputs, list):
        kind = type(outputs).__name__
        message = f"the model returned a {kind}, not a list with one output an item"
        if kind in OUTPUT_CLASSES:
            message += "; code.per_item in the manifest is for code that takes one item"
        raise InvalidOutputError(message)
    if len(outputs) != count:
        raise InvalidOutputError(f"the model returned {len(outputs)} outputs for {count} items")
    return outputs


def failure_of(error: BaseException) -> RequestError:
    """Return what to answer when user code raised: what it raised, and where."""
    if isinstance(error, InvalidInputError):
        return error
    message = f"{type(error).__name__}: {error} ({_place(error)})"
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return OutOfMemoryError(message)
    return ModelFailedError(message)


def _place(error: BaseException) -> str:
    """Name the innermost line of the user's own files, rather than of a library below them."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [(Path(frame.filename), frame.lineno) for frame in frames]
    outside = [line for line in lines if _RUNTIME_FOLDER not in line[0].parents]
    if not outside:
        return "in the call itself"
    own = [line for line in outside if line[0].parent == outside[0][0].parent]
    return f"{own[-1][0].name}, line {own[-1][1]}"
