"""Handlers of the RPCs about compute clusters, nodepools and what they are made of."""

from __future__ import annotations

from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2

from clarifai_build.sandbox.api.database import Database, now
from clarifai_build.sandbox.api.errors import ApiError, Code
from clarifai_build.sandbox.api.ids import is_valid_id
from clarifai_build.sandbox.api.paging import page_of
from clarifai_build.sandbox.api.resource_table import ResourceTable

CLUSTER_ID = NODEPOOL_ID = "sandbox"
"""What there is from the start; more can be made, and all of them are this machine."""

PROVIDER = resources_pb2.CloudProvider(id="sandbox", name="This machine")
REGION = "local"
INSTANCE = resources_pb2.InstanceType(
    id="sandbox-cpu",
    description="This machine, without a GPU",
    cloud_provider=PROVIDER,
    region=REGION,
    compute_info=resources_pb2.ComputeInfo(cpu_limit="8", cpu_memory="32Gi"),
)
_MOST_INSTANCES = 1000


class Clusters:
    """Clusters and their nodepools; one of each is always there."""

    def __init__(self, database: Database, user_id: str) -> None:
        self._database = database
        self._user_id = user_id
        self._clusters = ResourceTable(database, resources_pb2.ComputeCluster)
        self._nodepools = ResourceTable(database, resources_pb2.Nodepool)
        if self._clusters.get(CLUSTER_ID) is None:
            self._make_own()

    def nodepool(self, cluster_id: str, nodepool_id: str) -> resources_pb2.Nodepool:
        """Return a nodepool, or refuse because it or its cluster is not there."""
        self._cluster(cluster_id)
        found = self._nodepools.get(nodepool_id, cluster_id)
        if found is None:
            raise ApiError(
                Code.NODEPOOL_DOES_NOT_EXIST,
                f"cluster '{cluster_id}' has no nodepool '{nodepool_id}'",
            )
        return found

    def get_cluster(self, request: Any) -> Any:
        cluster = self._cluster(request.compute_cluster_id)
        return service_pb2.SingleComputeClusterResponse(compute_cluster=cluster)

    def list_clusters(self, request: Any) -> Any:
        known = page_of(self._clusters.all(), request)
        return service_pb2.MultiComputeClusterResponse(compute_clusters=known)

    def post_clusters(self, request: Any) -> Any:
        with self._database.transaction():
            made = [self._make_cluster(wanted) for wanted in request.compute_clusters]
        return service_pb2.MultiComputeClusterResponse(compute_clusters=made)

    def delete_clusters(self, request: Any) -> Any:
        with self._database.transaction():
            for cluster_id in request.ids:
                self._cluster(cluster_id)
                for nodepool in self._nodepools.all(cluster_id):
                    self._nodepools.delete(nodepool.id, cluster_id)
                self._clusters.delete(cluster_id)
        return status_pb2.BaseResponse()

    def get_nodepool(self, request: Any) -> Any:
        nodepool = self.nodepool(request.compute_cluster_id, request.nodepool_id)
        return service_pb2.SingleNodepoolResponse(nodepool=nodepool)

    def list_nodepools(self, request: Any) -> Any:
        if request.compute_cluster_id:
            self._cluster(request.compute_cluster_id)
        known = self._nodepools.all(request.compute_cluster_id or None)
        return service_pb2.MultiNodepoolResponse(nodepools=page_of(known, request))

    def post_nodepools(self, request: Any) -> Any:
        cluster = self._cluster(request.compute_cluster_id)
        with self._database.transaction():
            made = [self._make_nodepool(cluster, wanted) for wanted in request.nodepools]
        return service_pb2.MultiNodepoolResponse(nodepools=made)

    def delete_nodepools(self, request: Any) -> Any:
        with self._database.transaction():
            for nodepool_id in request.ids:
                self.nodepool(request.compute_cluster_id, nodepool_id)
                self._nodepools.delete(nodepool_id, request.compute_cluster_id)
        return status_pb2.BaseResponse()

    def list_providers(self, _request: Any) -> Any:
        return service_pb2.MultiCloudProviderResponse(cloud_providers=[PROVIDER])

    def list_regions(self, request: Any) -> Any:
        if request.cloud_provider.id not in ("", PROVIDER.id):
            return service_pb2.MultiCloudRegionResponse()
        region = resources_pb2.CloudRegion(id=REGION)
        return service_pb2.MultiCloudRegionResponse(regions=[REGION], cloud_regions=[region])

    def list_instance_types(self, request: Any) -> Any:
        here = request.cloud_provider.id in ("", PROVIDER.id) and request.region in ("", REGION)
        return service_pb2.MultiInstanceTypeResponse(instance_types=[INSTANCE] if here else [])

    def _make_own(self) -> None:
        wanted = resources_pb2.ComputeCluster(
            id=CLUSTER_ID, description="This machine", cloud_provider=PROVIDER, region=REGION
        )
        cluster = self._make_cluster(wanted)
        nodepool = resources_pb2.Nodepool(
            id=NODEPOOL_ID, instance_types=[INSTANCE], min_instances=1, max_instances=1
        )
        self._make_nodepool(cluster, nodepool)

    def _cluster(self, cluster_id: str) -> resources_pb2.ComputeCluster:
        found = self._clusters.get(cluster_id)
        if found is None:
            raise ApiError(
                Code.COMPUTE_CLUSTER_DOES_NOT_EXIST,
                f"compute cluster '{cluster_id}' does not exist; the sandbox has '{CLUSTER_ID}'",
            )
        return found

    def _make_cluster(self, wanted: resources_pb2.ComputeCluster) -> resources_pb2.ComputeCluster:
        if not is_valid_id(wanted.id) or self._clusters.get(wanted.id) is not None:
            raise ApiError(
                Code.COMPUTE_CLUSTER_INVALID_ARGUMENT,
                f"'{wanted.id}' is not a valid id, or the compute cluster exists already",
            )
        cluster = resources_pb2.ComputeCluster()
        cluster.CopyFrom(wanted)
        cluster.user_id = self._user_id
        _stamp(cluster)
        self._clusters.put(cluster.id, cluster)
        return cluster

    def _make_nodepool(
        self, cluster: resources_pb2.ComputeCluster, wanted: resources_pb2.Nodepool
    ) -> resources_pb2.Nodepool:
        if fault := self._fault_of(cluster.id, wanted):
            raise ApiError(Code.NODEPOOL_INVALID_ARGUMENT, f"nodepool '{wanted.id}': {fault}")
        nodepool = resources_pb2.Nodepool()
        nodepool.CopyFrom(wanted)
        nodepool.compute_cluster.CopyFrom(cluster)
        nodepool.status = resources_pb2.Nodepool.NODEPOOL_STATUS_READY
        _stamp(nodepool)
        self._nodepools.put(nodepool.id, nodepool, cluster.id)
        return nodepool

    def _fault_of(self, cluster_id: str, wanted: resources_pb2.Nodepool) -> str | None:
        if not is_valid_id(wanted.id):
            return "that is not a valid id"
        if self._nodepools.get(wanted.id, cluster_id) is not None:
            return "it exists already"
        if not wanted.instance_types:
            return "instance_types is empty"
        if not wanted.min_instances <= wanted.max_instances <= _MOST_INSTANCES:
            return f"{wanted.min_instances} to {wanted.max_instances} instances"
        return None


def _stamp(made: Any) -> None:
    made.created_at.CopyFrom(now())
    made.modified_at.CopyFrom(made.created_at)
    if not made.visibility.gettable:
        made.visibility.gettable = resources_pb2.Visibility.PRIVATE
