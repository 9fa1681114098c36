"""Which handler answers which RPC."""

from __future__ import annotations

from typing import Any

from clarifai_grpc.grpc.api import service_pb2

from clarifai_build.sandbox.api.builds.loaded_models import Serving
from clarifai_build.sandbox.api.builds.queue import Builds
from clarifai_build.sandbox.api.database import Database
from clarifai_build.sandbox.api.rpc import model_types
from clarifai_build.sandbox.api.rpc.accounts import Accounts
from clarifai_build.sandbox.api.rpc.models import Models
from clarifai_build.sandbox.api.rpc.predict import Predictions
from clarifai_build.sandbox.api.rpc.uploads import Uploads
from clarifai_build.sandbox.api.rpc.versions import Versions
from clarifai_build.sandbox.api.service import Access, Handler


def table(
    database: Database, accounts: Accounts, builds: Builds, serving: Serving, access: Access
) -> dict[str, Handler]:
    """Return the handlers by the names of their RPCs."""
    models = Models(database, accounts, builds)
    versions = Versions(database, models, builds)
    predictions = Predictions(database, models, versions, serving)
    return {
        "GetUser": accounts.get_user,
        "GetApp": accounts.get_app,
        "ListApps": accounts.list_apps,
        "PostApps": accounts.post_apps,
        "PatchApps": accounts.patch_apps,
        "PatchApp": accounts.patch_app,
        "DeleteApp": models.delete_app,
        "PostModels": models.post,
        "GetModel": models.get,
        "ListModels": models.list,
        "PatchModels": models.patch,
        "DeleteModel": models.delete_one,
        "DeleteModels": models.delete_many,
        "PostModelVersions": versions.post,
        "ListModelVersions": versions.list,
        "GetModelVersion": versions.get,
        "PatchModelVersions": versions.patch,
        "DeleteModelVersion": versions.delete,
        "PostModelVersionsUpload": Uploads(models, versions, builds, access).post,
        "GetModelType": model_types.get_type,
        "ListModelTypes": model_types.list_types,
        "PostModelOutputs": predictions.post,
        "GenerateModelOutputs": predictions.generate,
        "StreamModelOutputs": predictions.stream,
        "ListDeployments": _empty(service_pb2.MultiDeploymentResponse),
        "ListLogEntries": _empty(service_pb2.MultiLogEntryResponse),
    }


def _empty(answer: Any) -> Handler:
    return lambda _request: answer()
