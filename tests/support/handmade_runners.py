"""Small folders of runner models, written by hand as the official documentation has them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

MODEL = """
import os
import time
from typing import Iterator

from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_utils import Param
from clarifai_grpc.grpc.api import service_pb2
from clarifai_grpc.grpc.api.status import status_code_pb2


class Reverser(ModelClass):
    def load_model(self):
        self.greeting = "loaded"

    def answer(self, text, loud):
        if text == "die":
            os._exit(3)
        if text == "environment":
            return repr(sorted(os.environ))
        if text == "sleep":
            time.sleep(600)
        if text == "raise":
            raise ValueError("no such word")
        return text[::-1].upper() if loud else text[::-1]

    @ModelClass.method
    def predict(self, text: str, loud: bool = Param(default=False)) -> str:
        return self.answer(text, loud if isinstance(loud, bool) else loud.default)

    @ModelClass.method
    def generate(self, text: str) -> Iterator[str]:
        for letter in text:
            if letter == "!":
                raise ValueError("no such letter")
            yield letter

    def PostModelOutputs(self, request):
        answer = service_pb2.MultiOutputResponse()
        loud = dict(request.model.model_version.output_info.params).get("loud", False)
        for given in request.inputs:
            output = answer.outputs.add()
            output.status.code = status_code_pb2.SUCCESS
            output.data.text.raw = self.answer(given.data.text.raw, loud)
        answer.status.code = status_code_pb2.SUCCESS
        return answer
"""

CONFIG = """
model: {id: MODEL_ID, user_id: sandbox-user, app_id: sandbox-app, model_type_id: text-to-text}
build_info: {python_version: "3.11"}
inference_compute_info: {cpu_limit: "1", cpu_memory: 1Gi, num_accelerators: 0}
num_threads: 3
"""


def runner_files(model_id: str, **changed: str) -> dict[str, str]:
    """Return the files of a runner model by their path; `changed` has other text for some of them.

    They are named by their beginning: `config`, `requirements`, `model`.
    """
    files = {
        "config.yaml": CONFIG.replace("MODEL_ID", model_id),
        "requirements.txt": "clarifai==12.5.0\n",
        "1/model.py": MODEL,
    }
    for path in files:
        if (name := Path(path).stem) in changed:
            files[path] = changed[name]
    return files


def write_runner_folder(folder: Path, files: Mapping[str, str]) -> Path:
    """Write the files into a folder."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def tarred(files: Mapping[str, str]) -> bytes:
    """Return a tar.gz of these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, text in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()
