"""Folders of runner models, as the builder renders them, made of the runtime and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runtime.portable.repositories import labels_of, write_repository

SIGNATURES: Mapping[str, Sequence[str]] = {
    "visual-detector": ("image: Image", "List[Region]"),
    "visual-classifier": ("image: Image", "List[Concept]"),
    "text-classifier": ("text: str", "List[Concept]"),
    "text-to-text": ("text: str", "str"),
    "text-embedder": ("text: str", "np.ndarray"),
    "text-to-image": ("text: str", "Image"),
    "visual-embedder": ("image: Image", "np.ndarray"),
    "visual-segmenter": ("image: Image", "List[Region]"),
    "multimodal-embedder": ('image: Image = None, text: str = ""', "np.ndarray"),
}
"""What a method of each type takes, and what it returns."""

ANNOTATIONS = {"number": "float", "string": "str", "boolean": "bool"}

MODEL = '''"""What Clarifai's runner loads. All of it is in clarifai_runtime, beside this file."""

import os
import sys
from typing import Iterator, List

from clarifai.runners.models.model_class import ModelClass
from clarifai.runners.utils.data_types import Concept, Image, Region
from clarifai.runners.utils.data_utils import Param

# At upload, an imported numpy is a mock, which no method can be annotated with.
from clarifai.runners.utils.serializers import np

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)


class RunnerModel(ModelClass):
    def load_model(self):
        from clarifai_runtime.runner import open_runner

        self.runner = open_runner(FOLDER)

    @ModelClass.method
    def predict(self, {taken}) -> {returned}:
        return self.runner.predict({{{inputs}}}, {{{params}}})
{generate}
    def PostModelOutputs(self, request):
        return self.runner.post_model_outputs(request)

    def predict_wrapper(self, request):
        return self.runner.without_traceback(super().predict_wrapper(request))

    def generate_wrapper(self, request):
        return map(self.runner.without_traceback, super().generate_wrapper(request))
'''

GENERATE = """
    @ModelClass.method
    def generate(self, {taken}) -> Iterator[str]:
        yield from self.runner.generate({{{inputs}}}, {{{params}}})
"""

CONFIG = """model: {{id: model, user_id: someone, app_id: main, model_type_id: {model_type}}}
build_info: {{python_version: "3.11"}}
inference_compute_info: {{cpu_limit: "1", cpu_memory: 1Gi, num_accelerators: 0}}
"""


def model_code(
    model_type: str, params: Sequence[Mapping[str, Any]] = (), streaming: bool = False
) -> str:
    """Return a model.py."""
    taken, returned = SIGNATURES[model_type]
    names = [part.partition(":")[0] for part in taken.split(", ")]
    typed = [param for param in params if param["type"] != "secret"]
    words = {
        "taken": ", ".join([taken, *map(_declaration, typed)]),
        "returned": returned,
        "inputs": ", ".join(f'"{name}": {name}' for name in names),
        "params": ", ".join(f'"{param["name"]}": {param["name"]}' for param in typed),
    }
    return MODEL.format(**words, generate=GENERATE.format(**words) if streaming else "")


def _declaration(param: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in param.items() if key not in ("name", "type")}
    inner = ", ".join(f"{key}={value!r}" for key, value in {"default": None, **rest}.items())
    return f"{param['name']}: {ANNOTATIONS[param['type']]} = Param({inner})"


def write_runner(parent: Path, model_type: str, source: str | None = None, **settings: Any) -> Path:
    """Write the folder of a runner model into `parent`, and return it."""
    version_folder = write_repository(parent, model_type, source, vendor=True, **settings)
    folder = version_folder.parent
    (folder / "config.pbtxt").unlink()
    code = model_code(model_type, settings.get("params", ()), settings.get("streaming", False))
    (version_folder / "model.py").write_text(code, encoding="utf-8")
    config = CONFIG.format(model_type=model_type)
    labels = labels_of(model_type)
    if labels:
        config += "concepts:\n" + "".join(f"- {{id: {one}, name: {one}}}\n" for one in labels)
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    (folder / "requirements.txt").write_text("clarifai==12.5.0\n", encoding="utf-8")
    return folder
