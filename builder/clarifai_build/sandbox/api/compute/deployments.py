"""Handlers of the RPCs about deployments, and about the runners that follow from them."""

from __future__ import annotations

from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2

from clarifai_build.sandbox.api.compute.clusters import Clusters
from clarifai_build.sandbox.api.database import Database, now
from clarifai_build.sandbox.api.errors import ApiError, Code
from clarifai_build.sandbox.api.ids import is_valid_id
from clarifai_build.sandbox.api.paging import page_of
from clarifai_build.sandbox.api.resource_table import ResourceTable
from clarifai_build.sandbox.api.runners.declared import is_runner

_MOST_REPLICAS = 1000


class Deployments:
    """Which version of a model answers. A deployment ends with its version, and is rolled out at
    once: one process serves it, whatever its replicas.
    """

    def __init__(self, database: Database, clusters: Clusters, user_id: str) -> None:
        self._database = database
        self._clusters = clusters
        self._user_id = user_id
        self._table = ResourceTable(database, resources_pb2.Deployment)

    def answering(
        self, model: resources_pb2.Model, selector: resources_pb2.RunnerSelector
    ) -> str | None:
        """Return the version that answers for a model, or None where none is deployed.

        Of several deployments, the one that `selector` names, else the one changed last.
        """
        known = [each for each in self.all() if _is_of(each, model) and _matches(each, selector)]
        if not known:
            return None
        latest = max(known, key=lambda each: each.modified_at.ToNanoseconds())
        return self._version_of(latest)

    def all(self) -> list[resources_pb2.Deployment]:
        """Return the deployments whose version is still there, the newest first."""
        kept = []
        for deployment in self._table.all():
            if self._database.version(_version_id(deployment)) is None:
                self._table.delete(deployment.id)
            else:
                kept.append(deployment)
        return kept

    def get(self, request: Any) -> Any:
        deployment = self._find(request.deployment_id)
        return service_pb2.SingleDeploymentResponse(deployment=deployment)

    def list_deployments(self, request: Any) -> Any:
        known = page_of(self._wanted(request), request)
        return service_pb2.MultiDeploymentResponse(deployments=known)

    def post(self, request: Any) -> Any:
        with self._database.transaction():
            made = [self._make(wanted) for wanted in request.deployments]
        return service_pb2.MultiDeploymentResponse(deployments=made)

    def patch(self, request: Any) -> Any:
        # As on the platform, whose protos say so.
        if request.action != "overwrite":
            raise _invalid(f"action '{request.action}': deployments take only 'overwrite'")
        with self._database.transaction():
            patched = [self._patch(wanted) for wanted in request.deployments]
        return service_pb2.MultiDeploymentResponse(deployments=patched)

    def delete(self, request: Any) -> Any:
        with self._database.transaction():
            for deployment_id in request.ids:
                self._table.delete(self._find(deployment_id).id)
        return status_pb2.BaseResponse()

    def get_runner(self, request: Any) -> Any:
        runner = self.runner(request.runner_id)
        if runner is None:
            raise ApiError(
                Code.RUNNER_DOES_NOT_EXIST, f"runner '{request.runner_id}' does not exist"
            )
        return service_pb2.SingleRunnerResponse(runner=runner)

    def list_runners(self, request: Any) -> Any:
        known = [_runner(deployment) for deployment in self._wanted(request)]
        return service_pb2.MultiRunnerResponse(runners=page_of(known, request))

    def runner(self, runner_id: str) -> resources_pb2.Runner | None:
        """Return the runner of a deployment, or None."""
        known = (_runner(deployment) for deployment in self.all())
        return next((runner for runner in known if runner.id == runner_id), None)

    def _wanted(self, request: Any) -> list[resources_pb2.Deployment]:
        versions = set(request.model_version_ids)
        return [
            each
            for each in self.all()
            if (not versions or _version_id(each) in versions)
            and request.nodepool_id in ("", each.nodepools[0].id)
            and request.compute_cluster_id in ("", each.nodepools[0].compute_cluster.id)
        ]

    def _find(self, deployment_id: str) -> resources_pb2.Deployment:
        found = next((each for each in self.all() if each.id == deployment_id), None)
        if found is None:
            raise ApiError(
                Code.DEPLOYMENT_DOES_NOT_EXIST, f"deployment '{deployment_id}' does not exist"
            )
        return found

    def _make(self, wanted: resources_pb2.Deployment) -> resources_pb2.Deployment:
        if not is_valid_id(wanted.id) or any(each.id == wanted.id for each in self.all()):
            raise _invalid(f"'{wanted.id}' is not a valid id, or the deployment exists already")
        deployment = resources_pb2.Deployment()
        deployment.CopyFrom(wanted)
        deployment.created_at.CopyFrom(now())
        return self._settle(deployment)

    def _patch(self, wanted: resources_pb2.Deployment) -> resources_pb2.Deployment:
        deployment = self._find(wanted.id)
        # What is observed is not for clients to say.
        for field, _ in wanted.ListFields():
            if field.name not in ("id", "worker"):
                deployment.ClearField(field.name)
        if wanted.deployment_nodepools and not wanted.nodepools:
            deployment.ClearField("nodepools")
        if wanted.nodepools and not wanted.deployment_nodepools:
            deployment.ClearField("deployment_nodepools")
        deployment.MergeFrom(wanted)
        return self._settle(deployment)

    def _settle(self, deployment: resources_pb2.Deployment) -> resources_pb2.Deployment:
        """Check a deployment, fill in what the platform fills in, and store it."""
        if deployment.HasField("desired_worker"):
            deployment.worker.CopyFrom(deployment.desired_worker)
        self._check_worker(deployment.worker.model)
        deployment.desired_worker.CopyFrom(deployment.worker)
        self._settle_nodepools(deployment)
        _settle_replicas(deployment)
        deployment.user_id = self._user_id
        deployment.modified_at.CopyFrom(now())
        if not deployment.visibility.gettable:
            deployment.visibility.gettable = resources_pb2.Visibility.PRIVATE
        self._table.put(deployment.id, deployment)
        return deployment

    def _check_worker(self, model: resources_pb2.Model) -> None:
        found = self._database.version(model.model_version.id)
        if found is None or model.id not in ("", found[0]):
            raise _invalid(f"model '{model.id}' has no version '{model.model_version.id}'")
        model_id, version = found
        if not is_runner(version):
            raise _invalid(f"version {version.id} is one of a zip, which needs no deployment")
        if version.status.code != Code.MODEL_TRAINED:
            raise _invalid(f"version {version.id} is not built: {version.status.description}")
        model.id, model.app_id, model.user_id = model_id, version.app_id, self._user_id

    def _settle_nodepools(self, deployment: resources_pb2.Deployment) -> None:
        named: Any = deployment.deployment_nodepools or deployment.nodepools
        if not named:
            raise _invalid("deployment_nodepools is empty")
        found = [self._clusters.nodepool(each.compute_cluster.id, _pool_id(each)) for each in named]
        del deployment.nodepools[:]
        deployment.nodepools.extend(found)
        del deployment.deployment_nodepools[:]
        for nodepool in found:
            deployment.deployment_nodepools.add(
                id=nodepool.id, compute_cluster=nodepool.compute_cluster, nodepool=nodepool
            )

    def _version_of(self, deployment: resources_pb2.Deployment) -> str:
        if deployment.deploy_latest_version:
            model = deployment.worker.model
            for version in self._database.versions(model.app_id, model.id):
                if version.status.code == Code.MODEL_TRAINED and is_runner(version):
                    return str(version.id)
        return _version_id(deployment)


def _settle_replicas(deployment: resources_pb2.Deployment) -> None:
    scale = deployment.autoscale_config
    if not scale.min_replicas <= scale.max_replicas <= _MOST_REPLICAS or not scale.max_replicas:
        raise _invalid(f"{scale.min_replicas} to {scale.max_replicas} replicas")
    deployment.deployment_metrics.desired_replicas = scale.min_replicas
    deployment.deployment_metrics.live_replicas = scale.min_replicas


def _runner(deployment: resources_pb2.Deployment) -> resources_pb2.Runner:
    replicas = deployment.autoscale_config.min_replicas
    return resources_pb2.Runner(
        id=f"runner-{deployment.id}",
        worker=deployment.worker,
        nodepool=deployment.nodepools[0],
        created_at=deployment.created_at,
        modified_at=deployment.modified_at,
        num_replicas=replicas,
        min_replicas=replicas,
        runner_metrics=resources_pb2.RunnerMetrics(pods_total=replicas, pods_running=replicas),
    )


def _is_of(deployment: resources_pb2.Deployment, model: resources_pb2.Model) -> bool:
    deployed = deployment.worker.model
    return bool(deployed.id == model.id and deployed.app_id == model.app_id)


def _matches(deployment: resources_pb2.Deployment, selector: resources_pb2.RunnerSelector) -> bool:
    pools = {(each.compute_cluster.id, each.id) for each in deployment.nodepools}
    asked = (selector.nodepool.compute_cluster.id, selector.nodepool.id)
    return selector.deployment.id in ("", deployment.id) and (asked == ("", "") or asked in pools)


def _pool_id(named: Any) -> str:
    """Return the id of a nodepool, which is named in one of two ways."""
    return str(named.id or named.nodepool.id) if hasattr(named, "nodepool") else str(named.id)


def _version_id(deployment: resources_pb2.Deployment) -> str:
    return str(deployment.worker.model.model_version.id)


def _invalid(details: str) -> ApiError:
    return ApiError(Code.DEPLOYMENT_INVALID_ARGUMENT, details)
