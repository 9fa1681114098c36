"""Handlers of the RPCs about model versions."""

from __future__ import annotations

import uuid
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2

from clarifai_build.sandbox.api.builds.queue import Builds
from clarifai_build.sandbox.api.database import Database, now
from clarifai_build.sandbox.api.errors import Code, invalid, missing_version, status
from clarifai_build.sandbox.api.paging import page_of
from clarifai_build.sandbox.api.rpc.models import Models
from clarifai_build.sandbox.api.rpc.version_checks import check_version
from clarifai_build.sandbox.api.runners.declared import check_runner_version

# What a version is (zip, maps, status) never changes; these describe it.
_PATCHABLE = (
    *("description", "metadata", "visibility", "license"),
    *("output_info", "inference_compute_info"),
)


class Versions:
    """Versions of models. A posted one answers at once and is built in the background."""

    def __init__(self, database: Database, models: Models, builds: Builds) -> None:
        self._database = database
        self._models = models
        self._builds = builds

    def post(self, request: Any) -> Any:
        model = self._models.find(request.user_app_id.app_id, request.model_id)
        if len(request.model_versions) != 1:
            raise invalid("a request posts exactly one model version")
        check_version(model, request.model_versions[0], by_url=True)
        version = self._store(model, request.model_versions[0])
        self._builds.submit(version.id)
        model.model_version.CopyFrom(version)
        return service_pb2.SingleModelResponse(model=model)

    def create_for_upload(
        self, model: resources_pb2.Model, wanted: resources_pb2.ModelVersion, is_runner: bool
    ) -> resources_pb2.ModelVersion:
        """Store a new version of a model, whose archive is still to come."""
        if is_runner:
            check_runner_version(model, wanted)
        else:
            check_version(model, wanted, by_url=False)
        return self._store(model, wanted)

    def _store(
        self, model: resources_pb2.Model, wanted: resources_pb2.ModelVersion
    ) -> resources_pb2.ModelVersion:
        version = resources_pb2.ModelVersion()
        version.CopyFrom(wanted)
        # Ids are the platform's to give: a posted one would let a repeated post replace a version.
        version.id = uuid.uuid4().hex
        version.app_id, version.user_id = model.app_id, model.user_id
        version.created_at.CopyFrom(now())
        version.modified_at.CopyFrom(version.created_at)
        version.status.CopyFrom(status(Code.MODEL_UPLOADING))
        if not version.visibility.gettable:
            version.visibility.gettable = resources_pb2.Visibility.PRIVATE
        self._database.put_version(model.id, version)
        return version

    def list(self, request: Any) -> Any:
        model = self._models.find(request.user_app_id.app_id, request.model_id)
        versions = self._database.versions(model.app_id, model.id)
        if request.trained_only:
            versions = [each for each in versions if each.status.code == Code.MODEL_TRAINED]
        if request.sort_ascending:
            versions.reverse()
        return service_pb2.MultiModelVersionResponse(model_versions=page_of(versions, request))

    def get(self, request: Any) -> Any:
        app_id, model_id = request.user_app_id.app_id, request.model_id
        version = (
            self.find(app_id, model_id, request.version_id)
            if request.version_id
            else self._newest(app_id, model_id)
        )
        return service_pb2.SingleModelVersionResponse(model_version=version)

    def patch(self, request: Any) -> Any:
        app_id = request.user_app_id.app_id
        with self._database.transaction():
            patched = [
                self._patch(app_id, request.model_id, version, request.action)
                for version in request.model_versions
            ]
        return service_pb2.MultiModelVersionResponse(model_versions=patched)

    def delete(self, request: Any) -> Any:
        version = self.find(request.user_app_id.app_id, request.model_id, request.version_id)
        self.drop(version.id)
        return status_pb2.BaseResponse()

    def drop(self, version_id: str) -> None:
        """Remove a version and what was made of it."""
        self._database.delete_version(version_id)
        self._builds.discard(version_id)

    def drop_waiting(self, version_id: str) -> None:
        """Remove a version whose archive did not come whole."""
        found = self._database.version(version_id)
        if found is not None and found[1].status.code == Code.MODEL_UPLOADING:
            self.drop(version_id)

    def find(self, app_id: str, model_id: str, version_id: str) -> resources_pb2.ModelVersion:
        """Return a version of this very model, or refuse."""
        model = self._models.find(app_id, model_id)
        found = self._database.version(version_id)
        if found is None or found[0] != model.id or found[1].app_id != model.app_id:
            raise missing_version(version_id, model_id)
        return found[1]

    def _newest(self, app_id: str, model_id: str) -> resources_pb2.ModelVersion:
        """Return the newest version that is ready, or the newest: clients ask it for signatures."""
        versions = self._database.versions(app_id, self._models.find(app_id, model_id).id)
        ready = [each for each in versions if each.status.code == Code.MODEL_TRAINED]
        if not versions:
            raise missing_version("", model_id)
        return (ready or versions)[0]

    def _patch(
        self, app_id: str, model_id: str, wanted: resources_pb2.ModelVersion, action: str
    ) -> resources_pb2.ModelVersion:
        version = self.find(app_id, model_id, wanted.id)
        if wanted.HasField("pretrained_model_config"):
            raise invalid("pretrained_model_config of a version can't change; post a new version")
        for field, value in wanted.ListFields():
            if field.name not in _PATCHABLE:
                continue
            if action in ("overwrite", "remove"):
                version.ClearField(field.name)
            if action != "remove":
                version.MergeFrom(resources_pb2.ModelVersion(**{field.name: value}))
        version.modified_at.CopyFrom(now())
        self._database.put_version(model_id, version)
        return version
