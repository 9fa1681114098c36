"""The user's inference.py → a function from items and parameters to predictions."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

from .compat import old_imports
from .compat.base import ClarifaiModel
from .config import MARK
from .errors import ModelLoadError
from .parameters import Param, Value

Predict = Callable[[List[Any], Dict[str, Value]], Any]

CLASS_NAME = "InferenceModel"


class UserModel(NamedTuple):
    """A loaded model.

    `model_type` is what its code says it serves, if it says so. `mixed_sizes` says that one call
    may have images of different sizes.
    """

    predict: Predict
    model_type: Optional[str]
    mixed_sizes: bool


def load_model(version_folder: Path, params: Optional[Sequence[Param]] = None) -> UserModel:
    """Load inference.py from a version folder and make its InferenceModel."""
    old_imports.install()
    module = load_module(version_folder / "inference.py")
    model_class = getattr(module, CLASS_NAME, None)
    if not isinstance(model_class, type):
        raise ModelLoadError(f"inference.py defines no class {CLASS_NAME}")
    model = model_class()
    if hasattr(model_class, "get_predictions"):
        return _seed_style(model, params)
    if hasattr(model_class, "predict"):
        return _class_style(model)
    raise ModelLoadError(
        f"{CLASS_NAME} in inference.py has neither a method get_predictions nor predict"
    )


def one_by_one(predict: Predict) -> Predict:
    """Call a model that takes one item and returns one output, as clarifai 9.7 to 9.10 did."""

    def predict_each(items: List[Any], values: Dict[str, Value]) -> List[Any]:
        return [predict(item, values) for item in items]

    return predict_each


def load_module(path: Path) -> ModuleType:
    """Import a file by its path, under a name that nothing else can have.

    Its folder comes first on sys.path, so that the modules beside it win over installed ones.
    """
    if not path.is_file():
        raise ModelLoadError(f"there is no {path.name} in {path.parent}")
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = f"{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelLoadError(f"{path.name} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _seed_style(model: Any, params: Optional[Sequence[Param]]) -> UserModel:
    # A real SDK's decorator wraps the function to build Triton's response itself: look beneath it.
    function = inspect.unwrap(type(model).get_predictions)
    _check_signature(function, params or ())

    def predict(items: List[Any], values: Dict[str, Value]) -> Any:
        return function(model, items, **values)

    return UserModel(predict, getattr(function, MARK, None), _mixes_sizes(model))


def _class_style(model: Any) -> UserModel:
    method = model.predict

    def predict(items: List[Any], values: Dict[str, Value]) -> Any:
        return method(items, dict(values))

    model_type = model.model_type if isinstance(model, ClarifaiModel) else None
    return UserModel(predict, model_type, _mixes_sizes(model))


def _mixes_sizes(model: Any) -> bool:
    return bool(getattr(model, "mixed_sizes", False))


def _check_signature(function: Callable[..., Any], params: Sequence[Param]) -> None:
    """Find out at load time, not at the first request, that a parameter can't be passed."""
    accepted = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted):
        return
    names = {parameter.name for parameter in accepted}
    refused = [param.name for param in params if param.name not in names]
    if refused:
        raise ModelLoadError(
            f"get_predictions does not take the declared parameter {', '.join(refused)}; "
            "add it, or **kwargs"
        )
