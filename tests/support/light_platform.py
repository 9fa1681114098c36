"""The sandbox's API without Triton: every version is ready as soon as it is posted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from clarifai_grpc.grpc.api import resources_pb2, service_pb2, service_pb2_grpc

from clarifai_build.sandbox.api.database import Database
from clarifai_build.sandbox.api.errors import Code, status
from clarifai_build.sandbox.api.rpc import handlers
from clarifai_build.sandbox.api.rpc.accounts import Accounts
from clarifai_build.sandbox.api.runners.serving import Runners
from clarifai_build.sandbox.api.service import Access, Handler, Service
from clarifai_build.sandbox.state import APP_ID, USER_ID

TOKEN = "light"

INFERENCE = """
from clarifai_runtime import TextOutput, get_model_config

config = get_model_config("text-to-text")


class InferenceModel:
    @config.inference.wrap_func
    def get_predictions(self, input_data, **kwargs):
        return [TextOutput(predicted_text=text) for text in input_data]
"""
"""A model for it."""


class ReadyAtOnce:
    """Stands where the sandbox builds versions; with another `code`, they become that at once."""

    def __init__(self, database: Database, work: Path) -> None:
        self.database = database
        self.code: int = Code.MODEL_TRAINED
        self._work = work

    def submit(self, version_id: str) -> None:
        """Call the version built."""
        self.become(version_id, self.code)

    def begin(self, version_id: str) -> None:
        """Call a version built that was uploaded."""
        self.submit(version_id)

    def upload_path(self, version_id: str) -> Path:
        """Return where what was uploaded lies; it stays there."""
        return self._work / f"{version_id}.zip"

    def become(self, version_id: str, code: int, details: str = "") -> None:
        """Let a version have a status."""

        def change(version: resources_pb2.ModelVersion) -> None:
            version.status.CopyFrom(status(code, details))

        self.change(version_id, change)

    def disown(self, model_id: str) -> None:
        """Let a model have been made by another tool."""
        model = self.database.model(APP_ID, model_id)
        if model is not None:
            model.notes = ""
            self.database.put_model(model)

    def change(self, version_id: str, change: Callable[[resources_pb2.ModelVersion], None]) -> None:
        """Change a version without a request."""
        found = self.database.version(version_id)
        if found is not None:
            model_id, version = found
            change(version)
            self.database.put_version(model_id, version)

    def discard(self, version_id: str) -> None:
        """Nothing was built, so nothing is removed."""


class Counting(grpc.ServerInterceptor):  # type: ignore[misc]  # grpc has no stubs
    """Counts calls by the name of their RPC."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Note the call and go on."""
        self.calls.append(details.method.rpartition("/")[2])
        return continuation(details)


@dataclass(frozen=True)
class Platform:
    """Where it listens and what it was asked; `environ` leads the tool there.

    `answers` are given in the place of its own, by the name of the RPC.
    """

    api_base: str
    builds: ReadyAtOnce
    counting: Counting = field(default_factory=Counting)
    answers: dict[str, Handler] = field(default_factory=dict)
    own: Mapping[str, Handler] = field(default_factory=dict)

    @property
    def calls(self) -> list[str]:
        return self.counting.calls

    @property
    def environ(self) -> dict[str, str]:
        return {
            "CLARIFAI_API_BASE": self.api_base,
            "CLARIFAI_USER_ID": USER_ID,
            "CLARIFAI_APP_ID": APP_ID,
            "CLARIFAI_PAT": TOKEN,
        }


Raw = Mapping[str, Callable[[Any, grpc.ServicerContext], Any]]


@contextmanager
def light_platform(
    folder: Path, raw: Callable[[Database], Raw] = lambda _database: {}
) -> Iterator[Platform]:
    """Run one on a free port; `folder` keeps its database. `raw` RPCs may break their calls."""
    database = Database(folder / "api.sqlite")
    accounts = Accounts(database, USER_ID)
    accounts.create_app(APP_ID, "")
    access, counting = Access(USER_ID, TOKEN), Counting()
    builds = ReadyAtOnce(database, folder)
    logs: Any = Runners(folder / "runners", Path("python"), None)  # type: ignore[arg-type]  # starts none
    table = handlers.table(database, accounts, builds, None, logs, access)  # type: ignore[arg-type]  # the answers are made here
    table["PostModelOutputs"] = _answer
    answers: dict[str, Handler] = {}
    server = grpc.server(ThreadPoolExecutor(16), interceptors=[counting])
    replaceable = {name: _or_other(answers, name, own) for name, own in table.items()}
    service = Service(replaceable, access)
    for rpc, answer in raw(database).items():
        setattr(service, rpc, answer)
    service_pb2_grpc.add_V2Servicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield Platform(f"http://127.0.0.1:{port}", builds, counting, answers, table)
    finally:
        server.stop(None).wait()


def _or_other(answers: Mapping[str, Handler], name: str, own: Handler) -> Handler:
    """Return what answers as a test says, if one says something."""
    return lambda request: answers.get(name, own)(request)


def _answer(request: Any) -> Any:
    """Answer every input, with nothing: what stands in for the model is always well."""
    fine = status(Code.SUCCESS)
    outputs = [resources_pb2.Output(status=fine) for _ in request.inputs]
    return service_pb2.MultiOutputResponse(status=fine, outputs=outputs)


def main(folder: Path) -> None:
    """Run one as a process until its standard input ends; prints its address."""
    with light_platform(folder) as platform:
        print(platform.api_base, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
