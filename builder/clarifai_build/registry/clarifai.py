"""`ModelRegistry` over clarifai-grpc."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from google.protobuf.struct_pb2 import Struct, Value

from clarifai_build.errors import RegistryError
from clarifai_build.manifest.types import FIELD_TYPES, Clarifai, Param, ParamType, Visibility
from clarifai_build.registry import (
    NewModel,
    NewVersion,
    NoAnswerError,
    PredictionInput,
    RemoteModel,
    RemoteVersion,
)
from clarifai_build.registry.account import Account
from clarifai_build.registry.channel import Channel
from clarifai_build.registry.status_codes import MODEL_DOES_NOT_EXIST
from clarifai_build.registry.version_metadata import METADATA_KEY, VersionMetadata

MANAGED = "Managed by clarifai-build; change clarifai.yaml instead."
"""In the model's notes: marks it as managed while it has no version yet."""

# The API's default; it sends at most 1000.
PAGE = 128
# Visibility.Gettable in the public protos.
_VISIBILITY: dict[Visibility, int] = {"private": 10, "org": 30, "public": 50}
_GONE = (MODEL_DOES_NOT_EXIST,)


def open_registry(clarifai: Clarifai, environ: Mapping[str, str]) -> ClarifaiRegistry:
    """Connect to the platform that the manifest and the environment name."""
    return ClarifaiRegistry(Channel(Account.resolve(clarifai, environ)))


class ClarifaiRegistry:
    """The models of one app."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._app = channel.user_app_id

    @property
    def scope(self) -> str:
        return f"{self._channel.account.user_id}/{self._channel.account.app_id}"

    def model(self, model_id: str) -> RemoteModel | None:
        answer = self._channel.call(
            "GetModel",
            service_pb2.GetModelRequest(user_app_id=self._app, model_id=model_id),
            allowed=_GONE,
        )
        return _model(answer.model) if answer.model.id else None

    def create_model(self, new: NewModel) -> RemoteModel:
        try:
            answer = self._channel.call(
                "PostModels",
                service_pb2.PostModelsRequest(user_app_id=self._app, models=[_new_model(new)]),
            )
        except RegistryError:
            # A duplicate is a race with another apply, whose model is as good as this one.
            existing = self.model(new.id)
            if existing is None:
                raise
            return existing
        return _model(answer.model)

    def update_model(self, new: NewModel) -> None:
        self._channel.call(
            "PatchModels",
            service_pb2.PatchModelsRequest(
                user_app_id=self._app, models=[_new_model(new)], action="merge"
            ),
        )

    def models(self) -> tuple[RemoteModel, ...]:
        def page(number: int) -> Sequence[Any]:
            request = service_pb2.ListModelsRequest(
                user_app_id=self._app, page=number, per_page=PAGE
            )
            return self._channel.call("ListModels", request).models  # type: ignore[no-any-return]  # untyped stubs

        return tuple(_model(model) for model in _all_pages(page).values())

    def delete_model(self, model_id: str) -> None:
        self._channel.call(
            "DeleteModel",
            service_pb2.DeleteModelRequest(user_app_id=self._app, model_id=model_id),
            allowed=_GONE,
        )

    def versions(self, model_id: str) -> tuple[RemoteVersion, ...]:
        def page(number: int) -> Sequence[Any]:
            request = service_pb2.ListModelVersionsRequest(
                user_app_id=self._app, model_id=model_id, page=number, per_page=PAGE
            )
            answer = self._channel.call("ListModelVersions", request, allowed=_GONE)
            return answer.model_versions  # type: ignore[no-any-return]  # untyped stubs

        found = [_version(version) for version in _all_pages(page).values()]
        # The API promises no order; ids make it the same for every process.
        return tuple(sorted(found, key=_age, reverse=True))

    def version(self, model_id: str, version_id: str) -> RemoteVersion | None:
        answer = self._channel.call(
            "GetModelVersion",
            service_pb2.GetModelVersionRequest(
                user_app_id=self._app, model_id=model_id, version_id=version_id
            ),
            allowed=_GONE,
        )
        return _version(answer.model_version) if answer.model_version.id else None

    def create_version(self, model_id: str, new: NewVersion) -> RemoteVersion:
        answer = self._channel.call(
            "PostModelVersions",
            service_pb2.PostModelVersionsRequest(
                user_app_id=self._app, model_id=model_id, model_versions=[_new_version(new)]
            ),
            repeatable=False,
        )
        version = answer.model.model_version
        if not version.id:
            raise NoAnswerError.of(
                "version-without-id",
                f"the platform took a version of '{model_id}' but named no id "
                f"(request {answer.status.req_id or 'unknown'})",
                hint="apply again: what it made is found by its metadata",
            )
        return _version(version)

    def update_version(
        self, model_id: str, version_id: str, new: NewModel, metadata: VersionMetadata
    ) -> None:
        version = resources_pb2.ModelVersion(
            id=version_id,
            description=new.description,
            metadata=_struct({METADATA_KEY: metadata.to_struct()}),
            visibility=resources_pb2.Visibility(gettable=_gettable(new.visibility)),
        )
        self._channel.call(
            "PatchModelVersions",
            service_pb2.PatchModelVersionsRequest(
                user_app_id=self._app,
                model_id=model_id,
                model_versions=[version],
                action="merge",
            ),
        )

    def delete_version(self, model_id: str, version_id: str) -> None:
        self._channel.call(
            "DeleteModelVersion",
            service_pb2.DeleteModelVersionRequest(
                user_app_id=self._app, model_id=model_id, version_id=version_id
            ),
            allowed=_GONE,
        )

    def ask(
        self,
        model_id: str,
        version_id: str,
        inputs: Sequence[PredictionInput],
        params: Mapping[str, bool | float | str],
        timeout: float,
    ) -> None:
        # Only an apply that has made a version asks it.
        from clarifai_build.registry import predictions

        predictions.ask(self._channel, model_id, version_id, inputs, params, timeout)


def _all_pages(page: Callable[[int], Sequence[Any]]) -> dict[str, Any]:
    """Read pages from 1 until one is not full; what two pages repeat counts once, by its id.

    After an empty page that follows a full one, the next is read: the list may have a gap there.
    """
    found: dict[str, Any] = {}
    number, empty = 1, 0
    while True:
        items = page(number)
        if len(items) >= PAGE and all(item.id in found for item in items):
            raise RegistryError.of(
                "pages-repeat",
                f"page {number} of a list from the platform only repeats the pages before it",
                hint="try again later; whatever answers at api_base may not know pages",
            )
        found |= {item.id: item for item in items}
        empty = 0 if items else empty + 1
        # An empty first page is the end; a later one is it if the next is empty, too.
        if 0 < len(items) < PAGE or empty == min(number, 2):
            return found
        number += 1


def _age(version: RemoteVersion) -> tuple[float, str]:
    return (version.created_at, version.id)


def _new_model(new: NewModel) -> resources_pb2.Model:
    return resources_pb2.Model(
        id=new.id,
        model_type_id=new.type,
        description=new.description,
        notes=MANAGED,
        visibility=resources_pb2.Visibility(gettable=_gettable(new.visibility)),
    )


def _new_version(new: NewVersion) -> resources_pb2.ModelVersion:
    return resources_pb2.ModelVersion(
        pretrained_model_config=resources_pb2.PretrainedModelConfig(
            model_zip_url=new.zip_url,
            input_fields_map=_struct(new.input_fields_map),
            output_fields_map=_struct(new.output_fields_map),
        ),
        output_info=resources_pb2.OutputInfo(
            params_specs=[params_spec(param) for param in new.params]
        ),
        description=new.description,
        metadata=_struct({METADATA_KEY: new.metadata.to_struct()}),
        visibility=resources_pb2.Visibility(gettable=_gettable(new.visibility)),
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


def _model(message: resources_pb2.Model) -> RemoteModel:
    return RemoteModel(
        id=message.id,
        type=message.model_type_id,
        description=message.description,
        visibility=_visibility(message.visibility.gettable),
        managed=message.notes == MANAGED,
        newest=message.model_version.id,
    )


def _version(message: resources_pb2.ModelVersion) -> RemoteVersion:
    config = message.pretrained_model_config
    return RemoteVersion(
        id=message.id,
        status_code=message.status.code,
        status=message.status.description,
        details=message.status.details,
        request_id=message.status.req_id,
        description=message.description,
        zip_url=config.model_zip_url,
        visibility=_visibility(message.visibility.gettable),
        created_at=message.created_at.seconds + message.created_at.nanos / 1e9,
        metadata=VersionMetadata.from_struct(_dict(message.metadata).get(METADATA_KEY)),
        input_fields_map=_dict(config.input_fields_map),
        output_fields_map=_dict(config.output_fields_map),
        params=tuple(map(_param, message.output_info.params_specs)),
    )


def _param(spec: resources_pb2.ModelTypeField) -> Param:
    """Read a parameter back from the platform's form."""
    kinds = {number: kind for kind, number in FIELD_TYPES.items()}
    default = _plain(spec.default_value) if spec.HasField("default_value") else None
    return Param(spec.path, kinds.get(spec.field_type, "string"), default, spec.description)


def _visibility(gettable: int) -> Visibility:
    return next((name for name, number in _VISIBILITY.items() if number == gettable), "private")


def _gettable(visibility: Visibility) -> Any:
    return _VISIBILITY[visibility]


def _field_type(kind: ParamType) -> Any:
    return FIELD_TYPES[kind]


def _struct(value: Mapping[str, Any]) -> Struct:
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
