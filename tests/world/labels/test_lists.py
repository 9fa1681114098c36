"""Label lists as the world has them: each class keeps its place and gets a name of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from clarifai_build.cli.legacy import triton_zip
from clarifai_build.legacy.importer import import_folder
from clarifai_build.manifest.labels import labels_of
from clarifai_build.validation.load import examine, load
from support.command_line import ended
from support.trees import write_files

CONFIG = b"""
backend: "python"
max_batch_size: 4
dynamic_batching { }
input { name: "image" data_type: TYPE_UINT8 dims: [64, 64, 3] }
output { name: "softmax_predictions" data_type: TYPE_FP32 dims: -1 label_filename: "labels.txt" }
"""
CODE = b"class InferenceModel:\n    def get_predictions(self, items): return list(items)\n"
# As COCO's 91 categories: ten of them were never used.
GAPS = ["person", "N/A", "bicycle", "N/A", "N/A", "car"]


def repository(folder: Path, labels: bytes) -> Path:
    """Write a classifier with these labels."""
    return write_files(
        folder, {"config.pbtxt": CONFIG, "1/inference.py": CODE, "labels.txt": labels}
    )


def imported(folder: Path, labels: bytes) -> tuple[tuple[str, ...], str]:
    """Import a classifier; return its labels as an artifact has them, and what was told."""
    ran = ended("import", repository(folder, labels))
    assert ran.code == 0, ran.err
    assert (folder / "labels.txt").read_bytes() == labels
    return labels_of(load(folder, {})), ran.err


@pytest.mark.parametrize(
    ("content", "expected", "told"),
    [
        ("\n".join(GAPS) + "\n", ("person", "N/A", "bicycle", "N/A-3", "N/A-4", "car"), "'N/A-3'"),
        ("a\n\nb\n", ("a", "unnamed-1", "b"), "'unnamed-1'"),
        ("\na\n", ("unnamed-0", "a"), "'unnamed-0'"),
        ("a\n \t\nb\n", ("a", "unnamed-1", "b"), "unnamed-1"),
        ("a\nb\n\n\n", ("a", "b"), "2 blank lines at its end"),
        ("a\nb\n  ", ("a", "b"), "1 blank lines at its end"),
        ("a\na \n a\n", ("a", "a-1", "a-2"), "'a-1', 'a-2'"),
        ("a\na\na-1\n", ("a", "a-1-again", "a-1"), "a-1-again"),
        ("0\tcat\n1\tdog\n", ("cat", "dog"), "numbers"),
        ("1\tcat\n2\tdog\n", ("cat", "dog"), "numbers"),
        ("1\tdog\n0\tcat\n", ("1 dog", "0 cat"), "do not count them"),
        ("n01440764\ttench\nn01443537\tgoldfish\n", ("n01440764 tench", "n01443537 goldfish"),
         "spaces"),
        ("cat\x0bdog\nb\n", ("cat dog", "b"), "spaces"),
        ("a\u2028b\nc\n", ("a b", "c"), "spaces"),
        ("cat\rdog\r", ("cat", "dog"), "line ends"),
    ],
)  # fmt: skip
def test_a_list_becomes_one_that_serves(
    tmp_path: Path, content: str, expected: tuple[str, ...], told: str
) -> None:
    """As many classes as before, in their order, each told apart, and a note of what changed."""
    labels, said = imported(tmp_path, content.encode())
    assert labels == expected
    assert told in said
    assert "labels.serving.txt" in said


@pytest.mark.parametrize(
    "content",
    [
        "cat\ndog\n",
        "cat\ndog",
        "\ufeffcat\r\ndog\r\n",
        "a, b\nc; d\n",
        "0 cat\n1 dog\n",
        "caf\u00e9\n\u732b\n\U0001f408\n",
        "no\nyes\nnull\n~\n1.0\n",
        "# cat\n- dog\n'it'\n\"x\"\n{{ y }}\n",
        "".join(f"class {number}\n" for number in range(20_000)),
    ],
    ids=lambda content: ascii(content[:20]),
)
def test_a_list_that_serves_stays_the_users_own(tmp_path: Path, content: str) -> None:
    """No second file is written, and nothing is told."""
    labels, said = imported(tmp_path, content.encode())
    assert labels == tuple(content.lstrip("\ufeff").splitlines())
    assert "not carried over" not in said
    assert not (tmp_path / "labels.serving.txt").exists()


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16-LE"),
        ("utf-16-be", "UTF-16-BE"),
        ("utf-32", "UTF-32"),
        ("latin-1", "check 'Gr\u00fcnes Haus'"),
        ("cp1252", "check 'Gr\u00fcnes Haus'"),
    ],
)
def test_other_encodings_are_read(tmp_path: Path, encoding: str, told: str) -> None:
    """What Windows and older tools write arrives as UTF-8, and is told."""
    labels, said = imported(tmp_path, "cat\nGr\u00fcnes Haus\ndog\n".encode(encoding))
    assert labels == ("cat", "Gr\u00fcnes Haus", "dog")
    assert told in said


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "labels-empty"), (b"\n \n", "labels-empty"), (b"\xff\xfea", "labels-encoding")],
)
def test_what_is_no_list_is_for_validate_to_say(tmp_path: Path, content: bytes, code: str) -> None:
    """An import invents no labels where there are none."""
    ran = ended("import", repository(tmp_path, content))
    assert ran.code == 3
    assert f"error[{code}]" in ran.err
    assert not (tmp_path / "labels.serving.txt").exists()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[a, N/A, N/A]", ["a", "N/A", "N/A-2"]),
        ("[a, null, ~, '']", ["a", "unnamed-1", "unnamed-2", "unnamed-3"]),
        ("[no, true, 1.0, 0x1F, 1e3, 007]", ["no", "true", "1.0", "0x1F", "1e3", "007"]),
        ('["a\\nb", "c\\td"]', ["a b", "c d"]),
        ("[&x cat, *x, 'yes']", ["cat", "cat-1", "yes"]),
        ("[&x 1, *x]", ["1", "1-1"]),
        ("['${env:HOME}', b]", ["$ {env:HOME}", "b"]),
        ("['a, b', 'c: d', '{e}']", ["a, b", "c: d", "{e}"]),
    ],
)
def test_labels_in_a_clarifai_config_are_text(
    tmp_path: Path, written: str, expected: list[str]
) -> None:
    """As they are written there, in their order, each with a name of its own."""
    config = f"clarifai_model:\n  type: visual-classifier\n  labels: {written}\n"
    write_files(tmp_path, {"clarifai_config.yaml": config.encode(), "inference.py": CODE})
    ran = ended("import", tmp_path)
    assert ran.code == 0, ran.err
    assert list(labels_of(load(tmp_path, {}))) == expected


@pytest.mark.parametrize("label", [{"id": 0}, ["cat"]])
def test_a_label_that_is_no_text_is_refused(tmp_path: Path, label: Any) -> None:
    """With its place, since the name is somewhere in it and only people know where."""
    config = {"clarifai_model": {"type": "visual-classifier", "labels": ["a", label]}}
    write_files(tmp_path, {"clarifai_config.yaml": yaml.safe_dump(config).encode()})
    ran = ended("import", tmp_path)
    assert ran.code == 3
    assert "error[wrong-type] label 1 is not text" in ran.err


def test_the_old_command_gives_the_same_labels(tmp_path: Path) -> None:
    """`clarifai-triton-zip` writes nothing into the folder, and its zip has the mended list."""
    folder = repository(tmp_path / "m", b"a\nN/A\nN/A\n\nb\n")
    (folder / "requirements.txt").write_text("clarifai\nnumpy\n")
    before = sorted(folder.rglob("*"))
    target = tmp_path / "m_visual-classifier.zip"
    names = ["--triton_model_repository", str(folder), "--zipfile_name", str(target)]
    assert triton_zip(names) == 0
    assert sorted(folder.rglob("*")) == before
    with ZipFile(target) as archive:
        assert archive.read("labels.txt").decode() == "a\nN/A\nN/A-2\nunnamed-3\nb\n"
        assert archive.read("requirements.txt") == b"numpy\n"


def test_several_label_files_are_told(tmp_path: Path) -> None:
    """A model has one list; that an output had another is not lost in silence."""
    config = CONFIG.replace(b"softmax_predictions", b"predicted_bboxes", 1)
    config = config.replace(b"dims: -1 label_filename", b"dims: [-1, 4] label_filename")
    config += b"""
output { name: "predicted_labels" data_type: TYPE_INT32 dims: [-1, 1] label_filename: "b.txt" }
output { name: "predicted_scores" data_type: TYPE_FP32 dims: [-1, 1] }
"""
    write_files(tmp_path, {"config.pbtxt": config, "labels.txt": b"a\nb\n", "b.txt": b"c\n"})
    imported_model = import_folder(tmp_path)
    assert imported_model.manifest["model"]["labels"] == "labels.txt"
    assert any("b.txt" in note for note in imported_model.notes)


@pytest.mark.parametrize(
    "content", [b"cat\n\ndog\n", b"cat\n\ndog\n\n", b"N/A\nN/A\nb\n", b"\na\n"]
)
def test_no_hint_about_labels_moves_a_class(tmp_path: Path, content: bytes) -> None:
    """Only blank lines at the end are said to be removed; of any other line a name is asked for."""
    write_files(tmp_path, {
        "clarifai.yaml": b"model: {id: m, type: visual-classifier, labels: labels.txt}\n",
        "inference.py": CODE, "labels.txt": content,
    })  # fmt: skip
    lines = content.decode().split("\n")[:-1]
    last = max(number for number, line in enumerate(lines, 1) if line)
    found = examine(tmp_path, {}).problems
    assert found
    for problem in found:
        assert problem.line is not None
        assert problem.hint is not None
        assert ("remove" in problem.hint) == (problem.line > last)
