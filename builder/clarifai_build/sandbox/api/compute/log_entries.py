"""The handler that shows what builds and runners wrote."""

from __future__ import annotations

from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from clarifai_build.sandbox.api.compute.deployments import Deployments
from clarifai_build.sandbox.api.database import Database
from clarifai_build.sandbox.api.errors import missing_version
from clarifai_build.sandbox.api.paging import page_of
from clarifai_build.sandbox.api.runners.logs import Log
from clarifai_build.sandbox.api.runners.serving import Runners

BUILDER = "builder"
RUNNER = "runner"


class LogEntries:
    """Each line is an entry; its url tells it from all others, as the official tool wants."""

    def __init__(self, database: Database, runners: Runners, deployments: Deployments) -> None:
        self._database = database
        self._runners = runners
        self._deployments = deployments

    def list(self, request: Any) -> Any:
        version_id = self._version_id(request)
        log = self._log(request.log_type, version_id)
        lines = page_of(list(enumerate(log.lines() if log else [])), request)
        entries = [
            resources_pb2.LogEntry(
                message=line,
                log_type=request.log_type,
                url=f"sandbox:/{version_id}/{request.log_type}/{number}",
            )
            for number, line in lines
        ]
        return service_pb2.MultiLogEntryResponse(
            log_entries=entries, page=max(request.page, 1), per_page=request.per_page
        )

    def _version_id(self, request: Any) -> str:
        if request.runner_id:
            runner = self._deployments.runner(request.runner_id)
            return str(runner.worker.model.model_version.id) if runner else ""
        version_id = request.model_version_id
        if version_id:
            found = self._database.version(version_id)
            named = (request.model_id, request.user_app_id.app_id)
            if found is None or (found[0], found[1].app_id) != named:
                raise missing_version(version_id, request.model_id)
        return str(version_id)

    def _log(self, log_type: str, version_id: str) -> Log | None:
        if not version_id:
            return None
        logs = {BUILDER: self._runners.builder_log, RUNNER: self._runners.process_log}
        return logs[log_type](version_id) if log_type in logs else None
