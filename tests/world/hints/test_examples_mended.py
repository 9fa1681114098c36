"""Each manifest under tests/examples/invalid is mended as its hints say, literally, and loads."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from clarifai_build.manifest.discovery import find_manifests
from clarifai_build.manifest.labels import labels_of
from clarifai_build.manifest.types import Manifest
from clarifai_build.validation.load import examine
from support.command_line import command

INVALID = Path(__file__).parents[2] / "examples" / "invalid"
NAMES = [str(path.relative_to(INVALID)) for path in find_manifests([INVALID])]
DIGEST = "0" * 64


class Edit(NamedTuple):
    """One change to a file; an empty `old` replaces all of it."""

    old: str
    new: str
    file: str = "clarifai.yaml"


def labels(*lines: str) -> Edit:
    """Write the labels file anew."""
    return Edit("", "".join(f"{line}\n" for line in lines), "labels.txt")


# What whoever reads message, hint and docs/reference/problems.md would do, and no more.
MENDED: Mapping[str, Sequence[Edit]] = {
    "address-credentials.clarifai.yaml": [
        Edit("http://me:hunter2@localhost:9000", "http://localhost:9000"),
        Edit("me:hunter2@api.example.com", "https://api.example.com"),
    ],
    "address-query.clarifai.yaml": [Edit("/?region=eu", "/"), Edit("#latest", "")],
    "bad-value-blank-label.clarifai.yaml": [Edit('" "', "unnamed-1")],
    "bad-value-digest.clarifai.yaml": [Edit("sha256: abc", f'sha256: "{DIGEST}"')],
    "bad-value-id.clarifai.yaml": [Edit("my model", "my-model")],
    "bad-value-long-id.clarifai.yaml": [Edit("a" * 49, "a" * 48)],
    "bad-value-param-name.clarifai.yaml": [Edit("top-k", "top_k")],
    "bad-value-url.clarifai.yaml": [Edit("localhost", "http://localhost")],
    "bucket-name-address.clarifai.yaml": [Edit("192.168.0.1", "my-models")],
    "bucket-name.clarifai.yaml": [Edit("My_Models", "my-models")],
    "code-missing.clarifai.yaml": [Edit("path: src", "path: .")],
    "duplicate-item.clarifai.yaml": [Edit("[4, 4]", "[4]")],
    "duplicate-key.clarifai.yaml": [Edit("  warmup: false\n", "")],
    "duplicate-label.clarifai.yaml": [Edit("dog, cat]", "dog, cat-2]")],
    "duplicate-param.clarifai.yaml": [Edit("limit, type: string", "text, type: string")],
    "duplicate-target.clarifai.yaml": [Edit("to: a.bin\n    from: https://example.com/b",
                                            "to: b.bin\n    from: https://example.com/b")],
    "empty.clarifai.yaml": [],
    "env-secret.clarifai.yaml": [Edit("${env:NPM_TOKEN}", "my-models")],
    "text-character.clarifai.yaml": [Edit("\\0", "")],
    "requirements-elsewhere/clarifai.yaml": [
        Edit("numpy @ file:///croot/numpy", "numpy==1.26.4", "requirements.txt"),
        Edit("-c limits.txt\n", "", "requirements.txt"),
        Edit("pywin32==306", "pywin32==306 ; sys_platform == 'win32'", "requirements.txt"),
        Edit("${SIX}", "1.16.0", "requirements.txt"),
    ],
    "prediction-form/clarifai.yaml": [
        Edit("type: text-to-text", "type: text-to-text\ncode: {per_item: true}")
    ],
    "streaming-per-item.clarifai.yaml": [Edit("code: {per_item: true}\n", "")],
    "trial-image.clarifai.yaml": [Edit("nowhere.png", "labels.txt")],
    "trial-input.clarifai.yaml": [Edit("image: cat.png", "text: a cat")],
    "trial-param.clarifai.yaml": [Edit("limit: many, other: 1", "limit: 1")],
    "warmup-params.clarifai.yaml": [Edit("triton: {warmup: true}\n", "")],
    "env-not-allowed.clarifai.yaml": [Edit("${env:HOME}", ".")],
    "env-syntax.clarifai.yaml": [Edit("${NAME}", "$ {NAME}")],
    "env-unset.clarifai.yaml": [Edit("VARIABLE}", "VARIABLE:-value}")],
    "file-name-weight.clarifai.yaml": [Edit("mod\u00e8le", "modele")],
    "forbidden-labels.clarifai.yaml": [Edit("  labels: [a, b]\n", "")],
    "forbidden-secret-default.clarifai.yaml": [Edit(", default: abc", "")],
    "inference-class/clarifai.yaml": [
        Edit("class Model:\n    pass", "class InferenceModel:\n    def get_predictions("
             "self, input_data, **kwargs): ...", "inference.py"),
    ],
    "inference-method/clarifai.yaml": [
        Edit("def run(self)", "def get_predictions(self, input_data, **kwargs)", "inference.py")
    ],
    "inference-missing/clarifai.yaml": [],
    "inference-syntax/clarifai.yaml": [
        Edit("class InferenceModel\n    pass", "class InferenceModel:\n    def get_predictions("
             "self, input_data, **kwargs): ...", "inference.py"),
    ],
    "labels-blank-and-twice/clarifai.yaml": [labels("cat", "unnamed-1", "dog", "cat-3")],
    "labels-empty/clarifai.yaml": [labels("cat", "dog")],
    "labels-encoding/clarifai.yaml": [labels("caf\u00e9")],
    "labels-missing.clarifai.yaml": [Edit("names.txt", "labels.txt")],
    "merge-key.clarifai.yaml": [Edit("<<: {ragged: false}", "ragged: false")],
    "missing-bucket.clarifai.yaml": [Edit("storage:\n", "storage:\n  bucket: my-models\n")],
    "missing-id-and-type.clarifai.yaml": [
        Edit("model:\n", "model:\n  id: receipt-text-detector\n  type: visual-detector\n"
             "  labels: labels.txt\n")
    ],
    "missing-labels.clarifai.yaml": [Edit("classifier\n", "classifier\n  labels: labels.txt\n")],
    "missing-model.clarifai.yaml": [
        Edit("version: 1\n", 'version: 1\nmodel: {"id": "receipt-text-detector", '
             '"type": "visual-detector", "labels": "labels.txt"}\n')
    ],
    "missing-weight-digest.clarifai.yaml": [
        Edit("model.onnx\n#", f'model.onnx\n    sha256: "{DIGEST}"\n#')
    ],
    "not-a-mapping.clarifai.yaml": [
        Edit("- model\n- code\n", "model: {id: example, type: text-to-text}\ncode: {}\n")
    ],
    "not-allowed-image-zero.clarifai.yaml": [Edit("[0, 64]", "[-1, 64]")],
    "not-allowed-kind.clarifai.yaml": [Edit("tpu", "auto")],
    "not-allowed-type.clarifai.yaml": [
        Edit("visual-dectector", "visual-detector\n  labels: labels.txt")
    ],
    "not-allowed-version.clarifai.yaml": [Edit("version: 2", "version: 1")],
    "not-utf8.clarifai.yaml": [],
    "out-of-range-batch.clarifai.yaml": [Edit("size: 0", "size: 1")],
    "out-of-range-empty-labels.clarifai.yaml": [Edit("labels: []", "labels: labels.txt")],
    "out-of-range-image-dims.clarifai.yaml": [Edit("[3, 480, 640]", "[480, 640]")],
    "out-of-range-image.clarifai.yaml": [Edit("1025", "1024")],
    "param-name-keyword.clarifai.yaml": [Edit("lambda", "factor")],
    "param-name-self.clarifai.yaml": [Edit("name: self", "name: me"),
                                      Edit("input_data", "text")],
    "path-outside-code.clarifai.yaml": [Edit("../valid", ".")],
    "path-outside-weight.clarifai.yaml": [Edit("../a.bin", "a.bin")],
    "preferred-over-max.clarifai.yaml": [Edit("max_batch_size: 4", "max_batch_size: 8")],
    "ragged-unused.clarifai.yaml": [Edit("triton:\n  ragged: true\n", "")],
    "requirements-missing.clarifai.yaml": [Edit("needs.txt", "requirements.txt")],
    "requirements/clarifai.yaml": [
        Edit("numpy=>2", "numpy>=2", "requirements.txt"),
        Edit("clarifai>=9.7\n", "", "requirements.txt"),
        Edit("-r more.txt\n", "", "requirements.txt"),
        Edit("typing-extensions==4.9.0\n", "", "requirements.txt"),
    ],
    "reserved-target.clarifai.yaml": [Edit("clarifai_runtime/a.bin", "weights/a.bin")],
    "response-cache-params.clarifai.yaml": [Edit("response_cache: true", "response_cache: false")],
    "response-cache-streaming.clarifai.yaml": [Edit("cache: true", "cache: false")],
    "secret-in-manifest.clarifai.yaml": [
        Edit("0123456789abcdef0123456789abcdef", "${env:CLARIFAI_APP_ID}")
    ],
    "secret-in-parameters.clarifai.yaml": [
        Edit("triton:\n  parameters: {AWS_KEY: AKIAABCDEFGHIJKLMNOP}",
             "params:\n  - {name: aws_key, type: secret}")
    ],
    "shape-unused.clarifai.yaml": [Edit("shapes:\n  image: [64, 64]\n  embeddings: [8]\n", "")],
    "storage-prefix.clarifai.yaml": [Edit("a/../b", "a/b")],
    "streaming-batching.clarifai.yaml": [
        Edit("  dynamic_batching: {max_queue_delay_microseconds: 500}\n", "")
    ],
    "streaming-type.clarifai.yaml": [Edit("streaming: true", "streaming: false")],
    "type-mismatch/clarifai.yaml": [Edit("text-to-text", "text-embedder")],
    "unknown-key-case.clarifai.yaml": [Edit("Streaming", "streaming")],
    "unknown-key-elsewhere.clarifai.yaml": [
        Edit("max_batch_size: 4", "triton:\n  max_batch_size: 4")
    ],
    "unknown-key-nowhere.clarifai.yaml": [Edit("colour: red\n", "")],
    "target-key.clarifai.yaml": [
        Edit("runner: {num_threads: 8}", "target: runner\nrunner: {num_threads: 8}"),
    ],
    "target-key-triton.clarifai.yaml": [
        Edit("  instance_group: {count: 2}\n", ""),
        Edit("artifact: {compression: deflate}\n", ""),
    ],
    "not-allowed-target.clarifai.yaml": [Edit("runners", "runner")],
    "runner-python.clarifai.yaml": [Edit("3.10", "3.11")],
    "not-allowed-runner-python.clarifai.yaml": [Edit("3.13", "3.12")],
    "wrong-type-runner-python.clarifai.yaml": [Edit("3.11", "\"3.11\"")],
    "compute-twice.clarifai.yaml": [Edit("  instance: g5.xlarge\n", "")],
    "compute-unused.clarifai.yaml": [Edit("{acc", "{num_accelerators: 1, acc")],
    "wrong-type-cpu-limit.clarifai.yaml": [Edit("1.5", "\"1.5\"")],
    "bad-value-quantity.clarifai.yaml": [Edit("two", "\"2\""), Edit("lots", "8Gi")],
    "bad-value-image.clarifai.yaml": [Edit("\"base:1\\nRUN anything\"", "base:1")],
    "out-of-range-threads.clarifai.yaml": [Edit("1000", "128")],
    "secret-variable.clarifai.yaml": [
        Edit("CLARIFAI_PAT", "ACCOUNT_PAT"),
        Edit("three, env_var: SEARCH_KEY", "three, env_var: OTHER_KEY"),
    ],
    "missing-variable.clarifai.yaml": [Edit("search}", "search, env_var: SEARCH_API_KEY}")],
    "bad-value-variable.clarifai.yaml": [Edit("search-key", "search_key")],
    "secret-param.clarifai.yaml": [
        Edit("params:", "runner:\n  secrets: [{id: search, env_var: search_key}]\nparams:"),
    ],
    "param-name-runner.clarifai.yaml": [
        Edit("name: text", "name: hint"),
        Edit("with_proto", "proto"),
        Edit("name: SEARCH_KEY", "name: key"),
        Edit("HOME", "place"),
        Edit("__limit", "limit"),
    ],
    "replicas.clarifai.yaml": [Edit("max_replicas: 2", "max_replicas: 3")],
    "deployment-instance.clarifai.yaml": [
        Edit("runner:\n  d", "runner:\n  instance: g5.xlarge\n  d"),
    ],
    "missing-labels-runner.clarifai.yaml": [
        Edit("visual-segmenter", "visual-segmenter\n  labels: labels.txt"),
    ],
    "duplicate-label-runner.clarifai.yaml": [Edit("cat, dog]", "cat, dog-2]")],
    "unknown-key-runner.clarifai.yaml": [Edit("num_thread:", "num_threads:")],
    "requirements-runner/clarifai.yaml": [
        Edit("", "scipy==1.14.1\nnumpy==1.26.4\n", "requirements.txt"),
    ],
    "unknown-key.clarifai.yaml": [Edit("max_batchsize", "max_batch_size")],
    "weight-source-revision.clarifai.yaml": [Edit("hf://org/model/", "hf://org/model@main/")],
    "weight-source-scheme.clarifai.yaml": [Edit("ftp://", "https://")],
    "wrong-type-boolean-id.clarifai.yaml": [Edit("id: true", 'id: "true"')],
    "wrong-type-default.clarifai.yaml": [Edit("many", "1")],
    "wrong-type-empty-section.clarifai.yaml": [Edit("triton:\n", "")],
    "wrong-type-float-batch.clarifai.yaml": [Edit("1.5", "1")],
    "wrong-type-infinity.clarifai.yaml": [Edit(".inf", "1e9")],
    "wrong-type-label-number.clarifai.yaml": [Edit("1, no", '"1", no')],
    "wrong-type-list.clarifai.yaml": [Edit('"*.ipynb"', '["*.ipynb"]')],
    "wrong-type-number-for-string.clarifai.yaml": [Edit("3.10", '"3.10"')],
    "wrong-type-string-for-number.clarifai.yaml": [Edit('"4"', "4")],
    "wrong-type-yes.clarifai.yaml": [Edit("yes", "true")],
}  # fmt: skip
# Without hint and without one place that is wrong: what it should say only its author knows.
OPEN = {name for name in NAMES if name.startswith("yaml-")}
BROKEN_BY = {
    "yaml-syntax.clarifai.yaml": Edit("example: more", '"example: more"'),
    "yaml-character.clarifai.yaml": Edit("a\x07b", "a\\ab"),
    "yaml-tab.clarifai.yaml": Edit("\t", "  "),
    "yaml-tag.clarifai.yaml": Edit("!!binary aGVsbG8=", '"aGVsbG8="'),
    "yaml-key.clarifai.yaml": Edit("{[a]: b}", "{}"),
    "yaml-documents.clarifai.yaml": Edit("---\nversion: 1\nmodel:\n  id: example\n"
                                         "  type: text-to-text\n", ""),
    "yaml-number.clarifai.yaml": Edit("9" * 400, "9"),
    "yaml-number-based.clarifai.yaml": Edit("0x" + "f" * 400, "9"),
    "yaml-alias.clarifai.yaml": Edit("[*code]", "[]"),
    "yaml-alias-undefined.clarifai.yaml": Edit("*nothing", "{}"),
    "yaml-depth.clarifai.yaml": Edit("[" * 40 + "]" * 40, "{}"),
    "yaml-syntax-unclosed.clarifai.yaml": Edit("{id: example", "{id: example}"),
    "yaml-alias-explosion.clarifai.yaml": Edit(
        "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]", "d: &d []"
    ),
}  # fmt: skip


def copied(name: str, folder: Path) -> Path:
    """Copy an example with what lies beside it; the manifest is clarifai.yaml there."""
    source = INVALID / name
    for file in source.parent.iterdir():
        if file.is_file() and not file.name.endswith(".clarifai.yaml"):
            shutil.copy(file, folder)
    shutil.copy(source, folder / "clarifai.yaml")
    return folder / "clarifai.yaml"


def apply(folder: Path, edit: Edit) -> None:
    """Change a file; what is to be replaced has to be there."""
    file = folder / edit.file
    text = file.read_text(encoding="utf-8", errors="replace")
    assert edit.old in text
    file.write_text(text.replace(edit.old, edit.new, 1) if edit.old else edit.new, encoding="utf-8")


def mended(manifest: Path, edits: Sequence[Edit]) -> Manifest:
    """Follow the hints, and return the manifest that loads then."""
    assert examine(manifest, {}, offline=True).manifest is None
    hints = [problem.hint or "" for problem in examine(manifest, {}, offline=True).problems]
    if any("remove the file" in hint for hint in hints):
        manifest.unlink()
    if any("clarifai-build init" in hint for hint in hints):
        command("init", manifest.parent, "--type", "text-to-text")
    if any("as UTF-8" in hint for hint in hints):
        manifest.write_text(manifest.read_bytes().decode("latin-1"), encoding="utf-8")
    for edit in edits:
        apply(manifest.parent, edit)
    for name in ("labels.txt", "requirements.txt"):
        if not (manifest.parent / name).exists():
            (manifest.parent / name).write_text("numpy\n")
    examined = examine(manifest, {"CLARIFAI_APP_ID": "main"}, offline=True)
    assert examined.problems == ()
    assert examined.manifest is not None
    return examined.manifest


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OPEN])
def test_hints_lead_to_a_manifest_that_loads(tmp_path: Path, name: str) -> None:
    """What message, hint and page say is enough, for every invalid example there is."""
    mended(copied(name, tmp_path), MENDED[name])


def test_a_mended_list_of_labels_moves_no_class(tmp_path: Path) -> None:
    """Whoever follows the hints about a blank line and a repeated name has four classes still."""
    name = "labels-blank-and-twice/clarifai.yaml"
    loaded = mended(copied(name, tmp_path), MENDED[name])
    assert labels_of(loaded)[::2] == ("cat", "dog")
    assert len(labels_of(loaded)) == 4


@pytest.mark.parametrize("name", sorted(OPEN))
def test_yaml_that_is_mended_at_its_place_reads(tmp_path: Path, name: str) -> None:
    """A change on the line that a YAML problem names is all that it takes to be past it."""
    manifest = copied(name, tmp_path)
    (problem, *_) = examine(manifest, {}).problems
    edit = BROKEN_BY[name]
    text = manifest.read_text()
    assert problem.line is not None
    assert text[: text.index(edit.old)].count("\n") + 1 == problem.line
    apply(tmp_path, edit)
    assert problem.code not in [found.code for found in examine(manifest, {}).problems]
