"""A version's metadata: whatever is written there is read, and nothing that is recorded is lost."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from hypothesis import given
from hypothesis import strategies as st

from clarifai_build.registry import RemoteVersion
from clarifai_build.registry.version_metadata import FORMAT, NO_METADATA, VersionMetadata

NAMES = [one.name for one in fields(VersionMetadata) if one.name != "unknown"]
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner),
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)
VALUES = {
    "str | None": st.none() | TEXT,
    "int | None": st.none() | st.integers(0, 2**53),
    "bool | None": st.none() | st.booleans(),
}
RECORDED = st.builds(
    VersionMetadata,
    **{one.name: VALUES[str(one.type)] for one in fields(VersionMetadata) if one.name in NAMES},
    unknown=st.dictionaries(TEXT.filter(lambda name: name not in NAMES), PLAIN, max_size=3),
)


@given(JSON | st.dictionaries(st.sampled_from(NAMES), JSON))
def test_whatever_is_there_is_read(value: Any) -> None:
    """No value raises; one that holds anything is ours, and each field has its type or nothing."""
    found = VersionMetadata.from_struct(value)
    assert (found is None) == (not isinstance(value, dict) or not value)
    recorded = found or NO_METADATA
    for name in NAMES:
        kind = {"dirty": bool, "size": int, "revision": int, "format": int}.get(name, str)
        assert getattr(recorded, name) is None or type(getattr(recorded, name)) is kind


@given(RECORDED)
def test_what_is_written_is_read(metadata: VersionMetadata) -> None:
    """Every field and every unknown key comes back; nothing recorded is written as nothing."""
    found = VersionMetadata.from_struct(metadata.to_struct())
    assert (found or NO_METADATA) == metadata


@given(RECORDED)
def test_it_comes_through_the_platforms_struct(metadata: VersionMetadata) -> None:
    """A Struct has doubles only: whole numbers are whole again, up to the last exact one."""
    struct = Struct()
    struct.update(metadata.to_struct())
    floats = {name: struct[name] for name in struct.fields if isinstance(struct[name], float)}
    found = VersionMetadata.from_struct({**MessageToDict(struct), **floats})
    assert (found or NO_METADATA) == metadata


@pytest.mark.parametrize(
    "wrong", [-1, -1.0, 0.5, 2**53 + 1, 1e300, float("nan"), float("inf"), "7", True, None, [7]]
)
def test_what_is_no_count_is_not_recorded(wrong: Any) -> None:
    """A size or a revision is a whole number that a double holds; all else is absent."""
    found = VersionMetadata.from_struct({"size": wrong, "revision": wrong, "tool": "1.0"})
    version = RemoteVersion("v1", 21100, "", metadata=found)
    assert found == VersionMetadata(tool="1.0", format=None)
    assert (version.size, version.revision) == (0, 0)


def test_an_update_keeps_what_a_newer_tool_wrote() -> None:
    """Its format and the keys that only it knows are written back, beside what has changed."""
    newer = {"format": 2.0, "project": "ocr", "signed_by": ["key"], "unknown": 1.0}
    found = VersionMetadata.from_struct(newer)
    assert found is not None
    assert replace(found, project="").to_struct() == {**newer, "project": ""}


def test_new_metadata_have_the_format() -> None:
    """What the tool records says in which form."""
    assert VersionMetadata(tool="1.0").to_struct() == {"tool": "1.0", "format": FORMAT}


def test_a_version_without_metadata_is_not_ours() -> None:
    """Nothing, an empty object and something else under our key are no metadata of ours."""
    for value in (None, {}, [], "ours", 1):
        version = RemoteVersion("v1", 21100, "", metadata=VersionMetadata.from_struct(value))
        assert not version.is_ours
        assert not version.has_artifact
        assert version.recorded == NO_METADATA
