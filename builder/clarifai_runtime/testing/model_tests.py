"""The predefined tests of a model, run by pytest from 1/test.py on the path that serves."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Protocol,
    Sequence,
    Tuple,
)

import numpy as np

from ..config import find_model_type
from ..errors import RequestError
from ..model_types import ModelType, Tensor
from ..outputs import OUTPUT_CLASSES
from ..parameters import Value
from ..settings import Settings, read_settings
from .asking import ADDRESS_VARIABLE, LocalModel, RemoteModel, Reply, Tensors
from .parameters import check_complete, from_environment
from .pbtxt import parse_config

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

TEXTS = ("Photo of a cat", "A cat is playing around", "Grüße, 你好")
WRONG_VALUES: Mapping[str, Value] = {"boolean": "yes", "string": 1, "secret": 1, "number": "0.5"}


class Model(Protocol):
    """A model that the tests ask."""

    checks_names: bool
    """Whether a parameter that is not declared is refused, and not left out."""

    def ask(self, requests: Sequence[Tensors], parameters: Mapping[str, Value]) -> List[Reply]:
        """Answer requests that reach the model together."""

    def stream(self, tensors: Tensors, parameters: Mapping[str, Value]) -> List[Reply]:
        """Return every response of a streaming model to one request."""

    def call_method(self, tensors: Tensors, parameters: Mapping[str, Value]) -> None:
        """Call the typed method of a runner model, where there is one."""


class Repository(NamedTuple):
    """A model repository on disk, its model loaded."""

    model_type: ModelType
    settings: Settings
    config: Mapping[str, Any]
    model: Model
    folder: Path


@functools.lru_cache(maxsize=None)
def open_repository(folder: str) -> Repository:
    """Load the model of a version folder; once, however many tests ask."""
    version_folder = Path(folder)
    _leave_other_repositories(version_folder)
    settings = read_settings(version_folder)
    if settings.model_type is None:
        raise ValueError("1/serving.json is missing: it says which model type this is")
    model_type = find_model_type(settings.model_type)
    pbtxt = version_folder.parent / "config.pbtxt"
    config: Mapping[str, Any]
    model: Model
    if pbtxt.is_file():
        config = parse_config(pbtxt.read_text(encoding="utf-8"))
        model = _model_for_triton(version_folder, config)
    else:
        config, model = _model_of_runner(version_folder, model_type, settings)
    return Repository(model_type, settings, config, model, version_folder)


def _model_for_triton(version_folder: Path, config: Mapping[str, Any]) -> Model:
    address = os.environ.get(ADDRESS_VARIABLE)
    return RemoteModel(address, config["name"]) if address else LocalModel(version_folder, config)


def _model_of_runner(
    version_folder: Path, model_type: ModelType, settings: Settings
) -> Tuple[Mapping[str, Any], Model]:
    from .runner import asking

    config = asking.config_of(model_type, settings)
    port = os.environ.get(asking.ADDRESS_VARIABLE)
    if port:
        return config, asking.RemoteRunner(port, model_type, settings)
    return config, asking.LocalRunner(version_folder, config)


def _leave_other_repositories(folder: Path) -> None:
    """Forget modules of other models, whose names this one's own modules may have, too."""
    others = [
        path
        for path in sys.path
        if Path(path) != folder and (Path(path) / "inference.py").is_file()
    ]
    for path in others:
        sys.path.remove(path)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        inside = any(file.startswith(path + os.sep) for path in others)
        if inside and name.partition(".")[0] != __name__.partition(".")[0]:
            del sys.modules[name]


class ModelTests:
    """The tests. A subclass says which `folder` (1/), and `parameters` to send throughout."""

    folder: ClassVar[str] = ""
    parameters: ClassVar[Dict[str, Value]] = {}

    @property
    def repository(self) -> Repository:
        """The repository under test."""
        return open_repository(self.folder)

    def _values(self, **parameters: Value) -> Dict[str, Value]:
        """Return what to send: `parameters`, the environment's, the class's, in this order."""
        declared = self.repository.settings.params or ()
        values = {**self.parameters, **from_environment(declared, os.environ), **parameters}
        check_complete(declared, list(values))
        return values

    def predict(self, inputs: Sequence[Any], **parameters: Value) -> List[Any]:
        """Answer inputs that reach Triton as one request each, and return one output each.

        An input is an image array, a text or, for multimodal models, a dict of both.
        """
        repository = self.repository
        values = self._values(**parameters)
        if repository.settings.streaming:
            return [_streamed(repository, item, values) for item in inputs]
        requests = [_tensors([item]) for item in inputs]
        replies = repository.model.ask(requests, values)
        return [output for reply in replies for output in _outputs(repository, reply)]

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Let every repository of a run have a test.py: pytest refuses a module name used twice."""
        name = metafunc.module.__name__
        if sys.modules.get(name) is metafunc.module:
            del sys.modules[name]

    def test_configuration(self) -> None:
        """config.pbtxt, where there is one, has the inputs and outputs of the model type."""
        repository = self.repository
        for kind, tensors in (
            ("input", repository.model_type.inputs),
            ("output", repository.model_type.outputs),
        ):
            declared = {entry["name"]: entry for entry in repository.config[kind]}
            names = [tensor.name for tensor in tensors]
            assert sorted(declared) == sorted(names), f"{kind}s of config.pbtxt must be {names}"
            for tensor in tensors:
                _check_declaration(tensor, declared[tensor.name])

    def test_labels(self) -> None:
        """labels.txt has a label on every line, each once."""
        if not self.repository.model_type.has_labels:
            return
        text = (self.repository.folder.parent / "labels.txt").read_text(encoding="utf-8")
        labels = text.splitlines()
        assert labels, "labels.txt is empty"
        assert all(label.strip() for label in labels), "labels.txt has a blank line"
        assert len(set(labels)) == len(labels), "labels.txt has a label twice"

    def test_one_by_one(self) -> None:
        """Every predefined input is answered by itself, by each of the ways to ask."""
        for item in _inputs(self.repository):
            assert len(self.predict([item])) == 1
            self.repository.model.call_method(_tensors([item]), self._values())

    def test_together(self) -> None:
        """Predefined inputs, of different sizes where that is open, are answered together."""
        items = _inputs(self.repository)
        assert len(self.predict(items)) == len(items)

    def test_rows_of_one_request(self) -> None:
        """A request of several rows is answered with as many."""
        limit = int(self.repository.config["max_batch_size"])
        items = _alike(_inputs(self.repository))[:limit]
        if self.repository.settings.streaming or len(items) < 2:
            return
        (reply,) = self.repository.model.ask([_tensors(items)], self._values())
        assert len(_outputs(self.repository, reply)) == len(items)

    def test_parameters(self) -> None:
        """What is not declared, or has another type than declared, is refused."""
        declared = self.repository.settings.params or ()
        if self.repository.model.checks_names:
            assert self._refused("a_name_nobody_declared", 1), "an unknown parameter is accepted"
        for param in declared:
            wrong = WRONG_VALUES[param.type]
            assert self._refused(param.name, wrong), f"{param.name} takes {wrong!r}"

    def _refused(self, name: str, value: Value) -> bool:
        try:
            self.predict(_inputs(self.repository)[:1], **{name: value})
        except RequestError as error:
            return name in str(error)
        return False


def _check_declaration(tensor: Tensor, entry: Mapping[str, Any]) -> None:
    where = f"{tensor.name} in config.pbtxt"
    assert entry["data_type"] == f"TYPE_{tensor.dtype}", f"{where} must be {tensor.dtype}"
    dims = entry["dims"]
    fits = len(dims) == len(tensor.dims) and all(
        wanted in (-1, got) for got, wanted in zip(dims, tensor.dims)
    )
    assert fits, f"the dims of {where} are {dims}, but must fit {list(tensor.dims)}"


def _inputs(repository: Repository) -> List[Any]:
    names = [tensor.name for tensor in repository.model_type.inputs]
    if names == ["text"]:
        return list(TEXTS)
    images = _images(repository.config)
    if names == ["image"]:
        return images
    return [{"image": image, "text": None} for image in images] + [
        {"image": None, "text": text} for text in TEXTS
    ]


def _images(config: Mapping[str, Any]) -> List[Array]:
    """Make a black, a white and a noisy image; the noise has another size where it is open."""
    (dims,) = [entry["dims"] for entry in config["input"] if entry["name"] == "image"]
    height, width = (100 if dim == -1 else dim for dim in dims[:2])
    other = (64 if dims[0] == -1 else height, 96 if dims[1] == -1 else width)
    noise = np.random.RandomState(0).randint(0, 256, (*other, 3))
    return [
        np.zeros((height, width, 3), np.uint8),
        np.full((height, width, 3), 255, np.uint8),
        noise.astype(np.uint8),
    ]


def _alike(items: Sequence[Any]) -> List[Any]:
    """Return the inputs that one request can carry with the first one."""
    first = _tensors(items[:1])
    shapes = {name: array.shape for name, array in first.items()}
    return [
        item
        for item in items
        if {name: array.shape for name, array in _tensors([item]).items()} == shapes
    ]


def _tensors(items: Sequence[Any]) -> Tensors:
    """Make the input tensors of one request."""
    first = items[0]
    if isinstance(first, dict):
        given = [name for name in ("image", "text") if first.get(name) is not None]
        return {name: _tensor([item[name] for item in items]) for name in given}
    return {"text" if isinstance(first, str) else "image": _tensor(items)}


def _tensor(values: Sequence[Any]) -> Array:
    if isinstance(values[0], str):
        return np.array([[value.encode()] for value in values], dtype=object)
    return np.stack(values).astype(np.uint8, copy=False)


def _outputs(repository: Repository, reply: Any) -> List[Any]:
    if isinstance(reply, RequestError):
        raise reply
    make = OUTPUT_CLASSES[repository.model_type.output_class]
    arrays = [reply[tensor.name] for tensor in repository.model_type.outputs]
    if arrays[0].dtype == np.object_:
        return [make(row[0].decode()) for row in arrays[0]]
    return [make(*row) for row in zip(*arrays)]


def _streamed(repository: Repository, item: Any, parameters: Mapping[str, Value]) -> Any:
    """Put the pieces of a streamed text together."""
    replies = repository.model.stream(_tensors([item]), parameters)
    pieces = [output.predicted_text for reply in replies for output in _outputs(repository, reply)]
    return OUTPUT_CLASSES[repository.model_type.output_class]("".join(pieces))
