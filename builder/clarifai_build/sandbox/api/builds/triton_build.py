"""Builds a version for Triton: unpacked, checked, its environment made, loaded."""

from __future__ import annotations

import shutil
from pathlib import Path

from clarifai_grpc.grpc.api import resources_pb2

from clarifai_build.cancellation import CancelToken
from clarifai_build.errors import BuilderError
from clarifai_build.repository_layout import REQUIREMENTS
from clarifai_build.sandbox.api.builds import served_model
from clarifai_build.sandbox.api.builds.loaded_models import Serving
from clarifai_build.sandbox.api.builds.unpack import unpack
from clarifai_build.sandbox.engines import model_environment
from clarifai_build.sandbox.engines.install import Engines


class TritonBuilds:
    """Makes what `Serving` serves."""

    def __init__(self, serving: Serving, engines: Engines) -> None:
        self._serving = serving
        self._engines = engines

    def build(
        self, version: resources_pb2.ModelVersion, archive: Path, cancel: CancelToken
    ) -> None:
        """Make a version from its archive and load it; raises BuilderError."""
        try:
            self._install(version, archive, cancel)
            cancel.check()
            self._serving.load(version.id)
        except BuilderError:
            shutil.rmtree(self._serving.repository / version.id, ignore_errors=True)
            raise

    def discard(self, version_id: str) -> None:
        """Remove what was built."""
        self._serving.discard(version_id)

    def built(self) -> list[str]:
        """Return the versions of which something lies on disk."""
        return [path.name for path in self._serving.repository.glob("*")]

    def _install(
        self, version: resources_pb2.ModelVersion, archive: Path, cancel: CancelToken
    ) -> None:
        staging = archive.with_name(version.id)
        shutil.rmtree(staging, ignore_errors=True)
        try:
            unpack(archive, staging, cancel)
            model = served_model.read(staging)
            maps = version.pretrained_model_config
            served_model.check_maps(
                model, dict(maps.input_fields_map), dict(maps.output_fields_map)
            )
            requirements = staging / REQUIREMENTS
            environment = model_environment.prepare(
                self._engines, requirements if requirements.is_file() else None
            )
            cancel.check()
            served_model.adapt(staging, model, version.id, environment)
            target = self._serving.repository / version.id
            shutil.rmtree(target, ignore_errors=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            # One step on the same file system: Triton never sees half a model.
            staging.rename(target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
