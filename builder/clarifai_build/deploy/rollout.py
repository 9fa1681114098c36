"""A deployment that is pointed at a new version, once that has been seen to answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from clarifai_build.cancellation import NEVER, CancelToken
from clarifai_build.deploy import canary
from clarifai_build.errors import BuildFailedError
from clarifai_build.manifest.types import Deployment, Manifest
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.registry import ModelRegistry, NotDeployedError, RemoteVersion
from clarifai_build.registry.runners.deployment_id import deployment_id
from clarifai_build.registry.runners.protocol import RemoteDeployment

STAGE = "deploy"


@dataclass(frozen=True, slots=True)
class Rollout:
    """What is deployed where. `timeout` is in seconds: for so long, a version may be starting."""

    registry: ModelRegistry
    manifest: Manifest
    spec: Deployment
    timeout: float
    progress: ProgressCallback = no_progress
    cancel: CancelToken = NEVER
    clock: Callable[[], float] = time.monotonic

    def run(self, version: RemoteVersion) -> RemoteVersion:
        """Let the deployment serve a version that is ready, and return that with its canary.

        It is asked first. Where the platform asks no version that nothing serves, the deployment is
        pointed at it, and back where it does not answer. Raises BuildFailedError, and leaves the
        deployment as it was, where a version does not answer or can't be asked.
        """
        found = self.registry.runners.deployment(self.manifest.model.id)
        wanted = self._wanted(version)
        if found and _same(found, wanted) and version.recorded.canary == "":
            return version
        if version.recorded.canary != "":
            try:
                version = canary.prove(*self._asked(version), cancel=self.cancel)
            except NotDeployedError:
                return self._deploy_and_ask(found, wanted, version)
        self._deploy(found, wanted)
        self._remove_twin(found, version)
        return version

    def _deploy_and_ask(
        self, found: RemoteDeployment | None, wanted: RemoteDeployment, version: RemoteVersion
    ) -> RemoteVersion:
        self._deploy(found, wanted)
        try:
            asked = canary.prove(*self._asked(version), deployed=True, cancel=self.cancel)
        except BaseException:
            self._take_back(found, wanted)
            raise
        self._remove_twin(found, version)
        return asked

    def _asked(
        self, version: RemoteVersion
    ) -> tuple[ModelRegistry, Manifest, RemoteVersion, float, ProgressCallback]:
        return self.registry, self.manifest, version, self.timeout, self.progress

    def _wanted(self, version: RemoteVersion) -> RemoteDeployment:
        app_id, model_id = self.registry.scope.rpartition("/")[2], self.manifest.model.id
        return RemoteDeployment(deployment_id(app_id, model_id), model_id, version.id, self.spec)

    def _deploy(self, found: RemoteDeployment | None, wanted: RemoteDeployment) -> None:
        newest = next((one for one in self._versions() if one.is_ours), None)
        # Another apply may have come between: its version is the one to serve.
        if newest and newest.id != wanted.version_id:
            raise BuildFailedError.of(
                "deployment-overtaken",
                f"version {wanted.version_id} of '{wanted.model_id}' is not deployed: "
                f"{newest.id} was registered meanwhile",
                hint="apply again to see what is to be served",
            )
        if found and _same(found, wanted):
            return
        self.registry.runners.deploy(wanted, anew=found is None)
        message = f"deployment {wanted.id} serves version {wanted.version_id}"
        self.progress(Event(STAGE, "done", message))

    def _versions(self) -> tuple[RemoteVersion, ...]:
        return self.registry.versions(self.manifest.model.id)

    def _take_back(self, found: RemoteDeployment | None, wanted: RemoteDeployment) -> None:
        if found is None:
            self.registry.runners.delete_deployment(wanted.id)
            what = f"deployment {wanted.id} is removed again"
        else:
            self.registry.runners.deploy(found, anew=False)
            what = f"deployment {found.id} serves version {found.version_id} again"
        self.progress(Event(STAGE, "done", what))

    def _remove_twin(self, found: RemoteDeployment | None, version: RemoteVersion) -> None:
        """Remove the version that was served before, where this is the same made anew."""
        if found is None or found.version_id == version.id:
            return
        before = self.registry.version(self.manifest.model.id, found.version_id)
        digest = before.registration_digest if before else None
        if digest and digest == version.registration_digest:
            self.registry.delete_version(self.manifest.model.id, found.version_id)


def _same(found: RemoteDeployment, wanted: RemoteDeployment) -> bool:
    """Return whether a deployment is as it is wanted, whatever it counts."""
    spec = replace(wanted.spec, create=found.spec.create)
    return (found.version_id, found.spec) == (wanted.version_id, spec)
