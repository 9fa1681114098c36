"""What a posted version must hold before anything is fetched."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from clarifai_grpc.grpc.api import resources_pb2

from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.sandbox.api.errors import invalid

# From Clarifai's API, not from the tool's table: the sandbox stands in for the platform.
_FieldType = resources_pb2.ModelTypeField.ModelTypeFieldType
_VALUES = {
    _FieldType.BOOLEAN: "bool_value",
    _FieldType.STRING: "string_value",
    _FieldType.NUMBER: "number_value",
    _FieldType.ENCRYPTED_STRING: "string_value",
}


def check_version(
    model: resources_pb2.Model, version: resources_pb2.ModelVersion, by_url: bool
) -> None:
    """Refuse a version that can't become one of this model."""
    config = version.pretrained_model_config
    if by_url:
        _check_url(config.model_zip_url)
    model_type = MODEL_TYPES.get(model.model_type_id)
    if model_type is None:
        raise invalid(f"a {model.model_type_id} is a runner model, and has no zip")
    _check_map("input_fields_map", config.input_fields_map, model_type.input_fields_map)
    _check_map("output_fields_map", config.output_fields_map, model_type.output_fields_map)
    _check_params(version.output_info.params_specs)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise invalid(f"model_zip_url '{url}' is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid(f"model_zip_url '{url}' is not an http or https URL")
    # The platform fetches without credentials; the sandbox must not be more lenient.
    if parts.username or parts.password:
        raise invalid("model_zip_url holds credentials; it must be readable without any")


def _check_map(name: str, given: Any, known: Any) -> None:
    if set(given.keys()) != set(known):
        wanted = ", ".join(f"'{key}'" for key in known)
        got = ", ".join(f"'{key}'" for key in given) or "nothing"
        raise invalid(f"{name} of this model type has {wanted}; got {got}")
    for key, value in given.items():
        if not isinstance(value, str) or not value:
            raise invalid(f"{name}: the value of '{key}' must be the name of a tensor")


def _check_params(specs: Any) -> None:
    seen: set[str] = set()
    for spec in specs:
        if not spec.path.isidentifier() or spec.path in seen:
            raise invalid(f"params_specs: '{spec.path}' is not an identifier or comes twice")
        seen.add(spec.path)
        if spec.field_type not in _VALUES:
            raise invalid(f"params_specs: '{spec.path}' has field_type {spec.field_type}")
        kind = spec.default_value.WhichOneof("kind")
        if kind not in (None, "null_value", _VALUES[spec.field_type]):
            raise invalid(f"params_specs: the default of '{spec.path}' does not fit its type")
