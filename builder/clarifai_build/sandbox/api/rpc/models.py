"""Handlers of the RPCs about models."""

from __future__ import annotations

from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2

from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.sandbox.api.builds.queue import Builds
from clarifai_build.sandbox.api.database import Database, now
from clarifai_build.sandbox.api.errors import Code, invalid, missing_model, missing_version
from clarifai_build.sandbox.api.ids import ID_LENGTH, is_valid_id
from clarifai_build.sandbox.api.paging import page_of
from clarifai_build.sandbox.api.rpc.accounts import Accounts

RUNNER_TYPES = ("any-to-any", "mcp", "visual-keypointer")
"""What a runner model may be beside the types that Triton serves, as the official tool names them.
"""


class Models:
    """Models of the sandbox's apps, each with its newest version."""

    def __init__(self, database: Database, accounts: Accounts, builds: Builds) -> None:
        self._database = database
        self._accounts = accounts
        self._builds = builds

    def get(self, request: Any) -> Any:
        model = self.find(request.user_app_id.app_id, request.model_id)
        versions = self._database.versions(model.app_id, model.id)
        if request.version_id:
            versions = [version for version in versions if version.id == request.version_id]
            if not versions:
                raise missing_version(request.version_id, model.id)
        if versions:
            model.model_version.CopyFrom(versions[0])
        return service_pb2.SingleModelResponse(model=model)

    def list(self, request: Any) -> Any:
        app_id = request.user_app_id.app_id
        if app_id:
            self._accounts.app(app_id)
        wanted = [self._with_version(model) for model in self._database.models(app_id)]
        if request.model_type_id:
            wanted = [model for model in wanted if model.model_type_id == request.model_type_id]
        if request.trained_only:
            wanted = [
                model for model in wanted if model.model_version.status.code == Code.MODEL_TRAINED
            ]
        return service_pb2.MultiModelResponse(models=page_of(wanted, request))

    def post(self, request: Any) -> Any:
        app = self._accounts.app(request.user_app_id.app_id)
        posted = list(request.models) or [request.model]
        with self._database.transaction():
            made = [self._create(app.id, model) for model in posted]
        return service_pb2.SingleModelResponse(model=made[0])

    def patch(self, request: Any) -> Any:
        app_id = request.user_app_id.app_id
        with self._database.transaction():
            patched = [self._patch(app_id, model, request.action) for model in request.models]
        return service_pb2.MultiModelResponse(models=patched)

    def delete_one(self, request: Any) -> Any:
        self._delete(request.user_app_id.app_id, request.model_id)
        return status_pb2.BaseResponse()

    def delete_many(self, request: Any) -> Any:
        app_id = request.user_app_id.app_id
        ids = list(request.ids)
        if request.delete_all:
            ids = [model.id for model in self._database.models(app_id)]
        for model_id in ids:
            self._delete(app_id, model_id)
        return status_pb2.BaseResponse()

    def delete_app(self, request: Any) -> Any:
        app = self._accounts.app(request.user_app_id.app_id)
        for model in self._database.models(app.id):
            self._delete(app.id, model.id)
        self._database.delete_app(app.id)
        return status_pb2.BaseResponse()

    def find(self, app_id: str, model_id: str) -> resources_pb2.Model:
        """Return the model, or refuse because the app or the model is not there."""
        app = self._accounts.app(app_id)
        model = self._database.model(app.id, model_id)
        if model is None:
            raise missing_model(model_id)
        return model

    def _with_version(self, model: resources_pb2.Model) -> resources_pb2.Model:
        versions = self._database.versions(model.app_id, model.id)
        if versions:
            model.model_version.CopyFrom(versions[0])
        return model

    def _create(self, app_id: str, wanted: resources_pb2.Model) -> resources_pb2.Model:
        if not is_valid_id(wanted.id):
            raise invalid(
                f"'{wanted.id}' is not a model id: up to {ID_LENGTH} letters and digits,"
                " with single - or _ between them"
            )
        if wanted.model_type_id not in (*MODEL_TYPES, *RUNNER_TYPES):
            known = ", ".join((*MODEL_TYPES, *RUNNER_TYPES))
            raise invalid(f"'{wanted.model_type_id}' is not a model type; known are {known}")
        if self._database.model(app_id, wanted.id) is not None:
            raise invalid(f"model '{wanted.id}' exists already")
        model = resources_pb2.Model()
        model.CopyFrom(wanted)
        # Versions are posted by a call of their own, which checks and builds them.
        model.ClearField("model_version")
        self._stamp(model, app_id)
        model.created_at.CopyFrom(model.modified_at)
        self._database.put_model(model)
        return model

    def _patch(self, app_id: str, wanted: resources_pb2.Model, action: str) -> resources_pb2.Model:
        model = self.find(app_id, wanted.id)
        # A type decides tensors and field maps: versions of another would not fit.
        if wanted.model_type_id not in ("", model.model_type_id):
            raise invalid(f"the type of model '{model.id}' is {model.model_type_id} and stays so")
        for field, _ in wanted.ListFields():
            if action in ("overwrite", "remove") and field.name != "id":
                model.ClearField(field.name)
        if action != "remove":
            model.MergeFrom(wanted)
        self._stamp(model, app_id)
        self._database.put_model(model)
        return model

    def _stamp(self, model: resources_pb2.Model, app_id: str) -> None:
        model.app_id = app_id
        model.user_id = self._accounts.user_id
        model.name = model.name or model.id
        model.modified_at.CopyFrom(now())
        if not model.visibility.gettable:
            model.visibility.gettable = resources_pb2.Visibility.PRIVATE

    def _delete(self, app_id: str, model_id: str) -> None:
        model = self.find(app_id, model_id)
        with self._database.transaction():
            versions = self._database.versions(app_id, model_id)
            for version in versions:
                self._database.delete_version(version.id)
            self._database.delete_model(app_id, model.id)
        # After the transaction: files that are removed can't be rolled back.
        for version in versions:
            self._builds.discard(version.id)
