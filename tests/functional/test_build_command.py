"""`build` and `cache` as a user runs them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from clarifai_build.cli.console import Console
from clarifai_build.cli.main import guarded
from support.trees import write_files

MANIFEST = b"version: 1\nmodel: {id: m, type: text-to-text}\n"
CODE = b"""
class InferenceModel:
    def get_predictions(self, input_data, **kwargs):
        return input_data
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model folder with a secret-to-be and a folder that stays out."""
    files = {"clarifai.yaml": MANIFEST, "inference.py": CODE, ".git/x": b"123", "n.ipynb": b"{}"}
    return write_files(tmp_path / "model", files)


def tool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with a cache of its own."""
    environ = os.environ | {
        "XDG_CACHE_HOME": str(folder.parent / "cache"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    return subprocess.run(
        [sys.executable, "-m", "clarifai_build", *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
    )


def test_list_writes_nothing_and_names_each_file(model: Path) -> None:
    """What goes in has a plus, what stays out a minus, its size and the reason."""
    done = tool(model, "build", "--list")
    assert done.returncode == 0, done.stderr
    lines = [line.split(maxsplit=3) for line in done.stdout.splitlines()]
    assert ["-", "3", ".git", "(version control)"] in lines
    assert ["+", str(len(CODE)), "inference.py"] in lines
    assert not (model / "dist").exists()
    listed = json.loads(tool(model, "build", "--list", "--json").stdout)
    assert {"path": "n.ipynb", "size": 2} in listed["in"]


def test_the_cache_changes_nothing(model: Path) -> None:
    """With, without and against the cache: the same zip."""
    found = set()
    for option in ("--no-cache", "--json", "--verify-cache"):
        done = tool(model, "build", "--json", option, "-o", "../out.zip")
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        found.add((result["artifact_digest"], result["sha256"], result["size"]))
    assert len(found) == 1


def test_compression_is_another_artifact(model: Path) -> None:
    """`deflate` in the manifest gives a smaller zip under another digest."""
    write_files(model, {"data.csv": b"1,2,3\n" * 100_000})
    stored = json.loads(tool(model, "build", "--json", "-o", "../a.zip").stdout)
    (model / "clarifai.yaml").write_bytes(MANIFEST + b"artifact: {compression: deflate}\n")
    done = tool(model, "build", "--json", "-o", "../b.zip")
    assert done.returncode == 0, done.stderr
    deflated = json.loads(done.stdout)
    assert deflated["size"] < stored["size"] / 2
    assert deflated["artifact_digest"] != stored["artifact_digest"]


@pytest.mark.parametrize("name", ["model.bin", "out.zip", "m"])
def test_an_output_in_the_folder_is_not_packed_again(model: Path, name: str) -> None:
    """Whatever it is called, and by whatever path; the digest stays what it was."""
    (model.parent / "link").symlink_to(model)
    before = json.loads(tool(model, "build", "--json").stdout)
    for output in (name, f"../link/{name}"):
        built = json.loads(tool(model, "build", "--json", "-o", output).stdout)
        assert built["artifact_digest"] == before["artifact_digest"]
    again = json.loads(tool(model, "build", "--json").stdout)
    assert again["artifact_digest"] == before["artifact_digest"]


@pytest.mark.parametrize("streams", [("stderr",), ("stdout",), ("stdout", "stderr"), ()])
def test_the_work_is_done_whoever_listens(model: Path, streams: tuple[str, ...]) -> None:
    """Neither a reader that went away nor a closed stream ends a build, or hides how it ended."""
    reader, writer = os.pipe()
    os.close(reader)
    unread = dict.fromkeys(streams, writer)
    closed = "" if streams else " >&- 2>&-"
    for file, code in (("clarifai.yaml", 0), ("missing.yaml", 3)):
        command = f'exec "{sys.executable}" -m clarifai_build build {file} --json -o ../o.zip'
        done = subprocess.run(["sh", "-c", command + closed], cwd=model, **unread)
        assert done.returncode == code
        assert (model.parent / "o.zip").is_file()
    os.close(writer)


@pytest.mark.parametrize("command", [("schema",), ("build", "--list", "--json")])
def test_output_that_can_not_be_written_is_a_failure(model: Path, command: tuple[str, ...]) -> None:
    """A full disk behind stdout is told, rather than passed over or taken for a bug.

    In words, though JSON was asked for: there is nowhere to write it to.
    """
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "clarifai_build", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=model,
            text=True,
        )
    assert done.returncode == 1
    assert "error[output] the output can't be written" in done.stderr


def test_a_folder_is_no_name_for_a_zip(model: Path) -> None:
    """Not even one that is not there yet, but is meant as one."""
    done = tool(model, "build", "-o", "../out/")
    assert done.returncode == 64
    assert "../out/" in done.stderr
    assert not (model.parent / "out").exists()


def test_a_pipe_that_breaks_elsewhere_is_a_failure() -> None:
    """Only a stream's reader may go away; any other broken pipe means that the work failed."""

    def work(console: Console) -> int:
        raise BrokenPipeError

    assert guarded(work) == 70


def test_what_is_refused_is_told_with_its_code(model: Path) -> None:
    """With the exit code of an invalid manifest: first what names tell, then what content does."""
    token, pointer = b"hf_" + b"aB" * 17, b"version https://git-lfs.github.com/spec/v1"
    write_files(model, {"id_rsa": b"x", "Data/x": b"", "data/x": b"", "a": token, "w": pointer})
    done = tool(model, "build")
    assert done.returncode == 3
    assert "allow_secrets: [id_rsa]" in done.stderr
    assert "error[file-collision]" in done.stderr
    (model / "id_rsa").unlink()
    (model / "Data" / "x").unlink()
    done = tool(model, "build")
    assert done.returncode == 3
    assert "error[secret]" in done.stderr
    assert "error[lfs-pointer]" in done.stderr


def test_files_that_are_laid_at_the_root_are_looked_at_too(model: Path) -> None:
    """An index with a token in its address, say; the manifest can say that it is none."""
    token = b"--extra-index-url https://me:ghp_" + b"a1" * 18 + b"@example.com/simple\n"
    write_files(model, {"requirements.txt": token})
    done = tool(model, "build")
    assert done.returncode == 3
    assert "requirements.txt holds a GitHub token" in done.stderr
    assert "ghp_" not in done.stderr
    allowed = b"code: {allow_secrets: [requirements.txt]}\n"
    write_files(model, {"clarifai.yaml": MANIFEST + allowed})
    assert tool(model, "build").returncode == 0


def test_caches_are_listed_and_pruned(model: Path) -> None:
    """Whatever builds and applies leave in the cache is there, and gone after pruning."""
    tool(model, "build")
    folder, others = model.parent / "cache/clarifai-build", ("weights/a.part", "deflated/isal-1/b")
    write_files(folder, dict.fromkeys((*others, "renders/c.json"), b"x"))
    listed = json.loads(tool(model, "cache", "list", "--json").stdout)
    found = {Path(file["path"]) for file in listed["files"]}
    assert found > {folder / name for name in (*others, "renders/c.json", "digests-4.sqlite")}
    assert tool(model, "cache", "prune").returncode == 0
    assert json.loads(tool(model, "cache", "list", "--json").stdout)["files"] == []


def test_what_is_in_use_is_not_pruned(model: Path) -> None:
    """Though an apply that changes nothing reads none of it; what marks the use is not listed."""
    folder, content = model.parent / "cache/clarifai-build", b"w" * 1000
    used, unused = hashlib.sha256(content).hexdigest(), "0" * 64
    write_files(folder, {f"weights/{name}": content for name in (used, unused)})
    for name in (used, unused):
        os.utime(folder / "weights" / name, (0, 0))
    weight = f"weights: [{{to: w, from: http://127.0.0.1:9/w, sha256: {used}}}]\n"
    write_files(model, {"clarifai.yaml": MANIFEST + weight.encode()})
    assert tool(model, "build").returncode == 0
    pruned = json.loads(tool(model, "cache", "prune", "--unused-days", "9", "--json").stdout)
    assert [file["path"] for file in pruned["files"]] == [str(folder / "weights" / unused)]
    tool(model, "cache", "prune")
    assert list((folder / "weights").iterdir()) == []


def test_a_runner_is_a_tar_gz_with_what_a_zip_would_hold(model: Path) -> None:
    """Credentials, history and compiled files stay out; so does one that was built before."""
    write_files(
        model,
        {
            "clarifai.yaml": b"target: runner\n" + MANIFEST,
            ".env": b"X=1",
            "sub/.git/config": b"x",
            "__pycache__/a.pyc": b"x",
            "b.pyc": b"x",
            "sub/helper.py": b"A = 1\n",
        },
    )
    done = tool(model, "build", "--json")
    assert done.returncode == 0, done.stderr
    built = json.loads(done.stdout)
    made = Path(built["path"])
    assert made.name == "m_text-to-text.tar.gz"
    assert hashlib.sha256(made.read_bytes()).hexdigest() == built["sha256"]
    with tarfile.open(made) as tar:
        names = tar.getnames()
        assert all(member.isreg() for member in tar)
    assert {"1/sub/helper.py", "1/inference.py", "config.yaml", "Dockerfile"} <= set(names)
    assert names == [file["path"] for file in built["files"]]
    assert not [n for n in names if ".git" in n or ".env" in n or n.endswith(".pyc")]
    for place in ("copy.tar.gz", "sub/other.tar.gz"):
        (model / place).write_bytes(made.read_bytes())
    with tarfile.open(model / "data.tar.gz", "w:gz") as tar:
        tar.add(model / "inference.py", "config.yaml")
    again = json.loads(tool(model, "build", "--json").stdout)
    assert {f["path"] for f in again["files"]} == {*names, "1/data.tar.gz"}
    looked = tool(model, "inspect", str(made))
    assert looked.returncode == 0, looked.stderr
    assert "packed           by gzip-stored 1" in looked.stdout
    shown = tool(model, "diff", str(model / "copy.tar.gz"), "source", "--exit-code")
    assert (shown.returncode, shown.stdout.split("\n")[0][:1]) == (1, "+")


def test_a_runner_is_the_same_wherever_it_is_built(model: Path) -> None:
    """Two folders, umasks, locales and orders of files."""
    (model / "clarifai.yaml").write_bytes(b"target: runner\n" + MANIFEST)
    done = tool(model, "build", "--check", "--json")
    assert json.loads(done.stdout)["same"], done.stderr


def test_a_damaged_tar_gz_is_said(model: Path) -> None:
    """`inspect` exits with 1."""
    (model / "clarifai.yaml").write_bytes(b"target: runner\n" + MANIFEST)
    made = Path(json.loads(tool(model, "build", "--json").stdout)["path"])
    data = bytearray(made.read_bytes())
    data[data.index(b"class InferenceModel")] ^= 1
    made.write_bytes(data)
    done = tool(model, "inspect", str(made))
    assert done.returncode == 1
    assert "damaged: its content does not have the CRC-32" in done.stdout
    made.write_bytes(data + b"more")
    done = tool(model, "inspect", str(made), "--json")
    assert done.returncode == 1
    assert "not-a-tar-gz" in done.stdout
    assert "bytes of what is not gzip's follow" in done.stdout
    assert tool(model, "build").returncode == 0
    assert tool(model, "inspect", str(made)).returncode == 0
