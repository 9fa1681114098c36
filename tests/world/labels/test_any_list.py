"""Any list of labels becomes one that serves: a property of what an import makes of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.legacy.label_lists import usable
from clarifai_build.manifest.labels import unwritable

LABEL = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["a", "a-1", "N/A", "", " ", "a-1-again", "\t", "a\nb"]
)


@given(st.lists(LABEL, max_size=12))
def test_any_list_becomes_distinct_in_order(labels: list[str]) -> None:
    """As many as before, each writable and distinct; what was so already is left alone."""
    notes: list[str] = []
    made = usable(labels, "labels.txt", notes)
    if not any(label.strip() for label in made):
        return
    assert len(made) == len(labels)
    assert len({label.strip() for label in made}) == len(labels)
    assert all(label.strip() and unwritable(label) is None for label in made)
    kept = [(old, new) for old, new in zip(labels, made, strict=True) if old == new]
    assert (len(kept) == len(labels)) == (not notes)
    assert usable(made, "labels.txt", []) == made
