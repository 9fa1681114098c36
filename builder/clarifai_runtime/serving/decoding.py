"""Tensors of a request → the items a model is called with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Hashable, List, Optional, Tuple

from ..errors import InvalidInputError
from ..model_types import ModelType

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


Items = Tuple[List[Any], Hashable]
"""The items of a request, and a shape that is equal for requests whose items fit into one call."""

Decoder = Callable[[Any], Items]


def decoder_for(model_type: ModelType, mixed_sizes: bool, alone: bool = False) -> Decoder:
    """Return the function that reads the items out of a request of this model type.

    With `mixed_sizes`, images of all sizes may share a call; with `alone`, no two requests do.
    """
    if len(model_type.inputs) > 1:
        decode = decode_multimodal
    else:
        decode = decode_images if model_type.has_image_input else decode_texts
    if alone:
        return lambda request: (decode(request)[0], object())
    return (lambda request: (decode(request)[0], None)) if mixed_sizes else decode


def decode_images(request: Any) -> Items:
    """Read images: views into the request's memory, height x width x 3."""
    images = request.inputs()[0].as_numpy()
    return list(images), images.shape[1:]


def decode_texts(request: Any) -> Items:
    """Read texts."""
    return _texts(request.inputs()[0].as_numpy()), None


def decode_multimodal(request: Any) -> Items:
    """Read {"image": …, "text": …} items, where what was not sent is None."""
    tensors = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
    if not tensors:
        raise InvalidInputError("the request has neither an image nor a text")
    images: Optional[Array] = tensors.get("image")
    texts = _texts(tensors["text"]) if "text" in tensors else None
    counts = {len(tensor) for tensor in tensors.values()}
    if len(counts) > 1:
        raise InvalidInputError("the request's images and texts differ in number")
    values = [
        {
            "image": None if images is None else images[index],
            "text": None if texts is None else texts[index],
        }
        for index in range(counts.pop())
    ]
    return values, (None if images is None else images.shape[1:], texts is not None)


def _texts(array: Array) -> List[str]:
    try:
        if array.size == 1:  # What most clients send; the general way takes three times as long.
            return [str(array.item(), "utf-8")]
        return [str(text, "utf-8") for text in array.ravel().tolist()]
    except UnicodeDecodeError:
        raise InvalidInputError(_undecodable(array.ravel().tolist())) from None


def _undecodable(raw: List[bytes]) -> str:
    for index, text in enumerate(raw):
        try:
            text.decode()
        except UnicodeDecodeError as error:
            return f"text of item {index} is not UTF-8: {error.reason} at byte {error.start}"
    return "text is not UTF-8"
