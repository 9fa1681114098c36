"""Runners' versions, deployments and compute as the platform's messages, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2
from google.protobuf.json_format import MessageToDict, ParseDict

from clarifai_build.manifest.types import Deployment
from clarifai_build.registry.messages import gettable_of, params_spec, struct_of
from clarifai_build.registry.runners.protocol import (
    InstanceType,
    NewRunnerVersion,
    RemoteDeployment,
)
from clarifai_build.registry.version_metadata import METADATA_KEY

# What the official client sends.
_TRAFFIC_SECONDS = 600
_SCALE_UP_SECONDS = 300
_PRIVATE = 10


def version_message(
    new: NewRunnerVersion, compute: Mapping[str, Any]
) -> resources_pb2.ModelVersion:
    """Return what an upload begins with; `compute` is a ComputeInfo."""
    declared = new.declaration
    metadata: dict[str, Any] = {METADATA_KEY: new.metadata.to_struct()}
    if new.git:
        metadata["git_registry"] = dict(new.git)
    version = resources_pb2.ModelVersion(
        pretrained_model_config=resources_pb2.PretrainedModelConfig(),
        inference_compute_info=ParseDict(dict(compute), resources_pb2.ComputeInfo()),
        method_signatures=[
            ParseDict(dict(one), resources_pb2.MethodSignature()) for one in declared.signatures
        ],
        output_info=resources_pb2.OutputInfo(params_specs=map(params_spec, new.params)),
        num_threads=declared.num_threads,
        build_info=resources_pb2.BuildInfo(platform=declared.platform),
        description=new.description,
        visibility=resources_pb2.Visibility(gettable=gettable_of(new.visibility)),
        metadata=struct_of(metadata),
    )
    for label in declared.concepts:
        version.output_info.data.concepts.add(id=label, name=label)
    if declared.secrets:
        version.output_info.params.update({"secrets": [dict(one) for one in declared.secrets]})
    return version


def deployment_message(
    wanted: RemoteDeployment, user_id: str, app_id: str
) -> resources_pb2.Deployment:
    """Return a deployment that is to be made, or to take the place of the one there."""
    spec = wanted.spec
    cluster = resources_pb2.ComputeCluster(id=spec.compute_cluster, user_id=user_id)
    return resources_pb2.Deployment(
        id=wanted.id,
        user_id=user_id,
        autoscale_config=resources_pb2.AutoscaleConfig(
            min_replicas=spec.min_replicas,
            max_replicas=spec.max_replicas,
            traffic_history_seconds=_TRAFFIC_SECONDS,
            scale_up_delay_seconds=_SCALE_UP_SECONDS,
            scale_down_delay_seconds=spec.scale_down_delay,
        ),
        scheduling_choice=resources_pb2.Deployment.SchedulingChoice.PERFORMANCE,
        visibility=resources_pb2.Visibility(gettable=_PRIVATE),
        desired_worker=resources_pb2.Worker(
            model=resources_pb2.Model(
                id=wanted.model_id,
                user_id=user_id,
                app_id=app_id,
                model_version=resources_pb2.ModelVersion(id=wanted.version_id),
            )
        ),
        deployment_nodepools=[
            resources_pb2.DeploymentNodepool(id=spec.nodepool, compute_cluster=cluster)
        ],
    )


def deployment_of(message: resources_pb2.Deployment) -> RemoteDeployment:
    """Read a deployment: where it is to go, not where it still is."""
    worker = message.desired_worker if message.HasField("desired_worker") else message.worker
    nodepools = message.deployment_nodepools or message.nodepools
    nodepool = nodepools[0] if nodepools else resources_pb2.DeploymentNodepool()
    scale, metrics = message.autoscale_config, message.deployment_metrics
    # The fields beside `aggregate` are deprecated, and older servers fill only those.
    seen = metrics.aggregate if metrics.HasField("aggregate") else metrics
    return RemoteDeployment(
        id=message.id,
        model_id=worker.model.id,
        version_id=worker.model.model_version.id,
        spec=Deployment(
            nodepool=nodepool.id,
            compute_cluster=nodepool.compute_cluster.id,
            min_replicas=scale.min_replicas,
            max_replicas=scale.max_replicas,
            scale_down_delay=scale.scale_down_delay_seconds,
        ),
        desired=seen.desired_replicas,
        live=seen.live_replicas,
    )


def instance_type_of(message: resources_pb2.InstanceType) -> InstanceType:
    """Read an instance type; what a runner may take is a little less than what it has."""
    available = message.HasField("available_compute_info")
    compute = message.available_compute_info if available else message.compute_info
    return InstanceType(
        id=message.id,
        cloud=message.cloud_provider.id,
        region=message.region,
        compute=MessageToDict(compute, preserving_proto_field_name=True),
    )


def cluster_message(cluster: str, instance: InstanceType) -> resources_pb2.ComputeCluster:
    """Return a compute cluster to be made where an instance type is at home."""
    return resources_pb2.ComputeCluster(
        id=cluster,
        cloud_provider=resources_pb2.CloudProvider(id=instance.cloud),
        region=instance.region,
        managed_by="clarifai",
        cluster_type="dedicated",
        visibility=resources_pb2.Visibility(gettable=_PRIVATE),
    )


def nodepool_message(nodepool: str, instance: InstanceType, most: int) -> resources_pb2.Nodepool:
    """Return a nodepool to be made; without work it has no instances, which would cost money."""
    on_demand = resources_pb2.NodeCapacityType.CapacityType.ON_DEMAND_TYPE
    kind = resources_pb2.InstanceType(
        id=instance.id, compute_info=ParseDict(dict(instance.compute), resources_pb2.ComputeInfo())
    )
    return resources_pb2.Nodepool(
        id=nodepool,
        instance_types=[kind],
        node_capacity_type=resources_pb2.NodeCapacityType(capacity_types=[on_demand]),
        min_instances=0,
        max_instances=most,
        visibility=resources_pb2.Visibility(gettable=_PRIVATE),
    )
