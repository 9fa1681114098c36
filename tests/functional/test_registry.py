"""The registry against a real gRPC server on loopback that answers as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2, service_pb2_grpc
from clarifai_grpc.grpc.api.status import status_pb2

from clarifai_build.errors import NotAuthorisedError, RegistryError
from clarifai_build.manifest.types import Clarifai, Param
from clarifai_build.registry import NewModel, NewVersion
from clarifai_build.registry.account import Account
from clarifai_build.registry.channel import Channel
from clarifai_build.registry.clarifai import ClarifaiRegistry
from clarifai_build.registry.messages import MANAGED
from clarifai_build.registry.version_metadata import (
    FORMAT,
    METADATA_KEY,
    NO_METADATA,
    VersionMetadata,
)

OK = status_pb2.Status(code=10000)
Answer = Callable[[Any, grpc.ServicerContext], Any]


class Scripted(service_pb2_grpc.V2Servicer):
    """Answers each RPC with the next of the answers it was given; the last one stays."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, Any]] = []
        self.metadata: dict[str, str] = {}

    def on(self, rpc: str, *answers: Any) -> None:
        """Set what an RPC answers: messages, or functions of request and context."""
        self.answers[rpc] = [
            answer if callable(answer) else lambda request, context, answer=answer: answer
            for answer in answers
        ]

    def count(self, rpc: str) -> int:
        """How often an RPC was called."""
        return sum(name == rpc for name, _ in self.requests)

    def __getattribute__(self, name: str) -> Any:
        if not name[0].isupper():
            return super().__getattribute__(name)

        def answer(request: Any, context: grpc.ServicerContext) -> Any:
            self.requests.append((name, request))
            self.metadata = dict(context.invocation_metadata())
            answers = self.answers[name]
            return (answers.pop(0) if len(answers) > 1 else answers[0])(request, context)

        return answer


@pytest.fixture
def platform() -> Iterator[tuple[Scripted, ClarifaiRegistry]]:
    """A scripted platform, and a registry connected to it that does not sleep between retries."""
    scripted = Scripted()
    server = grpc.server(futures.ThreadPoolExecutor(4))
    service_pb2_grpc.add_V2Servicer_to_server(scripted, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    clarifai = Clarifai("me", "main", f"http://127.0.0.1:{port}")
    channel = Channel(Account.resolve(clarifai, {"CLARIFAI_PAT": "secret"}), sleep=lambda _: None)
    yield scripted, ClarifaiRegistry(channel)
    channel.close()
    server.stop(None)


Platform = tuple[Scripted, ClarifaiRegistry]


def refused(code: int, description: str = "", details: str = "") -> status_pb2.Status:
    """Make a status that is not success."""
    return status_pb2.Status(code=code, description=description, details=details, req_id="req-1")


def single(status: status_pb2.Status = OK, **model: Any) -> service_pb2.SingleModelResponse:
    """Make an answer that holds one model."""
    return service_pb2.SingleModelResponse(status=status, model=resources_pb2.Model(**model))


def unavailable(_request: Any, context: grpc.ServicerContext) -> None:
    """Fail as a server does that is going down."""
    context.abort(grpc.StatusCode.UNAVAILABLE, "going down")


def test_absent_model_is_none(platform: Platform) -> None:
    """21200 is an answer, not an error."""
    scripted, registry = platform
    scripted.on("GetModel", single(refused(21200, "Model does not exist")))
    assert registry.model("lines") is None
    assert scripted.metadata["authorization"] == "Key secret"


@pytest.mark.parametrize("code", [11000, 11007, 11008, 11009, 11101])
def test_refused_token(platform: Platform, code: int) -> None:
    """Each way of not being let in is NotAuthorised, with the platform's words and request id."""
    scripted, registry = platform
    scripted.on("GetModel", single(refused(code, "Invalid key", "look again")))
    with pytest.raises(NotAuthorisedError, match=r"Invalid key: look again.*req-1"):
        registry.model("lines")


def test_error_without_details_still_tells(platform: Platform) -> None:
    """An error without details is not hidden by another one."""
    scripted, registry = platform
    scripted.on("GetModel", single(refused(99)))
    with pytest.raises(RegistryError, match="no description"):
        registry.model("lines")


@pytest.mark.parametrize("passing", [unavailable, single(refused(10030)), single(refused(11005))])
def test_what_passes_is_tried_again(platform: Platform, passing: Any) -> None:
    """A server that is going down or throttles is asked again."""
    scripted, registry = platform
    scripted.on("GetModel", passing, passing, single(id="lines", notes=MANAGED))
    found = registry.model("lines")
    assert found is not None
    assert found.managed
    assert scripted.count("GetModel") == 3


def test_hourly_limit_is_not_tried_again(platform: Platform) -> None:
    """Asking again within the hour makes it worse."""
    scripted, registry = platform
    scripted.on("GetModel", single(refused(11003, "limit")))
    with pytest.raises(RegistryError):
        registry.model("lines")
    assert scripted.count("GetModel") == 1


def test_version_is_never_posted_twice_by_a_retry(platform: Platform) -> None:
    """A post without an answer may have been carried out, so it is not repeated blindly."""
    scripted, registry = platform
    scripted.on("PostModelVersions", unavailable)
    new = NewVersion("http://zip", {}, {}, (), "", "private", NO_METADATA)
    with pytest.raises(RegistryError, match="did not answer"):
        registry.create_version("lines", new)
    assert scripted.count("PostModelVersions") == 1


def test_version_carries_all_that_was_asked(platform: Platform) -> None:
    """URL, field maps, parameters, description, visibility and metadata reach the platform."""
    scripted, registry = platform
    version = resources_pb2.ModelVersion(id="v1", status=status_pb2.Status(code=21104))
    scripted.on("PostModelVersions", single(model_version=version))
    made = registry.create_version(
        "lines",
        NewVersion(
            zip_url="http://zip",
            input_fields_map={"image": "image"},
            output_fields_map={"text": "text"},
            params=(Param("threshold", "number", 0.5, "Lowest."), Param("key", "secret")),
            description="Finds.",
            visibility="public",
            metadata=VersionMetadata(artifact_digest="abc", size=2**40),
        ),
    )
    assert (made.id, made.health) == ("v1", "progressing")
    (posted,) = scripted.requests[0][1].model_versions
    assert posted.pretrained_model_config.model_zip_url == "http://zip"
    assert dict(posted.pretrained_model_config.input_fields_map) == {"image": "image"}
    assert posted.visibility.gettable == 50
    assert dict(posted.metadata[METADATA_KEY]) == {
        "format": FORMAT,
        "artifact_digest": "abc",
        "size": 2**40,
    }
    threshold, key = posted.output_info.params_specs
    assert (threshold.path, threshold.field_type) == ("threshold", 3)
    assert threshold.default_value.number_value == 0.5
    assert key.field_type == 21
    assert not key.HasField("default_value")


def test_recorded_metadata_come_back(platform: Platform) -> None:
    """What an update writes of a version is what the next look reads, unknown keys included."""
    scripted, registry = platform
    metadata = VersionMetadata("abc", size=2**40, dirty=False, sbom="", unknown={"new": [1.5]})
    scripted.on("PatchModelVersions", service_pb2.MultiModelVersionResponse(status=OK))
    registry.update_version(
        "lines", "v1", NewModel("lines", "text-to-text", "", "private"), metadata
    )
    (patched,) = scripted.requests[0][1].model_versions
    scripted.on(
        "GetModelVersion", service_pb2.SingleModelVersionResponse(status=OK, model_version=patched)
    )
    found = registry.version("lines", "v1")
    assert found is not None
    assert found.metadata == metadata


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), None, [1, {"a": True}]])
def test_odd_metadata_of_one_version_hides_no_other(platform: Platform, odd: Any) -> None:
    """Whatever somebody wrote into a version's metadata, the model's versions are read."""
    scripted, registry = platform
    versions = [resources_pb2.ModelVersion(id=f"v{number}") for number in range(2)]
    versions[0].metadata.update({"clarifai_build": {"size": odd}, "odd": odd})
    versions[0].pretrained_model_config.input_fields_map.update({"image": odd})
    scripted.on(
        "ListModelVersions",
        service_pb2.MultiModelVersionResponse(status=OK, model_versions=versions),
    )
    first, second = registry.versions("lines"), registry.versions("lines")
    assert [(version.id, version.size) for version in first] == [("v1", 0), ("v0", 0)]
    assert first == second


def test_answer_without_a_version_id(platform: Platform) -> None:
    """A success that names no version is not taken for one."""
    scripted, registry = platform
    scripted.on("PostModelVersions", single(id="lines"))
    with pytest.raises(RegistryError, match="named no id"):
        registry.create_version("lines", NewVersion("u", {}, {}, (), "", "private", NO_METADATA))


def test_all_pages_are_read_newest_first(platform: Platform) -> None:
    """Pages are followed to the end, and a version that two pages repeat counts once."""
    scripted, registry = platform

    def page(*numbers: int) -> Any:
        versions = [resources_pb2.ModelVersion(id=f"v{number:03}") for number in numbers]
        for version, number in zip(versions, numbers, strict=True):
            version.created_at.seconds = number
        return service_pb2.MultiModelVersionResponse(status=OK, model_versions=versions)

    scripted.on("ListModelVersions", page(*range(128)), page(127, *range(128, 200)))
    versions = registry.versions("lines")
    assert [version.id for version in versions] == [f"v{n:03}" for n in reversed(range(200))]


def test_page_that_is_missing_is_looked_behind(platform: Platform) -> None:
    """An empty page after a full one may be a fault: what comes after it is not left out."""
    scripted, registry = platform
    full = [resources_pb2.ModelVersion(id=f"v{number}") for number in range(128)]
    pages = [full, [], [resources_pb2.ModelVersion(id="last")]]
    scripted.on(
        "ListModelVersions",
        *(service_pb2.MultiModelVersionResponse(status=OK, model_versions=page) for page in pages),
    )
    assert len(registry.versions("lines")) == 129
    scripted.on("ListModelVersions", service_pb2.MultiModelVersionResponse(status=OK))
    assert registry.versions("lines") == ()
    assert scripted.count("ListModelVersions") == 4


def test_pages_that_repeat_end(platform: Platform) -> None:
    """A server that knows no pages gives the first one for ever: that is an error, not a hang."""
    scripted, registry = platform
    full = [resources_pb2.ModelVersion(id=f"v{number}") for number in range(128)]
    answer = service_pb2.MultiModelVersionResponse(status=OK, model_versions=full)
    scripted.on("ListModelVersions", answer)
    with pytest.raises(RegistryError, match="only repeats"):
        registry.versions("lines")
    assert scripted.count("ListModelVersions") == 2


def test_duplicate_model_is_a_race(platform: Platform) -> None:
    """When another apply made the model meanwhile, theirs is used."""
    scripted, registry = platform
    scripted.on("PostModels", single(refused(21202, "duplicate")))
    scripted.on("GetModel", single(id="lines", model_type_id="text-to-text", notes=MANAGED))
    made = registry.create_model(NewModel("lines", "text-to-text", "", "private"))
    assert made.id == "lines"
