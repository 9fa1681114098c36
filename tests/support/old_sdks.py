"""Repositories laid out as clarifai 9.7 to 10.0 laid them out, with small models of our own."""

from __future__ import annotations

from pathlib import Path

from clarifai_build.model_types import MODEL_TYPES, Tensor
from support.trees import write_files

ITEM_SDKS = ("9.7.6", "9.8.1", "9.8.2", "9.9.3", "9.10.4")
LIST_SDKS = ("9.11.0", "10.0.1")
MODULES = "clarifai.models.model_serving"

# One output for one item `x`, padded and typed as code of that time did it.
OUTPUTS = {
    "visual-detector": """VisualDetectorOutput(
        predicted_bboxes=np.concatenate((np.full((x.flat[0], 4), 0.25), np.zeros((2, 4)))),
        predicted_labels=np.concatenate((np.ones((x.flat[0], 1)), np.zeros((2, 1)))),
        predicted_scores=np.concatenate((np.full((x.flat[0], 1), 0.5), np.zeros((2, 1)))))""",
    "visual-classifier": "ClassifierOutput(predicted_scores=np.array([0.25, x.mean() / 255]))",
    "text-classifier": "ClassifierOutput(predicted_scores=np.array([0.25, 0.1 * len(x)]))",
    "text-to-text": "TextOutput(predicted_text=TEXT)",
    "text-embedder": "EmbeddingOutput(embedding_vector=np.array([len(x), len(x.encode())]))",
    "text-to-image": "ImageOutput(image=np.full((4, 6, 3), len(x), dtype=np.uint8))",
    "visual-embedder": "EmbeddingOutput(embedding_vector=x.mean(axis=(0, 1)))",
    "visual-segmenter": "MasksOutput(predicted_mask=(x[..., 0] > 1).astype(np.float32))",
    "multimodal-embedder": """EmbeddingOutput(embedding_vector=np.array(
        [-1 if x["image"] is None else x["image"].mean(), -1 if x["text"] is None else 1.0]))""",
}

_ITEM_CODE = """
import numpy as np
from {modules}.models.model_types import {decorator}
from {modules}.models.output import {output_class}


class InferenceModel:
  @{decorator}
  def get_predictions(self, input_data{kwargs}):
    x = input_data
    return {output}
"""
_LIST_CODE = """
import numpy as np
from {modules}.model_config import ModelTypes, get_model_config
from {modules}.models.output import {output_class}

config = get_model_config("{model_type}")


class InferenceModel:
  @config.inference.wrap_func
  def get_predictions(self, input_data: list, **kwargs) -> list:
    outputs = []
    for x in input_data:
      outputs.append({output})
    return outputs
"""
# What matters of the SDK's model.py: its imports. That of 9.7 to 9.9 has none of clarifai.
_MODEL = """
import os
import sys

try:
  import triton_python_backend_utils as pb_utils
except ModuleNotFoundError:
  pass
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig
{more}

class TritonPythonModel:
  def initialize(self, args):
    from inference import InferenceModel

    self.inference_obj = InferenceModel()

  def execute(self, requests):
    return [self.inference_obj.get_predictions(request) for request in requests]
"""


def version_of(sdk: str) -> tuple[int, ...]:
    """Return a version as numbers that compare."""
    return tuple(map(int, sdk.split(".")))


def types_of(sdk: str) -> list[str]:
    """Return the model types that a release knows: the multimodal one came with 9.10."""
    known = list(MODEL_TYPES)
    return known if version_of(sdk) >= (9, 10) else known[:-1]


def inference_code(sdk: str, model_type: str) -> str:
    """Return an inference.py in the contract of a release."""
    version = version_of(sdk)
    text = "x.upper()"
    if version < (9, 11):
        text = f"np.array({text if version > (9, 8, 1) else f'[{text}]'}, dtype=object)"
    output = OUTPUTS[model_type].replace("TEXT", text)
    return (_ITEM_CODE if version < (9, 11) else _LIST_CODE).format(
        modules=MODULES,
        decorator=model_type.replace("-", "_"),
        model_type=model_type,
        output=output,
        output_class=output.partition("(")[0],
        kwargs=", **kwargs" if version >= (9, 10) else "",
    )


def write_repository(folder: Path, sdk: str, model_type: str, name: str = "old") -> Path:
    """Write a repository of a release, with its model, and return its folder."""
    version = version_of(sdk)
    more = f"from {MODULES}.model_config.inference_parameter import parse_req_parameters\n"
    files = {
        "config.pbtxt": _config(name, model_type),
        "requirements.txt": f"clarifai>{'9.5.3' if version < (9, 11) else '9.10.4'}\n",
        "1/__init__.py": "",
        "1/inference.py": inference_code(sdk, model_type),
        "1/model.py": _MODEL.format(more=more if version >= (9, 10) else ""),
    }
    if version < (9, 9):
        files["triton_conda.yaml"] = "name: env\n"
    if version > (9, 8):
        files["1/test.py"] = f"from {MODULES}.models.default_test import Default\n"
    if MODEL_TYPES[model_type].has_labels:
        files["labels.txt"] = "first\nsecond\n"
    return write_files(folder, {path: text.encode() for path, text in files.items()})


def _config(name: str, model_type: str) -> str:
    known = MODEL_TYPES[model_type]
    inputs = "".join(f"input {{ {_tensor(each)} }}\n" for each in known.inputs)
    outputs = "".join(f"output {{ {_tensor(each)} }}\n" for each in known.outputs)
    return (
        f'name: "{name}"\nmax_batch_size: 4\n{inputs}{outputs}'
        "instance_group { count: 1 kind: KIND_GPU }\n"
        'dynamic_batching { max_queue_delay_microseconds: 500 }\nbackend: "python"\n'
    )


def _tensor(tensor: Tensor) -> str:
    dims = " ".join(f"dims: {dim}" for dim in tensor.dims)
    labels = ' label_filename: "labels.txt"' if tensor.labels else ""
    optional = " optional: true" if tensor.optional else ""
    return f'name: "{tensor.name}" data_type: TYPE_{tensor.dtype} {dims}{labels}{optional}'
