"""How inference.py is found, and which code it may be."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from clarifai_runtime.errors import ModelLoadError
from clarifai_runtime.model_types import MODEL_TYPES
from runtime.portable.exchanges import Opened, errors, image, images, multimodal, texts
from runtime.portable.repositories import BODIES, RUNTIME, write_repository

SEED_IMPORTS = [
    "from clarifai.models.model_serving.model_config import get_model_config, ModelTypes",
    "from clarifai.models.model_serving.model_config import *",
    "from clarifai.models.model_serving.model_config.config import get_model_config, ModelTypes",
    "from clarifai.models.model_serving.models.output import ClassifierOutput, TextOutput",
    "from clarifai.models.model_serving.models.model_types import visual_classifier",
    "from clarifai.models.model_serving.model_config.inference_parameter import InferParam",
    "from clarifai.models.model_serving.model_config.inference_parameter import InferParamManager",
    "from clarifai.models.model_serving.model_config import TextToText, VisualDetector",
    "from clarifai.models.model_serving.model_config.output import VisualDetectorOutput",
    "from clarifai.models.model_serving.constants import MAX_HW_DIM",
]

CLASS_STYLE = """
import numpy as np
from clarifai.models.model_serving.model_config import *


class InferenceModel({base}):
    def predict(self, input_data: list, inference_parameters: dict = {{}}) -> list:
        config = self.config
        return {body}
"""


OTHER_TYPE = """
from clarifai_runtime import get_model_config
config = get_model_config("text-to-image")
class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, **kwargs): ...
"""


def run(script, *path):
    """Run a script in a fresh Python with these folders first on the path."""
    lines = [f"import sys; sys.path[:0] = {[str(folder) for folder in path]!r}", script]
    command = [sys.executable, "-I", "-c", "\n".join(lines)]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.parametrize("statement", SEED_IMPORTS)
def test_imports_of_published_code_resolve_without_the_sdk(statement):
    """Everything that code written for 9.7 to 10.x imports is there."""
    done = run(
        f"from clarifai_runtime.compat import old_imports; old_imports.install()\n{statement}",
        RUNTIME.parent,
    )
    assert done.returncode == 0, done.stdout


def test_an_installed_sdk_keeps_what_it_has(tmp_path):
    """A real clarifai package stays importable; only what it lacks comes from the runtime."""
    package = tmp_path / "clarifai"
    package.mkdir()
    (package / "__init__.py").write_text("__version__ = '12.0'\n")
    (package / "client.py").write_text("REAL = True\n")
    script = """
        from clarifai_runtime.compat import old_imports
        old_imports.install()
        import clarifai, clarifai.client
        from clarifai.models.model_serving.model_config import get_model_config
        assert clarifai.__version__ == "12.0" and clarifai.client.REAL
        assert get_model_config.__module__ == "clarifai_runtime.config"
        try:
            import clarifai.nothing
        except ModuleNotFoundError:
            print("done")
    """
    done = run(textwrap.dedent(script), tmp_path, RUNTIME.parent)
    assert done.stdout.strip() == "done"


@pytest.mark.parametrize(
    ("base", "model_type"),
    [
        ("MultiModalEmbedder", "multimodal-embedder"),
        ("TextClassifier", "text-classifier"),
        ("TextEmbedder", "text-embedder"),
        ("TextToImage", "text-to-image"),
        ("TextToText", "text-to-text"),
        ("VisualClassifier", "visual-classifier"),
        ("VisualDetector", "visual-detector"),
        ("VisualEmbedder", "visual-embedder"),
        ("VisualSegmenter", "visual-segmenter"),
    ],
)
def test_the_class_form_of_10_x(tmp_path, base, model_type):
    """`class InferenceModel(TextToText)` with `predict` serves the type of its base class."""
    source = CLASS_STYLE.format(base=base, body=BODIES[model_type])
    opened = Opened(write_repository(tmp_path, model_type, source))
    if model_type == "multimodal-embedder":
        request = multimodal([image(2, 2)])
    elif MODEL_TYPES[model_type].has_image_input:
        request = images(image(2, 2, 2))
    else:
        request = texts("a")
    assert errors(opened.ask(request)) == [None]


def test_parameters_reach_the_class_form_as_a_dict(tmp_path):
    """10.x code reads them from `inference_parameters`."""
    source = CLASS_STYLE.format(base="TextToText", body='[TextOutput(inference_parameters["p"])]')
    declared = [{"name": "p", "type": "string", "default": "default"}]
    opened = Opened(write_repository(tmp_path, "text-to-text", source, params=declared))
    (answer,) = opened.ask(texts("a", params={"p": "sent"}))
    assert answer.tensors["text"].tolist() == [[b"sent"]]


def test_what_a_model_does_to_its_parameters_stays_with_that_call(tmp_path):
    """A dict of parameters is each call's own, though equal ones are read once."""
    body = '[TextOutput(inference_parameters.pop("p"))]'
    source = CLASS_STYLE.format(base="TextToText", body=body)
    declared = [{"name": "p", "type": "string", "default": "default"}]
    opened = Opened(write_repository(tmp_path, "text-to-text", source, params=declared))
    for _ in range(2):
        (answer,) = opened.ask(texts("a"))
        assert answer.tensors["text"].tolist() == [[b"default"]]


def test_boxes_in_pixels_become_outputs():
    """`VisualDetector.postprocess` of 10.x turns x, y pixels into the platform's boxes."""
    from clarifai_runtime import VisualDetector

    output = VisualDetector.postprocess(200, 100, [1], [0.5], [[20, 10, 400, 50]])
    assert output.predicted_bboxes.tolist() == [pytest.approx([0.1, 0.1, 0.5, 1.0])]
    assert VisualDetector.postprocess(200, 100, [], [], []).predicted_bboxes.shape == (0, 4)


def test_a_package_called_inference_does_not_win(tmp_path):
    """Fault 13: inference.py is loaded by its path, and its own modules come first."""
    site = tmp_path / "site"
    for name in ("inference", "helper"):
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").write_text("raise RuntimeError('the wrong one')")
    source = "import helper\n" + CLASS_STYLE.format(
        base="TextToText", body="[TextOutput(helper.WORD) for _ in input_data]"
    )
    folder = write_repository(tmp_path, "text-to-text", source)
    (folder / "helper.py").write_text("WORD = 'right'")
    script = f"""
        import inspect, pathlib
        from runtime.portable.exchanges import Opened, texts
        (answer,) = Opened(pathlib.Path({str(folder)!r})).ask(texts("a"))
        print(answer.tensors["text"].item().decode())
    """
    tests = Path(__file__).resolve().parents[2]
    done = run(textwrap.dedent(script), site, RUNTIME.parent, tests)
    assert done.stdout.strip() == "right"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1", "no class InferenceModel"),
        ("class InferenceModel: pass", "neither a method get_predictions nor predict"),
        (
            OTHER_TYPE,
            "text-to-image.*text-to-text",
        ),
        (
            "class InferenceModel:\n    def get_predictions(self, input_data): ...\n",
            "does not take the declared parameter temperature",
        ),
    ],
)
def test_what_can_not_serve_does_not_load(tmp_path, source, said):
    """A model that can't answer is refused when it loads, not at the first request."""
    declared = [{"name": "temperature", "type": "number", "default": 1.0}]
    with pytest.raises(ModelLoadError, match=said):
        Opened(write_repository(tmp_path, "text-to-text", source, params=declared))


def test_an_unknown_model_type_names_the_known_ones():
    """`get_model_config` says what there is."""
    from clarifai_runtime import get_model_config

    with pytest.raises(ValueError, match="text-to-text"):
        get_model_config("text-to-speech")


def test_configurations_are_not_shared():
    """Fault 10: what one model does to its configuration does not reach another's."""
    from clarifai_runtime import get_model_config

    get_model_config("visual-detector").triton.input.clear()
    get_model_config("visual-detector").field_maps.input_fields_map.clear()
    fresh = get_model_config("visual-detector")
    assert [tensor.dims for tensor in fresh.triton.input] == [(-1, -1, 3)]
    assert fresh.field_maps.input_fields_map == {"image": "image"}


@pytest.mark.parametrize("value", [99, True, None])
def test_field_types_are_the_platforms(value):
    """Fault 9: a field_type that does not exist is refused."""
    from clarifai_runtime.compat.inference_parameter import InferParam

    with pytest.raises((ValueError, TypeError)):
        InferParam("name", value)


def test_parameters_declared_in_python(tmp_path):
    """The SDK's manager declares by keyword, writes the JSON file and fills in defaults."""
    from clarifai_runtime.compat.inference_parameter import InferParamManager

    manager = InferParamManager.from_kwargs(a=1, b=True, c="x", _token="secret")
    assert [param.field_type for param in manager.params] == [3, 1, 2, 21]
    manager.export(tmp_path / "params.json")
    again = InferParamManager(json_path=tmp_path / "params.json")
    assert again.validate(a=2.5) == {"a": 2.5, "b": True, "c": "x", "_token": "secret"}
    with pytest.raises(ValueError, match="unknown"):
        again.validate(d=1)


def test_a_repository_without_settings_is_served_as_it_is(tmp_path):
    """A repository of clarifai 9.x has no serving.json: its code says which type it is."""
    folder = write_repository(tmp_path, "visual-classifier")
    (folder / "serving.json").unlink()
    opened = Opened(folder)
    assert opened.server.encoder._limits.labels == 2
    assert errors(opened.ask(images(image(2, 2)))) == [None]
