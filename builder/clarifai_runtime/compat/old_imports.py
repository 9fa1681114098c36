"""`clarifai.models.model_serving`, as files written for clarifai 9.7 to 10.x import it.

The finder stands last in `sys.meta_path`: what an installed SDK has is the SDK's, and only what it
lacks (all of it, where none is installed) is answered from this runtime.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any, Callable, Dict, Mapping, Optional, Sequence

from .. import config, outputs
from ..model_types import MODEL_TYPES
from . import base, inference_parameter

PACKAGE = "clarifai.models.model_serving"

Contents = Callable[[], Mapping[str, Any]]


def _config_names() -> Dict[str, Any]:
    names = ("get_model_config", "MODEL_TYPES", "ModelTypes")
    return {name: getattr(config, name) for name in names}


def _base_names() -> Dict[str, Any]:
    return {cls.__name__: cls for cls in base.BASE_CLASSES}


def _parameter_names() -> Dict[str, Any]:
    names = ("InferParam", "InferParamManager", "InferParamType")
    return {name: getattr(inference_parameter, name) for name in names}


def _all_names() -> Dict[str, Any]:
    return {
        **_config_names(),
        **_base_names(),
        **_parameter_names(),
        **outputs.OUTPUT_CLASSES,
    }


def _decorators() -> Dict[str, Any]:
    return {name.replace("-", "_"): config.wrapper_of(name) for name in MODEL_TYPES}


def _constants() -> Dict[str, Any]:
    return {"MAX_HW_DIM": 1024, "IMAGE_TENSOR_NAME": "image", "TEXT_TENSOR_NAME": "text"}


_MODULES: Mapping[str, Contents] = {
    "clarifai": dict,
    "clarifai.models": dict,
    PACKAGE: dict,
    f"{PACKAGE}.constants": _constants,
    f"{PACKAGE}.model_config": _all_names,
    f"{PACKAGE}.model_config.base": _base_names,
    f"{PACKAGE}.model_config.config": _config_names,
    f"{PACKAGE}.model_config.inference_parameter": _parameter_names,
    f"{PACKAGE}.model_config.output": lambda: outputs.OUTPUT_CLASSES,
    f"{PACKAGE}.models": dict,
    f"{PACKAGE}.models.model_types": _decorators,
    f"{PACKAGE}.models.output": lambda: outputs.OUTPUT_CLASSES,
}


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and fills the modules of `_MODULES`."""

    def find_spec(
        self,
        fullname: str,
        _path: Optional[Sequence[str]] = None,
        _target: Optional[ModuleType] = None,
    ) -> Optional[importlib.machinery.ModuleSpec]:
        """Answer for the modules of the old SDK."""
        if fullname not in _MODULES:
            return None
        is_package = any(name.startswith(f"{fullname}.") for name in _MODULES)
        return importlib.machinery.ModuleSpec(fullname, self, is_package=is_package)

    def exec_module(self, module: ModuleType) -> None:
        """Fill a module with the runtime's own objects."""
        contents = _MODULES[module.__name__]()
        module.__dict__.update(contents, __all__=list(contents))


def install() -> None:
    """Make the old imports work in this process."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
