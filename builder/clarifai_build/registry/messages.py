"""What is asked for and what is there, as the platform's messages, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2
from google.protobuf.struct_pb2 import Struct, Value

from clarifai_build.manifest.types import FIELD_TYPES, Param, ParamType, Visibility
from clarifai_build.registry import NewModel, NewVersion, RemoteModel, RemoteVersion
from clarifai_build.registry.declarations import declaration_of
from clarifai_build.registry.version_metadata import METADATA_KEY, VersionMetadata

MANAGED = "Managed by clarifai-build; change clarifai.yaml instead."
"""In the model's notes: marks it as managed while it has no version yet."""

# Visibility.Gettable in the public protos.
_VISIBILITY: dict[Visibility, int] = {"private": 10, "org": 30, "public": 50}


def new_model_message(new: NewModel) -> resources_pb2.Model:
    return resources_pb2.Model(
        id=new.id,
        model_type_id=new.type,
        description=new.description,
        notes=MANAGED,
        visibility=resources_pb2.Visibility(gettable=gettable_of(new.visibility)),
    )


def new_version_message(new: NewVersion) -> resources_pb2.ModelVersion:
    return resources_pb2.ModelVersion(
        pretrained_model_config=resources_pb2.PretrainedModelConfig(
            model_zip_url=new.zip_url,
            input_fields_map=struct_of(new.input_fields_map),
            output_fields_map=struct_of(new.output_fields_map),
        ),
        output_info=resources_pb2.OutputInfo(
            params_specs=[params_spec(param) for param in new.params]
        ),
        description=new.description,
        metadata=struct_of({METADATA_KEY: new.metadata.to_struct()}),
        visibility=resources_pb2.Visibility(gettable=gettable_of(new.visibility)),
    )


def params_spec(param: Param) -> resources_pb2.ModelTypeField:
    """Return the platform's form of a parameter; one without a default sends none."""
    return resources_pb2.ModelTypeField(
        path=param.name,
        field_type=_field_type(param.type),
        default_value=None if param.default is None else _value(param.default),
        description=param.description,
        required=param.required,
    )


def model_of(message: resources_pb2.Model) -> RemoteModel:
    return RemoteModel(
        id=message.id,
        type=message.model_type_id,
        description=message.description,
        visibility=visibility_of(message.visibility.gettable),
        managed=message.notes == MANAGED,
        newest=message.model_version.id,
    )


def version_of(message: resources_pb2.ModelVersion) -> RemoteVersion:
    config = message.pretrained_model_config
    return RemoteVersion(
        id=message.id,
        status_code=message.status.code,
        status=message.status.description,
        details=message.status.details,
        request_id=message.status.req_id,
        description=message.description,
        zip_url=config.model_zip_url,
        visibility=visibility_of(message.visibility.gettable),
        created_at=message.created_at.seconds + message.created_at.nanos / 1e9,
        metadata=VersionMetadata.from_struct(_dict(message.metadata).get(METADATA_KEY)),
        input_fields_map=_dict(config.input_fields_map),
        output_fields_map=_dict(config.output_fields_map),
        params=tuple(map(_param, message.output_info.params_specs)),
        declaration=declaration_of(message),
    )


def _param(spec: resources_pb2.ModelTypeField) -> Param:
    """Read a parameter back from the platform's form."""
    kinds = {number: kind for kind, number in FIELD_TYPES.items()}
    default = _plain(spec.default_value) if spec.HasField("default_value") else None
    return Param(spec.path, kinds.get(spec.field_type, "string"), default, spec.description)


def visibility_of(gettable: int) -> Visibility:
    return next((name for name, number in _VISIBILITY.items() if number == gettable), "private")


def gettable_of(visibility: Visibility) -> Any:
    return _VISIBILITY[visibility]


def _field_type(kind: ParamType) -> Any:
    return FIELD_TYPES[kind]


def struct_of(value: Mapping[str, Any]) -> Struct:
    struct = Struct()
    struct.update(value)
    return struct


def _dict(struct: Struct) -> dict[str, Any]:
    return {name: _plain(value) for name, value in struct.fields.items()}


def _plain(value: Value) -> Any:
    """Return a value as JSON has it; null for NaN and the infinities, which JSON can't say.

    json_format raises on those, and one such version would hide all others of its model.
    """
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _dict(value.struct_value)
    if kind == "list_value":
        return [_plain(one) for one in value.list_value.values]
    if kind is None or kind == "null_value":
        return None
    if kind == "number_value" and not math.isfinite(value.number_value):
        return None
    return getattr(value, kind)


def _value(default: bool | float | str) -> Value:
    # Before the numbers: a bool is an int, too.
    if isinstance(default, bool):
        return Value(bool_value=default)
    if isinstance(default, str):
        return Value(string_value=default)
    return Value(number_value=default)
