"""What is found in the files that a manifest names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement

from clarifai_build.building import generated_files
from clarifai_build.repository_layout import ALWAYS_WRITTEN
from clarifai_build.validation.load import examine, load
from clarifai_build.validation.requirements_file import _PLAIN_REQUIREMENT
from support.trees import write_files

INFERENCE = "class InferenceModel:\n    def get_predictions(self, input_data, **kwargs): ...\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A text-to-text model without problems."""
    (tmp_path / "clarifai.yaml").write_text("model: {id: example, type: text-to-text}\n")
    (tmp_path / "inference.py").write_text(INFERENCE)
    return tmp_path


def codes(folder: Path) -> list[str]:
    return [problem.code for problem in examine(folder, {}).problems]


def test_a_name_that_triton_can_not_open_is_found(folder: Path) -> None:
    """Unless it is left out anyway."""
    (folder / "modèle.bin").touch()
    assert codes(folder) == ["file-name"]
    (folder / ".clarifaiignore").write_text("*.bin\n")
    assert codes(folder) == []


def test_a_link_out_of_the_folder_is_found(folder: Path) -> None:
    """What it leads to is not there on another machine."""
    (folder / "weights").symlink_to("/")
    assert codes(folder) == ["symlink"]


def test_all_that_can_not_be_packed_is_found(folder: Path) -> None:
    """What a build would refuse without reading it, each with the file that it means."""
    files = ("model.py/x", "id_rsa", "Data", "data", "a\nb", "code.pem", "w.bin", "x.dvc")
    write_files(folder / "code", dict.fromkeys(files, b""))
    (folder / "inference.py").rename(folder / "code" / "inference.py")
    (folder / "code" / "away").symlink_to("/")
    weight = f"{{to: w.bin, from: 'https://example.com/w', sha256: '{'0' * 64}'}}"
    (folder / "clarifai.yaml").write_text(
        "model: {id: example, type: text-to-text}\n"
        f"code: {{path: code, exclude: ['a[', '*.pem']}}\nweights: [{weight}]\n"
    )
    found = {(p.code, Path(p.file or "").name) for p in examine(folder, {}).problems}
    assert found == {
        ("dvc-pointer", "x.dvc"),
        ("file-collision", "data"),
        ("file-name", "a\nb"),
        ("ignore-rule", "clarifai.yaml"),
        ("overlap", "model.py"),
        ("overlap", "w.bin"),
        ("secret", "id_rsa"),
        ("symlink", "away"),
    }
    assert all(Path(p.file or "").is_relative_to(folder) for p in examine(folder, {}).problems)


def test_what_the_builder_writes_is_known_before_it_does(folder: Path) -> None:
    """All that is rendered below `1/`, but for the runtime, which is reserved as a whole."""
    rendered = {path for path in generated_files(load(folder, {})) if path.startswith("1/")}
    runtime = {path for path in rendered if path.startswith("1/clarifai_runtime/")}
    assert rendered - runtime | {"1/clarifai_runtime/__init__.py"} == ALWAYS_WRITTEN


@pytest.mark.parametrize(
    ("to", "codes"),
    [
        ("test.py", ["reserved-target"]),
        ("w/x", ["overlap"]),
        ("DATA/x", ["file-collision", "file-collision"]),
        ("v", []),
    ],
)
def test_weights_that_clash_are_found_before_they_are_fetched(
    folder: Path, to: str, codes: list[str]
) -> None:
    """With the builder's files, where they stand in the manifest; and with those of the user."""
    write_files(folder, {"w/x/y": b"", "data/x": b""})
    weight = f"{{to: {to}, from: 'https://example.com/w', sha256: '{'0' * 64}'}}"
    manifest = f"model: {{id: example, type: text-to-text}}\nweights:\n  - {weight}\n"
    (folder / "clarifai.yaml").write_text(manifest)
    found = examine(folder, {}).problems
    assert [problem.code for problem in found] == codes
    if to == "test.py":
        assert [(problem.line, problem.column) for problem in found] == [(3, 10)]


def test_what_is_not_packed_is_not_checked(folder: Path) -> None:
    """The manifest, weights and built zips lie in the folder and are no part of the code."""
    (folder / "clarifai.yaml").rename(folder / "modèle.yaml")
    write_files(folder, {"store/id_rsa": b"", "dist/é": b""})
    (folder / "modèle.yaml").write_text(
        "model: {id: example, type: text-to-text}\n"
        f"weights: [{{to: w, from: store/id_rsa, sha256: '{'0' * 64}'}}]\n"
    )
    assert examine(folder / "modèle.yaml", {}).problems == ()


def test_a_leave_for_a_key_file_is_heard(folder: Path) -> None:
    """As a build does."""
    manifest = "model: {id: example, type: text-to-text}\ncode: {allow_secrets: [id_rsa]}\n"
    (folder / "clarifai.yaml").write_text(manifest)
    (folder / "id_rsa").touch()
    assert codes(folder) == []


def test_a_rule_of_the_manifest_is_shown_where_it_stands(folder: Path) -> None:
    """A pattern that Git would take and never apply."""
    manifest = (
        'model: {id: example, type: text-to-text}\ncode:\n  exclude:\n    - "x"\n    - "a["\n'
    )
    (folder / "clarifai.yaml").write_text(manifest)
    (problem,) = examine(folder, {}).problems
    assert (problem.code, problem.line, problem.column) == ("ignore-rule", 5, 7)


@pytest.mark.parametrize(
    "code",
    [
        "from other import InferenceModel\n",
        "from other import Model as InferenceModel\n",
        "InferenceModel = object\n",
        "if True:\n    class InferenceModel:\n        def predict(self): ...\n",
        "from base import Base\nclass InferenceModel(Base): ...\n",
    ],
)
def test_models_may_come_from_elsewhere(folder: Path, code: str) -> None:
    """Imported, assigned and inherited ones are left to the tests that run them."""
    (folder / "inference.py").write_text(code)
    assert codes(folder) == []


def test_an_abstract_base_gives_no_method(folder: Path) -> None:
    """The base classes of clarifai 10.x name the type and nothing else."""
    (folder / "inference.py").write_text("class InferenceModel(TextToText): ...\n")
    assert codes(folder) == ["inference-method"]


def test_code_is_read_and_never_run(folder: Path) -> None:
    """Validating leaves no trace of what the module would do."""
    (folder / "inference.py").write_text("open('trace', 'w')\n" + INFERENCE)
    assert codes(folder) == []
    assert not (folder / "trace").exists()


def test_a_model_of_its_own_needs_no_inference(folder: Path) -> None:
    """Who brings model.py serves without the runtime."""
    (folder / "inference.py").unlink()
    assert codes(folder) == ["inference-missing"]
    (folder / "model.py").write_text("class TritonPythonModel: ...\n")
    assert codes(folder) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("numpy>=1.24,<3; python_version < '3.13'", []),
        ("-r more.txt", ["requirement-include"]),
        ("--extra-index-url https://example.com/simple", []),
        ("torch @ https://example.com/torch.whl", []),
        ("https://example.com/torch.whl", []),
        ("./wheels/own.whl", ["requirement-local"]),
        ("clarifai==9.11.0", []),
        ("clarifai-grpc>=10", []),
        ("# a comment", []),
        ("numpy==1.26.4 --hash=sha256:00 # why", []),
        ("clarifai", ["clarifai-unpinned"]),
        ("Clarifai >= 10", ["clarifai-unpinned"]),
        ("numpy==", ["requirement-syntax"]),
        ("two words", ["requirement-syntax"]),
    ],
)
def test_requirements_are_read_as_pip_does(folder: Path, line: str, expected: list[str]) -> None:
    """Options and addresses are pip's; names, versions and what is here alone are checked."""
    (folder / "requirements.txt").write_text(f"{line}\n")
    assert codes(folder) == expected


@given(st.text("ab1.,<>=!~-_ ", max_size=12))
def test_what_passes_as_plain_is_a_requirement(line: str) -> None:
    """The short way never lets through what pip could not read."""
    if _PLAIN_REQUIREMENT.fullmatch(line):
        try:
            Requirement(line)
        except InvalidRequirement:
            pytest.fail(f"{line!r} is no requirement")


def test_labels_with_a_byte_order_mark_and_windows_line_ends(folder: Path) -> None:
    """Editors write them, and they are no labels."""
    manifest = "model: {id: example, type: text-classifier, labels: labels.txt}\n"
    (folder / "clarifai.yaml").write_text(manifest)
    (folder / "labels.txt").write_bytes(b"\xef\xbb\xbfcat\r\ndog\r\n")
    assert codes(folder) == []


@pytest.mark.parametrize("label", ["a\\nb", "a\\rb", "a\\Nb", "a\\Lb", "a\\0b"])
def test_a_label_is_one_line(folder: Path, label: str) -> None:
    """What would break the lines of labels.txt is refused, inline and, but for \\n, in a file."""
    model = "id: example, type: text-classifier"
    (folder / "clarifai.yaml").write_text(f'model: {{{model}, labels: ["{label}", c]}}\n')
    assert codes(folder) == ["label-characters"]
    (folder / "clarifai.yaml").write_text(f"model: {{{model}, labels: labels.txt}}\n")
    plain = label.encode().decode("unicode_escape") if label[2] in "r0" else "a\u2028b"
    (folder / "labels.txt").write_bytes(f"{plain}\nc\n".encode())
    assert codes(folder) == ["label-characters"]


@pytest.mark.parametrize("rules", ["inference.py\n", "*.py\n"])
def test_code_that_is_left_out_is_missed(folder: Path, rules: str) -> None:
    """Without it the artifact would hold the template's own, which predicts nothing."""
    (folder / ".clarifaiignore").write_text(rules)
    assert codes(folder) == ["inference-ignored"]
    (folder / "model.py").write_text("class TritonPythonModel: ...\n")
    assert codes(folder) == (["inference-ignored"] if rules == "*.py\n" else [])


@pytest.mark.parametrize("code", ["x = " + "-" * 100_000 + "1", "x = 1" + " + 1" * 100_000])
def test_code_that_python_can_not_read(folder: Path, code: str) -> None:
    """An expression may be too deep for Python's parser."""
    (folder / "inference.py").write_text(code)
    assert codes(folder) == ["inference-syntax"]


@pytest.mark.parametrize(
    "manifest",
    [
        'model: {id: example, type: text-classifier, labels: "a\\0b"}\n',
        'model: {id: example, type: text-to-text}\ncode: {path: "a\\0b"}\n',
        'model: {id: example, type: text-to-text}\ncode: {requirements: "a\\0b"}\n',
    ],
)
def test_a_null_character_is_no_path(folder: Path, manifest: str) -> None:
    """No file can be called so."""
    (folder / "clarifai.yaml").write_text(manifest)
    assert codes(folder) == ["path-outside"]


def test_a_null_character_names_no_weight(folder: Path) -> None:
    """Neither where it comes from nor where it goes."""
    weight = f'{{to: "a\\0b", from: "a\\0b", sha256: "{"0" * 64}"}}'
    manifest = f"model: {{id: example, type: text-to-text}}\nweights: [{weight}]\n"
    (folder / "clarifai.yaml").write_text(manifest)
    assert codes(folder) == ["path-outside", "weight-source"]


@pytest.mark.parametrize("address", ["http://[bad", "https://example.com:xx"])
def test_addresses_that_can_not_be_read(folder: Path, address: str) -> None:
    """They are found before anything is built; a host without a scheme will do for the API."""
    model = "model: {id: example, type: text-to-text}\n"
    for section in (
        f"storage: {{type: s3, bucket: models, endpoint_url: '{address}'}}",
        f"storage: {{type: s3, bucket: models, public_base_url: '{address}'}}",
        f"clarifai: {{api_base: '{address}'}}",
    ):
        (folder / "clarifai.yaml").write_text(f"{model}{section}\n")
        assert codes(folder) == ["address-credentials"]
    (folder / "clarifai.yaml").write_text(f"{model}clarifai: {{api_base: api.example.com}}\n")
    assert codes(folder) == []


@pytest.mark.parametrize("to", [".", "./", "./w", "w//x", "w/.", ""])
def test_a_weight_has_one_name(folder: Path, to: str) -> None:
    """A second one for the same place would clash with nothing."""
    weight = f'{{to: "{to}", from: "https://example.com/w", sha256: "{"0" * 64}"}}'
    manifest = f"model: {{id: example, type: text-to-text}}\nweights: [{weight}]\n"
    (folder / "clarifai.yaml").write_text(manifest)
    found = [
        (problem.code, problem.line, problem.column) for problem in examine(folder, {}).problems
    ]
    assert found == [("path-outside" if to else "out-of-range", 2, 16)]
