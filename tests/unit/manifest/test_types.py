"""A document to a manifest: every setting arrives, and what is left out has its default."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.errors import ManifestError
from clarifai_build.manifest.types import (
    Clarifai,
    Code,
    DynamicBatching,
    InstanceGroup,
    Model,
    Param,
    Shapes,
    Storage,
    Triton,
    Weight,
    Zip,
)
from clarifai_build.validation.load import examine, load
from support.trees import write_files

INFERENCE = b"class InferenceModel:\n    def get_predictions(self, input_data, **kwargs): ...\n"
WHOLE = f"""\
version: 1
project: p
model: {{id: m, type: visual-detector, description: d, labels: names.txt}}
code: {{path: src, requirements: needs.txt, python: "3.12", exclude: [a, b], allow_secrets: [c],
  per_item: true}}
weights: [{{to: w, from: s3://bucket/w, sha256: {"0f" * 32}}}]
shapes: {{image: [8, 16]}}
triton:
  max_batch_size: 4
  ragged: false
  isolate: false
  warmup: true
  version_policy: all
  dynamic_batching: {{max_queue_delay_microseconds: 5, preferred_batch_size: [2, 4]}}
  instance_group: {{count: 2, kind: cpu}}
  parameters: {{z: "1", a: "2"}}
params: [{{name: n, type: number, default: 0.5, description: x}}]
storage: {{type: s3, bucket: models, prefix: /a/b/, region: r, endpoint_url: "https://h",
  access: presigned, public_base_url: "https://p", checksums: when_required}}
clarifai: {{user_id: u, app_id: a, api_base: "https://c", visibility: public}}
artifact: {{compression: deflate}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the manifests name."""
    files = {"inference.py": INFERENCE, "src/inference.py": INFERENCE, "names.txt": b"x\ny\n"}
    return write_files(tmp_path, {**files, "needs.txt": b"numpy==1.26.4\n"})


def test_every_setting_arrives(folder: Path) -> None:
    """Files below the manifest's folder, the prefix without slashes, parameters sorted."""
    (folder / "clarifai.yaml").write_text(WHOLE)
    found = load(folder, {})
    assert (found.path, found.project, found.version) == (folder / "clarifai.yaml", "p", 1)
    assert found.model == Model("m", "visual-detector", "d", folder / "names.txt")
    assert found.code == Code(
        folder / "src", folder / "needs.txt", "3.12", ("a", "b"), ("c",), True
    )
    assert found.weights == (Weight("w", "s3://bucket/w", "0f" * 32),)
    assert found.shapes == Shapes((8, 16))
    assert found.triton == Triton(
        max_batch_size=4,
        ragged=False,
        isolate=False,
        warmup=True,
        version_policy="all",
        dynamic_batching=DynamicBatching(5, (2, 4)),
        instance_group=InstanceGroup(2, "cpu"),
        parameters=(("a", "2"), ("z", "1")),
    )
    assert found.params == (Param("n", "number", 0.5, "x"),)
    assert found.storage == Storage(
        *("models", "a/b", "r", "https://h", "presigned", "https://p", "when_required", "s3")
    )
    assert found.clarifai == Clarifai("u", "a", "https://c", "public")
    assert found.artifact == Zip("deflate")
    assert found.published_to is None


def test_what_is_left_out_has_its_default(folder: Path) -> None:
    """The least that is a manifest."""
    (folder / "clarifai.yaml").write_text("model: {id: m, type: text-to-text}\n")
    found = load(folder, {})
    assert found.model == Model("m", "text-to-text", "", None)
    assert found.code == Code(folder, None, "3.11", (), (), False)
    assert found.triton == Triton(max_batch_size=1, ragged=False)
    assert (found.weights, found.params, found.storage) == ((), (), None)
    assert (found.clarifai, found.artifact, found.project) == (Clarifai(), Zip(), None)
    (folder / "requirements.txt").write_text("numpy==1.26.4\n")
    assert load(folder / "clarifai.yaml", {}).code.requirements == folder / "requirements.txt"


@pytest.mark.parametrize(
    ("kind", "shape", "batch", "ragged"),
    [
        ("visual-detector", "", 8, True),
        ("visual-detector", "shapes: {image: [8, 8]}", 8, False),
        ("visual-detector", "shapes: {image: [8, -1]}", 8, True),
        ("text-embedder", "shapes: {embeddings: [8]}", 8, False),
        ("text-to-image", "", 1, False),
    ],
)
def test_batches_follow_from_the_type(
    folder: Path, kind: str, shape: str, batch: int, ragged: bool
) -> None:
    """What generates takes one at a time; images of any size are ragged."""
    labels = ", labels: [a]" if kind == "visual-detector" else ""
    text = f"model: {{id: m, type: {kind}{labels}}}\n{shape}\n"
    (folder / "clarifai.yaml").write_text(text)
    triton = load(folder, {}).triton
    assert (triton.max_batch_size, triton.ragged) == (batch, ragged)


def test_errors_are_told_without_the_warnings(folder: Path) -> None:
    """What offline may be unset stops nothing, and is no reason."""
    (folder / "clarifai.yaml").write_text(
        "model: {id: m, type: text-to-text}\nstorage: {bucket: '${env:UNSET}'}\nbad: 1\n"
    )
    examined = examine(folder, {}, offline=True)
    assert [(p.code, p.severity) for p in examined.problems] == [
        ("env-unset", "warning"),
        ("unknown-key", "error"),
    ]
    with pytest.raises(ManifestError) as caught:
        load(folder, {}, offline=True)
    assert [problem.code for problem in caught.value.problems] == ["unknown-key"]


def test_problems_are_in_the_order_of_the_file(folder: Path) -> None:
    """Those of the manifest first, by line and column; then those of other files."""
    (folder / "names.txt").write_text("x\n\n")
    (folder / "clarifai.yaml").write_text(
        "model: {bad: 1, id: m, type: visual-detector, labels: names.txt}\n"
        "params: [{name: class, type: string}]\nworse: 1\n"
    )
    found = examine(folder, {}).problems
    places = [(Path(p.file or "").name, p.line, p.column) for p in found]
    assert places[-1][0] == "names.txt"
    assert [name for name, _, _ in places[:-1]] == ["clarifai.yaml"] * 3
    assert [(line, column) for _, line, column in places[:-1]] == [(1, 9), (2, 17), (3, 1)]
