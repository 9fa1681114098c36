"""Zips without an end, in bytes or in time, and such as unpack to more than there is."""

from __future__ import annotations

import struct
import threading
import zipfile
from pathlib import Path

import pytest

from clarifai_build.cancellation import CancelToken
from clarifai_build.errors import SandboxError
from clarifai_build.sandbox.api.builds import download, unpack
from support.scripted_web import Asked, Script, web
from support.slow_web import Endless, Redirecting, continuing, dripping_headers


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have bounds that are reached at once, and no second try."""
    monkeypatch.setattr(download, "MOST_BYTES_UNTOLD", 4 << 20)
    monkeypatch.setattr(download, "MOST_BYTES", 8 << 20)
    monkeypatch.setattr(download, "SILENCE_SECONDS", 0.6)
    monkeypatch.setattr(download, "PAUSES_SECONDS", ())


def refused(script: Script, target: Path) -> str:
    """Fetch a zip that can't be had; return the reason."""
    with web(script) as server, pytest.raises(SandboxError) as caught:
        download.fetch(f"{server.url}/model.zip", target)
    return str(caught.value)


def test_a_zip_without_end_is_cut(tmp_path: Path) -> None:
    """A server that does not say how much it sends is heard up to a bound."""
    endless = Endless()
    assert "more than 4194304 bytes" in refused(endless, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").stat().st_size <= 4 << 20
    assert endless.gone.wait(30)


def test_a_zip_that_is_too_large_is_not_begun(tmp_path: Path) -> None:
    """A server that says how much it would send is believed."""
    assert "the sandbox takes 8388608" in refused(Endless(told=9 << 20), tmp_path / "a.zip")
    assert (tmp_path / "a.zip").stat().st_size == 0


@pytest.mark.parametrize("told", [None, 1 << 20], ids=["untold", "told"])
def test_a_zip_that_drips_is_given_up(tmp_path: Path, told: int | None) -> None:
    """Though no single read takes long."""
    assert "too slow" in refused(Endless(size=1, pause=0.05, told=told), tmp_path / "a.zip")


@pytest.mark.parametrize("script", [dripping_headers, continuing])
def test_headers_without_end_are_given_up(tmp_path: Path, script: type) -> None:
    """A line at a time, or one answer after another that is not the last."""
    stop = threading.Event()
    said = refused(script(stop), tmp_path / "a.zip")
    stop.set()
    assert "too slow" in said or "headers" in said


def test_a_redirect_is_not_read(tmp_path: Path) -> None:
    """What it says beside its address has no end; and it is followed a few times only."""
    redirecting = Redirecting()
    assert "HTTP 302" in refused(redirecting, tmp_path / "a.zip")
    assert redirecting.sent < 64 << 20


@pytest.mark.parametrize("address", ["ftp://127.0.0.1:9/x", "file:///etc/passwd", "data:,x"])
def test_a_redirect_leads_to_the_web_only(tmp_path: Path, address: str) -> None:
    """Not to files of this machine, nor to protocols that know no bound."""

    def script(asked: Asked, _number: int) -> None:
        asked.head(302, {"Location": address, "Content-Length": "0"})

    assert "can't download" in refused(script, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


@pytest.mark.parametrize("url", ["http://[::1", "http://a b/", "http://127.0.0.1:x/", "http://"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    """By its name, and not as a bug of the sandbox."""
    with pytest.raises(SandboxError, match="can't download"):
        download.fetch(url, tmp_path / "a.zip")


def test_a_download_that_is_cancelled_ends(tmp_path: Path) -> None:
    """Also while the server is silent."""
    endless, cancel = Endless(size=10, pause=60, told=100), CancelToken()
    with web(endless) as server:
        threading.Thread(target=lambda: endless.began.wait() and cancel.cancel()).start()
        with pytest.raises(KeyboardInterrupt):
            download.fetch(f"{server.url}/model.zip", tmp_path / "a.zip", cancel)
        endless.stop.set()


def test_a_zip_whose_list_would_fill_memory_is_refused(tmp_path: Path) -> None:
    """It is read at once, before the first entry is seen."""
    size = unpack.MOST_DIRECTORY_BYTES + 1
    with (tmp_path / "a.zip").open("wb") as file:
        file.truncate(size)
        file.seek(size)
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 9, 9, size, 0, 0))
    with pytest.raises(SandboxError, match="list of its entries"):
        unpack.unpack(tmp_path / "a.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_folders_without_end_are_refused(tmp_path: Path) -> None:
    """Functions that walk them call themselves once a level."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a/" * 900 + "b", b"")
    with pytest.raises(SandboxError, match="901 folders deep"):
        unpack.unpack(tmp_path / "a.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()
