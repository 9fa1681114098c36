"""What we send of a runner, and what the official tool sends of the same folder, field by field."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf.json_format import MessageToDict

from support.runner_platform import Runners, Upload, runner_platform
from support.runner_sdk import sdk_environ, sdk_python
from support.trees import write_files

INFERENCE = "class InferenceModel:\n    def get_predictions(self, input_data, **kwargs): ...\n"
MANIFESTS = {
    "visual-detector": """\
target: runner
model: {id: finder, type: visual-detector, labels: [a word, émile, "x: y"]}
runner:
  python: "3.12"
  num_threads: 4
  compute: {cpu_limit: "2", cpu_memory: 3Gi, num_accelerators: 1, accelerator_type: [NVIDIA-*],
    accelerator_memory: 8Gi}
  secrets: [{id: hub, env_var: HUB_TOKEN}]
params:
  - {name: threshold, type: number, default: 0.5, description: "The lowest score, 'kept'."}
  - {name: loud, type: boolean, default: true}
""",
    "text-to-text": """\
target: runner
model: {id: finder, type: text-to-text}
triton: {streaming: true}
params: [{name: style, type: string, default: ""}]
""",
    "multimodal-embedder": """\
target: runner
model: {id: finder, type: multimodal-embedder}
runner: {compute: {cpu_limit: 500m, cpu_memory: 512Mi}}
""",
}
BUILDS = [(21107, ""), (21100, "")]

# What we say besides: what a version was made from, and parameters in the form of older clients.
OURS_ALONE = {"metadata", "description", "visibility"}


def ours(has: Runners, environ: dict[str, str], folder: Path) -> Upload:
    """Apply the manifest, and render its folder for the other."""
    for arguments in (["apply", "--yes"], ["render", "-o", str(folder / "rendered")]):
        done = subprocess.run(
            [sys.executable, "-m", "clarifai_build", *arguments],
            env={**os.environ, **environ, "XDG_CACHE_HOME": str(folder.parent / "cache")},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return has.uploads[-1]


def official(has: Runners, environ: dict[str, str], home: Path, folder: Path) -> Upload:
    """Let the official tool upload a folder, to whose config it wants the app added."""
    file = folder / "config.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    config["model"] |= {
        "app_id": environ["CLARIFAI_APP_ID"],
        "user_id": environ["CLARIFAI_USER_ID"],
    }
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    tools = home / "bin"
    tools.mkdir()
    (tools / "uv").write_text("#!/bin/sh\nexit 1\n")
    (tools / "uv").chmod(0o755)
    path = os.pathsep.join((str(tools), str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        [str(sdk_python().with_name("clarifai")), "model", "upload", str(folder)],
        env={**sdk_environ(home), **environ, "PATH": path},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(has.uploads) == 2
    return has.uploads[-1]


def sent(upload: Upload) -> dict[str, Any]:
    """Return the first message but for the sizes, which follow from the files."""
    config: dict[str, Any] = MessageToDict(upload.config, preserving_proto_field_name=True)
    assert int(config.pop("total_size")) == len(upload.content)
    assert int(config.pop("storage_request_size")) > 0
    return config


def members(upload: Upload) -> dict[str, bytes]:
    """Return the files of an upload's archive."""
    with tarfile.open(fileobj=io.BytesIO(upload.content), mode="r:gz") as archive:
        return {
            member.name.removeprefix("./"): archive.extractfile(member).read()  # type: ignore[union-attr]  # of regular files
            for member in archive
            if member.isfile()
        }


def without(fields: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """Return the fields but for some, and for an empty output_info."""
    return {k: v for k, v in fields.items() if k not in names and (v or k != "output_info")}


@pytest.mark.parametrize("model_type", MANIFESTS)
def test_both_send_the_same(tmp_path: Path, model_type: str) -> None:
    files = {"clarifai.yaml": MANIFESTS[model_type], "inference.py": INFERENCE}
    model = write_files(tmp_path / "model", {name: text.encode() for name, text in files.items()})
    home = tmp_path / "home"
    home.mkdir()
    with runner_platform(tmp_path) as (platform, has):
        has.stages = list(BUILDS)
        we = ours(has, platform.environ, model)
        has.stages = list(BUILDS)
        they = official(has, platform.environ, home, model / "rendered")
    wanted, found = sent(they), sent(we)
    of_theirs, of_ours = wanted.pop("model_version"), found.pop("model_version")
    assert found == wanted
    of_ours.get("output_info", {}).pop("params_specs", None)
    assert without(of_ours, OURS_ALONE) == without(of_theirs, OURS_ALONE)
    files_of_theirs = members(they)
    del files_of_theirs["config.yaml"]
    files_of_ours = members(we)
    assert yaml.safe_load(files_of_ours.pop("config.yaml"))["model"]["id"] == "finder"
    assert files_of_ours == files_of_theirs
    assert [part.range_start for part in we.parts] == [0]
    # The end, as the official tool of this version has it.
    assert [part.range_start for part in they.parts] == [len(they.content)]
