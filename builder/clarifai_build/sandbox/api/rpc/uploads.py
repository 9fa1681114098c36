"""The handler that takes a version's zip in parts, over one stream or several."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clarifai_grpc.grpc.api import service_pb2

from clarifai_build.sandbox.api.builds.queue import Builds
from clarifai_build.sandbox.api.errors import Code, invalid, status
from clarifai_build.sandbox.api.rpc.models import Models
from clarifai_build.sandbox.api.rpc.versions import Versions
from clarifai_build.sandbox.api.service import Access


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
        version_id = self._version_id(config)
        parts = self._builds.upload_path(version_id).with_suffix(".parts")
        parts.mkdir(parents=True, exist_ok=True)
        yield _progress(version_id, parts, config.total_size)
        for request in requests:
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


def _keep(parts: Path, part: Any) -> None:
    file = parts / f"{part.part_number:08d}"
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
