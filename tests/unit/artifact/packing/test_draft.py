"""A zip whose files are read once: for their digests, and into it."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.layout import Layout
from clarifai_build.artifact.packing.draft import Draft
from clarifai_build.artifact.tree import build_tree
from clarifai_build.digests import files as digests
from clarifai_build.source.content_checks import RULES
from clarifai_build.source.content_reader import ContentReader
from clarifai_build.source.source_file import FileStat, SourceFile

TOKEN = b"hf_" + b"aB" * 17
SIZES = st.lists(st.integers(0, 300), max_size=6)


def laid_out(folder: Path, contents: list[bytes]) -> Layout:
    """Write files, every other one to be executed, and lay them out beside a generated one."""
    files = {}
    for number, content in enumerate(contents):
        file = folder / f"f{number}"
        file.write_bytes(content)
        found = SourceFile(file.name, str(file), FileStat.of(file.stat()), bool(number % 2))
        files[f"1/{file.name}"] = found
    return Layout("clarifai.yaml", {"config.pbtxt": b"name: 'm'"}, files, (), ())


def read(draft: Draft, step: int) -> bytes:
    """Read a draft to its end, so many bytes at a time."""
    buffer = memoryview(bytearray(draft.size))
    for at in range(0, draft.size, step):
        assert draft.read_into(buffer[at : at + step], at) == ()
    return bytes(buffer)


@given(SIZES, st.sets(st.integers(0, 5)), st.integers(1, 700))
def test_a_draft_is_the_zip_of_the_tree(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], known: set[int], step: int
) -> None:
    """Byte for byte, whichever files are known before, and however it is read."""
    contents = [os.urandom(size) for size in sizes]
    layout = laid_out(tmp_path_factory.mktemp("code"), contents)
    facts = digests.of_files(layout.found)
    before = {
        file.file: facts.digests[file.file] for n, file in enumerate(layout.found) if n in known
    }
    draft = Draft(layout, before, ContentReader())
    artifact = Artifact(build_tree(layout, facts.digests))
    assert read(draft, step) == artifact.read(0, artifact.size)
    assert before | draft.digests == facts.digests
    assert not before.keys() & draft.digests.keys()


def test_each_file_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its digest, its CRC-32 and its content in the zip are of one read."""
    layout = laid_out(tmp_path, [b"a", b"", b"c" * 5000])
    opened: Counter[str] = Counter()
    real = os.open

    def counted(file: str, flags: int) -> int:
        opened[file] += 1
        return real(file, flags)

    monkeypatch.setattr(os, "open", counted)
    draft = Draft(layout, {}, ContentReader(RULES))
    read(draft, 4096)
    assert opened == {file.file: 1 for file in layout.found}
    assert draft.digests.keys() == opened.keys()


def test_all_that_is_wrong_is_found(tmp_path: Path) -> None:
    """A file that is gone, one that changed and a secret: the others have their digests."""
    layout = laid_out(tmp_path, [b"fine", b"gone", b"changed", TOKEN])
    (tmp_path / "f1").unlink()
    (tmp_path / "f2").write_bytes(b"another")
    reader = ContentReader(RULES)
    draft = Draft(layout, {}, reader)
    read(draft, draft.size)
    assert [(problem.code, problem.file) for problem in reader.problems] == [
        ("vanished", str(tmp_path / "f1")),
        ("changed", str(tmp_path / "f2")),
    ]
    assert reader.findings == {str(tmp_path / "f3"): "a Hugging Face token"}
    assert draft.digests.keys() == {str(tmp_path / "f0"), str(tmp_path / "f3")}
