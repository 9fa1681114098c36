"""Differences between artifacts, names of versions, and files at a Git revision."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.packing.zip_writer import write_zip
from clarifai_build.artifact.tree import FileTree
from clarifai_build.deploy import versions as history
from clarifai_build.errors import ArtifactError, SourceError, UsageError
from clarifai_build.inspection import contents, diff
from clarifai_build.inspection.diff import FieldChange
from clarifai_build.registry import RemoteVersion
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.reports.diff import as_json, as_text
from clarifai_build.util import git
from support.fakes import artifact_of

CONFIG = b'name: "m"\nmax_batch_size: 8\ninput [{ name: "text" dims: [1] }]\n'
files = st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=4), max_size=6)


def compared(before: dict[str, bytes], after: dict[str, bytes]) -> tuple[diff.FileDiff, ...]:
    """Compare two artifacts of contents in memory."""
    return diff.compare(
        contents.of_artifact("before", artifact_of(before)),
        contents.of_artifact("after", artifact_of(after)),
    )


@given(files, files)
def test_every_difference_is_named_once(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """Added, removed and changed files are exactly those that differ; same files never show."""
    found: dict[str, str] = {}
    for one in compared(before, after):
        renamed = one.change == "renamed"
        found[one.path] = "added" if renamed else one.change
        if renamed and one.before:
            assert before[one.before.path] == after[one.path]
            found[one.before.path] = "removed"
    expected = {
        path: "added" if path not in before else "removed" if path not in after else "content"
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
    }
    assert found == expected


def test_text_is_shown_as_a_unified_diff() -> None:
    """Small text files show their lines, others their sizes."""
    found = compared({"a.py": b"x = 1\n", "b.bin": b"\0\xff"}, {"a.py": b"x = 2\n", "b.bin": b"\0"})
    text = as_text(found)
    assert "-x = 1\n    +x = 2" in text
    assert "~ b.bin  2 B → 1 B" in text
    assert text.endswith("0 added, 2 changed, 0 removed")
    assert as_json(found)[0]["path"] == "a.py"


def test_configuration_is_compared_by_field() -> None:
    """config.pbtxt and parameters show the fields that differ, whatever the layout of the text."""
    after = CONFIG.replace(b"8", b"16").replace(b'"text"', b'"words"').replace(b"\n", b"\n\n")
    before_json = b'{"params": [{"name": "n", "default": 1}]}'
    after_json = b'{"params": [{"name": "n", "default": 2}, {"name": "m", "default": ""}]}'
    config, serving = sorted(
        compared(
            {"config.pbtxt": CONFIG, "1/serving.json": before_json},
            {"config.pbtxt": after, "1/serving.json": after_json},
        ),
        key=lambda one: one.path,
        reverse=True,
    )
    assert FieldChange("max_batch_size", "8", "16") in config.fields
    assert FieldChange("input[text].name", '"text"', None) in config.fields
    assert FieldChange("params[n].default", "1", "2") in serving.fields
    assert 'params[m].default: none → ""' in as_text([serving])


def test_unreadable_configuration_falls_back_to_text() -> None:
    """A config.pbtxt that does not parse is still compared."""
    (found,) = compared({"config.pbtxt": b"name: {"}, {"config.pbtxt": b"name: ["})
    assert "-name: {" in found.text


def test_modes_count() -> None:
    """The right to execute is a difference of its own."""
    artifact = artifact_of({"run.sh": b"#"})
    (entry,) = artifact.tree.entries
    other = Artifact(FileTree.of([entry._replace(mode=0o755)]))
    before, after = (contents.of_artifact("", one) for one in (artifact, other))
    assert "mode 0644 → 0755" in as_text(diff.compare(before, after))


def test_a_new_name_is_seen_as_such() -> None:
    """The same content under another name is one difference, not two."""
    (found,) = compared({"1/old.bin": b"same", "a": b""}, {"1/new.bin": b"same", "a": b""})
    assert as_text([found]).startswith("~ 1/new.bin  4 B, renamed from 1/old.bin")


def test_a_zip_on_disk_is_looked_into(tmp_path: Path) -> None:
    """A local zip holds what its source holds; something else is refused by name."""
    artifact = artifact_of({"a": b"1" * 5000, "b": b""})
    write_zip(artifact, tmp_path / "a.zip")
    with contents.of_file(tmp_path / "a.zip") as there:
        assert diff.compare(there, contents.of_artifact("source", artifact)) == ()
        assert there.read("a") == b"1" * 5000
    (tmp_path / "b.zip").write_text("no zip at all, but longer than the end of one is")
    for name in ("b.zip", "nowhere.zip"):
        with pytest.raises(ArtifactError), contents.of_file(tmp_path / name):
            pass


def version(number: int, artifact_digest: str = "ab" * 32) -> RemoteVersion:
    """Make a version of ours."""
    metadata = VersionMetadata(artifact_digest, revision=number)
    return RemoteVersion(f"{number}" * 32, 21100, "", metadata=metadata)


def test_versions_have_names() -> None:
    """`live`, a number, an id, its beginning or a digest's; what is not there is said."""
    versions = (RemoteVersion("theirs", 21100, ""), version(3, "cd" * 32), version(2))
    assert history.find(versions, "live", "m").revision == 3
    assert history.find(versions, "v2", "m").revision == 2
    assert history.find(versions, "2" * 32, "m").revision == 2
    assert history.find(versions, "222222", "m").revision == 2
    assert history.find(versions, "cdcdcdcd", "m").revision == 3
    with pytest.raises(UsageError, match="there are: v3, v2"):
        history.find(versions, "v7", "m")
    with pytest.raises(UsageError, match="several"):
        history.find((version(1), version(2)), "abababab", "m")
    with pytest.raises(UsageError, match="none of ours"):
        history.find((), "live", "m")


def run(folder: Path, *arguments: str) -> None:
    """Run git with an identity."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_files_come_back_as_they_were(tmp_path: Path) -> None:
    """A revision's files come out with their modes; work tree and index stay as they are."""
    model = tmp_path / "models" / "one"
    model.mkdir(parents=True)
    (model / "run.sh").write_text("old")
    (model / "run.sh").chmod(0o755)
    (tmp_path / "outside").write_text("")
    run(tmp_path, "init", "-q")
    run(tmp_path, "add", ".")
    run(tmp_path, "commit", "-qm", "first")
    (model / "run.sh").write_text("new")
    (model / "added").write_text("staged")
    run(tmp_path, "add", ".")
    before = git.checkout_of(model)
    with git.files_at(model, "HEAD") as folder:
        assert sorted(path.name for path in folder.iterdir()) == ["run.sh"]
        assert (folder / "run.sh").read_text() == "old"
        assert (folder / "run.sh").stat().st_mode & 0o100
    assert not folder.exists()
    assert git.checkout_of(model) == before
    assert (model / "run.sh").read_text() == "new"
    with pytest.raises(SourceError, match="no commit 'nonsense'"), git.files_at(model, "nonsense"):
        pass
    with pytest.raises(SourceError, match="no Git"), git.files_at(tmp_path.parent, "HEAD"):
        pass


def test_contents_of_strangers_do_not_speak_to_the_terminal() -> None:
    """Control characters are escaped; a tab is a tab."""
    text = as_text(compared({"a": b"one\ttwo"}, {"a": b"\x1b]0;owned\x07"}))
    assert "one\ttwo" in text
    assert "\\x1b]0;owned\\x07" in text
    assert "\x1b" not in text


def test_a_deep_configuration_is_compared_as_text() -> None:
    """Deeper than can be read."""
    deep = {"1/serving.json": b"[" * 60_000}
    (found,) = compared({"1/serving.json": b"{}"}, deep)
    assert found.fields == ()


def test_each_zip_answers_for_its_own_faults(tmp_path: Path) -> None:
    """What goes wrong while two are open is not put down to the one that was opened last."""
    written = write_zip(artifact_of({"a": b"x"}), tmp_path / "z.zip")
    with pytest.raises(OSError, match="elsewhere"), contents.of_file(written.path):
        raise OSError("elsewhere")
