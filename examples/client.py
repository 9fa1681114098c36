"""Asks a model of a Clarifai app: the few lines a caller needs, to copy from.

    python examples/client.py MODEL_ID [--image FILE] [--text TEXT] [NAME=VALUE ...]

NAME=VALUE sets an inference parameter. The account comes from the environment: CLARIFAI_USER_ID,
CLARIFAI_APP_ID, CLARIFAI_PAT, and CLARIFAI_API_BASE where it is not Clarifai's own.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
from clarifai_grpc.channel.clarifai_channel import ClarifaiChannel
from clarifai_grpc.grpc.api import resources_pb2, service_pb2, service_pb2_grpc
from clarifai_grpc.grpc.api.status import status_code_pb2
from google.protobuf.json_format import MessageToDict

ACCOUNT = ("CLARIFAI_USER_ID", "CLARIFAI_APP_ID", "CLARIFAI_PAT")


class PredictionError(Exception):
    """The platform refused the request, or the model failed on it."""


def predict(
    model_id: str,
    *,
    image: bytes | None = None,
    text: str | None = None,
    params: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> resources_pb2.Data:
    """Send one image (the bytes of a file), one text, or both, and return what the model says."""
    data = resources_pb2.Data()
    if image is not None:
        data.image.base64 = image
    if text is not None:
        data.text.raw = text
    model = resources_pb2.Model()
    model.model_version.output_info.params.update(params or {})
    request = service_pb2.PostModelOutputsRequest(
        user_app_id=resources_pb2.UserAppIDSet(
            user_id=environ["CLARIFAI_USER_ID"], app_id=environ["CLARIFAI_APP_ID"]
        ),
        model_id=model_id,
        inputs=[resources_pb2.Input(data=data)],
        model=model,
    )
    with connect(environ.get("CLARIFAI_API_BASE", "https://api.clarifai.com")) as channel:
        answer = service_pb2_grpc.V2Stub(channel).PostModelOutputs(
            request,
            metadata=[("authorization", f"Key {environ['CLARIFAI_PAT']}")],
            timeout=120,
        )
    if answer.status.code != status_code_pb2.SUCCESS:
        raise PredictionError(f"{answer.status.description}: {answer.status.details}")
    return answer.outputs[0].data


def connect(api_base: str) -> grpc.Channel:
    """http is for a sandbox on this machine; everything else is encrypted."""
    address = urlsplit(api_base if "://" in api_base else f"https://{api_base}")
    if address.scheme == "http":
        return ClarifaiChannel.get_insecure_grpc_channel(address.hostname, address.port or 80)
    return ClarifaiChannel.get_grpc_channel(address.netloc)


def main() -> int:
    parser = argparse.ArgumentParser(description="Ask a model of a Clarifai app.")
    parser.add_argument("model_id")
    parser.add_argument("--image", type=Path, metavar="FILE")
    parser.add_argument("--text")
    parser.add_argument("params", nargs="*", type=parameter, metavar="NAME=VALUE")
    args = parser.parse_intermixed_args()
    if missing := [name for name in ACCOUNT if name not in os.environ]:
        parser.error(f"the environment has no {', '.join(missing)}")
    try:
        image = args.image.read_bytes() if args.image else None
        data = predict(args.model_id, image=image, text=args.text, params=dict(args.params))
    except (OSError, PredictionError, grpc.RpcError) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(MessageToDict(data, preserving_proto_field_name=True), indent=2))
    return 0


def parameter(argument: str) -> tuple[str, Any]:
    """Read NAME=VALUE, where VALUE is a JSON number or boolean, and text otherwise."""
    name, _, value = argument.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


if __name__ == "__main__":
    sys.exit(main())
