"""The handler that takes a version's archive in parts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clarifai_grpc.grpc.api import service_pb2

from clarifai_build.sandbox.api.builds.download import MOST_BYTES, RESERVE_BYTES
from clarifai_build.sandbox.api.builds.queue import Builds
from clarifai_build.sandbox.api.errors import Code, invalid, status
from clarifai_build.sandbox.api.rpc.models import Models
from clarifai_build.sandbox.api.rpc.versions import Versions
from clarifai_build.sandbox.api.service import Access

# As S3 has it. Each is a file.
MOST_PARTS = 10_000


class Uploads:
    """Parts lie on disk by number until all bytes are there; then the archive is put together.

    A zip may be sent over several streams. A runner's tar.gz comes over one, as the official tool
    sends it: a stream that breaks off leaves no version behind.
    """

    def __init__(self, models: Models, versions: Versions, builds: Builds, access: Access) -> None:
        self._models = models
        self._versions = versions
        self._builds = builds
        self._access = access

    def post(self, requests: Iterator[Any]) -> Iterator[Any]:
        first = next(requests, None)
        if first is None or not first.HasField("upload_config"):
            raise invalid("an upload starts with upload_config")
        config = first.upload_config
        self._access.check_user(config.user_app_id.user_id)
        _check_total(config.total_size)
        version_id = self._version_id(config)
        try:
            yield from self._receive(version_id, config, requests)
        finally:
            # What is whole has another state by now.
            if config.is_v3:
                self._versions.drop_waiting(version_id)

    def _receive(self, version_id: str, config: Any, requests: Iterator[Any]) -> Iterator[Any]:
        """Take the parts of one stream, and yield an answer to each."""
        parts = self._builds.upload_path(version_id).with_suffix(".parts")
        parts.mkdir(parents=True, exist_ok=True)
        _check_room(parts, config.total_size)
        yield _progress(version_id, parts, config.total_size)
        for number, request in enumerate(requests, 1):
            part = request.content_part
            if config.is_v3:
                _check_order(number, _size(parts), part)
            _check_part(parts, part, config.total_size)
            _keep(parts, part)
            if _size(parts) < config.total_size:
                yield _progress(version_id, parts, config.total_size)
                continue
            _join(parts, self._builds.upload_path(version_id))
            code = self._accept(version_id, config.is_v3)
            yield service_pb2.PostModelVersionsUploadResponse(
                status=status(code), model_version_id=version_id
            )
            return

    def _accept(self, version_id: str, is_runner: bool) -> int:
        """Have an archive built, and return the code that its sender waits for."""
        if is_runner:
            # The official tool takes any state of the version but this, and ready, for a failure.
            self._builds.begin(version_id)
            return int(Code.MODEL_BUILDING)
        self._builds.submit(version_id)
        return int(Code.UPLOAD_DONE)

    def _version_id(self, config: Any) -> str:
        """Return the version that an earlier stream began, or that of a new one."""
        app_id = config.user_app_id.app_id
        model = self._models.find(app_id, config.model_id)
        if not config.model_version.id:
            made = self._versions.create_for_upload(model, config.model_version, config.is_v3)
            return str(made.id)
        known = self._versions.find(app_id, config.model_id, config.model_version.id)
        url = known.pretrained_model_config.model_zip_url
        if config.is_v3 or url or known.status.code != Code.MODEL_UPLOADING:
            raise invalid(f"version {known.id} does not wait for parts of a zip; post a new one")
        return str(known.id)


def _check_order(number: int, received: int, part: Any) -> None:
    """Refuse a part of a tar.gz that is not the next one."""
    if part.part_number != number:
        raise invalid(f"part {part.part_number} comes where part {number} is due")
    # Of the official uploaders, that of version 12.5 names the end of a part, all others its start.
    if part.range_start not in (received, received + len(part.data)):
        raise invalid(f"part {number} starts at {part.range_start}; {received} bytes were sent")


def _check_total(size: int) -> None:
    if not 0 < size <= MOST_BYTES:
        raise invalid(f"total_size is {size}; an archive has 1 to {MOST_BYTES} bytes")


def _check_room(parts: Path, total: int) -> None:
    room = shutil.disk_usage(parts).free - RESERVE_BYTES
    # Twice: in parts, and joined.
    if 2 * total - _size(parts) > room:
        raise invalid(
            f"the archive has {total} bytes, and the disk has room for {max(0, room) // 2}"
        )


def _check_part(parts: Path, part: Any, total: int) -> None:
    if not 0 <= part.part_number <= MOST_PARTS:
        raise invalid(f"part {part.part_number}: parts are numbered up to {MOST_PARTS}")
    sent = _size(parts) - _size_of(parts / _name(part)) + len(part.data)
    if sent > total:
        raise invalid(f"the parts have {sent} bytes; total_size is {total}")


def _name(part: Any) -> str:
    return f"{part.part_number:08d}"


def _size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _keep(parts: Path, part: Any) -> None:
    file = parts / _name(part)
    temporary = file.with_suffix(".new")
    temporary.write_bytes(part.data)
    # Renamed when whole: `_size` counts files, and leaves those with a suffix out.
    temporary.replace(file)


def _size(parts: Path) -> int:
    return sum(file.stat().st_size for file in parts.iterdir() if not file.suffix)


def _join(parts: Path, target: Path) -> None:
    joined = target.with_suffix(".joined")
    with joined.open("wb") as file:
        # Parts may arrive in any order; their names are padded numbers.
        for part in sorted(parts.iterdir()):
            with part.open("rb") as content:
                shutil.copyfileobj(content, file)
    joined.replace(target)
    shutil.rmtree(parts)


def _progress(version_id: str, parts: Path, total: int) -> Any:
    received = _size(parts)
    state = status(Code.UPLOAD_IN_PROGRESS, f"{received} of {total} bytes")
    state.percent_completed = received * 100 // max(total, 1)
    return service_pb2.PostModelVersionsUploadResponse(
        status=state, model_version_id=version_id, bytes_remaining=max(total - received, 0)
    )
