"""The file tree: what goes in, under which name, and what is refused."""

from __future__ import annotations

import os
import random
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.artifact.file_list import listing
from clarifai_build.artifact.tree import FileTree, collect, digest_files, make_tree
from clarifai_build.cancellation import CancelToken
from clarifai_build.digests.cache import NO_CACHE
from clarifai_build.errors import SourceError
from clarifai_build.progress import Event
from clarifai_build.provenance import statement
from support.trees import GENERATED, artifact_of, entry_of, manifest_of, weight_of, write_files


def paths_of(folder: Path, **code: object) -> list[str]:
    """Return the paths of the tree of a folder, without the generated ones."""
    tree = make_tree(GENERATED, manifest_of(folder, **code))
    return [entry.path for entry in tree.entries if entry.path not in GENERATED]


def codes_of(folder: Path, **code: object) -> list[tuple[str, str | None]]:
    """Return code and file of each problem that laying a folder out raises."""
    with pytest.raises(SourceError) as caught:
        make_tree(GENERATED, manifest_of(folder, **code))
    return [(problem.code, problem.file) for problem in caught.value.problems]


def test_digest_is_as_documented() -> None:
    """The vectors of docs/reference/artifact.md, which another language can follow."""
    assert FileTree(()).digest == (
        "af9a6ce6ec9e043c20c59fa023729aa13145b99204d05801472420fa67df92c8"
    )
    files = (entry_of("1/run.sh", b"#!/bin/sh\n", 0o755), entry_of("config.pbtxt", b"x"))
    assert FileTree.of(files).digest == (
        "e0c382a602b8e51ef4671ef5388edfdd2bd0f1893d9d702bfdb2e25bf64ace9e"
    )


def test_files_land_under_1_and_describing_ones_do_not(tmp_path: Path) -> None:
    """The manifest, ignore rules, the lock and built zips are no part of the artifact."""
    names = ("inference.py", "sub/data.bin", "clarifai.yaml", ".clarifaiignore", "clarifai.lock")
    write_files(tmp_path, dict.fromkeys((*names, "dist/m_text-to-text.zip"), b""))
    assert paths_of(tmp_path) == ["1/inference.py", "1/sub/data.bin"]


def test_defaults_keep_private_and_passing_files_out(tmp_path: Path) -> None:
    """Version control, caches, environments, editors' files and credentials stay out."""
    names = (".git/config", "a/__pycache__/x.pyc", ".venv/lib/x", "x.swp", ".env", ".env.local")
    write_files(tmp_path, dict.fromkeys((*names, ".aws/credentials", "keep.py"), b""))
    assert paths_of(tmp_path) == ["1/keep.py"]


def test_ignore_rules_are_gitignores(tmp_path: Path) -> None:
    """Globs, anchors, folders and negations hold; the last rule that speaks decides."""
    rules = b"*.log\n!keep.log\n/top.txt\nlarge/\n!.env\n"
    names = ("a.log", "keep.log", "top.txt", "sub/top.txt", "large/x", ".env", "b.ipynb")
    write_files(tmp_path, {**dict.fromkeys(names, b""), ".clarifaiignore": rules})
    assert paths_of(tmp_path, exclude=("*.ipynb",)) == ["1/.env", "1/keep.log", "1/sub/top.txt"]


def test_left_out_folders_are_not_entered(tmp_path: Path) -> None:
    """What lies in a folder that stays out can't fail the build."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "dangling").symlink_to("nowhere")
    write_files(tmp_path, {".clarifaiignore": b"out/\n", "a.py": b""})
    assert paths_of(tmp_path) == ["1/a.py"]


def test_listing_names_what_stays_out_with_size_and_reason(tmp_path: Path) -> None:
    """A folder is one line with the size of all that is in it."""
    write_files(tmp_path, {"a.py": b"12", ".git/x": b"123", ".git/y/z": b"4567", "b.tmp": b"1"})
    listed = listing(manifest_of(tmp_path, exclude=("*.tmp",)))
    assert [tuple(item) for item in listed] == [
        (".git", 7, "version control"),
        ("a.py", 2, ""),
        ("b.tmp", 1, ".clarifaiignore or code.exclude"),
    ]


def statement_of(folder: Path) -> bytes:
    """Return the provenance of an empty artifact."""
    return statement.statement_of(manifest_of(folder), artifact_of({}), "0" * 64, None, None)


@pytest.mark.parametrize("name", ["my.zip", "model.bin", "model"])
def test_what_builds_leave_in_the_folder_stays_out(tmp_path: Path, name: str) -> None:
    """The zip to be written, one with its provenance beside it, and one that was never finished."""
    records = (f"sub/{name}", f"sub/{name}.provenance.json", f"sub/{name}.sbom.json")
    unfinished = f".{name}.4242-0a1b2c3d"
    names = ("data.zip", "a.sbom.json", *records, unfinished, "new.zip", "new.zip.sbom.json")
    write_files(tmp_path, dict.fromkeys(names, b""))
    write_files(tmp_path, {records[1]: statement_of(tmp_path)})
    listed = {path: reason for path, _, reason in listing(manifest_of(tmp_path), Path("new.zip"))}
    assert listed["new.zip"] == ""
    listed = {p: reason for p, _, reason in listing(manifest_of(tmp_path), tmp_path / "new.zip")}
    assert listed == {
        "data.zip": "",
        "a.sbom.json": "",
        records[0]: "a built artifact",
        records[1]: "a record of a built artifact",
        records[2]: "a record of a built artifact",
        unfinished: "an artifact that was never finished",
        "new.zip": "a built artifact",
        "new.zip.sbom.json": "a record of a built artifact",
    }


@pytest.mark.parametrize("record", [b"", b'{"_type": "https://in-toto.io/Statement/v1"}'])
def test_provenance_of_others_says_nothing_of_a_file(tmp_path: Path, record: bytes) -> None:
    """Data with a statement that this tool did not write is data."""
    write_files(tmp_path, {"data.zip": b"", "data.zip.provenance.json": record})
    assert paths_of(tmp_path) == ["1/data.zip", "1/data.zip.provenance.json"]


def test_the_zip_to_be_written_is_known_by_any_path_to_it(tmp_path: Path) -> None:
    """Through a link to the folder, or as a link to another file of it."""
    folder = write_files(tmp_path / "model", {"old.zip": b"", "old.zip.provenance.json": b""})
    (tmp_path / "link").symlink_to(folder)
    (folder / "latest").symlink_to("old.zip")
    for output in (tmp_path / "link" / "old.zip", folder / "latest"):
        listed = {path: reason for path, _, reason in listing(manifest_of(folder), output)}
        assert listed["old.zip"] == listed["latest"].removeprefix("leads to old.zip: ")
        assert listed["old.zip"] == "a built artifact"
        assert listed["old.zip.provenance.json"] == "a record of a built artifact"


def test_names_that_other_systems_confuse_are_refused(tmp_path: Path) -> None:
    """Case, and names that Triton's Python backend can't open."""
    write_files(tmp_path, {"Data.txt": b"", "data.txt": b""})
    assert codes_of(tmp_path) == [("file-collision", "1/data.txt")]
    composed = unicodedata.normalize("NFC", "é")
    names = (f"{composed}.txt", "a\\b", "a\nb")
    other = write_files(tmp_path / "other", dict.fromkeys((*names, "fine"), b""))
    assert codes_of(other) == [("file-name", f"1/{name}") for name in sorted(names)]


def test_a_folder_and_a_file_of_one_name_are_refused() -> None:
    """`Data` beside `data/x` can't be unpacked where case does not count."""
    with pytest.raises(SourceError, match="one name"):
        FileTree.of((entry_of("Data", b""), entry_of("data/x", b"")))


@pytest.mark.parametrize(
    ("file", "to", "path"),
    [
        ("model.py/x", "v", "1/model.py"),
        ("clarifai_runtime", "v", "1/clarifai_runtime"),
        ("w/x", "w", "1/w"),
        ("w", "w/x", "1/w"),
    ],
)
def test_a_file_and_a_folder_of_one_name_overlap(
    tmp_path: Path, file: str, to: str, path: str
) -> None:
    """Whoever they come from; the message says what is the matter."""
    write_files(tmp_path, {file: b"", "store": b"weights"})
    manifest = manifest_of(tmp_path, (weight_of(to, "store", b"weights"),))
    with pytest.raises(SourceError, match="would be a file and a folder") as caught:
        make_tree({**GENERATED, "1/clarifai_runtime/__init__.py": b""}, manifest)
    assert [(p.code, p.file) for p in caught.value.problems] == [("overlap", path)]


def test_reserved_paths_are_the_builders(tmp_path: Path) -> None:
    """What the builder writes can't be replaced, but for the files that are meant to be."""
    write_files(tmp_path, {"model.py": b"x = 1", "clarifai_runtime/x.py": b""})
    assert sorted(codes_of(tmp_path)) == [
        ("overlap", str(tmp_path / "clarifai_runtime" / "x.py")),
        ("overlap", str(tmp_path / "model.py")),
    ]
    triton = write_files(tmp_path / "triton", {"model.py": b"class TritonPythonModel: pass"})
    tree = make_tree(GENERATED, manifest_of(triton))
    assert {e.path: e.size for e in tree.entries}["1/model.py"] == 29


def test_a_weight_is_laid_where_it_belongs_only(tmp_path: Path) -> None:
    """A weight of the same folder is not shipped twice."""
    write_files(tmp_path, {"store/w.bin": b"weights", "a.py": b""})
    manifest = manifest_of(tmp_path, (weight_of("det/w.bin", "store/w.bin", b"weights"),))
    tree = make_tree({}, manifest)
    assert [entry.path for entry in tree.entries] == ["1/a.py", "1/det/w.bin"]


def test_a_weight_and_a_file_at_one_place_are_refused(tmp_path: Path) -> None:
    """The error names both."""
    write_files(tmp_path, {"w.bin": b"file", "store/w.bin": b"weights"})
    manifest = manifest_of(tmp_path, (weight_of("w.bin", "store/w.bin", b"weights"),))
    with pytest.raises(SourceError, match=r"w\.bin conflicts with the weight w\.bin at 1/w\.bin"):
        make_tree({}, manifest)


def test_a_weight_that_is_another_is_refused_with_both_digests(tmp_path: Path) -> None:
    """Found and expected stand in the message."""
    write_files(tmp_path, {"w.bin": b"other"})
    weight = weight_of("w.bin", "w.bin", b"weights")
    with pytest.raises(SourceError, match=f"has SHA-256 d9298a10.*says {weight.sha256}"):
        make_tree({}, manifest_of(tmp_path, (weight,)))


@pytest.mark.parametrize(
    "content",
    [
        b"-----BEGIN RSA " + b"PRIVATE KEY-----\n",
        b"key = '" + b"AKIA" + b"ABCDEFGHIJKLMNOP'",
        b"TOKEN=ghp_" + b"a1" * 18,
        b"hf_" + b"aB" * 17,
        b"CLARIFAI_PAT='" + b"0f" * 16 + b"'",
    ],
)
def test_likely_secrets_are_refused_unless_named(tmp_path: Path, content: bytes) -> None:
    """A token in a file is an error; the manifest can say that it is none."""
    write_files(tmp_path, {"settings.py": content})
    assert codes_of(tmp_path) == [("secret", str(tmp_path / "settings.py"))]
    assert paths_of(tmp_path, allow_secrets=("settings.py",)) == ["1/settings.py"]


def test_key_files_are_refused_by_name(tmp_path: Path) -> None:
    """Whatever they hold, in any folder; a name that only resembles one is a file like others."""
    names = ("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".htpasswd", "kaggle.json")
    names += ("a.p12", "a.pfx", "a.ppk", "a.jks", "a.keystore", "a.kdbx")
    others = ("my_id_rsa", "id_rsa.pub", "my.kaggle.json", "p12", "a.p12.txt")
    keys = sorted([*names, *(f"sub/{name}" for name in names)])
    write_files(tmp_path, dict.fromkeys([*keys, *others], b""))
    assert codes_of(tmp_path) == [("secret", str(tmp_path / name)) for name in keys]
    allowed = (*names, *(f"sub/{name}" for name in names[1:]))
    assert codes_of(tmp_path, allow_secrets=allowed) == [("secret", str(tmp_path / "sub/id_rsa"))]


def test_all_that_shows_without_reading_is_told_at_once(tmp_path: Path) -> None:
    """Links, odd files, names, collisions, overlaps and key files; nothing was fetched or read."""
    names = ("Data", "data", "a\nb", "serving.json/x", "w.bin", "id_rsa", "pointer", "x.dvc")
    write_files(tmp_path, dict.fromkeys(names, b"version https://git-lfs.github.com/spec/v1"))
    (tmp_path / "away").symlink_to("/")
    os.mkfifo(tmp_path / "pipe")
    weights = (weight_of("w.bin", "https://127.0.0.1:9/w.bin", b""),)
    with pytest.raises(SourceError) as caught:
        make_tree({**GENERATED, "1/serving.json": b""}, manifest_of(tmp_path, weights))
    assert [(problem.code, problem.file) for problem in caught.value.problems] == [
        ("secret", str(tmp_path / "id_rsa")),
        ("overlap", str(tmp_path / "w.bin")),
        ("dvc-pointer", str(tmp_path / "x.dvc")),
        ("file-name", "1/a\nb"),
        ("file-collision", "1/data"),
        ("overlap", "1/serving.json"),
        ("symlink", "away"),
        ("odd-file", "pipe"),
    ]


def test_all_that_shows_in_content_is_told_at_once(tmp_path: Path) -> None:
    """Secrets and pointers."""
    token = b"hf_" + b"aB" * 17
    pointer = b"version https://git-lfs.github.com/spec/v1"
    write_files(tmp_path, {"a": token, "b": token, "c": pointer})
    expected = [("lfs-pointer", "c"), ("secret", "a"), ("secret", "b")]
    assert sorted(codes_of(tmp_path)) == [(c, str(tmp_path / name)) for c, name in expected]


def test_a_leave_for_secrets_is_none_for_pointers(tmp_path: Path) -> None:
    """A pointer in place of content is no secret."""
    allowed = ("w.bin", "d.dvc", "id_rsa")
    pointer = b"version https://git-lfs.github.com/spec/v1"
    write_files(tmp_path, {"w.bin": pointer, "id_rsa": b""})
    codes = codes_of(tmp_path, allow_secrets=allowed)
    assert codes == [("lfs-pointer", str(tmp_path / "w.bin"))]
    write_files(tmp_path, {"w.bin": b"weights", "d.dvc": b""})
    codes = codes_of(tmp_path, allow_secrets=allowed)
    assert codes == [("dvc-pointer", str(tmp_path / "d.dvc"))]


def test_what_vanishes_while_it_is_listed_counts_nothing(tmp_path: Path) -> None:
    """Sizes of what stays out are taken last, from folders that others may be removing."""
    write_files(tmp_path, {f".git/{a}/{b}": b"x" for a in range(40) for b in range(40)})
    seen = listing(manifest_of(tmp_path))
    assert [tuple(item) for item in seen] == [(".git", 1600, "version control")]
    remover = subprocess.Popen(["rm", "-r", tmp_path / ".git"])
    while remover.poll() is None:
        seen += listing(manifest_of(tmp_path))
    assert {(item.path, item.reason) for item in seen} == {(".git", "version control")}
    assert max(item.size for item in seen) == 1600


def test_pointers_in_place_of_content_are_refused(tmp_path: Path) -> None:
    """Git LFS pointers, and DVC files whose data is not there."""
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    write_files(tmp_path, {"w.bin": pointer})
    assert [code for code, _ in codes_of(tmp_path)] == ["lfs-pointer"]
    write_files(tmp_path, {"data.csv.dvc": b"outs: []\n"})
    assert [code for code, _ in codes_of(tmp_path)] == ["dvc-pointer"]
    write_files(tmp_path, {"w.bin": b"weights", "data.csv": b"1,2"})
    assert paths_of(tmp_path) == ["1/data.csv", "1/w.bin"]


def test_a_weight_that_would_be_laid_as_a_dvc_file_is_refused_unfetched(tmp_path: Path) -> None:
    """Its name says that its data is elsewhere."""
    weight = weight_of("w.bin.dvc", "https://me:pw@127.0.0.1:9/w.bin.dvc?token=x", b"")
    with pytest.raises(SourceError) as caught:
        make_tree({}, manifest_of(tmp_path, (weight,)))
    (problem,) = caught.value.problems
    assert (problem.code, problem.file) == ("dvc-pointer", "https://127.0.0.1:9/w.bin.dvc")


def test_executable_bits_are_kept_and_nothing_else_of_modes(tmp_path: Path) -> None:
    """0755 for what its owner may execute, 0644 for the rest."""
    write_files(tmp_path, {"run.sh": b"", "a.py": b""})
    (tmp_path / "run.sh").chmod(0o700)
    (tmp_path / "a.py").chmod(0o600)
    tree = make_tree({}, manifest_of(tmp_path))
    assert [(e.path, oct(e.mode)) for e in tree.entries] == [
        ("1/a.py", "0o644"),
        ("1/run.sh", "0o755"),
    ]


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), st.binary(max_size=9)),
    st.randoms(use_true_random=False),
)
def test_order_does_not_matter(files: dict[str, bytes], shuffler: random.Random) -> None:
    """The digest is that of the files, in whatever order they are found."""
    entries = [entry_of(path, content) for path, content in files.items()]
    expected = FileTree.of(entries).digest
    shuffler.shuffle(entries)
    assert FileTree.of(entries).digest == expected


def test_a_path_that_is_there_twice_is_refused() -> None:
    """From memory and from a file, though all else is the same."""
    entry = entry_of("a", b"x")
    with pytest.raises(SourceError):
        FileTree.of((entry, entry._replace(source="/a")))


@pytest.mark.parametrize("late", [False, True])
def test_a_tree_is_cancelled(tmp_path: Path, late: bool) -> None:
    """Before anything is looked for, and before anything is read."""
    write_files(tmp_path, {"a": b"a"})
    cancel, heard = CancelToken(), list[Event]()

    def listen(event: Event) -> None:
        heard.append(event)
        cancel.cancel()

    if not late:
        cancel.cancel()
    with pytest.raises(KeyboardInterrupt):
        make_tree(GENERATED, manifest_of(tmp_path), listen, cancel=cancel)
    assert heard == [Event("tree", "started")] * late


def test_a_file_that_is_gone_before_it_is_read_is_named(tmp_path: Path) -> None:
    """Where nothing else is wrong."""
    layout = collect(GENERATED, manifest_of(write_files(tmp_path, {"a": b"a", "b": b"b"})))
    plan = NO_CACHE.plan(layout.manifest_path, layout.found)
    (tmp_path / "a").unlink()
    with pytest.raises(SourceError) as caught:
        digest_files(layout, plan)
    assert [(p.code, p.file) for p in caught.value.problems] == [("vanished", str(tmp_path / "a"))]
