"""The running sandbox against servers that never end, asked as any client asks it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from support.sandbox_client import Api, text
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
