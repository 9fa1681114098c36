"""Which handler answers which RPC."""

from __future__ import annotations

from clarifai_build.sandbox.api.builds.loaded_models import Serving
from clarifai_build.sandbox.api.builds.queue import Builds
from clarifai_build.sandbox.api.compute.clusters import Clusters
from clarifai_build.sandbox.api.compute.deployments import Deployments
from clarifai_build.sandbox.api.compute.log_entries import LogEntries
from clarifai_build.sandbox.api.database import Database
from clarifai_build.sandbox.api.rpc import model_types
from clarifai_build.sandbox.api.rpc.accounts import Accounts
from clarifai_build.sandbox.api.rpc.models import Models
from clarifai_build.sandbox.api.rpc.predict import Predictions
from clarifai_build.sandbox.api.rpc.uploads import Uploads
from clarifai_build.sandbox.api.rpc.versions import Versions
from clarifai_build.sandbox.api.runners.serving import Runners
from clarifai_build.sandbox.api.service import Access, Handler


def table(
    database: Database,
    accounts: Accounts,
    builds: Builds,
    serving: Serving,
    runners: Runners,
    access: Access,
) -> dict[str, Handler]:
    """Return the handlers by the names of their RPCs."""
    models = Models(database, accounts, builds)
    versions = Versions(database, models, builds)
    clusters = Clusters(database, accounts.user_id)
    deployments = Deployments(database, clusters, accounts.user_id)
    predictions = Predictions(database, models, versions, serving, runners, deployments)
    return {
        **_compute(clusters, deployments),
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
        "ListLogEntries": LogEntries(database, runners, deployments).list,
    }


def _compute(clusters: Clusters, deployments: Deployments) -> dict[str, Handler]:
    return {
        "ListCloudProviders": clusters.list_providers,
        "ListCloudRegions": clusters.list_regions,
        "ListInstanceTypes": clusters.list_instance_types,
        "GetComputeCluster": clusters.get_cluster,
        "ListComputeClusters": clusters.list_clusters,
        "PostComputeClusters": clusters.post_clusters,
        "DeleteComputeClusters": clusters.delete_clusters,
        "GetNodepool": clusters.get_nodepool,
        "ListNodepools": clusters.list_nodepools,
        "PostNodepools": clusters.post_nodepools,
        "DeleteNodepools": clusters.delete_nodepools,
        "GetDeployment": deployments.get,
        "ListDeployments": deployments.list_deployments,
        "PostDeployments": deployments.post,
        "PatchDeployments": deployments.patch,
        "DeleteDeployments": deployments.delete,
        "GetRunner": deployments.get_runner,
        "ListRunners": deployments.list_runners,
    }
