"""The folder of a runner's model.py → a model that answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterator, Mapping, Tuple, Union

from ..config import find_model_type
from ..errors import ModelLoadError
from ..serving.opening import open_server
from ..serving.streaming import StreamingServer
from ..settings import FILE_NAME, Settings, read_settings
from .exchange import InferenceResponse, pb_utils
from .items import Reader
from .merging import Item, Merger
from .runner import Ask, Runner, Stream
from .streams import Streams


def open_runner(folder: Union[str, Path]) -> Runner:
    """Load the model in a folder, once. Raises ModelLoadError where its settings don't fit it."""
    version_folder = Path(folder)
    settings = read_settings(version_folder)
    if settings.model_type is None:
        raise ModelLoadError(f"{FILE_NAME} is missing: it says which model type this is")
    model_type = find_model_type(settings.model_type)
    server = open_server(version_folder, _config(settings), pb_utils)
    ask, stream = _ways(server, max(1, settings.max_batch_size))
    return Runner(
        model_type,
        settings.labels or (),
        settings.params or (),
        Reader(model_type, settings.image_shape),
        ask,
        stream,
    )


def _ways(server: Any, most: int) -> Tuple[Ask, Stream]:
    """Return how a server is asked for whole answers, and for pieces."""
    if isinstance(server, StreamingServer):
        streams = Streams(server.execute)
        return streams.ask, streams.stream
    merger = Merger(server.execute, most)

    def in_one_piece(item: Item) -> Iterator[InferenceResponse]:
        yield from merger.ask([item])

    return merger.ask, in_one_piece


def _config(settings: Settings) -> Mapping[str, Any]:
    """Return what a server reads of a config.pbtxt, which a runner has none of."""
    return {"output": [{"name": "embeddings", "dims": settings.embeddings_shape}]}
