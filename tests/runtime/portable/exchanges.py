"""Requests to a repository without a server, through the strict stand-in for Triton."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np

from clarifai_runtime.serving.opening import open_server
from clarifai_runtime.testing import fake_triton
from clarifai_runtime.testing.fake_triton import InferenceRequest, InferenceResponse
from clarifai_runtime.testing.pbtxt import parse_config


class Opened:
    """A loaded repository: its server and the configuration its answers are checked against."""

    def __init__(self, folder: Path) -> None:
        text = (folder.parent / "config.pbtxt").read_text(encoding="utf-8")
        self.config = parse_config(text)
        self.server = open_server(folder, self.config, fake_triton)

    def ask(self, *requests: InferenceRequest) -> List[InferenceResponse]:
        """Answer requests that arrive in one `execute()`."""
        return fake_triton.exchange(self.server, requests, self.config)

    def stream(self, request: InferenceRequest) -> List[InferenceResponse]:
        """Answer one request of a decoupled model."""
        return fake_triton.stream(self.server, request, self.config)


def texts(*values: str, params: Optional[Mapping[str, Any]] = None) -> InferenceRequest:
    """Make a request with one text a row."""
    return raw_texts(*(value.encode() for value in values), params=params)


def raw_texts(*values: bytes, params: Optional[Mapping[str, Any]] = None) -> InferenceRequest:
    """Make a request with these bytes as texts."""
    array = np.empty((len(values), 1), dtype=object)
    array[:, 0] = values
    return InferenceRequest({"text": array}, json.dumps(params or {}))


def images(*values: Any, params: Optional[Mapping[str, Any]] = None) -> InferenceRequest:
    """Make a request with one image a row."""
    return InferenceRequest({"image": np.stack(values)}, json.dumps(params or {}))


def image(height: int, width: int, value: int = 0) -> Any:
    """Make an image of one grey."""
    return np.full((height, width, 3), value, np.uint8)


def multimodal(
    pictures: Optional[Sequence[Any]] = None, words: Optional[Sequence[str]] = None
) -> InferenceRequest:
    """Make a request with images, texts or both."""
    tensors: Dict[str, Any] = {}
    if pictures is not None:
        tensors["image"] = np.stack(pictures)
    if words is not None:
        tensors["text"] = np.array([[word.encode()] for word in words], dtype=object)
    return InferenceRequest(tensors)


def errors(responses: Sequence[InferenceResponse]) -> List[Optional[str]]:
    """Return each response's error code, or None where it has none."""
    return [None if response.error is None else response.error.code for response in responses]
