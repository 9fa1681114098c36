"""What versions are called."""

from __future__ import annotations

import pytest

from clarifai_build.deploy import versions
from clarifai_build.errors import UsageError
from clarifai_build.manifest.types import Storage
from clarifai_build.registry import RemoteVersion, next_revision
from clarifai_build.registry.version_metadata import VersionMetadata
from support.fakes import manifest_of


def version(version_id: str, digest: object, revision: object = 0) -> RemoteVersion:
    """Return a version of whose metadata these were read."""
    struct = {"artifact_digest": digest, "revision": revision}
    return RemoteVersion(version_id, 21100, "", metadata=VersionMetadata.from_struct(struct))


FOREIGN = RemoteVersion("abcdef99", 21100, "")
NEWEST = version("abcdef01", "1" * 64, 12)
OLDER = version("abcdef02", "2" * 64, 2)
OLDEST = version("cafe", "12" * 32, 1)
ALL = (FOREIGN, NEWEST, OLDER, OLDEST)


def test_zips_are_those_of_distinct_artifacts_the_newest_first() -> None:
    """Two versions that share one count once; what this tool did not build has none."""
    again = version("abcdef03", "1" * 64, 1)
    zips = versions.zips_of([*ALL, again], manifest_of())
    assert list(zips) == ["1" * 64, "2" * 64, "12" * 32]
    assert zips["2" * 64] == f"models/{'2' * 64}/lines_text-to-text.zip"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("live", NEWEST),
        ("v12", NEWEST),
        ("v2", OLDER),
        ("v1", OLDEST),
        ("abcdef02", OLDER),
        ("cafe", OLDEST),
        ("111111", NEWEST),
        ("2222222", OLDER),
        ("1212121212", OLDEST),
    ],
)
def test_a_version_is_found_by_its_name(name: str, found: RemoteVersion) -> None:
    """Live, revision, id, or how id or digest begins; a foreign newer one is not live."""
    assert versions.find(ALL, name, "lines") is found


@pytest.mark.parametrize("name", ["v3", "v", "caf", "22222", "abcdef99", "ABCDEF01", "", "x1"])
def test_other_names_are_nobodys(name: str) -> None:
    """Too short, of others, or of nothing; what there is, is named."""
    with pytest.raises(UsageError, match="there are: v12, v2, v1") as raised:
        versions.find(ALL, name, "lines")
    assert raised.value.problems[0].code == "no-such-version"


def test_a_name_of_several_is_refused() -> None:
    """With their ids, never guessed."""
    with pytest.raises(UsageError, match="abcdef01, abcdef02") as raised:
        versions.find(ALL, "abcdef0", "lines")
    assert raised.value.problems[0].code == "version-ambiguous"


def test_of_no_version_none_is_live() -> None:
    """Nor where all are of others."""
    for none in ((), (FOREIGN,)):
        with pytest.raises(UsageError, match="there are: none of ours"):
            versions.find(none, "live", "lines")


def test_what_can_only_be_a_version() -> None:
    """Anything else may be a Git revision as well."""
    names = ["live", "v1", "v12", "v", "v1x", "xv1", "main", "abcdef"]
    assert [name for name in names if versions.is_version_name(name)] == ["live", "v1", "v12"]


def test_a_label_is_the_revision_or_else_the_id() -> None:
    """Only what this tool made has a revision."""
    assert [versions.label(one) for one in ALL] == ["abcdef99", "v12", "v2", "v1"]
    assert versions.built(ALL) == (NEWEST, OLDER, OLDEST)


def test_the_key_is_where_the_zip_was_put() -> None:
    """Below the prefix, in the folder of its digest."""
    key = versions.key_of(OLDER, manifest_of(), Storage("bucket", "/a/b/"))
    assert key == f"a/b/{'2' * 64}/lines_text-to-text.zip"
    assert versions.key_of(OLDER, manifest_of(), Storage("bucket")).startswith("2222")


def test_revisions_go_on_from_the_highest() -> None:
    """Wherever it stands in the list, and though versions in between are gone."""
    assert next_revision(()) == 1
    assert next_revision((FOREIGN,)) == 1
    assert next_revision((OLDEST, NEWEST, OLDER)) == 13


@pytest.mark.parametrize("revision", [-3, "x", None, [], float("inf"), float("nan")])
def test_a_revision_that_is_none_counts_as_zero(revision: object) -> None:
    """Metadata may have been written by anyone."""
    assert version("v", "a", revision).revision == 0


def test_what_has_no_artifact_is_ours_but_not_built_here() -> None:
    """What `upload-model` registered, or someone wrote by hand, may be destroyed, not rebuilt."""
    strange = VersionMetadata.from_struct({"revision": "abc", "artifact_digest": 7, "tool": "1.0"})
    found = [
        RemoteVersion("v1", 21100, "", metadata=strange),
        RemoteVersion("v2", 21100, "", metadata=VersionMetadata(tool="1.0")),
        RemoteVersion("v3", 21100, "", metadata=VersionMetadata(artifact_digest="a" * 64)),
        RemoteVersion("v4", 21100, ""),
    ]
    assert [version.id for version in versions.built(found)] == ["v3"]
    assert [version.id for version in found if version.is_ours] == ["v1", "v2", "v3"]


def built(number: int, artifact_digest: str = "ab" * 32) -> RemoteVersion:
    """Make a version of ours."""
    metadata = VersionMetadata(artifact_digest, revision=number)
    return RemoteVersion(f"{number}" * 32, 21100, "", metadata=metadata)


def test_versions_have_names() -> None:
    """`live`, a number, an id, its beginning or a digest's; what is not there is said."""
    known = (RemoteVersion("theirs", 21100, ""), built(3, "cd" * 32), built(2))
    assert versions.find(known, "live", "m").revision == 3
    assert versions.find(known, "v2", "m").revision == 2
    assert versions.find(known, "2" * 32, "m").revision == 2
    assert versions.find(known, "222222", "m").revision == 2
    assert versions.find(known, "cdcdcdcd", "m").revision == 3
    with pytest.raises(UsageError, match="there are: v3, v2"):
        versions.find(known, "v7", "m")
    with pytest.raises(UsageError, match="several"):
        versions.find((built(1), built(2)), "abababab", "m")
    with pytest.raises(UsageError, match="none of ours"):
        versions.find((), "live", "m")
