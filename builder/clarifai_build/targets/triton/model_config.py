"""Triton's own message of a config.pbtxt, without the client that it is a part of.

Loading `tritonclient.grpc` takes 0.2 s, most of it for numpy and what talks to servers: a quarter
of an apply of a small new model. The message needs protobuf alone.
"""

from __future__ import annotations

import functools
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

_NAME = "tritonclient.grpc.model_config_pb2"


@functools.cache
def model_config_pb2() -> Any:
    """Return the module with `ModelConfig`, as protoc has made it."""
    package = PathFinder.find_spec("tritonclient")
    folders = (package and package.submodule_search_locations) or ()
    spec = PathFinder.find_spec(_NAME, [str(Path(folder, "grpc")) for folder in folders])
    if spec is None or spec.loader is None:
        # Where it lies in another place, it is imported with all the rest.
        from tritonclient.grpc import model_config_pb2

        return model_config_pb2
    # Not put among the process's modules: `tritonclient.grpc` could not be loaded any more. Its
    # classes are the same then, since protobuf has one for each message.
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
