"""One model in a Triton of its own, without S3 or API: what the model's tests are run against."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from clarifai_build.errors import SandboxError
from clarifai_build.progress import Event, ProgressCallback, no_progress
from clarifai_build.repository_layout import REQUIREMENTS
from clarifai_build.sandbox.api.builds import served_model
from clarifai_build.sandbox.engines import install, model_environment, triton
from clarifai_build.sandbox.engines.processes import free_ports


class SingleModel(NamedTuple):
    """A served model: `address` is host and port of Triton's HTTP, `python` its Python, as 3.x."""

    address: str
    python: str


@contextmanager
def serving(
    folder: Path, work: Path, stage: str, progress: ProgressCallback = no_progress
) -> Iterator[SingleModel]:
    """Serve the model in `folder`, alone in its parent, while the block runs.

    Its config is rewritten for this machine; `work` is a scratch folder. Raises SandboxError where
    the engines can't be had or the model does not load; Triton's log is kept then.
    """
    installed = install.install(progress)
    environment = model_environment.prepare(installed, folder / REQUIREMENTS, progress)
    served_model.adapt(folder, served_model.read(folder), folder.name, environment)
    (http_port,) = free_ports(1)
    progress(Event(stage, "running", "loading the model into Triton"))
    with ExitStack() as stack:
        try:
            server = triton.serving(installed, folder.parent, work, http_port)
            stack.enter_context(server).load(folder.name)
        except SandboxError as error:
            raise _with_log(error, work / triton.LOG) from error
        yield SingleModel(f"127.0.0.1:{http_port}", installed.interpreter.version)


def _with_log(error: SandboxError, log: Path) -> SandboxError:
    """Return the error with the place of a copy of the log: `work` goes with the command."""
    if not log.exists():
        return error
    handle, kept = tempfile.mkstemp(prefix="clarifai-build-triton-", suffix=".log")
    with os.fdopen(handle, "wb") as file:
        file.write(log.read_bytes())
    hint = f"the whole log is {kept}"
    return SandboxError(*(problem._replace(hint=hint) for problem in error.problems))
