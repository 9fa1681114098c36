"""The handler that takes a version's zip in parts, over one stream or several."""

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
    """Parts lie on disk by number until all bytes are there; then the zip is put together."""

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
        parts = self._builds.upload_path(version_id).with_suffix(".parts")
        parts.mkdir(parents=True, exist_ok=True)
        _check_room(parts, config.total_size)
        yield _progress(version_id, parts, config.total_size)
        for request in requests:
            _check_part(parts, request.content_part, config.total_size)
            _keep(parts, request.content_part)
            if _size(parts) < config.total_size:
                yield _progress(version_id, parts, config.total_size)
                continue
            _join(parts, self._builds.upload_path(version_id))
            self._builds.submit(version_id)
            yield service_pb2.PostModelVersionsUploadResponse(
                status=status(Code.UPLOAD_DONE), model_version_id=version_id
            )
            return

    def _version_id(self, config: Any) -> str:
        """Return the version that an earlier stream began, or that of a new one."""
        app_id = config.user_app_id.app_id
        model = self._models.find(app_id, config.model_id)
        if config.model_version.id:
            known = self._versions.find(app_id, config.model_id, config.model_version.id)
            return str(known.id)
        return str(self._versions.create(model, config.model_version, by_url=False).id)


def _check_total(size: int) -> None:
    if not 0 < size <= MOST_BYTES:
        raise invalid(f"total_size is {size}; a zip has 1 to {MOST_BYTES} bytes")


def _check_room(parts: Path, total: int) -> None:
    room = shutil.disk_usage(parts).free - RESERVE_BYTES
    # Twice: in parts, and joined.
    if 2 * total - _size(parts) > room:
        raise invalid(f"the zip has {total} bytes, and the disk has room for {max(0, room) // 2}")


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
