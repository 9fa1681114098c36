"""Inputs that take for ever, and pictures that take all the memory."""

from __future__ import annotations

import io
import os
import re
import threading
from pathlib import Path

import pytest
from clarifai_grpc.grpc.api import resources_pb2
from PIL import Image

from clarifai_build.sandbox.api.errors import ApiError
from clarifai_build.sandbox.api.rpc import fetching, images
from clarifai_build.sandbox.api.rpc.fetching import Fetching
from clarifai_build.sandbox.api.rpc.memory import Memory
from support.pictures import EPS, png_of
from support.scripted_web import Web, web
from support.slow_web import Endless, inputs_at


def test_a_request_has_so_many_seconds_for_all_its_urls(drip: tuple[Web, Endless]) -> None:
    """Those that were waiting for their turn by then are not begun."""
    server, _ = drip
    fetched = Fetching(seconds=0.5).fetch(inputs_at(server, 40), {"text"})
    assert len(fetched) == 40
    assert {type(each) for each in fetched.values()} == {ApiError}
    # The second is what a connection says that was not made by then.
    assert all(re.search("too slow|timed out", str(each)) for each in fetched.values())
    assert server.requests <= 20


def test_a_request_has_so_many_bytes_for_all_its_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may be small enough, and all of them be too much."""
    monkeypatch.setattr(fetching, "MOST_BYTES", 3 << 20)
    with web(lambda asked, _number: asked.send(bytes(1 << 20))) as server:
        fetched = Fetching().fetch(inputs_at(server, 8), {"text"})
    refused = [str(each) for each in fetched.values() if isinstance(each, ApiError)]
    assert 5 <= len(refused) < 8
    assert all("over 3 MiB" in each for each in refused)


def test_what_the_model_does_not_take_is_not_fetched() -> None:
    """Nor is anything fetched twice, or in place of what the request has brought."""
    with web(lambda asked, _number: asked.send(b"x")) as server:
        url = f"{server.url}/0"
        given = [*inputs_at(server, 1), *inputs_at(server, 1), *inputs_at(server, 3, "image")]
        brought = resources_pb2.Data(text=resources_pb2.Text(raw="y", url=f"{server.url}/9"))
        given.append(resources_pb2.Input(data=brought))
        assert Fetching().fetch(given, {"text"}) == {url: b"x"}
        assert server.requests == 1


def never(size: int) -> None:
    raise AssertionError(f"{size} bytes were taken")


@pytest.mark.parametrize(("width", "height"), [(16_000, 16_000), (1, 60_000_000), (10_000, 5_001)])
def test_a_picture_with_too_many_pixels_is_not_decoded(width: int, height: int) -> None:
    """A small file says how much memory it would take."""
    with pytest.raises(ApiError, match="too large"):
        images.decode(png_of(width, height), -1, -1, never)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "WEBP", "JPEG"])
def test_pixels_are_counted_in_every_format(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Not in PNG alone."""
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30)).save(buffer, format=kind)
    assert images.decode(buffer.getvalue(), -1, -1).shape == (30, 40, 3)
    monkeypatch.setattr(images, "MOST_PIXELS", 1199)
    with pytest.raises(ApiError, match="40 x 30 pixels"):
        images.decode(buffer.getvalue(), -1, -1, never)


def test_the_scans_of_a_jpeg_are_counted() -> None:
    """Each costs as much as a whole picture, and few bytes."""
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(buffer, format="JPEG", progressive=True)
    content = buffer.getvalue()
    assert images.decode(content, -1, -1).shape == (64, 64, 3)
    begin = content.rindex(b"\xff\xda")
    bomb = content[:begin] + content[begin:-2] * 200 + content[-2:]
    with pytest.raises(ApiError, match="scans"):
        images.decode(bomb, -1, -1, never)


@pytest.mark.parametrize(
    "content",
    [EPS, b"%PDF-1.4\n", b"\xd7\xcd\xc6\x9a" + bytes(40), b"8BPS\0\1" + bytes(40)],
    ids=["eps", "pdf", "wmf", "psd"],
)
def test_no_picture_starts_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """PostScript is a program, and its reader another: neither runs for a prediction."""
    (tmp_path / "gs").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    (tmp_path / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", None, raising=False)
    with pytest.raises(ApiError, match="none of BMP, GIF, JPEG, PNG, TIFF, WEBP"):
        images.decode(content, -1, -1)
    assert not (tmp_path / "ran").exists()


def test_pictures_share_the_memory() -> None:
    """One that does not fit beside the others waits; one that never would takes all there is."""
    memory, entered = Memory(100), threading.Event()

    def second() -> None:
        with memory.held(60):
            entered.set()

    with memory.held(1_000):
        other = threading.Thread(target=second)
        other.start()
        assert not entered.wait(0.2)
    assert entered.wait(30)
    other.join()
