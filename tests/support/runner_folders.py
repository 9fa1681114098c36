"""Manifests of runner models of every type, and what the SDK reads from their folders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from clarifai_build.manifest.types import Manifest, Model, Param, Runner, Triton
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.targets.rendering import generated_files_of
from support.runner_sdk import run_sdk
from support.trees import manifest_of, write_files

GOLDEN_SIGNATURES = Path(__file__).parents[1] / "golden" / "signatures.json"
LABELS = ("cat", "dög 🐕")
PARAMS = (
    Param("threshold", "number", 0.5, "Lowest score kept."),
    Param("count", "number", 2),
    Param("words", "string", 'a "b" 猫', "What's said: {{ x }} \\ 'y'"),
    Param("empty", "string", ""),
    Param("loud", "boolean", True, "Whether."),
    Param("needed", "string"),
)

# Prints the signatures of each folder under the one that is named; runs under the SDK's Python.
_READ = """
import json, os, sys
from clarifai.runners.models.model_builder import ModelBuilder
from google.protobuf.json_format import MessageToDict

found = {}
for name in sorted(os.listdir(sys.argv[1])):
    folder = os.path.join(sys.argv[1], name)
    builder = ModelBuilder(folder, validate_api_ids=False, user_id="someone")
    methods = builder.get_method_signatures()
    found[name] = [MessageToDict(one, preserving_proto_field_name=True) for one in methods]
with open(sys.argv[2], "w") as file:
    json.dump(found, file)
"""


def _manifest(model_type: str, *, streaming: bool = False) -> Manifest:
    return replace(
        manifest_of(Path("/models")),
        model=Model("m", model_type),
        triton=Triton(1, ragged=False, streaming=streaming),
        target="runner",
        runner=Runner(),
        params=PARAMS,
    )


SIGNED: Mapping[str, Manifest] = {
    **{name: _manifest(name) for name in MODEL_TYPES},
    "text-to-text-streaming": _manifest("text-to-text", streaming=True),
}


def write_folder(folder: Path, manifest: Manifest) -> Path:
    """Write what is generated for a manifest, with labels where its type has them."""
    labels = LABELS if MODEL_TYPES[manifest.model.type].has_labels else ()
    return write_files(folder, generated_files_of(manifest, labels))


def signatures_by_sdk(folders: Path, scratch: Path) -> Any:
    """Return the signatures that the SDK reads from each folder of runner models, by its name."""
    script, result = scratch / "read.py", scratch / "signatures.json"
    script.write_text(_READ, encoding="utf-8")
    done = run_sdk([str(script), str(folders), str(result)], scratch)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(result.read_text(encoding="utf-8"))
