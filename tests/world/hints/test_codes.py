"""Each code of docs/reference/problems.md: its way out is walked once, or it says who has to."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from clarifai_build.manifest.labels import labels_of
from clarifai_build.validation.load import load
from support.command_line import World, ended
from support.following import fine, told, warned
from support.trees import write_files
from world.hints import (
    answers,
    engines,
    faults,
    git,
    machine,
    old_commands,
    packages,
    plans,
    platform,
    store,
)

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "problems.md").read_text(encoding="utf-8")
CODES = set(re.findall(r"^### (\S+)$", PAGE, re.MULTILINE))
EXPECTED = re.compile(rb"^# expect: .* (\S+)$", re.MULTILINE)
EXAMPLES = {
    code.decode()
    for file in (ROOT / "tests" / "examples" / "invalid").rglob("*.yaml")
    for code in EXPECTED.findall(file.read_bytes())
}

MANIFEST = "model: {id: m, type: text-to-text}\n"
CLASSIFIER = "model: {id: m, type: visual-classifier, labels: %s}\n"
CODE = "class InferenceModel:\n    def get_predictions(self, input_data, **kwargs): ...\n"
CONFIG = """backend: "python"
input { name: "text" data_type: TYPE_STRING dims: 1 }
output { name: "text" data_type: TYPE_STRING dims: 1 }
"""


def model(folder: Path, manifest: str = MANIFEST, **files: str) -> Path:
    """Write a model; further files are named with `__` for `/` and `_dot_` for `.`."""
    named = {key.replace("__", "/").replace("_dot_", "."): text for key, text in files.items()}
    texts = {"clarifai.yaml": manifest, "inference.py": CODE, **named}
    return write_files(folder, {name: text.encode() for name, text in texts.items()})


def label_characters(folder: Path) -> None:
    """A space in the place of a tab, a line feed in that of a carriage return: no class moves."""
    model(folder, CLASSIFIER % "labels.txt", labels_dot_txt="a\tb\nc\n")
    assert "space in its place" in told("label-characters", "validate", folder)
    (folder / "labels.txt").write_text("a b\nc\n")
    fine("validate", folder)
    (folder / "labels.txt").write_bytes(b"a\rb\rc\n")
    assert "line feed" in told("label-characters", "validate", folder)
    (folder / "labels.txt").write_bytes(b"a\nb\nc\n")
    fine("validate", folder)
    assert labels_of(load(folder, {})) == ("a", "b", "c")


def labels_form(folder: Path) -> None:
    """The names alone, in the order of their numbers."""
    model(folder, CLASSIFIER % "labels.txt", labels_dot_txt='{"1": "dog", "0": "cat"}\n')
    assert "write the names alone, a line each" in told("labels-form", "validate", folder)
    (folder / "labels.txt").write_text("1: dog\n0: cat\n")
    told("labels-form", "validate", folder)
    (folder / "labels.txt").write_text("0: cat\n1: dog\n")
    assert "remove the numbers" in warned("labels-form", "validate", folder)
    (folder / "labels.txt").write_text("cat\ndog\n")
    fine("validate", folder)
    assert labels_of(load(folder, {})) == ("cat", "dog")


def inference_ignored(folder: Path) -> None:
    """The rule that the hint names brings it back, whichever rule left it out."""
    back = "code: {exclude: ['*.py', '!inference.py']}\n"
    model(folder, f"{MANIFEST}code: {{exclude: ['*.py']}}\n")
    assert "last rule of code.exclude" in told("inference-ignored", "validate", folder)
    model(folder, MANIFEST + back)
    fine("validate", folder)
    model(folder, _dot_clarifaiignore="inference.py\n")
    told("inference-ignored", "validate", folder)
    model(folder, f"{MANIFEST}code: {{exclude: ['!inference.py']}}\n")
    fine("validate", folder)


def left_out(folder: Path) -> None:
    """Either line of the hint ends it; the first brings the file back."""
    model(folder)
    (folder / ".cache").mkdir()
    (folder / ".cache/model.bin").write_bytes(b"weights")
    code = (folder / "inference.py").read_text()
    (folder / "inference.py").write_text(f"WEIGHTS = '.cache/model.bin'\n{code}")
    lines = told("left-out", "validate", folder).split("`")[1::2]
    assert len(lines) == 2
    for line in lines:
        (folder / ".clarifaiignore").write_text(f"{line}\n")
        fine("validate", folder)


def yaml_values(folder: Path) -> None:
    """A file of its own takes any number of labels."""
    names = [f"class-{number}" for number in range(60_000)]
    model(folder, CLASSIFIER % json.dumps(names))
    told("yaml-values", "validate", folder)
    model(folder, CLASSIFIER % "labels.txt", labels_dot_txt="".join(f"{n}\n" for n in names))
    fine("validate", folder)


def inference_missing(folder: Path) -> None:
    """`init` writes it where the manifest has its code."""
    model(folder, f"{MANIFEST}code: {{path: src}}\n", src__other_dot_py="")
    (folder / "inference.py").unlink()
    assert "clarifai-build init" in told("inference-missing", "validate", folder)
    fine("init", folder)
    fine("validate", folder)


def ignore_rule(folder: Path) -> None:
    """Without the rule, the folder is read."""
    model(folder, _dot_clarifaiignore="[a\n")
    told("ignore-rule", "validate", folder)
    (folder / ".clarifaiignore").write_text("")
    fine("validate", folder)


def secret(folder: Path) -> None:
    """A key stays out by a rule, or goes in by a line of the manifest."""
    model(folder, id_rsa="x")
    told("secret", "validate", folder)
    (folder / ".clarifaiignore").write_text("/id_rsa\n")
    fine("validate", folder)
    (folder / ".clarifaiignore").unlink()
    model(folder, f"{MANIFEST}code: {{allow_secrets: [id_rsa]}}\n")
    fine("validate", folder)


def file_collision(folder: Path) -> None:
    """One of them under another name."""
    model(folder, a_dot_bin="x", A_dot_bin="y")
    told("file-collision", "validate", folder)
    (folder / "A.bin").rename(folder / "b.bin")
    fine("validate", folder)


def overlap(folder: Path) -> None:
    """A file of one's own under another name than a weight's."""
    digest = hashlib.sha256(b"x").hexdigest()
    weight = f"weights: [{{to: w.bin, from: store/w.bin, sha256: {digest!r}}}]\n"
    model(folder, MANIFEST + weight, w_dot_bin="y", store__w_dot_bin="x")
    told("overlap", "validate", folder)
    (folder / "w.bin").rename(folder / "other.bin")
    fine("validate", folder)


def symlink(folder: Path) -> None:
    """The file in the place of the link."""
    model(folder)
    (folder / "w.bin").symlink_to("nowhere")
    told("symlink", "validate", folder)
    (folder / "w.bin").unlink()
    (folder / "w.bin").write_text("x")
    fine("validate", folder)


def odd_file(folder: Path) -> None:
    """A pipe stays out by a rule."""
    model(folder)
    os.mkfifo(folder / "pipe")
    told("odd-file", "validate", folder)
    (folder / ".clarifaiignore").write_text("/pipe\n")
    fine("validate", folder)


def manifest_too_big(folder: Path) -> None:
    """Long lists of labels in a file of their own."""
    names = [f"class {number:07}" for number in range(100_000)]
    model(folder, CLASSIFIER % json.dumps(names))
    told("manifest-too-big", "validate", folder)
    lines = "".join(f"{name}\n" for name in names)
    model(folder, CLASSIFIER % "labels.txt", labels_dot_txt=lines)
    fine("validate", folder)
    assert labels_of(load(folder, {})) == tuple(names)


def no_manifest(folder: Path) -> None:
    """`init` writes one."""
    assert "clarifai-build init" in told("no-manifest", "validate", folder)
    fine("init", folder, "--type", "text-to-text")
    fine("validate", folder)


def unreadable_file(folder: Path) -> None:
    """`init` writes what is not there; of a folder of models, one of them is named."""
    assert "clarifai-build init" in told("unreadable-file", "lock", folder)
    fine("init", folder / "new", "--type", "text-to-text")
    fine("validate", folder / "new" / "clarifai.yaml")
    model(folder / "a")
    model(folder / "b", MANIFEST.replace("id: m", "id: n"))
    said = told("unreadable-file", "build", folder, "-o", folder / "x.zip")
    assert str(folder / "a" / "clarifai.yaml") in said
    assert "init" not in said
    fine("build", folder / "a" / "clarifai.yaml", "-o", folder / "x.zip")


def package_missing(folder: Path) -> None:
    """The package that the hint names, in the requirements."""
    model(folder, inference_dot_py=f"import cv2\n{CODE}")
    said = warned("package-missing", "validate", folder)
    assert "add opencv-python-headless to the requirements" in said
    (folder / "requirements.txt").write_text("opencv-python-headless==4.10.0.84\n")
    assert ended("validate", folder).err == "1 manifest: no problems\n"


def weight_missing(folder: Path) -> None:
    """The path as it is."""
    digest = hashlib.sha256(b"x").hexdigest()
    weight = f"weights: [{{to: w.bin, from: stor/w.bin, sha256: {digest!r}}}]\n"
    model(folder, MANIFEST + weight, store__w_dot_bin="x")
    told("weight-missing", "build", folder, "-o", folder / "x.zip")
    model(folder, MANIFEST + weight.replace("stor/", "store/"))
    fine("build", folder, "-o", folder / "x.zip")


def weight_mismatch(folder: Path) -> None:
    """The digest of the file that is meant."""
    weight = "weights: [{to: w.bin, from: store/w.bin, sha256: '%s'}]\n"
    model(folder, MANIFEST + weight % ("0" * 64), store__w_dot_bin="x")
    told("weight-mismatch", "build", folder, "-o", folder / "x.zip")
    model(folder, MANIFEST + weight % hashlib.sha256(b"x").hexdigest())
    fine("build", folder, "-o", folder / "x.zip")


def not_empty(folder: Path) -> None:
    """Another folder."""
    model(folder / "m")
    write_files(folder / "out", {"x": b""})
    told("not-empty", "render", folder / "m", "-o", folder / "out")
    fine("render", folder / "m", "-o", folder / "other")


def output_target(folder: Path) -> None:
    """A new file."""
    model(folder / "m")
    told("output-target", "build", folder / "m", "-o", folder)
    fine("build", folder / "m", "-o", folder / "x.zip")


def lock_missing(folder: Path) -> None:
    """`lock` writes it."""
    model(folder)
    told("lock-missing", "lock", folder, "--check")
    fine("lock", folder)
    fine("lock", folder, "--check")


def lock_weights(folder: Path) -> None:
    """`lock` pins what the manifest says now."""
    lock_missing(folder)
    digest = hashlib.sha256(b"x").hexdigest()
    weight = f"weights: [{{to: w.bin, from: store/w.bin, sha256: {digest!r}}}]\n"
    model(folder, MANIFEST + weight, store__w_dot_bin="x")
    told("lock-weights", "lock", folder, "--check")
    fine("lock", folder)
    fine("lock", folder, "--check")


def spoilt_lock(code: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    """Return the way out of a lock that can't be taken: it is removed, and made anew."""

    def follow(folder: Path) -> None:
        lock_missing(folder)
        file = folder / "clarifai.lock"
        file.write_text(change(file.read_text()))
        assert "remove it" in told(code, "lock", folder) or code == "lock-format"
        file.unlink()
        fine("lock", folder)
        fine("lock", folder, "--check")

    return follow


def repository(folder: Path, config: str = CONFIG, code: str = CODE) -> Path:
    """Write a Triton repository."""
    return write_files(folder, {"config.pbtxt": config.encode(), "1/inference.py": code.encode()})


def rewritten(code: str, config: str, word: str) -> Callable[[Path], None]:
    """Return the way out for a model that no artifact serves: a new one around its files."""

    def follow(folder: Path) -> None:
        repository(folder / "old", config)
        assert word in told(code, "import", folder / "old", "--type", "text-to-text")
        fine("init", folder / "new", "--type", "text-to-text")
        fine("validate", folder / "new")
        fine("build", folder / "new", "-o", folder / "x.zip")

    return follow


def config_pbtxt(folder: Path) -> None:
    """The config as Triton reads it."""
    told("config-pbtxt", "import", repository(folder, "input {"))
    fine("import", repository(folder))


def type_missing(folder: Path) -> None:
    """The type by an option."""
    repository(folder, 'backend: "python"\n')
    assert "--type" in told("type-missing", "import", folder)
    fine("import", folder, "--type", "text-to-text")


def nothing_to_import(folder: Path) -> None:
    """The folder that the hint names."""
    repository(folder / "old")
    assert str(folder / "old") in told("nothing-to-import", "import", folder)
    fine("import", folder / "old")


def runner_folder(folder: Path) -> None:
    """The type by the option of the hint; the class is then the user's to move."""
    config = b"model: {id: m, model_type_id: any-to-any}\nbuild_info: {python_version: '3.12'}\n"
    files = {"config.yaml": config, "1/model.py": b"", "1/inference.py": CODE.encode()}
    write_files(folder / "old", files)
    assert "--type TYPE" in told("runner-folder", "import", folder / "old")
    fine("import", folder / "old", "--type", "text-to-text")
    fine("validate", folder / "old")


def already_there(folder: Path) -> None:
    """The import after what is there is gone."""
    fine("import", repository(folder))
    told("already-there", "import", folder)
    (folder / "clarifai.yaml").unlink()
    fine("import", folder)


def params_file(folder: Path) -> None:
    """A list of parameters."""
    repository(folder)
    file = folder / "inference_parameters.json"
    file.write_text('{"path": "a"}')
    told("params-file", "import", folder)
    file.write_text('[{"path": "a", "field_type": 2, "default_value": "", "description": ""}]')
    fine("import", folder)
    assert [param.name for param in load(folder, {}).params] == ["a"]


def image_shape(folder: Path) -> None:
    """Height and width."""
    arguments = ("init", folder, "--type", "visual-embedder", "--image-shape")
    told("image-shape", *arguments, "480x640")
    fine(*arguments, "480,640")
    assert load(folder, {}, offline=True).shapes.image == (480, 640)


def no_answer(folder: Path) -> None:
    """Options in the place of answers."""
    ran = ended("init", folder, answers="")
    assert "error[no-answer]" in ran.err
    fine("init", folder, "--type", "text-to-text")


FOLLOWED: Mapping[str, Callable[[Path], None]] = {
    "already-there": already_there,
    "config-pbtxt": config_pbtxt,
    "config-unsupported": rewritten("config-unsupported", 'backend: "onnxruntime"', "init --type"),
    "file-collision": file_collision,
    "ignore-rule": ignore_rule,
    "image-shape": image_shape,
    "inference-ignored": inference_ignored,
    "inference-missing": inference_missing,
    "label-characters": label_characters,
    "labels-form": labels_form,
    "left-out": left_out,
    "yaml-values": yaml_values,
    "lock-edited": spoilt_lock("lock-edited", lambda text: text.replace('"weights": {}',
                                                                        '"weights": {"a": "b"}')),
    "lock-format": spoilt_lock("lock-format", lambda text: text.replace('"format": 1',
                                                                        '"format": 0')),
    "lock-missing": lock_missing,
    "lock-unreadable": spoilt_lock("lock-unreadable", lambda text: text[1:]),
    "lock-weights": lock_weights,
    "manifest-too-big": manifest_too_big,
    "no-answer": no_answer,
    "no-manifest": no_manifest,
    "not-empty": not_empty,
    "nothing-to-import": nothing_to_import,
    "odd-file": odd_file,
    "output-target": output_target,
    "overlap": overlap,
    "package-missing": package_missing,
    "params-file": params_file,
    "runner-folder": runner_folder,
    "secret": secret,
    "symlink": symlink,
    "tensors-differ": rewritten("tensors-differ", CONFIG.replace('"text"', '"t"'), "init --type"),
    "type-missing": type_missing,
    "unreadable-file": unreadable_file,
    "weight-mismatch": weight_mismatch,
    "weight-missing": weight_missing,
}  # fmt: skip

# Codes whose way out needs what is not here: why, and the test that provokes them.
BY_OTHERS: Mapping[str, Mapping[str, str]] = {
    "it is told under another code, whose hint is followed: `canary-failed`": {
        "unit/deploy/test_canary.py": "prediction-failed",
    },
    "the platform has to answer otherwise": {
        "unit/deploy/test_runner_apply.py": "deployment-overtaken instance-unknown "
        "nodepool-missing",
        "unit/registry/runners/test_upload.py": "quota stream-idle upload-cut",
    },
    "what would have to be kept is not: another commit is the way out": {
        "unit/connection/test_connection.py": "nothing-kept",
    },
    "it is built anew, as that test does": {
        "functional/test_build_command.py": "not-a-tar-gz",
    },
    "nothing has to be done": {
        "unit/artifact/test_artifact.py": "cache-stale",
        "unit/storage/test_leases.py": "no-conditional-writes",
        "unit/artifact/test_contents_record.py": "content-absent",
        "world/verified_weights/test_trust.py": "not-copied",
        "world/without_content/test_records_and_locks.py": "contents-unusable",
    },
    "a server or a CDN has to learn what it does not know": {
        "unit/storage/test_anonymous.py": "ranges-ignored",
    },
    "the sandbox, whose processes are looked at": {
        "unit/sandbox/api/runners/test_unpack_tar.py": "tar-refused",
    },
    "what else runs at that time has to end": {
        "unit/artifact/test_artifact.py": "changed vanished",
    },
    "words of Git, or of a bug, say what there is to do": {
        "unit/cli/commands/test_apply.py": "internal-error",
        "unit/inspection/test_reproducibility.py": "check-failed",
        "unit/util/test_git.py": "git-failed",
    },
}

MODULES = (
    *(answers, engines, faults, git, machine),
    *(old_commands, packages, plans, platform, store),
)
BY_COMMANDS = {code: follow for module in MODULES for code, follow in module.FOLLOWED.items()}


@pytest.mark.parametrize("code", sorted(BY_COMMANDS))
def test_the_way_out_of_a_command_leads_out(
    world: World, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """Likewise, with a store and a platform; what is live then is what the manifest says."""
    BY_COMMANDS[code](world, monkeypatch)


@pytest.mark.parametrize("code", sorted(FOLLOWED))
def test_the_way_out_leads_out(tmp_path: Path, code: str) -> None:
    """Message and hint are followed literally, and what was refused goes through."""
    FOLLOWED[code](tmp_path)


def test_each_code_is_followed_or_in_the_hands_of_others() -> None:
    """A new code needs a case here, an example under tests/examples/invalid, or a reason."""
    tests = [each for group in BY_OTHERS.values() for each in group.items()]
    assert [file for file, _ in tests if not (ROOT / "tests" / file).is_file()] == []
    others = [code for _, codes in tests for code in codes.split()]
    assert len(others) == len(set(others))
    here = EXAMPLES | set(FOLLOWED) | set(BY_COMMANDS)
    assert sorted(CODES - here - set(others)) == []
    assert sorted((here | set(others)) - CODES) == []
    assert sorted(here & set(others)) == []
