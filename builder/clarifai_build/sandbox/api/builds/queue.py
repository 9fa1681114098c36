"""Builds versions in the background: fetched where they have a URL, then made by their kind."""

from __future__ import annotations

import logging
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from clarifai_grpc.grpc.api import resources_pb2

from clarifai_build.cancellation import CancelToken
from clarifai_build.errors import BuilderError, in_one_line
from clarifai_build.sandbox.api.builds.download import fetch
from clarifai_build.sandbox.api.database import Database, now
from clarifai_build.sandbox.api.errors import Code, status
from clarifai_build.sandbox.api.runners.declared import is_runner

_LOG = logging.getLogger(__name__)
UNFINISHED = (Code.MODEL_UPLOADING, Code.MODEL_BUILDING)


class Builder(Protocol):
    """Makes the versions of one kind, and knows where they lie."""

    def build(
        self, version: resources_pb2.ModelVersion, archive: Path, cancel: CancelToken
    ) -> None:
        """Make a version from its archive and load it; raises BuilderError."""

    def discard(self, version_id: str) -> None:
        """Remove what was built of a version."""

    def built(self) -> list[str]:
        """Return the versions of which something lies on disk."""


class Builds:
    """Two workers over a queue; what was unfinished when the server ended is queued again."""

    def __init__(self, database: Database, triton: Builder, runner: Builder, work: Path) -> None:
        self._database = database
        self._triton = triton
        self._runner = runner
        self._work = work
        # Two: loading is bound by the processor, but one long build should not hold up all others.
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="build")
        # Of what is being built; those who delete a version cancel its token.
        self._running: dict[str, CancelToken] = {}

    def resume(self) -> None:
        """Go on with what an earlier run left; uploads that are not whole wait for their rest."""
        self._work.mkdir(parents=True, exist_ok=True)
        self._clear()
        for version_id in self._database.version_ids(UNFINISHED):
            if self._url(version_id) or self.upload_path(version_id).exists():
                self.submit(version_id)
            elif self._is_runner(version_id):
                # Its stream is gone, and no other goes on with it.
                self._database.delete_version(version_id)
                self.discard(version_id)

    def submit(self, version_id: str) -> None:
        future = self._pool.submit(self._build, version_id)
        future.add_done_callback(lambda done: self._finished(version_id, done))

    def begin(self, version_id: str) -> None:
        """Build a version that was uploaded whole; at once, its state says so."""
        self._move(version_id, Code.MODEL_BUILDING)
        self.submit(version_id)

    def upload_path(self, version_id: str) -> Path:
        """Return where the archive of a version lies until it is built."""
        return self._work / f"{version_id}.zip"

    def discard(self, version_id: str) -> None:
        """Remove what belongs to a version that was deleted; its build ends."""
        if (running := self._running.get(version_id)) is not None:
            running.cancel()
        self.upload_path(version_id).unlink(missing_ok=True)
        shutil.rmtree(self.upload_path(version_id).with_suffix(".parts"), ignore_errors=True)
        for builder in (self._triton, self._runner):
            builder.discard(version_id)

    def close(self) -> None:
        """End all builds; the next server goes on with them."""
        for running in list(self._running.values()):
            running.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _build(self, version_id: str) -> None:
        cancel = self._running[version_id] = CancelToken()
        # After the token is there: a version that is deleted from now on cancels it.
        found = self._database.version(version_id)
        archive = self.upload_path(version_id)
        try:
            if found is not None:
                self._carry_out(found[1], archive, cancel)
        except KeyboardInterrupt:
            _LOG.info("version %s: its build was cancelled", version_id)
            # Else the server ends, and the next one goes on with what was uploaded.
            if self._database.version(version_id) is None:
                self.discard(version_id)
        else:
            archive.unlink(missing_ok=True)
        finally:
            self._running.pop(version_id, None)

    def _carry_out(
        self, version: resources_pb2.ModelVersion, archive: Path, cancel: CancelToken
    ) -> None:
        failure = Code.MODEL_UPLOADING_FAILED
        builder = self._runner if is_runner(version) else self._triton
        try:
            if version.pretrained_model_config.model_zip_url:
                fetch(version.pretrained_model_config.model_zip_url, archive, cancel)
            self._move(version.id, Code.MODEL_BUILDING)
            failure = Code.MODEL_BUILDING_FAILED
            builder.build(version, archive, cancel)
        except BuilderError as error:
            self._move(version.id, failure, in_one_line(error))
        else:
            self._move(version.id, Code.MODEL_TRAINED)

    def _clear(self) -> None:
        """Remove what killed servers left of versions that are built, or are no more."""
        waiting = set(self._database.version_ids(UNFINISHED))
        for path in self._work.iterdir():
            # What was half joined or unpacked is made anew.
            if path.stem not in waiting or path.suffix not in (".zip", ".parts"):
                _remove(path)
        for builder in (self._triton, self._runner):
            for version_id in builder.built():
                if self._database.version(version_id) is None:
                    builder.discard(version_id)

    def _url(self, version_id: str) -> str:
        found = self._database.version(version_id)
        return str(found[1].pretrained_model_config.model_zip_url) if found else ""

    def _is_runner(self, version_id: str) -> bool:
        found = self._database.version(version_id)
        return found is not None and is_runner(found[1])

    def _move(self, version_id: str, code: int, details: str = "") -> None:
        """Set a version's state; one that was deleted meanwhile stays deleted."""
        with self._database.transaction():
            found = self._database.version(version_id)
            if found is not None:
                model_id, version = found
                version.status.CopyFrom(status(code, details))
                version.modified_at.CopyFrom(now())
                if code == Code.MODEL_TRAINED:
                    version.completed_at.CopyFrom(version.modified_at)
                self._database.put_version(model_id, version)
        _LOG.info("version %s: %s %s", version_id, Code.Name(code), details)
        if found is None:
            self.discard(version_id)

    def _finished(self, version_id: str, done: Future[None]) -> None:
        error = None if done.cancelled() else done.exception()
        if error is not None:
            _LOG.error("bug while building %s", version_id, exc_info=error)
            self._move(version_id, Code.MODEL_BUILD_UNEXPECTED_ERROR, repr(error))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
