"""Records beside a zip: those of a build are told from a stranger's, which are not replaced."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from clarifai_build.errors import ArtifactError
from clarifai_build.provenance import statement as provenance
from clarifai_build.source.build_records import (
    BUILD_TYPE,
    STATEMENT,
    check_existing_records,
    is_statement,
)
from support.trees import artifact_of, manifest_of

SBOM = b'{"bomFormat": "CycloneDX"}'


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A zip of ours with its records."""
    target = tmp_path / "a.zip"
    statement = provenance.statement_of(
        manifest_of(tmp_path), artifact_of({}), "0" * 64, None, SBOM
    )
    target.with_name("a.zip.provenance.json").write_bytes(statement)
    target.with_name("a.zip.sbom.json").write_bytes(SBOM)
    return target


def refused(target: Path) -> str | None:
    """Return the name of the record that is refused, or None."""
    try:
        check_existing_records(target)
    except ArtifactError as error:
        (problem,) = error.problems
        assert problem.code == "output-target"
        return Path(problem.file or "").name
    return None


def test_records_of_a_build_may_be_replaced(target: Path) -> None:
    """Both, the provenance alone, and none at all."""
    assert refused(target) is None
    target.with_name("a.zip.sbom.json").unlink()
    assert refused(target) is None
    target.with_name("a.zip.provenance.json").unlink()
    assert refused(target) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", f'"{STATEMENT}"'.encode(), f'"{BUILD_TYPE}"'.encode(), b" " * 5000],
)
def test_a_provenance_of_others_is_refused(target: Path, content: bytes) -> None:
    """Of another format, or of another tool; marks far down in a file are no beginning."""
    place = target.with_name("a.zip.provenance.json")
    place.write_bytes(content + (place.read_bytes() if content.isspace() else b""))
    assert not is_statement(place)
    assert refused(target) == "a.zip.provenance.json"


@pytest.mark.parametrize("kind", ["folder", "pipe", "broken link"])
def test_what_is_no_file_is_refused(target: Path, kind: str) -> None:
    """A pipe is not waited for; a link that leads nowhere is there all the same."""
    place = target.with_name("a.zip.provenance.json")
    place.unlink()
    make: dict[str, Callable[[], object]] = {
        "folder": place.mkdir,
        "pipe": lambda: os.mkfifo(place),
        "broken link": lambda: place.symlink_to("nowhere"),
    }
    make[kind]()
    assert refused(target) == "a.zip.provenance.json"


def test_an_sbom_that_no_provenance_names_is_refused(target: Path) -> None:
    """Changed since, or with no provenance at all."""
    sbom = target.with_name("a.zip.sbom.json")
    sbom.write_bytes(SBOM + b" ")
    assert refused(target) == "a.zip.sbom.json"
    sbom.write_bytes(SBOM)
    target.with_name("a.zip.provenance.json").unlink()
    assert refused(target) == "a.zip.sbom.json"


@pytest.mark.parametrize("name", ["sbom", "lock"])
def test_only_what_is_named_an_sbom_is_one(target: Path, name: str) -> None:
    """Another byproduct of the same content is not meant."""
    place = target.with_name("a.zip.provenance.json")
    statement = json.loads(place.read_bytes())
    statement["predicate"]["runDetails"]["byproducts"][0]["name"] = name
    place.write_bytes(json.dumps(statement, sort_keys=True).encode())
    assert refused(target) == (None if name == "sbom" else "a.zip.sbom.json")


@pytest.mark.parametrize("rest", ["", "[" * 100_000, "null", "}", '], "predicate": 1}'])
def test_a_provenance_that_can_not_be_read_names_none(target: Path, rest: str) -> None:
    """It begins as ours, and goes on as anything."""
    beginning = json.dumps({"_type": [STATEMENT, BUILD_TYPE]}).removesuffix("]}")
    target.with_name("a.zip.provenance.json").write_text(beginning + rest)
    assert refused(target) == "a.zip.sbom.json"
