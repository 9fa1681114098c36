"""Labels: a line each, and what can't be read as such."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.errors import SourceError
from clarifai_build.manifest.labels import labels_in, labels_of, unwritable
from support.trees import manifest_of

LABEL = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1)


@pytest.mark.parametrize(
    ("content", "labels"),
    [
        (b"a\nb", ("a", "b")),
        (b"a\nb\n", ("a", "b")),
        (b"a\n\n", ("a", "")),
        (b"\xef\xbb\xbfa\r\nb\r\n", ("a", "b")),
        (b"", ()),
        (b"\n", ("",)),
        ("é\u2028ß\n".encode(), ("é\u2028ß",)),
        (b"a\rb\n", ("a\rb",)),
    ],
)
def test_labels_are_lines(tmp_path: Path, content: bytes, labels: tuple[str, ...]) -> None:
    """One line end at the end is none of another label."""
    (tmp_path / "labels.txt").write_bytes(content)
    assert labels_in(tmp_path / "labels.txt") == labels


def test_labels_come_from_a_file_or_the_manifest(tmp_path: Path) -> None:
    """Or there are none."""
    manifest = manifest_of(tmp_path)
    (tmp_path / "labels.txt").write_text("a\nb\n")
    for given_labels, expected in (
        (tmp_path / "labels.txt", ("a", "b")),
        (("c", "d"), ("c", "d")),
        (None, ()),
    ):
        model = replace(manifest.model, labels=given_labels)
        assert labels_of(replace(manifest, model=model)) == expected


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [(None, "labels-unreadable", "No such file"), (b"ab\xe9", "labels-encoding", "at byte 2")],
)
def test_a_file_that_can_not_be_read_is_named(
    tmp_path: Path, content: bytes | None, code: str, message: str
) -> None:
    """With the reason, or the place."""
    file = tmp_path / "labels.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SourceError, match=message) as caught:
        labels_in(file)
    assert [(p.code, p.file) for p in caught.value.problems] == [(code, str(file))]


@given(LABEL)
def test_what_people_write_is_a_label(label: str) -> None:
    """In any script."""
    assert unwritable(label) is None


@given(LABEL, st.sampled_from("\0\t\n\r\x1b\x1f\x7f\x80\x85\x9f\u2028\u2029"), LABEL)
def test_what_ends_a_line_or_controls_is_none(one: str, control: str, other: str) -> None:
    """Wherever it stands."""
    found = unwritable(one + control + other)
    assert found
