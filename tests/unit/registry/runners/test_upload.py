"""Uploading a runner's version over a real gRPC stream, which may break, hang or be refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.errors import BuilderError, NotAuthorisedError, RegistryError
from clarifai_build.manifest.types import Clarifai, Param
from clarifai_build.progress import Event, no_progress
from clarifai_build.registry import NewModel, NoAnswerError
from clarifai_build.registry.account import Account
from clarifai_build.registry.channel import Channel
from clarifai_build.registry.clarifai import ClarifaiRegistry
from clarifai_build.registry.runners.clarifai import ClarifaiRunners
from clarifai_build.registry.runners.protocol import NewRunnerVersion
from clarifai_build.registry.version_metadata import VersionMetadata
from support.fakes import ShortPauses
from support.light_platform import Platform
from support.runner_declarations import declared
from support.runner_platform import (
    Runners,
    breaks_at,
    ends_early,
    hangs,
    loses_the_answer,
    out_of_order,
    runner_platform,
    says_nothing_of_a_build,
)

NEW = NewRunnerVersion(
    declaration=declared(),
    params=(Param("k", "number", 3, "How many."),),
    description="Reads lines.",
    visibility="private",
    metadata=VersionMetadata("a" * 64, apply="this-apply", target="runner"),
    unpacked_size=123,
    git={"commit": "c" * 40, "branch": "main", "url": "https://git.example/lines"},
)


@dataclass(frozen=True)
class Content:
    """Bytes in memory."""

    body: bytes

    @property
    def size(self) -> int:
        return len(self.body)

    def read(self, offset: int, length: int) -> bytes:
        """Return a range."""
        return self.body[offset : offset + length]


CONTENT = Content(bytes(range(10)) * 5)


@dataclass(frozen=True)
class World:
    """A platform, and the way to it."""

    platform: Platform
    runners: Runners
    registry: ClarifaiRegistry
    client: ClarifaiRunners

    def upload(self, cancel: CancelToken = NEVER, content: Any = CONTENT) -> str:
        """Upload once; pauses are short."""
        cancel = ShortPauses() if cancel is NEVER else cancel
        return self.client.upload_version("lines", NEW, content, no_progress, cancel)


@pytest.fixture
def open_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Make worlds with a model, whose streams may be idle for some seconds."""
    with runner_platform(tmp_path) as (platform, runners):
        account = Account.resolve(Clarifai(), platform.environ)
        channel = Channel(account, sleep=lambda _: None)
        registry = ClarifaiRegistry(channel)
        registry.create_model(NewModel("lines", "text-to-text", "", "private"))

        def make(idle: float = 30.0, part_bytes: int = 10) -> World:
            client = ClarifaiRunners(channel, registry, idle=idle, part_bytes=part_bytes)
            return World(platform, runners, registry, client)

        yield make
        channel.close()


@pytest.fixture
def world(open_world: Callable[..., World]) -> World:
    """One whose streams have time."""
    return open_world()


def test_the_config_comes_first_then_the_parts(world: World) -> None:
    """Numbered from 1, each with the offset of its first byte."""
    version_id = world.upload()
    (upload,) = world.runners.uploads
    assert upload.version_id == version_id
    assert upload.content == CONTENT.body
    assert [(part.part_number, part.range_start) for part in upload.parts] == [
        (number + 1, number * 10) for number in range(5)
    ]
    config = upload.config
    assert (config.model_id, config.total_size, config.is_v3) == ("lines", 50, True)
    assert config.storage_request_size == 123


def test_what_the_config_says_of_the_version(world: World) -> None:
    """What the official client says, and what this tool records beside it."""
    world.upload()
    version = world.runners.uploads[0].config.model_version
    said = MessageToDict(version, preserving_proto_field_name=True)
    assert said["pretrained_model_config"] == {}
    assert said["inference_compute_info"] == {"cpu_limit": "1", "cpu_memory": "2Gi"}
    assert said["build_info"] == {"platform": "linux/amd64"}
    assert said["num_threads"] == 16
    assert said["method_signatures"][0]["name"] == "predict"
    assert said["output_info"]["data"]["concepts"] == [{"id": "dög", "name": "dög"}]
    assert said["output_info"]["params"] == {
        "secrets": [{"id": "hub", "env_var": "HUB_TOKEN", "type": "env"}]
    }
    assert said["output_info"]["params_specs"][0]["path"] == "k"
    assert said["metadata"]["git_registry"] == NEW.git
    assert said["metadata"]["clarifai_build"]["artifact_digest"] == "a" * 64


def test_progress_reaches_the_size(world: World) -> None:
    """In bytes, as parts are passed on."""
    events: list[Event] = []
    world.client.upload_version("lines", NEW, CONTENT, events.append, NEVER)
    assert {event.total for event in events} == {50}
    counted = [event.done for event in events]
    assert counted == sorted(counted, key=lambda done: done or 0)
    assert counted[-1] in (40, 50)  # after the last part gRPC may not come back


@pytest.mark.parametrize("keeps", [False, True])
def test_a_stream_that_breaks_is_begun_anew(world: World, keeps: bool) -> None:
    """In part 3 of 5; what a platform keeps of it goes, so that one version is left."""
    world.runners.faults.append(breaks_at(3, keeps=keeps))
    version_id = world.upload()
    assert len(world.runners.uploads) == 2
    assert world.runners.uploads[1].content == CONTENT.body
    assert [version.id for version in world.registry.versions("lines")] == [version_id]


def test_a_lost_answer_is_looked_for(world: World) -> None:
    """The version is there, known by the id of the apply: nothing is sent twice."""
    world.runners.faults.append(loses_the_answer)
    version_id = world.upload()
    assert len(world.runners.uploads) == 1
    assert [version.id for version in world.registry.versions("lines")] == [version_id]


def test_answers_out_of_order(world: World) -> None:
    """Once it is being built, it is, whatever is said later."""
    world.runners.faults.append(out_of_order)
    assert world.upload() == world.runners.uploads[0].version_id


def test_a_stream_that_ends_without_the_word_of_a_build(world: World) -> None:
    """It makes no version: it is sent again."""
    world.runners.faults.append(says_nothing_of_a_build)
    assert world.upload() == world.runners.uploads[-1].version_id
    assert len(world.runners.uploads) == 2


def test_streams_that_always_end_too_early(world: World) -> None:
    """They end with an error that says what is missing."""
    world.runners.faults += [says_nothing_of_a_build] * 9
    with pytest.raises(NoAnswerError, match="the platform's word") as raised:
        world.upload()
    assert raised.value.problems[0].code == "upload-cut"


def test_a_build_of_what_was_not_sent(open_world: Callable[..., World]) -> None:
    """The platform can't have read it: what it began goes, and it is sent again."""
    # More than gRPC passes on before anyone reads it; it takes up to 4 MiB a message.
    world = open_world(part_bytes=3 << 20)
    world.runners.faults.append(ends_early)
    assert world.upload(content=Content(bytes(64 << 20))) == world.runners.uploads[1].version_id
    assert len(world.registry.versions("lines")) == 1


def test_a_stream_that_always_breaks(world: World) -> None:
    """It ends with an error, and leaves nothing."""
    world.runners.faults += [breaks_at(1)] * 9
    with pytest.raises(NoAnswerError, match="did not answer"):
        world.upload()
    assert len(world.runners.uploads) == 5
    assert world.registry.versions("lines") == ()


def test_an_answer_that_never_comes(open_world: Callable[..., World]) -> None:
    """Where nothing moves for long enough, the stream is given up."""
    world = open_world(idle=0.2)
    world.runners.faults += [hangs] * 9
    with pytest.raises(NoAnswerError) as raised:
        world.upload()
    assert raised.value.problems[0].code == "stream-idle"


def test_an_interrupt_ends_a_stream(world: World) -> None:
    """It does not wait for the platform, and nothing is sent again."""
    world.runners.faults.append(hangs)
    cancel = CancelToken()

    class Cancelling(Content):
        def read(self, offset: int, length: int) -> bytes:
            if offset == 40:
                threading.Timer(0, cancel.cancel).start()
            return super().read(offset, length)

    with pytest.raises(KeyboardInterrupt):
        world.upload(cancel, Cancelling(CONTENT.body))
    assert len(world.runners.uploads) == 1


def test_content_that_can_not_be_read(world: World) -> None:
    """Its own error is raised, not that of the stream."""

    class Unreadable(Content):
        def read(self, offset: int, length: int) -> bytes:
            raise BuilderError.of("unreadable", f"{offset} of {length}")

    with pytest.raises(BuilderError) as raised:
        world.upload(content=Unreadable(CONTENT.body))
    assert raised.value.problems[0].code == "unreadable"
    assert len(world.runners.uploads) < 2


@pytest.mark.parametrize(
    ("code", "kind", "problem"),
    [
        (21202, RegistryError, "api-refused"),
        (11007, NotAuthorisedError, "not-authorised"),
        (11006, RegistryError, "quota"),
        (69001, RegistryError, "quota"),
    ],
)
def test_a_refusal_is_final(
    world: World, code: int, kind: type[BuilderError], problem: str
) -> None:
    """It is not sent again, and the platform's words are passed on."""
    world.runners.refuse["PostModelVersionsUpload"] = (code, "no room for this one")
    with pytest.raises(kind, match="no room for this one") as raised:
        world.upload()
    assert raised.value.problems[0].code == problem
    assert len(world.runners.uploads) == 1


def test_a_platform_that_asks_for_patience(world: World) -> None:
    """Throttled: another stream may do."""
    world.runners.refuse["PostModelVersionsUpload"] = (11005, "busy")
    with pytest.raises(NoAnswerError, match="busy"):
        world.upload()
    assert len(world.runners.uploads) == 5
