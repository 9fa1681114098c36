"""Tokens that end work on other threads, and the work that looks at them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.deflate import deflated
from clarifai_build.artifact.layout import gather
from clarifai_build.artifact.packing.block_stream import WORTH_THREADS, Block, stream_blocks
from clarifai_build.artifact.packing.zip_checksum import ZipSum
from clarifai_build.artifact.packing.zip_writer import write_zip
from clarifai_build.artifact.tree import FileTree, make_tree
from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.digests import files
from clarifai_build.pipeline import ApplyOptions, apply
from clarifai_build.progress import Event
from support.fakes import (
    BUILT,
    Calls,
    MemoryRegistry,
    MemoryStore,
    artifact_of,
    manifest_of,
    public_bucket,
)
from support.trees import entry_of
from support.trees import manifest_of as folder_manifest


def sparse(folder: Path, size: int) -> Path:
    """Make a file of so many zeros in a folder, and return the folder."""
    with (folder / "w.bin").open("wb") as file:
        file.truncate(size)
    return folder


def test_a_token_raises_once_it_is_cancelled() -> None:
    """Wherever it is looked at, and no earlier."""
    token = CancelToken()
    token.check()
    token.sleep(0)
    token.cancel()
    for look in (token.check, lambda: token.sleep(0), lambda: token.sleep(3600)):
        with pytest.raises(KeyboardInterrupt):
            look()


def test_a_sleep_ends_when_it_is_cancelled() -> None:
    """On whichever thread it is."""
    token, raised = CancelToken(), list[BaseException]()

    def sleep() -> None:
        try:
            token.sleep(3600)
        except KeyboardInterrupt as error:
            raised.append(error)

    thread = threading.Thread(target=sleep, daemon=True)
    thread.start()
    token.cancel()
    thread.join(10)
    assert len(raised) == 1


def test_the_default_belongs_to_everyone() -> None:
    """To cancel it would end what others do."""
    with pytest.raises(TypeError, match="NEVER"):
        NEVER.cancel()
    NEVER.check()


@pytest.mark.parametrize("take", [files.of_files, files.chunks_of_files])
def test_hashing_can_be_cancelled(take: Callable[..., object], tmp_path: Path) -> None:
    """In the middle of a file: no more of it is read than what is under way."""
    found = gather({}, folder_manifest(sparse(tmp_path, files.CHUNK))).found
    cancel = CancelToken()
    told: list[Event] = []

    def progress(event: Event) -> None:
        told.append(event)
        cancel.cancel()

    with pytest.raises(KeyboardInterrupt):
        take(found, progress, cancel=cancel)
    assert len(told) == 1
    assert (told[0].done or 0) < files.CHUNK


def test_the_sum_of_what_is_uploaded_can_be_cancelled(tmp_path: Path) -> None:
    """Whoever waits for it is told."""
    artifact = Artifact(make_tree({}, folder_manifest(sparse(tmp_path, 9 << 20))))
    cancel = CancelToken()

    def progress(_event: Event) -> None:
        cancel.cancel()

    with ZipSum(artifact, progress, cancel=cancel) as taken, pytest.raises(KeyboardInterrupt):
        taken.sha256()


@pytest.mark.parametrize("sinks", [1, 2], ids=["one thread", "a thread a sink"])
def test_packing_can_be_cancelled(sinks: int) -> None:
    """No sink is handed what comes after; those that are at work end."""
    artifact = artifact_of({"w.bin": bytes(8 * WORTH_THREADS)})
    cancel, seen, lock = CancelToken(), list[int](), threading.Lock()

    def sink(block: Block) -> None:
        cancel.cancel()
        with lock:
            seen.append(block.offset + len(block.data))

    with pytest.raises(KeyboardInterrupt):
        stream_blocks(artifact, [sink] * sinks, cancel=cancel)
    assert 0 < max(seen) < artifact.size


def test_a_cancelled_zip_is_not_written(tmp_path: Path) -> None:
    """As after an interrupt, what was there stays."""
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(KeyboardInterrupt):
        write_zip(artifact_of({"a": b"a"}), tmp_path / "m.zip", cancel=cancel)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"small" * 99, bytes(3 << 20)], ids=["in memory", "in a file"])
def test_compressing_can_be_cancelled(content: bytes, tmp_path: Path) -> None:
    """Nothing that is not whole is kept."""
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(KeyboardInterrupt):
        deflated(FileTree.of([entry_of("w.bin", content)]), folder=tmp_path, cancel=cancel)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


@pytest.mark.parametrize("call", ["put_if", "put_artifact", "create_model"])
def test_an_apply_that_is_cancelled_posts_nothing(call: str) -> None:
    """It ends before its next step, and gives its lease back."""
    calls, cancel = Calls(), CancelToken()
    registry, way = MemoryRegistry(calls), ApplyOptions(cancel=cancel)

    def cancel_after(name: str) -> None:
        if name == call:
            cancel.cancel()

    calls.after = cancel_after
    with public_bucket(MemoryStore(calls)) as store:
        with pytest.raises(KeyboardInterrupt):
            apply(manifest_of(), artifact_of(BUILT), store, registry, way)
        left = [key for key in store.objects if "/.leases/" in key]
    assert (registry.posted, left) == ({}, [])
