"""Ways out of what the platform answers when it is out of order, or somebody else is at work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status import status_code_pb2, status_pb2

from clarifai_build.deploy.apply import executor
from clarifai_build.registry.clarifai import PAGE
from clarifai_build.sandbox.api.errors import status
from support.command_line import World, ended
from support.following import fine, live, told, warned
from world.hints.platform import Following

Code = status_code_pb2.StatusCode
OK = status_pb2.Status(code=Code.SUCCESS)


def answering(world: World, rpc: str, answer: Callable[[Any], Any]) -> None:
    """Let the platform answer otherwise, until `answers` is cleared."""
    world.platform.answers[rpc] = answer


def version_gone(world: World, _variables: pytest.MonkeyPatch) -> None:
    """The next apply registers it anew."""
    world.model(at=".")
    builds = world.platform.builds
    builds.code = Code.MODEL_TRAINING

    def deleted(request: Any) -> Any:
        builds.database.delete_version(request.version_id)
        return world.platform.own["GetModelVersion"](request)

    answering(world, "GetModelVersion", deleted)
    assert "apply again to register it anew" in told("version-gone", "apply")
    world.platform.answers.clear()
    builds.code = Code.MODEL_TRAINED
    live()
    assert len(world.registry.versions("lines")) == 1


def versions_incomplete(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Nothing was changed, and a later try finds the list whole."""
    world.model(at=".")
    live()
    world.edit("more", model=".")
    world.forget()
    empty = service_pb2.MultiModelVersionResponse(status=OK)
    answering(world, "ListModelVersions", lambda _request: empty)
    assert "nothing was changed" in told("versions-incomplete", "apply")
    assert [call for call in world.wrote() if call.startswith("Post")] == []
    world.platform.answers.clear()
    live()


def no_version(world: World, _variables: pytest.MonkeyPatch) -> None:
    """An apply registers one."""
    world.model(at=".")
    for text in ("one", "two"):
        world.edit(text, model=".")
        live()

    def removed(request: Any) -> None:
        if request.method == "PUT":
            for version in world.registry.versions("lines"):
                world.platform.builds.database.delete_version(version.id)

    world.bucket.before = removed
    assert "apply registers one" in told("no-version", "rollback", "v1", "--yes")
    world.bucket.before = lambda _request: None
    live()


def refusing(code: str, rpc: str, answered: int, word: str) -> Following:
    """Return the way out of a call that is refused: once what it says is mended, it is taken."""

    def follow(world: World, _variables: pytest.MonkeyPatch) -> None:
        world.model(at=".")
        refused = service_pb2.SingleModelResponse(status=status(answered, "the plan has ended"))
        answering(world, rpc, lambda _request: refused)
        assert word in told(code, "apply")
        world.platform.answers.clear()
        live()

    return follow


def pages_repeat(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Where what answers knows pages, the list is read."""
    world.model(at=".")
    live()
    full = [resources_pb2.ModelVersion(id=f"v{number}") for number in range(PAGE)]
    first = service_pb2.MultiModelVersionResponse(status=OK, model_versions=full)
    answering(world, "ListModelVersions", lambda _request: first)
    assert "may not know pages" in told("pages-repeat", "versions")
    world.platform.answers.clear()
    fine("versions")
    fine("verify")


def version_without_id(world: World, variables: pytest.MonkeyPatch) -> None:
    """The next apply finds by its metadata what was made after all."""
    world.model(at=".")
    posted: list[Any] = []

    def late(request: Any) -> Any:
        posted.append(request)
        return service_pb2.SingleModelResponse(status=OK)

    with variables.context() as impatient:
        impatient.setattr(executor, "_LOOK_AGAIN", (0.0,))
        answering(world, "PostModelVersions", late)
        said = told("version-without-id", "apply")
    assert "apply again: what it made is found by its metadata" in said
    world.platform.answers.clear()
    world.platform.own["PostModelVersions"](posted[0])
    live()
    assert len(posted) == len(world.registry.versions("lines")) == 1


def asked(code: int, words: str) -> Callable[[Any], Any]:
    """Return what answers a prediction with a status."""
    return lambda _request: service_pb2.MultiOutputResponse(status=status(code, words))


def not_deployed(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Once it is deployed, the next apply asks it."""
    world.model(at=".")
    answering(world, "PostModelOutputs", asked(Code.MODEL_NOT_DEPLOYED, "no nodes"))
    assert "deploy it on the platform, then apply again" in warned("not-deployed", "apply")
    world.platform.answers.clear()
    world.forget()
    assert "warning" not in ended("apply").err
    assert "PostModelOutputs" in world.platform.calls
    live()


def not_served_yet(world: World, _variables: pytest.MonkeyPatch) -> None:
    """Applied again later, it is asked again."""
    world.model(at=".")
    answering(world, "PostModelOutputs", asked(Code.MODEL_DEPLOYING, "nodes are starting"))
    assert "apply again" in warned("not-served-yet", "apply", "--timeout", "0")
    world.platform.answers.clear()
    world.forget()
    assert "warning" not in ended("apply").err
    assert "PostModelOutputs" in world.platform.calls
    live()


def canary_failed(world: World, _variables: pytest.MonkeyPatch) -> None:
    """An input that the model answers, under `test.inputs`; or applied again once it answers."""
    manifest = world.model(at=".")

    def particular(request: Any) -> Any:
        if request.inputs[0].data.text.raw == "a question?":
            return world.platform.own["PostModelOutputs"](request)
        return asked(Code.MODEL_PREDICTION_FAILED, "this is no question")(request)

    answering(world, "PostModelOutputs", particular)
    said = told("canary-failed", "apply")
    assert "this is no question" in said
    assert "name one under test.inputs" in said
    manifest.write_text(f"{manifest.read_text()}test: {{inputs: [{{text: 'a question?'}}]}}\n")
    live()
    world.edit("more", model=".")
    world.platform.answers["PostModelOutputs"] = asked(Code.MODEL_PREDICTION_FAILED, "none at all")
    assert "none at all" in told("canary-failed", "apply")
    world.platform.answers.clear()
    live()


def version_ambiguous(world: World, _variables: pytest.MonkeyPatch) -> None:
    """More of the name of one."""
    world.model(at=".")
    live()
    database = world.platform.builds.database
    (version,) = world.registry.versions("lines")
    found = database.version(version.id)
    assert found is not None
    for name in ("abcdef01", "abcdef02"):
        found[1].id = name
        database.put_version(found[0], found[1])
    said = told("version-ambiguous", "verify", "--version", "abcdef")
    assert "abcdef01" in said
    fine("verify", "--version", "abcdef01")


FOLLOWED: Mapping[str, Following] = {
    "api-refused": refusing(
        "api-refused", "PostModels", Code.MODEL_INVALID_ARGUMENT, "the plan has ended"
    ),
    "canary-failed": canary_failed,
    "hourly-limit": refusing(
        "hourly-limit", "GetModel", Code.CONN_EXCEED_HOURLY_LIMIT, "try again in an hour"
    ),
    "no-version": no_version,
    "not-deployed": not_deployed,
    "not-served-yet": not_served_yet,
    "pages-repeat": pages_repeat,
    "version-ambiguous": version_ambiguous,
    "version-gone": version_gone,
    "version-without-id": version_without_id,
    "versions-incomplete": versions_incomplete,
}
