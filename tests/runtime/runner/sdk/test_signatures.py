"""The official builder reads the methods of every type, as at upload: all but the SDK mocked."""

from __future__ import annotations

import subprocess
import sys

import pytest
from clarifai.runners.models.model_builder import ModelBuilder
from google.protobuf.json_format import MessageToDict

from runtime.runner.model_files import SIGNATURES, write_runner

PARAMS = [{"name": "threshold", "type": "number", "default": 0.5, "description": "Lowest score."}]


def signatures(folder):
    """Return the methods of a folder, as the official upload would send them."""
    found = ModelBuilder(str(folder), validate_api_ids=False).get_method_signatures()
    return {one.name: MessageToDict(one, preserving_proto_field_name=True) for one in found}


@pytest.mark.parametrize("model_type", sorted(SIGNATURES))
def test_every_type_has_its_method(tmp_path, model_type):
    """`predict` alone, whose parameters have their defaults; what old clients call is no method."""
    found = signatures(write_runner(tmp_path, model_type, params=PARAMS))
    assert list(found) == ["predict"]
    names = [field["name"] for field in found["predict"]["input_fields"]]
    inputs = {"multimodal-embedder": ["image", "text"]}.get(model_type)
    kind = "image" if model_type.startswith("visual") else "text"
    assert names == [*(inputs or [kind]), "threshold"]
    threshold = found["predict"]["input_fields"][-1]
    assert (threshold["default"], threshold["description"]) == ("0.5", "Lowest score.")


def test_text_is_streamed_by_a_method_of_its_own(tmp_path):
    """A streaming model has both."""
    found = signatures(write_runner(tmp_path, "text-to-text", streaming=True))
    assert sorted(found) == ["generate", "predict"]
    assert found["generate"]["method_type"] == "UNARY_STREAMING"


def test_reading_signatures_loads_no_runtime(tmp_path):
    """At upload numpy is a mock: a runtime that was imported there would keep it for good."""
    script = (
        "import sys; from clarifai.runners.models.model_builder import ModelBuilder; "
        "ModelBuilder(sys.argv[1], validate_api_ids=False).get_method_signatures(); "
        "sys.exit('clarifai_runtime' in sys.modules)"
    )
    folder = write_runner(tmp_path, "visual-detector")
    assert subprocess.run([sys.executable, "-c", script, str(folder)]).returncode == 0
