"""The running sandbox, asked by clients, against servers that never end and huge pictures."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from clarifai_build.sandbox import lifecycle
from clarifai_build.sandbox.api.errors import Code
from support.pictures import EPS, png_of
from support.sandbox_client import Api, image, text
from support.scripted_web import Web, web
from support.slow_web import Endless, inputs_at


def test_slow_servers_hold_up_their_own_requests_only(
    api: Api, reverser: str, drip: tuple[Web, Endless]
) -> None:
    """While 20 requests wait for 16 dripping URLs each, others are answered."""
    server, endless = drip
    waiting = inputs_at(server, 16)

    def ask(_number: int) -> Any:
        return api.call("PostModelOutputs", model_id=reverser, inputs=waiting)

    with ThreadPoolExecutor(20) as pool:
        slow = [pool.submit(ask, number) for number in range(20)]
        assert endless.began.wait(30)
        answers = [api.predict(reverser, text("abc")) for _ in range(5)]
        assert not all(each.done() for each in slow)
        endless.stop.set()
        codes = {each.result().status.code for each in slow}
    assert [answer.outputs[0].data.text.raw for answer in answers] == ["cba"] * 5
    # Those beyond the bound were told at once to come back: CONN_THROTTLED.
    assert 11005 in codes


def test_a_version_that_is_deleted_is_fetched_no_further(api: Api) -> None:
    """The server is hung up on, and the disk gets its bytes back."""
    endless = Endless(size=1 << 16, pause=0.01, told=1 << 30)
    builds = api.endpoints.state_dir / "data" / "builds"
    with web(endless) as server:
        model_id = api.new_model("text-to-text")
        posted = api.post_version(model_id, f"{server.url}/model.zip")
        version_id = posted.model.model_version.id
        assert endless.began.wait(30)
        api.call("DeleteModelVersion", model_id=model_id, version_id=version_id)
        assert endless.gone.wait(30)
    deadline = time.monotonic() + 30
    while list(builds.glob(f"{version_id}*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(builds.glob(f"{version_id}*")) == []


def process_of(api: Api) -> Path:
    """Return what the system tells of the process that answers for the API."""
    supervisor = Path("/proc") / str(lifecycle.status(api.endpoints.state_dir).pid)
    children = (supervisor / "task" / supervisor.name / "children").read_text().split()
    processes = [Path("/proc") / child for child in children]
    (found,) = (
        p for p in processes if b"clarifai_build.sandbox.api" in (p / "cmdline").read_bytes()
    )
    return found


def highest(process: Path) -> int:
    """Return the most memory that a process has held since it was last forgotten, in KiB."""
    lines = (process / "status").read_text().splitlines()
    (peak,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(peak.split()[1])


@pytest.fixture(scope="module")
def classifier(api: Api) -> str:
    """A model that takes pictures of any size."""
    return api.deploy("visual-classifier")[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (png_of(16_000, 16_000), "too large"),
        (png_of(10_000, 5_001), "10000 x 5001 pixels"),
        (EPS, "none of BMP, GIF, JPEG, PNG, TIFF, WEBP"),
    ],
    ids=["beyond Pillow's own bound", "beyond ours", "eps"],
)
def test_a_picture_that_would_cost_too_much_is_refused(
    api: Api, classifier: str, content: bytes, words: str
) -> None:
    """Its status says why; the process takes no memory for its pixels, and the next is answered."""
    process = process_of(api)
    (process / "clear_refs").write_text("5")
    before = highest(process)
    refused = api.predict(classifier, image(content), image(png_of(1, 1)))
    assert highest(process) - before < 32 * 1024
    statuses = [output.status for output in refused.outputs]
    assert [one.code for one in statuses] == [Code.INPUT_INVALID_ARGUMENT, Code.SUCCESS]
    assert words in statuses[0].details
    assert refused.outputs[1].data.concepts
