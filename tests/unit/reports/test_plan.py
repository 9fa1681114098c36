"""A plan as text: its files, and what it counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clarifai_build.artifact.formats.zip_reader import read_listing
from clarifai_build.inspection.file_changes import compare
from clarifai_build.pipeline import apply, plan
from clarifai_build.reports.plan import Planned, as_json, plans_text
from clarifai_build.storage.upload.copy_sources import Reuse
from support.fakes import (
    BUILT,
    MemoryRegistry,
    MemoryStore,
    artifact_of,
    manifest_of,
    public_bucket,
)

ARTIFACT = artifact_of(BUILT)


def test_plan_text_names_the_files() -> None:
    """Under the new version stand the files that make it new, and a last line counts."""
    registry = MemoryRegistry()
    with public_bucket(MemoryStore()) as store:
        apply(manifest_of(), ARTIFACT, store, registry)
        changed = artifact_of({**BUILT, "1/inference.py": b"pass  # more"})
        planned = plan(manifest_of(), changed, store, registry)
    files = compare(read_listing(ARTIFACT.read, ARTIFACT.size), changed.tree)
    text = plans_text([Planned("clarifai.yaml", planned, files, "")])
    assert "      ~ 1/inference.py  4 B → 12 B\n" in text
    assert text.endswith("Plan: 2 to add, 0 to change, 0 to destroy.")
    unread = plans_text([Planned("clarifai.yaml", planned, None, "")])
    assert "can't be read" in unread


@pytest.mark.parametrize(
    ("reuse", "line"),
    [
        (
            Reuse(10 << 30, (10 << 30) - 5_452_595),
            "  + upload 10.0 GiB: 10.0 GiB are in the store, 5.2 MiB to send (the artifact",
        ),
        (Reuse(10 << 30, 0), "  + upload artifact: the artifact is not in the bucket\n"),
    ],
)
def test_a_plan_says_how_much_of_an_upload_is_in_the_store(reuse: Reuse, line: str) -> None:
    """In text where that is something, and always in JSON, in bytes."""
    planned = plan(manifest_of(), ARTIFACT, MemoryStore(), MemoryRegistry())
    told = Planned("clarifai.yaml", replace(planned, reuse=reuse), (), "")
    assert line in plans_text([told])
    upload, *others = as_json([told])["models"][0]["actions"]
    assert upload["bytes"] == {
        "size": reuse.size,
        "reused": reuse.reused,
        "to_send": reuse.size - reuse.reused,
    }
    assert [action["bytes"] for action in others] == [None] * len(others)
