"""A runner folder behind the official servicer on this machine, asked by both kinds of clients."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import numpy as np
from clarifai.client.model_client import ModelClient, _LocalGRPCStub
from clarifai.runners.models.model_builder import ModelBuilder
from clarifai.runners.models.model_servicer import ModelServicer
from clarifai_grpc.grpc.api import resources_pb2, service_pb2, service_pb2_grpc
from PIL import Image as PILImage


class Served:
    """A served model: today's client, and requests as older ones send them."""

    def __init__(self, port):
        self.stub = _LocalGRPCStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
        self.client = ModelClient(self.stub)

    def old(self, *inputs, **params):
        """Answer a request of an older client."""
        request = service_pb2.PostModelOutputsRequest(
            inputs=[resources_pb2.Input(id=str(n), data=data) for n, data in enumerate(inputs)]
        )
        request.model.model_version.output_info.params.update(params)
        return self.stub.PostModelOutputs(request)


@contextmanager
def serving(folder):
    """Serve a folder as the official server does, but on 127.0.0.1 alone."""
    builder = ModelBuilder(str(folder), download_validation_only=True)
    threads = ThreadPoolExecutor(16)
    server = grpc.server(threads)
    model = builder.create_model_instance()
    service_pb2_grpc.add_V2Servicer_to_server(ModelServicer(model), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield Served(port)
    finally:
        server.stop(None).wait()


def png(array):
    """Return an array as a PNG file."""
    buffer = io.BytesIO()
    PILImage.fromarray(array).save(buffer, format="PNG")
    return buffer.getvalue()


def grey(value, height=4, width=5):
    """Return a picture of one grey, as a PNG file."""
    return png(np.full((height, width, 3), value, np.uint8))


def picture(content):
    """Return the input of an older client with a picture."""
    return resources_pb2.Data(image=resources_pb2.Image(base64=content))


def words(text):
    """Return the input of an older client with a text."""
    return resources_pb2.Data(text=resources_pb2.Text(raw=text))
