"""The models in Triton: loaded when first needed, again after a crash."""

from __future__ import annotations

import shutil
import threading
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clarifai_build.errors import SandboxError
from clarifai_build.sandbox.api.builds import served_model
from clarifai_build.sandbox.engines.triton import Client

# A model may import a large framework and read gigabytes of weights.
LOAD_SECONDS = 600.0
INFER_SECONDS = 300.0
# Each loaded model is a process with its weights in memory.
MOST_LOADED = 12
# Triton's words for a model that is not loaded, and for one whose process has died.
_GONE = ("is not found", "has no available versions", "is not ready", "is not healthy")


class Serving:
    """Triton's model repository; each version of a model lies there under its id."""

    def __init__(self, client: Client, repository: Path) -> None:
        self._client = client
        self.repository = repository
        self._models: dict[str, served_model.ServedModel] = {}
        self._starts: dict[str, int] = defaultdict(int)
        self._locks: dict[str, threading.Lock] = defaultdict(threading.Lock)
        self._loaded: dict[str, None] = {}
        self._counting = threading.Lock()

    def model(self, name: str) -> served_model.ServedModel:
        """Return the config and labels of a version that was built."""
        known = self._models.get(name)
        if known is None:
            known = self._models[name] = served_model.read(self.repository / name)
        return known

    def load(self, name: str) -> None:
        """Load a version into a process of its own; the least recently used ones are unloaded."""
        with self._locks[name]:
            self._client.load(name, LOAD_SECONDS)
        self._touch(name)

    def infer(
        self, name: str, inputs: Mapping[str, Any], parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Ask a model; one that is not loaded, or has crashed, is loaded first."""
        outputs = tuple(self.model(name).outputs)
        starts = self._starts[name]
        try:
            return self._client.infer(name, inputs, outputs, parameters, INFER_SECONDS)
        except SandboxError as error:
            if not any(words in str(error) for words in _GONE):
                raise
            self._revive(name, starts)
        finally:
            self._touch(name)
        return self._client.infer(name, inputs, outputs, parameters, INFER_SECONDS)

    def discard(self, name: str) -> None:
        """Forget a version: out of Triton, off the disk."""
        self._models.pop(name, None)
        self._loaded.pop(name, None)
        folder = self.repository / name
        if folder.exists():
            self._client.unload(name)
            shutil.rmtree(folder, ignore_errors=True)

    def _touch(self, name: str) -> None:
        """Remember that a model was just used, and unload those beyond the limit."""
        with self._counting:
            # A dict keeps the order of insertion: removed and added again, it comes last.
            self._loaded.pop(name, None)
            self._loaded[name] = None
            surplus = list(self._loaded)[:-MOST_LOADED]
            for idle in surplus:
                self._loaded.pop(idle, None)
        for idle in surplus:
            self._client.unload(idle)

    def _revive(self, name: str, starts: int) -> None:
        """Start a model again, once for all the requests that found the same one gone."""
        with self._locks[name]:
            # Many calls see one crash: the first restarts the model, the others find it done.
            if self._starts[name] == starts:
                self._client.restart(name, LOAD_SECONDS)
                self._starts[name] += 1
