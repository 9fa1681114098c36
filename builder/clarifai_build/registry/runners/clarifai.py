"""`RunnerRegistry` over clarifai-grpc."""

from __future__ import annotations

from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from clarifai_build.cancellation import CancelToken
from clarifai_build.errors import RegistryError
from clarifai_build.progress import ProgressCallback, warn
from clarifai_build.registry import BrokenStreamError, DeadlineError, ModelRegistry, RemoteVersion
from clarifai_build.registry.channel import ATTEMPTS, Channel, backoff
from clarifai_build.registry.runners import messages
from clarifai_build.registry.runners.build_log import PagedBuildLog
from clarifai_build.registry.runners.deployment_id import deployment_id
from clarifai_build.registry.runners.protocol import (
    BuildLog,
    InstanceType,
    NewRunnerVersion,
    RemoteDeployment,
    UploadContent,
)
from clarifai_build.registry.runners.upload import IDLE_SECONDS, PART_BYTES, UploadStream
from clarifai_build.registry.status_codes import (
    COMPUTE_CLUSTER_DOES_NOT_EXIST,
    DEPLOYMENT_DOES_NOT_EXIST,
    MODEL_BUILDING,
    NODEPOOL_DOES_NOT_EXIST,
)

_ABSENT = (COMPUTE_CLUSTER_DOES_NOT_EXIST, NODEPOOL_DOES_NOT_EXIST, DEPLOYMENT_DOES_NOT_EXIST)


class ClarifaiRunners:
    """The runners of one app, and the compute of its user. `models` has the app's versions."""

    def __init__(
        self,
        channel: Channel,
        models: ModelRegistry,
        *,
        idle: float = IDLE_SECONDS,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self._channel, self._models = channel, models
        self._idle, self._part_bytes = idle, part_bytes
        # Compute is a user's, not an app's.
        self._user = resources_pb2.UserAppIDSet(user_id=channel.account.user_id)

    def upload_version(
        self,
        model_id: str,
        new: NewRunnerVersion,
        content: UploadContent,
        progress: ProgressCallback,
        cancel: CancelToken,
    ) -> str:
        config = service_pb2.PostModelVersionsUploadConfig(
            user_app_id=self._channel.user_app_id,
            model_id=model_id,
            model_version=messages.version_message(new, self._compute(new)),
            total_size=content.size,
            is_v3=True,
            storage_request_size=new.unpacked_size,
        )
        for attempt in range(ATTEMPTS):
            stream = UploadStream(
                *(self._channel, config, content, progress, cancel), self._part_bytes
            )
            try:
                return stream.send(self._idle)
            except (BrokenStreamError, DeadlineError) as error:
                if left := self._left_by(stream, model_id, new):
                    return left
                if attempt == ATTEMPTS - 1:
                    raise
                words = f"{error}; it is sent again"
                warn(progress, error.problems[0].code, words, stage="upload")
                cancel.sleep(backoff(attempt))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def build_log(self, model_id: str, version_id: str) -> BuildLog:
        return PagedBuildLog(self._channel, model_id, version_id)

    def has_cluster(self, cluster: str) -> bool:
        request = service_pb2.GetComputeClusterRequest(
            user_app_id=self._user, compute_cluster_id=cluster
        )
        return bool(self._find("GetComputeCluster", request).compute_cluster.id)

    def has_nodepool(self, cluster: str, nodepool: str) -> bool:
        request = service_pb2.GetNodepoolRequest(
            user_app_id=self._user, compute_cluster_id=cluster, nodepool_id=nodepool
        )
        return bool(self._find("GetNodepool", request).nodepool.id)

    def instance_type(self, instance: str) -> InstanceType | None:
        answer = self._channel.call("ListInstanceTypes", service_pb2.ListInstanceTypesRequest())
        found = {one.id: one for one in answer.instance_types}.get(instance)
        return messages.instance_type_of(found) if found else None

    def create_cluster(self, cluster: str, instance: InstanceType) -> None:
        request = service_pb2.PostComputeClustersRequest(
            user_app_id=self._user, compute_clusters=[messages.cluster_message(cluster, instance)]
        )
        self._channel.call("PostComputeClusters", request)

    def create_nodepool(
        self, cluster: str, nodepool: str, instance: InstanceType, most: int
    ) -> None:
        request = service_pb2.PostNodepoolsRequest(
            user_app_id=self._user,
            compute_cluster_id=cluster,
            nodepools=[messages.nodepool_message(nodepool, instance, most)],
        )
        self._channel.call("PostNodepools", request)

    def deployment(self, model_id: str) -> RemoteDeployment | None:
        account = self._channel.account
        request = service_pb2.GetDeploymentRequest(
            user_app_id=self._user, deployment_id=deployment_id(account.app_id, model_id)
        )
        found = self._find("GetDeployment", request).deployment
        return messages.deployment_of(found) if found.id else None

    def deploy(self, deployment: RemoteDeployment, *, anew: bool) -> None:
        account = self._channel.account
        message = messages.deployment_message(deployment, account.user_id, account.app_id)
        if anew:
            request: Any = service_pb2.PostDeploymentsRequest(
                user_app_id=self._user, deployments=[message]
            )
            self._channel.call("PostDeployments", request)
            return
        request = service_pb2.PatchDeploymentsRequest(
            user_app_id=self._user, deployments=[message], action="overwrite"
        )
        self._channel.call("PatchDeployments", request)

    def delete_deployment(self, deployment_id: str) -> None:
        request = service_pb2.DeleteDeploymentsRequest(user_app_id=self._user, ids=[deployment_id])
        self._find("DeleteDeployments", request)

    def _find(self, rpc: str, request: Any) -> Any:
        return self._channel.call(rpc, request, allowed=_ABSENT)

    def _compute(self, new: NewRunnerVersion) -> Any:
        """Return what the version declares to need, or what its instance type has."""
        name = new.declaration.instance
        if not name:
            return new.declaration.compute
        instance = self.instance_type(name)
        if instance is None:
            raise _unknown_instance(name)
        return instance.compute

    def _left_by(self, stream: UploadStream, model_id: str, new: NewRunnerVersion) -> str:
        """Return the version that a broken stream has made whole; one that is not whole goes."""
        left = self._posted(stream.version_id, model_id, new)
        if left is None:
            return ""
        if left.status_code == MODEL_BUILDING or left.health in ("ready", "failed"):
            return left.id
        self._models.delete_version(model_id, left.id)
        return ""

    def _posted(
        self, version_id: str, model_id: str, new: NewRunnerVersion
    ) -> RemoteVersion | None:
        if version_id:
            return self._models.version(model_id, version_id)
        # Nobody else's: each apply has an id of its own.
        mine = (
            version
            for version in self._models.versions(model_id)
            if version.recorded.apply and version.recorded.apply == new.metadata.apply
        )
        return next(mine, None)


def _unknown_instance(name: str) -> RegistryError:
    return RegistryError.of(
        "instance-unknown",
        f"the platform has no instance type '{name}'",
        hint="correct runner.instance, or say what is needed under runner.compute instead",
    )
