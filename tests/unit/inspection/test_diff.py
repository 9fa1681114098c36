"""Differences between artifacts: each named once, and what of it is read, shown and cut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.packing.zip_writer import write_zip
from clarifai_build.artifact.tree import FileTree
from clarifai_build.errors import ArtifactError
from clarifai_build.inspection import contents, diff
from clarifai_build.inspection.contents import Contents
from clarifai_build.inspection.diff import FieldChange
from clarifai_build.reports.diff import as_json, as_text
from support.fakes import artifact_of
from support.trees import without_content

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


def test_untrusted_contents_do_not_speak_to_the_terminal() -> None:
    """Control characters are escaped; a tab becomes spaces."""
    text = as_text(compared({"a": b"one\ttwo"}, {"a": b"\x1b]0;owned\x07"}))
    assert "one    two" in text
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


@pytest.mark.parametrize("larger", ["before", "after"])
def test_large_texts_are_not_read(larger: str) -> None:
    """Up to 64 KiB is; beyond, the sizes say enough, whichever side is the larger."""
    small, most, large = b"small\n", b"x" * (64 << 10), b"x" * ((64 << 10) + 1)
    (found,) = compared({"a": small}, {"a": most})
    assert "-small" in found.text
    read: list[str] = []
    sides = [artifact_of({"a": large if larger == name else small}) for name in ("before", "after")]
    noted = [contents.of_artifact("", side) for side in sides]
    spied = [Contents("", one.files, lambda path: read.append(path) or iter(())) for one in noted]
    (found,) = diff.compare(*spied)
    assert (found.change, found.text, read) == ("content", "", [])


def test_long_differences_are_cut() -> None:
    """After 200 lines, with the number of the others."""
    (found,) = compared({"a": b""}, {"a": b"x\n" * 197})
    assert len(found.text.splitlines()) == 200
    assert "more lines" not in found.text
    (found,) = compared({"a": b""}, {"a": b"x\n" * 199})
    assert len(found.text.splitlines()) == 201
    assert found.text.splitlines()[-1] == "… 2 more lines"


@pytest.mark.parametrize("binary", [b"a\0b", b"\xff\xfe"])
@pytest.mark.parametrize("side", [0, 1])
def test_binary_files_show_no_lines(binary: bytes, side: int) -> None:
    """Whichever side is one."""
    pair = [b"text\n", b"text\n"]
    pair[side] = binary
    (found,) = compared({"a": pair[0]}, {"a": pair[1]})
    assert (found.change, found.text) == ("content", "")


def test_each_new_name_takes_one_old_one() -> None:
    """Two files of one content become two others: two renames, in order of the names."""
    found = compared(
        {"a": b"same", "b": b"same", "e": b"1"}, {"c": b"same", "d": b"same", "e": b"1"}
    )
    assert [(one.change, one.before and one.before.path, one.path) for one in found] == [
        ("renamed", "a", "c"),
        ("renamed", "b", "d"),
    ]
    found = compared({"a": b"same"}, {"c": b"same", "d": b"same"})
    assert [(one.change, one.path) for one in found] == [("renamed", "c"), ("added", "d")]


def test_empty_files_are_not_the_same_file() -> None:
    """Every `__init__.py` would be a renamed other one."""
    found = compared({"a": b""}, {"b": b""})
    assert [(one.change, one.path) for one in found] == [("removed", "a"), ("added", "b")]


def test_a_file_that_stays_is_not_renamed() -> None:
    """A copy of it is added."""
    found = compared({"a": b"same"}, {"a": b"same", "b": b"same"})
    assert [(one.change, one.path) for one in found] == [("added", "b")]


def fields(before: object, after: object) -> tuple[FieldChange, ...]:
    """Compare two configurations."""
    sides = [{"1/serving.json": json.dumps(side).encode()} for side in (before, after)]
    (found,) = compared(sides[0], sides[1])
    return found.fields


def test_fields_are_named_by_their_path() -> None:
    """Items by their name or their number; lists of plain values are one value."""
    before = {"a": {"b": 1}, "list": [1, 2], "items": [{"name": "x", "v": 1}, {"v": 1}, 3]}
    after = {"a": {"b": "é"}, "list": [1, 3], "items": [{"name": "x", "v": 2}, {"v": 2}, 4]}
    assert fields(before, after) == (
        FieldChange("a.b", "1", '"é"'),
        FieldChange("items[1].v", "1", "2"),
        FieldChange("items[2]", "3", "4"),
        FieldChange("items[x].v", "1", "2"),
        FieldChange("list", "[1, 2]", "[1, 3]"),
    )


def test_what_differs_in_no_field_is_shown_as_text() -> None:
    """Its layout, say; nor is a configuration elsewhere one."""
    (found,) = compared({"1/serving.json": b'{"a": 1}'}, {"1/serving.json": b'{"a":1}'})
    assert (found.fields, '-{"a": 1}' in found.text) == ((), True)
    (found,) = compared({"serving.json": b'{"a": 1}'}, {"serving.json": b'{"a": 2}'})
    assert (found.fields, '-{"a": 1}' in found.text) == ((), True)


@pytest.mark.parametrize("broken", [b"[" * 50_000, b"{", b"\xff"])
@pytest.mark.parametrize("path", ["1/serving.json", "config.pbtxt"])
def test_what_can_not_be_parsed_is_compared_all_the_same(path: str, broken: bytes) -> None:
    """As text, where it is text."""
    (found,) = compared({path: broken}, {path: b"{}"})
    assert (found.change, found.fields) == ("content", ())
    assert bool(found.text) == (broken != b"\xff")


def test_content_that_is_not_here_is_compared_by_what_is_known_of_it() -> None:
    """Files whose CRC-32 nobody knows count as others; what differs in them can't be said."""
    whole, other = artifact_of({"a": b"1\n", "b": b"2\n"}), artifact_of({"a": b"3\n", "b": b"2\n"})
    before = contents.of_artifact("before", whole)
    known = contents.of_artifact("after", without_content(other, "a", "b"))
    (one,) = diff.compare(before, known)
    assert (one.path, one.change, one.text) == ("a", "content", "")
    unknown = contents.of_artifact("after", without_content(whole, "b", sums=False))
    (one,) = diff.compare(before, unknown)
    assert (one.path, one.change, one.text) == ("b", "content", "")
