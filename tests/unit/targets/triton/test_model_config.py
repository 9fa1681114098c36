"""Triton's message of a config.pbtxt, loaded without Triton's client."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.machinery import PathFinder

import pytest
from tritonclient.grpc import model_config_pb2 as whole

from clarifai_build.targets.triton.model_config import model_config_pb2

PROGRAM = """
import json, sys
from clarifai_build.targets.triton.model_config import model_config_pb2
config = model_config_pb2().ModelConfig(name="lines", backend="python")
loaded = sorted({"numpy", "grpc", "tritonclient"} & set(sys.modules))
from tritonclient.grpc import InferenceServerClient, model_config_pb2 as whole
same = whole.ModelConfig.FromString(config.SerializeToString()) == config
print(json.dumps([loaded, same, model_config_pb2() is model_config_pb2()]))
"""


def test_nothing_else_is_loaded() -> None:
    """And the client can be loaded later, with messages that are the same."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[], True, True]


def test_it_is_the_clients() -> None:
    """Beside a client that is loaded already."""
    assert model_config_pb2().ModelConfig is whole.ModelConfig
    assert model_config_pb2().DataType.Name(1) == "TYPE_BOOL"


def test_where_it_lies_elsewhere_the_client_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As another release may have it."""
    monkeypatch.setattr(PathFinder, "find_spec", lambda *_: None)
    assert model_config_pb2.__wrapped__() is whole
