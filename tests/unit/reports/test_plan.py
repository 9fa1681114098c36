"""A plan as text: its files, and what it counts."""

from __future__ import annotations

from clarifai_build.artifact.zip_reader import read_listing
from clarifai_build.inspection.file_changes import compare
from clarifai_build.pipeline import apply, plan
from clarifai_build.reports.plan import Planned, plans_text
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
