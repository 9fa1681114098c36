"""Builds a runner version: unpacked, checked, its environment made, its process started."""

from __future__ import annotations

import shutil
from pathlib import Path

from clarifai_grpc.grpc.api import resources_pb2

from clarifai_build.cancellation import CancelToken
from clarifai_build.errors import BuilderError
from clarifai_build.sandbox.api.runners import runner_folder
from clarifai_build.sandbox.api.runners.process import tail_of
from clarifai_build.sandbox.api.runners.serving import Runners
from clarifai_build.sandbox.api.runners.unpack_tar import unpack_tar


class RunnerBuilds:
    """Makes what `Runners` serves. What happens is written to the version's builder log."""

    def __init__(self, runners: Runners) -> None:
        self._runners = runners

    def build(
        self, version: resources_pb2.ModelVersion, archive: Path, cancel: CancelToken
    ) -> None:
        """Make a version from its archive and start it; raises BuilderError."""
        folder = self._runners.model_folder(version.id)
        log = self._runners.builder_log(version.id)
        log.begin()
        try:
            log.add(f"Unpacking {archive.stat().st_size} bytes")
            shutil.rmtree(folder, ignore_errors=True)
            unpack_tar(archive, folder, cancel)
            found = runner_folder.read(folder)
            self._runners.prepare(found, log)
            cancel.check()
            log.add("Loading the model")
            self._runners.start(version.id, cancel)
        except BuilderError as error:
            self._explain(version.id, error)
            shutil.rmtree(folder, ignore_errors=True)
            raise
        log.add("The model asks for work: built")

    def discard(self, version_id: str) -> None:
        """Remove what was built."""
        self._runners.discard(version_id)

    def built(self) -> list[str]:
        """Return the versions of which something lies on disk."""
        return [path.name for path in self._runners.root.glob("*")]

    def _explain(self, version_id: str, error: BuilderError) -> None:
        log = self._runners.builder_log(version_id)
        if any(problem.code == "engine-failed" for problem in error.problems):
            for line in tail_of(self._runners.root / version_id / "runner.log"):
                log.add(line)
        for problem in error.problems:
            log.add(f"ERROR: {problem.message}")
