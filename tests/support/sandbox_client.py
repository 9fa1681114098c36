"""A Clarifai client as small as tests need it, and models that are written by hand."""

from __future__ import annotations

import io
import time
import uuid
import zipfile
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
from clarifai_grpc.channel.clarifai_channel import ClarifaiChannel
from clarifai_grpc.grpc.api import resources_pb2, service_pb2, service_pb2_grpc

from clarifai_build.model_types import MODEL_TYPES, ModelType, Tensor
from clarifai_build.sandbox.endpoints import Endpoints

IN_PROGRESS = (21104, 21107)

# What each type answers. `x` is a list with one item's inputs: an array, a str, or a pair of them.
BODIES = {
    "visual-detector": """
        n = int(x.max())
        boxes = np.tile(np.array([[0.1, 0.2, 0.3, 0.4]], np.float32), (n, 1))
        return [boxes, np.ones((n, 1), np.int32), np.full((n, 1), 0.9, np.float32)]""",
    "visual-classifier": "return [np.array([x.mean() / 255, x.max() / 255, 0.5], np.float32)]",
    "text-classifier": "return [np.array([len(x) / 10, 0.25, 0.5], np.float32)]",
    "text-to-text": """
        if x == "die":
            os._exit(3)
        if x == "raise":
            raise ValueError("no such word")
        if x == "parameters":
            x = json.dumps(parameters, sort_keys=True)
        return [np.array([x[::-1].encode()], dtype=object)]""",
    "text-embedder": "return [np.array([len(x), 2, 3], np.float32)]",
    "text-to-image": "return [np.full((len(x), 2 * len(x), 3), 7, np.uint8)]",
    "visual-embedder": "return [np.array(x.shape, np.float32)]",
    "visual-segmenter": "return [(x[..., 0] > 100).astype(np.int64)]",
    "multimodal-embedder": "return [np.array([a is not None for a in x], np.float32)]",
}

MODEL = """
import json, os
import numpy as np
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def execute(self, requests):
        return [self.one(request) for request in requests]

    def one(self, request):
        inputs = [self.read(request, name) for name in {inputs}]
        x = inputs if len(inputs) > 1 else inputs[0]
        arrays = self.answer(x, json.loads(request.parameters()))
        pairs = zip({outputs}, arrays)
        return pb_utils.InferenceResponse([pb_utils.Tensor(n, a[np.newaxis]) for n, a in pairs])

    def read(self, request, name):
        tensor = pb_utils.get_input_tensor_by_name(request, name)
        if tensor is None:
            return None
        item = tensor.as_numpy()[0]
        return item[0].decode() if name == "text" else item

    def answer(self, x, parameters):
        {body}
"""


def config_pbtxt(model_type: ModelType, kind: str = "KIND_GPU", dims: str = "") -> str:
    """Return a config for a hand-written model; `dims` replaces those of the inputs."""
    inputs = ", ".join(_tensor(tensor, dims) for tensor in model_type.inputs)
    outputs = ", ".join(_tensor(tensor) for tensor in model_type.outputs)
    return (
        f'name: "by-hand" backend: "python" max_batch_size: 1 input [{inputs}] output [{outputs}]'
        f" instance_group [{{ count: 1 kind: {kind} }}]"
    )


def _tensor(tensor: Tensor, dims: str = "") -> str:
    shape = dims or ", ".join(map(str, tensor.dims))
    optional = " optional: true" if tensor.optional else ""
    labels = ' label_filename: "labels.txt"' if tensor.labels else ""
    dtype = f"TYPE_{tensor.dtype}"
    return f'{{ name: "{tensor.name}" data_type: {dtype} dims: [{shape}]{optional}{labels} }}'


def model_files(model_type: str, **config: str) -> dict[str, str]:
    """Return the files of a hand-written model, by their path in the zip."""
    known = MODEL_TYPES[model_type]
    code = MODEL.format(
        inputs=[tensor.name for tensor in known.inputs],
        outputs=[tensor.name for tensor in known.outputs],
        body=BODIES[model_type],
    )
    files = {"config.pbtxt": config_pbtxt(known, **config), "1/model.py": code}
    return files | ({"labels.txt": "cat\ndog\nowl\n"} if known.has_labels else {})


def zipped(files: Mapping[str, str]) -> bytes:
    """Return a zip of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


class Api:
    """Calls the sandbox's API as its user, with raw requests."""

    def __init__(self, endpoints: Endpoints, pat: str | None = None) -> None:
        address = urlsplit(endpoints.api_base)
        channel = ClarifaiChannel.get_insecure_grpc_channel(address.hostname, address.port)
        self.endpoints = endpoints
        self.stub = service_pb2_grpc.V2Stub(channel)
        self.metadata = [("authorization", f"Key {pat or endpoints.pat}")]
        self.user_app_id = resources_pb2.UserAppIDSet(
            user_id=endpoints.user_id, app_id=endpoints.app_id
        )

    def call(self, rpc: str, **fields: Any) -> Any:
        """Call an RPC by name with the fields of its request; the account fills itself in."""
        method = service_pb2.DESCRIPTOR.services_by_name["V2"].methods_by_name[rpc]
        fields.setdefault("user_app_id", self.user_app_id)
        request = getattr(service_pb2, method.input_type.name)(**fields)
        return getattr(self.stub, rpc)(request, metadata=self.metadata, timeout=120)

    def publish(self, content: bytes, bucket: str = "public") -> str:
        """Put a zip into the sandbox's S3 and return its URL."""
        key = f"{uuid.uuid4().hex}.zip"
        s3(self.endpoints).put_object(Bucket=bucket, Key=key, Body=content)
        return f"{self.endpoints.s3_endpoint}/{bucket}/{key}"

    def new_model(self, model_type: str) -> str:
        """Create a model with an id of its own."""
        model = resources_pb2.Model(id=f"m{uuid.uuid4().hex[:12]}", model_type_id=model_type)
        return str(self.call("PostModels", models=[model]).model.id)

    def post_version(self, model_id: str, url: str, **fields: Any) -> Any:
        """Post a version of a model as its type wants it; returns the raw answer."""
        model_type = self.call("GetModel", model_id=model_id).model.model_type_id
        version = resources_pb2.ModelVersion(**fields)
        config = version.pretrained_model_config
        config.model_zip_url = url
        config.input_fields_map.update(MODEL_TYPES[model_type].input_fields_map)
        config.output_fields_map.update(MODEL_TYPES[model_type].output_fields_map)
        return self.call("PostModelVersions", model_id=model_id, model_versions=[version])

    def version(self, model_id: str, version_id: str) -> Any:
        answer = self.call("GetModelVersion", model_id=model_id, version_id=version_id)
        return answer.model_version

    def settled(self, model_id: str, version_id: str, seconds: float = 180) -> Any:
        """Wait until a version is ready or failed."""
        deadline = time.monotonic() + seconds
        while (version := self.version(model_id, version_id)).status.code in IN_PROGRESS:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{model_id} is still in state {version.status.code}")
            time.sleep(0.05)
        return version

    def deploy(self, model_type: str, files: Mapping[str, str] | None = None) -> tuple[str, Any]:
        """Create a model with a version made of these files; returns its id and the version."""
        model_id = self.new_model(model_type)
        url = self.publish(zipped(files or model_files(model_type)))
        posted = self.post_version(model_id, url)
        return model_id, self.settled(model_id, posted.model.model_version.id)

    def predict(self, model_id: str, *data: Any, **fields: Any) -> Any:
        inputs = [resources_pb2.Input(data=each) for each in data]
        return self.call("PostModelOutputs", model_id=model_id, inputs=inputs, **fields)


def s3(endpoints: Endpoints) -> Any:
    """Return a boto3 client with the sandbox's keys."""
    return boto3.client(
        "s3",
        endpoint_url=endpoints.s3_endpoint,
        aws_access_key_id=endpoints.access_key,
        aws_secret_access_key=endpoints.secret_key,
        region_name=endpoints.region,
    )


def text(raw: str) -> Any:
    return resources_pb2.Data(text=resources_pb2.Text(raw=raw))


def image(content: bytes) -> Any:
    return resources_pb2.Data(image=resources_pb2.Image(base64=content))
