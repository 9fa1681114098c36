"""Commands as processes that may take neither long nor much memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

INFERENCE = """\
class InferenceModel:
    def get_predictions(self, input_data, **kwargs):
        return input_data
"""
MANIFEST = """\
model: {id: bounded, type: text-to-text}
storage: {bucket: models-of-ours}
clarifai: {user_id: someone, app_id: some-app}
"""
_MEMORY = 1024**3
_SECONDS = 30
# Not by a `preexec_fn`: it has subprocess fork, and gRPC, where it is loaded, aborts such a child.
_LIMITED = f"""
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_AS, ({_MEMORY}, {_MEMORY}))
sys.argv[0] = "clarifai-build"
runpy.run_module("clarifai_build", run_name="__main__", alter_sys=True)
"""
# From a process of its own: one that is begun inherits the peak of the process that begins it.
_MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "clarifai_build", *sys.argv[1:]], capture_output=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = used.ru_utime + used.ru_stime
print(json.dumps([done.returncode, done.stdout.decode(), seconds, used.ru_maxrss * 1024]))
"""


class Measured(NamedTuple):
    """How a command ended, what it wrote, its processor time and the most bytes that it held."""

    code: int
    out: str
    seconds: float
    memory: int


def measured(*arguments: str | Path) -> Measured:
    """Run a command as a process, and ask the system what it took."""
    python = [sys.executable, "-c", _MEASURED]
    ran = subprocess.run([*python, *map(str, arguments)], check=True, capture_output=True)
    return Measured(*json.loads(ran.stdout))


def bounded(
    *arguments: str | Path, cwd: Path, pass_fds: tuple[int, ...] = (), **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run a command with 1 GiB of memory and 30 s; further environment variables are keywords."""
    return subprocess.run(
        [sys.executable, "-c", _LIMITED, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "XDG_CACHE_HOME": str(cwd / "cache"), "HOME": str(cwd), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        pass_fds=pass_fds,
    )


def model_in(folder: Path, manifest: str = MANIFEST) -> Path:
    """Write a model that is valid, unless the manifest says otherwise; return the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inference.py").write_text(INFERENCE)
    (folder / "clarifai.yaml").write_text(manifest, encoding="utf-8")
    return folder / "clarifai.yaml"


def sparse(file: Path, size: int = 3 * 1024**3) -> Path:
    """Make a file of gigabytes that takes no room on disk."""
    with file.open("wb") as stream:
        stream.truncate(size)
    return file
