"""Uploads runner models to the sandbox, with raw requests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from support.handmade_runners import runner_files, tarred
from support.sandbox_client import Api

COMPUTE = resources_pb2.ComputeInfo(cpu_limit="500m", cpu_memory="1Gi")
PREDICT = resources_pb2.MethodSignature(
    name="predict", method_type=resources_pb2.RunnerMethodType.UNARY_UNARY
)


def declaration(**fields: Any) -> Any:
    """Return a version as it is declared at the head of an upload."""
    known = {"inference_compute_info": COMPUTE, "method_signatures": [PREDICT], "num_threads": 3}
    return resources_pb2.ModelVersion(**{**known, **fields})


def head(api: Api, model_id: str, size: int, version: Any = None) -> Any:
    """Return the first message of an upload."""
    config = service_pb2.PostModelVersionsUploadConfig(
        user_app_id=api.user_app_id,
        model_id=model_id,
        model_version=version or declaration(),
        total_size=size,
        is_v3=True,
    )
    return service_pb2.PostModelVersionsUploadRequest(upload_config=config)


def part(number: int, start: int, data: bytes) -> Any:
    """Return one of the messages that follow."""
    content = resources_pb2.UploadContentPart(part_number=number, range_start=start, data=data)
    return service_pb2.PostModelVersionsUploadRequest(content_part=content)


def parts_of(content: bytes, count: int) -> Iterator[Any]:
    """Yield the content in so many parts, each with its start."""
    size = -(-len(content) // count)
    for number in range(count):
        yield part(number + 1, number * size, content[number * size : (number + 1) * size])


def sent(api: Api, messages: Sequence[Any]) -> list[Any]:
    """Send an upload, and return all answers."""
    stream = api.stub.PostModelVersionsUpload(iter(messages), metadata=api.metadata, timeout=120)
    return list(stream)


def upload(api: Api, model_id: str, content: bytes, parts: int = 1, version: Any = None) -> Any:
    """Upload a tar.gz; returns the last answer."""
    messages = [head(api, model_id, len(content), version), *parts_of(content, parts)]
    return sent(api, messages)[-1]


def built(api: Api, model_type: str = "text-to-text", **changed: str) -> tuple[str, Any]:
    """Make a model with a runner version; returns its id and the version, ready or failed."""
    model_id = api.new_model(model_type)
    answer = upload(api, model_id, tarred(runner_files(model_id, **changed)), 2)
    return model_id, api.settled(model_id, answer.model_version_id)


def deploy(api: Api, model_id: str, version_id: str, **fields: Any) -> Any:
    """Deploy a version into the nodepool that the sandbox has; returns the raw answer."""
    cluster = resources_pb2.ComputeCluster(id="sandbox")
    worker = resources_pb2.Worker(model=resources_pb2.Model(id=model_id))
    worker.model.model_version.id = version_id
    wanted = resources_pb2.Deployment(
        id=f"d{uuid.uuid4().hex[:12]}",
        desired_worker=worker,
        autoscale_config=resources_pb2.AutoscaleConfig(min_replicas=1, max_replicas=2),
        deployment_nodepools=[
            resources_pb2.DeploymentNodepool(id="sandbox", compute_cluster=cluster)
        ],
    )
    wanted.MergeFrom(resources_pb2.Deployment(**fields))
    return api.call("PostDeployments", deployments=[wanted])


def log_lines(api: Api, model_id: str, version_id: str, log_type: str = "builder") -> list[str]:
    """Return all that a build, or a process, wrote; page by page."""
    lines: list[str] = []
    page, urls = 1, set()
    while True:
        answer = api.call(
            "ListLogEntries",
            log_type=log_type,
            model_id=model_id,
            model_version_id=version_id,
            page=page,
            per_page=50,
        )
        if not answer.log_entries:
            return lines
        for entry in answer.log_entries:
            assert entry.url not in urls
            urls.add(entry.url)
            lines.append(entry.message)
        page += 1
