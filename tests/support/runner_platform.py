"""The light platform with what runners need: it notes uploads and compute, and has faults."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_pb2

from clarifai_build.sandbox.api.database import Database, now
from clarifai_build.sandbox.api.errors import Code, status
from clarifai_build.sandbox.state import APP_ID
from support.light_platform import Platform, light_platform

_ABSENT = {
    "cluster": Code.COMPUTE_CLUSTER_DOES_NOT_EXIST,
    "nodepool": Code.NODEPOOL_DOES_NOT_EXIST,
    "deployment": Code.DEPLOYMENT_DOES_NOT_EXIST,
}


@dataclass
class Upload:
    """What one stream brought, as far as it came."""

    config: Any
    parts: list[Any] = field(default_factory=list)
    version_id: str = ""

    @property
    def content(self) -> bytes:
        return b"".join(part.data for part in self.parts)


Answer = Callable[["Runners", Upload, Iterator[Any], grpc.ServicerContext], Iterator[Any]]


class Runners:
    """What the platform has. `faults` are used up by uploads, first come first served.

    `stages` are what GetModelVersion says of a version, one after the other; the last one stays.
    """

    def __init__(self) -> None:
        self.database: Database
        self.uploads: list[Upload] = []
        self.faults: list[Answer] = []
        self.stages: list[tuple[int, str]] = []
        self.lines: list[str] = []
        self.pages_repeat = False
        self.refuse: dict[str, tuple[int, str]] = {}
        self.clusters: dict[str, Any] = {}
        self.nodepools: dict[tuple[str, str], Any] = {}
        self.deployments: dict[str, Any] = {}
        self.patches: list[str] = []
        self.instances: list[Any] = [_instance("sandbox-cpu")]
        self.answers: list[int] = []
        self.asked: list[str] = []
        self.before_answer: Callable[[], None] = lambda: None
        self.let_go = threading.Event()

    def add_nodepool(self, cluster: str, nodepool: str) -> None:
        """Have a cluster with a nodepool."""
        self.clusters[cluster] = resources_pb2.ComputeCluster(id=cluster)
        self.nodepools[cluster, nodepool] = resources_pb2.Nodepool(id=nodepool)

    def keep(self, upload: Upload, code: int) -> str:
        """Keep a version of an upload, with a status."""
        version = resources_pb2.ModelVersion()
        version.CopyFrom(upload.config.model_version)
        version.id = f"{len(self.uploads):032x}"
        version.app_id = APP_ID
        version.created_at.CopyFrom(now())
        version.status.CopyFrom(status(code))
        self.database.put_version(upload.config.model_id, version)
        upload.version_id = version.id
        return version.id

    # The RPCs, by their names.

    def upload(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        upload = Upload(next(requests).upload_config)
        self.uploads.append(upload)
        if "PostModelVersionsUpload" in self.refuse:
            yield _upload_answer(*self.refuse["PostModelVersionsUpload"])
            return
        answer = self.faults.pop(0) if self.faults else well
        yield from answer(self, upload, requests, context)

    def version(self, request: Any, _context: grpc.ServicerContext) -> Any:
        found = self.database.version(request.version_id)
        if found is None:
            absent = status(Code.MODEL_DOES_NOT_EXIST)
            return service_pb2.SingleModelVersionResponse(status=absent)
        model_id, version = found
        if self.stages:
            stage = self.stages.pop(0) if len(self.stages) > 1 else self.stages[0]
            version.status.CopyFrom(status(*stage))
            self.database.put_version(model_id, version)
        return service_pb2.SingleModelVersionResponse(status=_OK, model_version=version)

    def log(self, request: Any, _context: grpc.ServicerContext) -> Any:
        if "ListLogEntries" in self.refuse:
            return service_pb2.MultiLogEntryResponse(status=status(*self.refuse["ListLogEntries"]))
        first = 0 if self.pages_repeat else (request.page - 1) * request.per_page
        lines = list(enumerate(self.lines))[first : first + request.per_page]
        entries = [
            resources_pb2.LogEntry(message=line, url=f"log/{number}") for number, line in lines
        ]
        return service_pb2.MultiLogEntryResponse(status=_OK, log_entries=entries)

    def get_cluster(self, request: Any, _context: grpc.ServicerContext) -> Any:
        found = self.clusters.get(request.compute_cluster_id)
        return service_pb2.SingleComputeClusterResponse(
            status=_found(found, "cluster"), compute_cluster=found
        )

    def post_clusters(self, request: Any, _context: grpc.ServicerContext) -> Any:
        self.clusters |= {one.id: one for one in request.compute_clusters}
        return service_pb2.MultiComputeClusterResponse(status=_OK)

    def get_nodepool(self, request: Any, _context: grpc.ServicerContext) -> Any:
        found = self.nodepools.get((request.compute_cluster_id, request.nodepool_id))
        return service_pb2.SingleNodepoolResponse(status=_found(found, "nodepool"), nodepool=found)

    def post_nodepools(self, request: Any, _context: grpc.ServicerContext) -> Any:
        cluster = request.compute_cluster_id
        self.nodepools |= {(cluster, one.id): one for one in request.nodepools}
        return service_pb2.MultiNodepoolResponse(status=_OK)

    def list_instances(self, _request: Any, _context: grpc.ServicerContext) -> Any:
        return service_pb2.MultiInstanceTypeResponse(status=_OK, instance_types=self.instances)

    def get_secret(self, request: Any, _context: grpc.ServicerContext) -> Any:
        secret = resources_pb2.Secret(id=request.id)
        return service_pb2.SingleSecretResponse(status=_OK, secret=secret)

    def get_deployment(self, request: Any, _context: grpc.ServicerContext) -> Any:
        if "GetDeployment" in self.refuse:
            refusal = status(*self.refuse["GetDeployment"])
            return service_pb2.SingleDeploymentResponse(status=refusal)
        found = self.deployments.get(request.deployment_id)
        return service_pb2.SingleDeploymentResponse(
            status=_found(found, "deployment"), deployment=found
        )

    def post_deployments(self, request: Any, _context: grpc.ServicerContext) -> Any:
        if "PostDeployments" in self.refuse:
            refusal = status(*self.refuse["PostDeployments"])
            return service_pb2.MultiDeploymentResponse(status=refusal)
        self.deployments |= {one.id: one for one in request.deployments}
        return service_pb2.MultiDeploymentResponse(status=_OK, deployments=request.deployments)

    def patch_deployments(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.patches.append(request.action)
        return self.post_deployments(request, context)

    def delete_deployments(self, request: Any, _context: grpc.ServicerContext) -> Any:
        gone = [self.deployments.pop(one, None) for one in request.ids]
        return status_pb2.BaseResponse(status=_found(all(gone) or None, "deployment"))

    def predict(self, request: Any, _context: grpc.ServicerContext) -> Any:
        """Answer with the next of `answers`, or well."""
        self.before_answer()
        self.asked.append(request.version_id)
        said = status(self.answers.pop(0) if self.answers else Code.SUCCESS)
        outputs = [resources_pb2.Output(status=said) for _ in request.inputs]
        return service_pb2.MultiOutputResponse(status=said, outputs=outputs)

    def table(self, database: Database) -> dict[str, Any]:
        self.database = database
        return {
            "PostModelVersionsUpload": self.upload,
            "GetModelVersion": self.version,
            "ListLogEntries": self.log,
            "GetComputeCluster": self.get_cluster,
            "PostComputeClusters": self.post_clusters,
            "GetNodepool": self.get_nodepool,
            "PostNodepools": self.post_nodepools,
            "ListInstanceTypes": self.list_instances,
            "GetSecret": self.get_secret,
            "GetDeployment": self.get_deployment,
            "PostDeployments": self.post_deployments,
            "PatchDeployments": self.patch_deployments,
            "DeleteDeployments": self.delete_deployments,
            "PostModelOutputs": self.predict,
        }


# What becomes of an upload.


def well(
    runners: Runners, upload: Upload, requests: Iterator[Any], _context: grpc.ServicerContext
) -> Iterator[Any]:
    """All of it is taken, and the version is being built."""
    version_id = runners.keep(upload, Code.MODEL_UPLOADING)
    for request in requests:
        upload.parts.append(request.content_part)
        yield _upload_answer(Code.UPLOAD_IN_PROGRESS, version_id=version_id)
    runners.keep(upload, Code.MODEL_BUILDING)
    yield _upload_answer(Code.MODEL_BUILDING, version_id=version_id)


def breaks_at(number: int, *, keeps: bool = False) -> Answer:
    """The stream breaks in this part; the platform may keep the version that it began."""

    def answer(
        runners: Runners, upload: Upload, requests: Iterator[Any], context: grpc.ServicerContext
    ) -> Iterator[Any]:
        version_id = runners.keep(upload, Code.MODEL_UPLOADING) if keeps else ""
        for request in requests:
            if request.content_part.part_number == number:
                context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")
            upload.parts.append(request.content_part)
            yield _upload_answer(Code.UPLOAD_IN_PROGRESS, version_id=version_id)

    return answer


def loses_the_answer(
    runners: Runners, upload: Upload, requests: Iterator[Any], context: grpc.ServicerContext
) -> Iterator[Any]:
    """All of it is taken, and nobody is told."""
    upload.parts += [request.content_part for request in requests]
    runners.keep(upload, Code.MODEL_BUILDING)
    context.abort(grpc.StatusCode.UNAVAILABLE, "the connection broke")
    yield


def out_of_order(
    runners: Runners, upload: Upload, requests: Iterator[Any], _context: grpc.ServicerContext
) -> Iterator[Any]:
    """The word that it is built comes before that of its progress."""
    upload.parts += [request.content_part for request in requests]
    version_id = runners.keep(upload, Code.MODEL_BUILDING)
    yield _upload_answer(Code.MODEL_BUILDING, version_id=version_id)
    yield _upload_answer(Code.UPLOAD_IN_PROGRESS, version_id=version_id)


def ends_early(
    runners: Runners, upload: Upload, requests: Iterator[Any], _context: grpc.ServicerContext
) -> Iterator[Any]:
    """The platform says that it builds what it has only begun to read."""
    upload.parts.append(next(requests).content_part)
    yield _upload_answer(Code.MODEL_BUILDING, version_id=runners.keep(upload, Code.MODEL_UPLOADING))


def says_nothing_of_a_build(
    _runners: Runners, upload: Upload, requests: Iterator[Any], _context: grpc.ServicerContext
) -> Iterator[Any]:
    """All of it is taken, and the stream just ends."""
    upload.parts += [request.content_part for request in requests]
    yield _upload_answer(Code.UPLOAD_IN_PROGRESS)


def hangs(
    runners: Runners, upload: Upload, requests: Iterator[Any], _context: grpc.ServicerContext
) -> Iterator[Any]:
    """All of it is taken, and no answer comes until the test lets it."""
    upload.parts += [request.content_part for request in requests]
    runners.let_go.wait(30)
    yield _upload_answer(Code.UPLOAD_IN_PROGRESS)


_OK = status(Code.SUCCESS)


def _upload_answer(code: int, details: str = "", version_id: str = "") -> Any:
    return service_pb2.PostModelVersionsUploadResponse(
        status=status(code, details), model_version_id=version_id
    )


def _found(found: object, what: str) -> Any:
    return _OK if found is not None else status(_ABSENT[what])


def _instance(name: str) -> Any:
    return resources_pb2.InstanceType(
        id=name,
        cloud_provider=resources_pb2.CloudProvider(id="aws"),
        region="us-east-1",
        compute_info=resources_pb2.ComputeInfo(cpu_limit="4", cpu_memory="16Gi"),
    )


@contextmanager
def runner_platform(folder: Path) -> Iterator[tuple[Platform, Runners]]:
    """Run one on a free port; `folder` keeps its database."""
    runners = Runners()
    with light_platform(folder, runners.table) as platform:
        try:
            yield platform, runners
        finally:
            runners.let_go.set()
