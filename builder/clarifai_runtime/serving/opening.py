"""A version folder of a Triton model repository → a server that answers its requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Tuple, Union

from ..config import find_model_type
from ..errors import ModelLoadError
from ..loading import load_model, one_by_one
from ..model_types import ModelType
from ..parameters import Parameters
from ..settings import Settings, read_settings
from .answering import Responder
from .decoding import decoder_for
from .encoding import Encoder, Limits
from .server import Server
from .streaming import StreamingServer


def open_server(
    version_folder: Path, model_config: Mapping[str, Any], pb_utils: Any
) -> Union[Server, StreamingServer]:
    """Load the model in a folder. `model_config` is Triton's; `pb_utils` its module."""
    settings = read_settings(version_folder)
    model = load_model(version_folder, settings.params)
    # A call per item gains nothing from other requests, and would be repeated when one fails.
    predict = one_by_one(model.predict) if settings.per_item else model.predict
    model_type = _model_type(settings, model.model_type)
    limits = Limits(
        labels=len(settings.labels) if model_type.has_labels and settings.labels else None,
        dims=_dims(model_type, model_config),
    )
    encoder = Encoder(model_type, limits)
    decode = decoder_for(model_type, model.mixed_sizes, alone=settings.per_item)
    parameters = Parameters(settings.params)
    responder = Responder(pb_utils, encoder.names)
    if settings.streaming:
        return StreamingServer(predict, decode, encoder, parameters, responder)
    return Server(predict, decode, encoder, parameters, responder, settings.isolate)


def _model_type(settings: Settings, in_code: Union[str, None]) -> ModelType:
    declared = settings.model_type
    if declared and in_code and declared != in_code:
        raise ModelLoadError(
            f"inference.py is written for the model type {in_code}, "
            f"but this model is declared as {declared}"
        )
    name = declared or in_code
    if name is None:
        raise ModelLoadError(
            "nothing says which model type this is: decorate get_predictions with "
            "@config.inference.wrap_func"
        )
    return find_model_type(name)


def _dims(model_type: ModelType, model_config: Mapping[str, Any]) -> Tuple[int, ...]:
    """Return the dims of the first output as config.pbtxt has them."""
    first = model_type.outputs[0]
    for output in model_config.get("output", ()):
        if output["name"] == first.name:
            return tuple(int(dim) for dim in output["dims"])
    return first.dims
