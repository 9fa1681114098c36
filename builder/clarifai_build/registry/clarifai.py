"""`ModelRegistry` over clarifai-grpc."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from clarifai_build.errors import RegistryError
from clarifai_build.manifest.types import Clarifai
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
from clarifai_build.registry.messages import (
    gettable_of,
    model_of,
    new_model_message,
    new_version_message,
    struct_of,
    version_of,
)
from clarifai_build.registry.runners.protocol import RunnerRegistry
from clarifai_build.registry.status_codes import MODEL_DOES_NOT_EXIST
from clarifai_build.registry.version_metadata import METADATA_KEY, VersionMetadata

# The API's default; it sends at most 1000.
PAGE = 128
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

    @property
    def runners(self) -> RunnerRegistry:
        # Only what a runner is made with needs it.
        from clarifai_build.registry.runners.clarifai import ClarifaiRunners

        return ClarifaiRunners(self._channel, self)

    def model(self, model_id: str) -> RemoteModel | None:
        answer = self._channel.call(
            "GetModel",
            service_pb2.GetModelRequest(user_app_id=self._app, model_id=model_id),
            allowed=_GONE,
        )
        return model_of(answer.model) if answer.model.id else None

    def create_model(self, new: NewModel) -> RemoteModel:
        try:
            answer = self._channel.call(
                "PostModels",
                service_pb2.PostModelsRequest(
                    user_app_id=self._app, models=[new_model_message(new)]
                ),
            )
        except RegistryError:
            # A duplicate is a race with another apply, whose model is as good as this one.
            existing = self.model(new.id)
            if existing is None:
                raise
            return existing
        return model_of(answer.model)

    def update_model(self, new: NewModel) -> None:
        self._channel.call(
            "PatchModels",
            service_pb2.PatchModelsRequest(
                user_app_id=self._app, models=[new_model_message(new)], action="merge"
            ),
        )

    def models(self) -> tuple[RemoteModel, ...]:
        def page(number: int) -> Sequence[Any]:
            request = service_pb2.ListModelsRequest(
                user_app_id=self._app, page=number, per_page=PAGE
            )
            return self._channel.call("ListModels", request).models  # type: ignore[no-any-return]  # untyped stubs

        return tuple(model_of(model) for model in _all_pages(page).values())

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

        found = [version_of(version) for version in _all_pages(page).values()]
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
        return version_of(answer.model_version) if answer.model_version.id else None

    def create_version(self, model_id: str, new: NewVersion) -> RemoteVersion:
        answer = self._channel.call(
            "PostModelVersions",
            service_pb2.PostModelVersionsRequest(
                user_app_id=self._app, model_id=model_id, model_versions=[new_version_message(new)]
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
        return version_of(version)

    def update_version(
        self, model_id: str, version_id: str, new: NewModel, metadata: VersionMetadata
    ) -> None:
        version = resources_pb2.ModelVersion(
            id=version_id,
            description=new.description,
            metadata=struct_of({METADATA_KEY: metadata.to_struct()}),
            visibility=resources_pb2.Visibility(gettable=gettable_of(new.visibility)),
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
