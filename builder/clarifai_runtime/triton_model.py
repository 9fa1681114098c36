"""The class Triton's python backend loads from 1/model.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict

from .serving import stub
from .serving.opening import open_server


class TritonPythonModel:
    """The user's model behind Triton's `initialize` and `execute`."""

    def initialize(self, args: Dict[str, Any]) -> None:
        """Load the model once."""
        import triton_python_backend_utils as pb_utils

        stub.use_utf8()
        folder = Path(args["model_repository"]) / args["model_version"]
        server = open_server(folder, json.loads(args["model_config"]), pb_utils)
        self.execute = server.execute
