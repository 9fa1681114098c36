"""What is measured, each function as one process.

Imports stand in the functions, because they are a part of it.
"""

from __future__ import annotations

import os
from functools import partial
from types import SimpleNamespace
from typing import Any

_STEP = 4 << 20
GENERATED = {"config.pbtxt": b"name: 'bench'\n"}


def seed_zip(folder: str, target: str) -> None:
    """The seed system's way."""
    import zipfile
    from pathlib import Path

    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as written:
        for file in Path(folder).rglob("*"):
            written.write(file, file.relative_to(folder))


def seed_publish(folder: str, target: str, endpoint: str) -> None:
    seed_zip(folder, target)
    boto3_upload(target, endpoint)


def stored_publish(folder: str, target: str, endpoint: str) -> None:
    """A stored zip on disk, then boto3."""
    stored_zip(folder, target)
    boto3_upload(target, endpoint)


def stored_zip(folder: str, target: str) -> None:
    """A stored zip, as one writes it."""
    import zipfile
    from pathlib import Path

    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as written:
        for file in Path(folder).rglob("*"):
            written.write(file, file.relative_to(folder))


def stored_zip_of_texts(folder: str, target: str) -> None:
    """The same by names as text: the fastest there is."""
    import zipfile

    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as written:
        for place, _, names in os.walk(folder):
            for name in names:
                file = f"{place}/{name}"
                written.write(file, file[len(folder) + 1 :])


def boto3_upload(file: str, endpoint: str) -> None:
    import boto3
    from boto3.s3.transfer import TransferConfig

    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    config = TransferConfig(multipart_chunksize=64 << 20, max_concurrency=4)
    client.upload_file(file, "public", "bench/boto3.zip", Config=config)


def file_digest(file: str) -> None:
    import hashlib

    with open(file, "rb") as stream:  # noqa: PTH123 - the plain way, as it is measured
        sha256 = hashlib.sha256()
        if hasattr(hashlib, "file_digest"):
            sha256 = hashlib.file_digest(stream, "sha256")
        else:
            while block := stream.read(1 << 18):
                sha256.update(block)
        print(sha256.hexdigest())


def tree(folder: str, cache: str) -> None:
    """The local part of an apply: what is there, and its digest; then the end, as of a command."""
    from clarifai_build.cli.process import tune_gc

    tune_gc()
    laid, read = _lay_out(folder, cache)
    print(read, laid.digest)


def zip(folder: str, target: str, cache: str) -> None:
    from pathlib import Path

    from clarifai_build.artifact.artifact import Artifact
    from clarifai_build.artifact.packing.zip_writer import write_zip

    laid, _ = _lay_out(folder, cache)
    write_zip(Artifact(laid), Path(target), cache=_cache(cache))


def tar_gz(folder: str, target: str, cache: str) -> None:
    """The same tree as the tar.gz of a runner."""
    from pathlib import Path

    from clarifai_build.artifact.artifact import Artifact
    from clarifai_build.artifact.packing.zip_writer import write_zip

    laid, _ = _lay_out(folder, cache)
    write_zip(Artifact.tar_gz(laid), Path(target), cache=_cache(cache))


def sendfile_zip(folder: str, target: str, cache: str) -> None:
    """The same, copied by the kernel, as `write_zip` does not, and through the page cache."""
    from clarifai_build.artifact.artifact import Artifact

    laid, _ = _lay_out(folder, cache)
    artifact = Artifact(laid)
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT)
    os.posix_fallocate(descriptor, 0, artifact.size)
    for segment in artifact.segments:
        if isinstance(segment.source, bytes):
            os.write(descriptor, segment.source)
            continue
        source = os.open(str(segment.source), os.O_RDONLY)
        done = 0
        while done < segment.length:
            count = os.sendfile(descriptor, source, done, min(_STEP, segment.length - done))
            done += count
            os.posix_fadvise(descriptor, 0, segment.offset + done, os.POSIX_FADV_DONTNEED)
        os.close(source)
    os.fsync(descriptor)


def waiting(folder: str, target: str, cache: str) -> None:
    """All of `zip` but the content: the tree, and as many zeros that have to be on the disk.

    As fast as that disk takes them: past the page cache, four under way.
    """
    import mmap
    from concurrent.futures import ThreadPoolExecutor

    from clarifai_build.artifact.artifact import Artifact

    laid, _ = _lay_out(folder, cache)
    size = Artifact(laid).size
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT | getattr(os, "O_DIRECT", 0))
    os.posix_fallocate(descriptor, 0, size)
    block = memoryview(mmap.mmap(-1, _STEP))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(partial(os.pwrite, descriptor, block), range(0, size, _STEP)))
    os.fsync(descriptor)


def cold_build(folder: str, target: str) -> None:
    """Nothing is known: hash and pack."""
    from pathlib import Path

    from clarifai_build.artifact.packing.one_pass import hash_and_write
    from clarifai_build.artifact.tree import collect

    hash_and_write(collect(GENERATED, _manifest(folder), output=Path(target)), Path(target))


def publish(folder: str, cache: str, endpoint: str) -> None:
    from clarifai_build.artifact.artifact import Artifact
    from clarifai_build.manifest.types import Storage
    from clarifai_build.storage.s3_store import open_store

    laid, _ = _lay_out(folder, cache)
    artifact = Artifact(laid)
    store = open_store(Storage("public", endpoint_url=endpoint), os.environ)
    store.put_artifact(f"bench/{artifact.digest}/ours.zip", artifact, {})


def _lay_out(folder: str, cache: str) -> tuple[Any, int]:
    from clarifai_build.artifact.tree import make_tree

    read = 0

    def progress(event: Any) -> None:
        nonlocal read
        if event.stage == "hash":
            read = event.done

    return make_tree(GENERATED, _manifest(folder), progress, _cache(cache)), read


def _manifest(folder: str) -> Any:
    """What of a manifest matters here; loading a real one is part of the whole command."""
    from pathlib import Path

    here = Path(folder)
    return SimpleNamespace(
        path=here / "clarifai.yaml",
        model=SimpleNamespace(id="bench", type="visual-detector", labels=None),
        code=SimpleNamespace(path=here, requirements=None, exclude=(), allow_secrets=()),
        weights=(),
    )


def _cache(cache: str) -> Any:
    from pathlib import Path

    from clarifai_build.digests.cache import DigestCache

    return DigestCache(Path(cache) if cache != "none" else None)
