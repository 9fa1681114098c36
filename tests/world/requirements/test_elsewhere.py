"""What can only work on the author's machine is put into one file, or refused at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.building import generated_files
from clarifai_build.errors import ManifestError, Problem, SourceError
from clarifai_build.legacy.importer import import_folder
from clarifai_build.manifest.types import Manifest
from clarifai_build.provenance import lock
from clarifai_build.validation.load import examine, load
from support.light_platform import INFERENCE
from support.trees import write_files
from support.wheels import wheel

MANIFEST = b"model: {id: lines, type: text-to-text}\ncode: {path: src, requirements: needs.txt}\n"
BASE = {"clarifai.yaml": MANIFEST, "src/inference.py": INFERENCE.encode()}


def problems_of(folder: Path, text: str, **more: bytes) -> list[Problem]:
    """Validate a model with these requirements."""
    write_files(folder, {**BASE, "needs.txt": text.encode(), **more})
    return list(examine(folder, {}, offline=True).problems)


def packed(manifest: Manifest) -> str:
    """Return the requirements that travel with a model."""
    return generated_files(manifest)["requirements.txt"].decode()


def test_included_files_travel_in_the_one(tmp_path: Path) -> None:
    """In the place of the line, over folders, each once, and no line names a file any more."""
    files = {
        "needs.txt": b"-r deps/base.txt  # shared\nscipy==1.0 \\\n  # why\n--requirement top.txt\n",
        "deps/base.txt": b"numpy==1.26.4\n-r../deps/more.txt\n",
        "deps/more.txt": "pillow==10.3.0\t# caf\xe9\n".encode("utf-16"),
        "top.txt": b"-r deps/more.txt\n--extra-index-url https://e.example/simple\nsix",
    }
    manifest = load(write_files(tmp_path, {**BASE, **files}), {}, offline=True)
    said = [line for line in packed(manifest).splitlines() if not line.startswith("#")]
    assert said == [
        "numpy==1.26.4",
        "pillow==10.3.0",
        "scipy==1.0",
        "--extra-index-url https://e.example/simple",
        "six",
    ]


def test_a_file_that_says_all_travels_as_it_is(tmp_path: Path) -> None:
    """With its comments, line ends and byte order mark: an artifact does not change for nothing."""
    content = b"\xef\xbb\xbf# of us\r\nnumpy \\\r\n  <3\t# why\r\n-r https://h.example/more.txt\r\n"
    manifest = load(write_files(tmp_path, {**BASE, "needs.txt": content}), {}, offline=True)
    assert generated_files(manifest)["requirements.txt"] == content


def test_another_encoding_travels_as_utf8(tmp_path: Path) -> None:
    """pip reads it, what else installs may not."""
    content = "# coding: latin-1\n# caf\xe9\nnumpy\n".encode("latin-1")
    manifest = load(write_files(tmp_path, {**BASE, "needs.txt": content}), {}, offline=True)
    assert packed(manifest) == "numpy\n"


def test_a_problem_in_an_included_file_stands_there(tmp_path: Path) -> None:
    """By its own name and line."""
    more = {"deps/base.txt": b"numpy\nnumpy @ file:///croot/numpy_1/work\n", "deps/x.txt": b"a b\n"}
    found = problems_of(tmp_path, "six\n-r deps/base.txt\n-r deps/x.txt\n", **more)
    told = [(p.code, Path(p.file or "").name, p.line) for p in found]
    assert told == [("requirement-local", "base.txt", 2), ("requirement-syntax", "x.txt", 1)]


LOCAL = [
    "numpy @ file:///croot/numpy_and_numpy_base_1682520569166/work",
    "file:///home/me/x-1.0.zip",
    "./wheels/own-1.0-py3-none-any.whl",
    "../sibling",
    "own-1.0-py3-none-any.whl",
    "./own[extra]",
    "-e .",
    "-e ./src/own",
    "--editable=file:///home/me/own",
    "C:\\wheels\\own-1.0-py3-none-any.whl",
    "--find-links ./wheels",
    "-f/home/me/wheels",
    "--index-url file:///srv/simple",
    "git+file:///home/me/own.git",
    "git+ssh://git@git.example/team/own.git@v1",
    "own @ git+ssh://git@git.example/team/own.git",
]


@pytest.mark.parametrize("line", LOCAL)
def test_what_lies_here_is_refused_at_its_line(tmp_path: Path, line: str) -> None:
    """With the way out."""
    (problem,) = problems_of(tmp_path, f"# needs\nsix\n{line}\n")
    assert (problem.code, problem.severity, problem.line) == ("requirement-local", "error", 3)
    assert (problem.file or "").endswith("needs.txt")
    assert problem.hint


ELSEWHERE = [
    "pillow==10.3.0\t# why",
    "torch @ https://h.example/torch-2.1-cp311-cp311-manylinux_2_28_x86_64.whl",
    "https://h.example/own-1.0-py3-none-any.whl",
    "own @ git+https://git@git.example/team/own.git@v1#subdirectory=a",
    "-e git+https://git.example/team/own.git#egg=own",
    "--find-links https://h.example/wheels",
    "pywin32==306 ; sys_platform == 'win32'",
    "own @ file:///C:/own ; platform_system == 'Windows'",
    "-r https://h.example/base.txt",
    "numpy==1.26.4 ; python_version < '3.12'",
]


@pytest.mark.parametrize("line", ELSEWHERE)
def test_what_can_be_fetched_anywhere_is_fine(tmp_path: Path, line: str) -> None:
    """And so is what pip passes over on Linux."""
    assert problems_of(tmp_path, f"{line}\n") == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("pywin32==306", "requirement-platform"),
        ("pyobjc-framework-Cocoa", "requirement-platform"),
        ("tensorflow_macos==2.12", "requirement-platform"),
        ("pywin32 ; python_version >= '3.8'", "requirement-platform"),
        ("https://h.example/own-1.0-cp311-cp311-win_amd64.whl", "requirement-platform"),
        ("--index-url https://${USER}:${TOKEN}@h.example/simple", "requirement-environment"),
        ("numpy==${NUMPY}", "requirement-environment"),
        ("-r missing.txt", "requirement-include"),
        ("-r ../shared.txt", "requirement-include"),
        ("-r /etc/base.txt", "requirement-include"),
        ("-r file:///etc/base.txt", "requirement-include"),
        ("-r a.txt -r b.txt", "requirement-include"),
        ("numpy=1.26.4=py311h64a7726_0", "requirement-syntax"),
        ("pip=23.2.1", "requirement-syntax"),
        ("--frobnicate", "requirement-syntax"),
    ],
)
def test_what_the_platform_can_not_follow_is_refused(tmp_path: Path, line: str, code: str) -> None:
    """Before anything is built, let alone uploaded."""
    write_files(tmp_path, {"shared.txt": b"six\n"})
    (problem,) = problems_of(tmp_path / "model", f"six\n{line}\n")
    assert (problem.code, problem.line, problem.severity) == (code, 2, "error")


def test_conda_is_told_what_pip_writes(tmp_path: Path) -> None:
    """The line as pip would have it."""
    (problem,) = problems_of(tmp_path, "numpy=1.26.4=py311h64a7726_0\n")
    assert "numpy==1.26.4" in problem.message


def test_a_server_of_this_machine_is_told(tmp_path: Path) -> None:
    """As a warning: the sandbox reaches it, the platform does not."""
    (problem,) = problems_of(tmp_path, "--index-url http://localhost:3141/root/pypi/+simple\nsix\n")
    assert (problem.code, problem.severity) == ("requirement-local", "warning")


def test_constraints_are_followed_by_way_of_a_lock(tmp_path: Path) -> None:
    """One file can't hold them; the hint's command makes a lock, and then the model is fine."""
    wheel(tmp_path / "wheels", "alpha", "1.0")
    wheel(tmp_path / "wheels", "alpha", "2.0")
    text = "--no-index\n--find-links wheels\n-c limits.txt\nalpha\n"
    found = problems_of(tmp_path, text, **{"limits.txt": b"alpha<2\n"})
    assert [p.code for p in found] == ["requirement-local", "requirement-constraint"]
    assert all("clarifai-build lock" in (p.hint or "") for p in found)
    manifest = load(tmp_path, {}, offline=True, locking=True)
    lock.write(lock.make(manifest), lock.path_of(manifest))
    (warned,) = examine(tmp_path, {}, offline=True).problems
    assert (warned.code, warned.severity) == ("requirement-local", "warning")
    assert packed(load(tmp_path, {}, offline=True)).startswith("alpha==1.0 ")


def test_what_is_built_past_validation_is_refused_too(tmp_path: Path) -> None:
    """As by a Python program, or where the file changed meanwhile."""
    manifest = load(write_files(tmp_path, {**BASE, "needs.txt": b"six\n"}), {}, offline=True)
    (tmp_path / "needs.txt").write_text("six\n-e .\n")
    with pytest.raises(SourceError) as caught:
        generated_files(manifest)
    assert [(p.code, p.line) for p in caught.value.problems] == [("requirement-local", 2)]
    with pytest.raises(ManifestError):
        load(tmp_path, {}, offline=True)


def test_import_leaves_the_sdk_out_wherever_it_is_named(tmp_path: Path) -> None:
    """In an included file, too: then one file says the rest."""
    config = b"clarifai_model: {clarifai_model_id: m, type: text-to-text}\n"
    files = {
        "clarifai_config.yaml": config,
        "requirements.txt": b"-r base.txt\nsix  # kept\n",
        "base.txt": b"Clarifai[all] \\\n  >= 9.10\t# the SDK\nclarifai-grpc\n",
    }
    imported = import_folder(write_files(tmp_path, files))
    assert imported.files == {"requirements.serving.txt": "clarifai-grpc\nsix\n"}
    (tmp_path / "requirements.txt").write_text("clarifai \\\n  ==9.11.0\n-r base.txt # kept\n")
    (tmp_path / "base.txt").write_text("six\n")
    imported = import_folder(tmp_path)
    assert imported.files == {"requirements.serving.txt": "-r base.txt # kept\n"}


@pytest.mark.parametrize("name", ["needs.txt", "base.txt"])
def test_a_file_that_git_lfs_has_not_fetched_is_told_as_that(tmp_path: Path, name: str) -> None:
    """Its lines are no requirements; an included one, too."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"
    files = {"base.txt": b"six\n", name: pointer}
    text = files.pop("needs.txt", b"-r base.txt\n").decode()
    (problem,) = problems_of(tmp_path, text, **files)
    assert (problem.code, Path(problem.file or "").name) == ("lfs-pointer", name)
