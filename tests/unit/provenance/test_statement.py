"""The provenance: what it names, and what a person is shown of it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clarifai_build._version import __version__
from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import Entry, FileTree, make_tree
from clarifai_build.errors import ArtifactError
from clarifai_build.manifest.types import Manifest, Weight
from clarifai_build.provenance.lock import Lock
from clarifai_build.provenance.statement import resolved, statement_of
from clarifai_build.provenance.statement_document import read_statement, subject_of, summary_of
from clarifai_build.targets.toolchain import current_toolchain
from support.fakes import BUILT, artifact_of, manifest_of

ARTIFACT = artifact_of(BUILT)
LOCK = Lock(**current_toolchain(), weights={}, requirements=None)
WEIGHTS = (
    Weight("w.bin", "https://me:hunter2@h.example/w.bin?X-Signature=s", "1" * 64),
    Weight("v.bin", "v.bin", "2" * 64),
)


def made(manifest: Manifest, lock: Lock | None = None, sbom: bytes | None = None) -> Any:
    """Make a statement and read it."""
    body = statement_of(manifest, ARTIFACT, "f" * 64, lock, sbom)
    return read_statement(body, "here")


@pytest.fixture
def weighted(tmp_path: Path) -> Manifest:
    """A manifest outside of Git, with weights."""
    return replace(manifest_of(), path=tmp_path / "clarifai.yaml", weights=WEIGHTS)


def test_all_that_went_in_is_a_dependency(weighted: Manifest) -> None:
    """Weights without credentials, template, runtime and lock; no source outside of Git."""
    definition = made(weighted, LOCK)["predicate"]["buildDefinition"]
    tool = current_toolchain()
    assert definition["resolvedDependencies"] == [
        {"name": "w.bin", "uri": "https://h.example/w.bin", "digest": {"sha256": "1" * 64}},
        {"name": "v.bin", "uri": "v.bin", "digest": {"sha256": "2" * 64}},
        {
            "name": "template",
            "digest": {"sha256": tool["template_sha256"]},
            "annotations": {"version": str(tool["template"])},
        },
        {
            "name": "runtime",
            "digest": {"sha256": tool["runtime_sha256"]},
            "annotations": {"version": __version__},
        },
        {"name": "clarifai.lock", "digest": {"sha256": LOCK.digest}},
    ]
    names = [
        one["name"]
        for one in made(weighted)["predicate"]["buildDefinition"]["resolvedDependencies"]
    ]
    assert "clarifai.lock" not in names
    assert definition["internalParameters"] == {
        "artifact_digest": ARTIFACT.digest,
        "size": ARTIFACT.size,
        "encoder": ARTIFACT.encoder,
    }
    assert made(weighted)["subject"][0]["name"] == "lines_text-to-text.zip"


def test_every_file_is_a_byproduct(weighted: Manifest) -> None:
    """With size and mode; and the SBOM, where there is one."""
    files = made(weighted)["predicate"]["runDetails"]["byproducts"]
    assert [(one["name"], one["annotations"]) for one in files] == [
        (entry.path, {"size": entry.size, "mode": "0644"}) for entry in ARTIFACT.tree.entries
    ]
    *_, last = made(weighted, sbom=b"{}")["predicate"]["runDetails"]["byproducts"]
    assert last["name"] == "sbom"


@pytest.mark.parametrize("paths", [["a"], ['b "c"', "d\\e", "é\n\u2028", "z"]])
@pytest.mark.parametrize("sbom", [None, b"{}"])
def test_a_statement_is_the_json_that_python_writes(
    weighted: Manifest, paths: list[str], sbom: bytes | None
) -> None:
    """Though files are written one by one: sorted, indented, in UTF-8, whatever their names."""
    tree = FileTree(tuple(Entry(path, 0o755, 9, "1" * 64, (5,), b"") for path in paths))
    body = statement_of(weighted, Artifact(tree), "f" * 64, LOCK, sbom)
    written = json.loads(body)
    names = [one["name"] for one in written["predicate"]["runDetails"]["byproducts"]]
    assert names == [*paths, *([] if sbom is None else ["sbom"])]
    plain = json.dumps(written, indent=2, sort_keys=True, ensure_ascii=False)
    assert body.decode() == f"{plain}\n"


def test_paths_of_the_manifest_say_nothing_of_the_machine(weighted: Manifest) -> None:
    """Relative to the manifest, or the name alone."""
    folder = weighted.path.parent
    code = replace(weighted.code, path=folder / "src", requirements=Path("/etc/req.txt"))
    plain = resolved(replace(weighted, code=code))
    assert (plain["path"], plain["code"]["path"]) == ("clarifai.yaml", "src")
    assert plain["code"]["requirements"] == "req.txt"
    assert "published_to" not in plain
    assert plain["weights"][1]["source"] == "v.bin"


def test_the_summary_names_what_matters(weighted: Manifest) -> None:
    """Digest, builder, and everything it was made from."""
    statement, tool = made(weighted), current_toolchain()
    template = f"sha256:{tool['template_sha256']}  version {tool['template']}"
    assert summary_of(statement) == [
        f"artifact_digest  {ARTIFACT.digest}",
        *([f"packed           by {ARTIFACT.encoder}"] if ARTIFACT.encoder else []),
        f"builder          clarifai-build {__version__}",
        f"from             w.bin  https://h.example/w.bin  sha256:{'1' * 64}",
        f"from             v.bin  v.bin  sha256:{'2' * 64}",
        f"from             template    {template}",
        f"from             runtime    sha256:{tool['runtime_sha256']}  version {__version__}",
    ]
    packed = statement["predicate"]["buildDefinition"]["internalParameters"]
    packed["encoder"] = "isal 1"
    assert "packed           by isal 1" in summary_of(statement)
    packed["encoder"] = ""
    assert not any("packed" in line for line in summary_of(statement))


def test_the_subject_is_the_zip(weighted: Manifest) -> None:
    """And empty where that can't be read, whatever it is."""
    body = statement_of(weighted, ARTIFACT, "f" * 64, None, None)
    assert subject_of(body) == "f" * 64
    for field, value in (("subject", []), ("subject", [{}]), ("subject", 1), ("_type", "x")):
        statement = {**json.loads(body), field: value}
        assert subject_of(json.dumps(statement).encode()) == ""
    assert subject_of(b"no json") == ""


@pytest.mark.parametrize("field", ["_type", "predicateType"])
def test_a_statement_of_another_type_is_none(weighted: Manifest, field: str) -> None:
    """Both types have to be known."""
    body = statement_of(weighted, ARTIFACT, "f" * 64, None, None)
    other = json.dumps({**json.loads(body), field: "https://other"}).encode()
    with pytest.raises(ArtifactError, match="here is not an in-toto statement"):
        read_statement(other, "here")


def git(folder: Path, *arguments: str) -> None:
    """Run git with an identity."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_provenance_says_what_went_in(lock: Lock, manifest: Manifest) -> None:
    """Commit, dirt, files and manifest are there; credentials and places on disk are not."""
    folder = manifest.path.parent
    git(folder, "init", "-q")
    git(folder, "remote", "add", "origin", "https://me:hunter4@git.example/team/models.git")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    artifact = Artifact(make_tree({"config.pbtxt": b"x"}, manifest))
    body = statement_of(manifest, artifact, "f" * 64, lock, b"{}")
    assert body == statement_of(manifest, artifact, "f" * 64, lock, b"{}")
    assert b"hunter" not in body
    assert str(folder).encode() not in body
    statement = read_statement(body, "here")
    assert statement["subject"][0]["digest"] == {"sha256": "f" * 64}
    definition = statement["predicate"]["buildDefinition"]
    source = definition["resolvedDependencies"][0]
    assert source["uri"] == "git+https://git.example/team/models.git"
    assert len(source["digest"]["gitCommit"]) == 40
    assert source["annotations"] == {"dirty": False}
    assert definition["externalParameters"]["manifest"]["model"]["id"] == "words"
    files = {item["name"] for item in statement["predicate"]["runDetails"]["byproducts"]}
    assert {"config.pbtxt", "1/inference.py", "sbom"} <= files
    (folder / "inference.py").write_text("changed = 1\n")
    dirty = read_statement(statement_of(manifest, artifact, "f" * 64, None, None), "here")
    source = dirty["predicate"]["buildDefinition"]["resolvedDependencies"][0]
    assert source["annotations"] == {"dirty": True}


@pytest.mark.parametrize(
    ("remote", "uri"),
    [
        ("ssh://me:hunter4@git.example/models", "git+ssh://git.example/models"),
        ("git@git.example:team/models.git", "git+git@git.example:team/models.git"),
        ("https://[git.example/models?hunter4", "git"),
        ("/home/me/models", "git"),
        ("file:///home/me/models", "git"),
        ("C:/me/models", "git"),
    ],
)
def test_provenance_names_repositories_in_the_network(
    remote: str, uri: str, manifest: Manifest
) -> None:
    """A path on the machine that built says nothing to others, and is not theirs to know."""
    folder = manifest.path.parent
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    git(folder, "remote", "add", "origin", remote)
    statement = read_statement(
        statement_of(manifest, artifact_of(BUILT), "f" * 64, None, None), "here"
    )
    assert statement["predicate"]["buildDefinition"]["resolvedDependencies"][0]["uri"] == uri


@pytest.mark.parametrize("text", ["Docs: https://h/p?q=1#f. More text", "http://[foo"])
def test_provenance_leaves_prose_as_it_is(text: str, manifest: Manifest) -> None:
    """Only addresses lose their queries; a description with an address in it is none."""
    described = replace(manifest, model=replace(manifest.model, description=text))
    plain = resolved(described)
    assert plain["model"]["description"] == text
    assert plain["storage"]["endpoint_url"] == "https://store.example/path"


@pytest.mark.parametrize("rest", [{}, {"predicate": []}, {"predicate": {"buildDefinition": "x"}}])
def test_a_statement_that_lacks_parts_is_refused(rest: dict[str, object]) -> None:
    """A statement of the right type that says nothing is no statement of ours."""
    with pytest.raises(ArtifactError, match="the provenance"):
        summary_of(rest)
