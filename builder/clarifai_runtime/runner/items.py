"""What callers send → the tensors of one request: pictures decoded, texts as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from ..errors import InvalidInputError
from ..model_types import ModelType
from .pictures import decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Tensors = Dict[str, "Array"]


class Reader(NamedTuple):
    """Reads the inputs of a model type; `image_shape` is height and width, -1 where any will do."""

    model_type: ModelType
    image_shape: Tuple[int, int]

    def of_method(self, values: Mapping[str, Any]) -> Tensors:
        """Read the arguments of a typed method: clarifai's `Image`, and str."""
        image, text = values.get("image"), values.get("text")
        content = None if image is None else _content(image.proto)
        # A method with both has "" for a text that was left out; with text alone, "" is a text.
        return self._tensors(content, text or None if self._has_both else text)

    def of_data(self, data: Any) -> Tensors:
        """Read one input of a request as clients of old send it."""
        content = _content(data.image) if data.HasField("image") else None
        return self._tensors(content, data.text.raw if data.HasField("text") else None)

    def _tensors(self, image: Optional[bytes], text: Optional[str]) -> Tensors:
        found: Tensors = {}
        given = {"image": image, "text": text}
        for tensor in self.model_type.inputs:
            value = given[tensor.name]
            if isinstance(value, bytes):
                found["image"] = decode(value, *self.image_shape)[np.newaxis]
            elif isinstance(value, str):
                found["text"] = np.array([[value.encode()]], dtype=object)
            elif not tensor.optional:
                raise InvalidInputError(f"the input has no {tensor.name}, which the model needs")
        if not found:
            raise InvalidInputError("the input has neither an image nor a text")
        return found

    @property
    def _has_both(self) -> bool:
        return len(self.model_type.inputs) > 1


def _content(image: Any) -> bytes:
    # What lies at a URL has been fetched before: the platform's process does that.
    if not image.base64:
        raise InvalidInputError("the image has no content")
    return bytes(image.base64)
