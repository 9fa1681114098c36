"""The lock, the SBOM and the provenance: what they hold, and that they hold nothing else."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.tree import make_tree
from clarifai_build.errors import ArtifactError, ConditionalWritesUnsupportedError
from clarifai_build.manifest.types import Manifest
from clarifai_build.provenance import lock as locks
from clarifai_build.provenance import requirements
from clarifai_build.provenance import statement as provenance
from clarifai_build.provenance.lock import Lock, LockError, Requirements, check_lock
from clarifai_build.provenance.sbom import read_sbom, sbom_of
from clarifai_build.registry.version_metadata import VersionMetadata
from clarifai_build.storage.keys import provenance_key, sbom_key
from clarifai_build.targets.triton.toolchain import current_toolchain
from clarifai_build.validation.load import load
from support.fakes import BUILT, MemoryStore, artifact_of, publish_records

PINS = (
    "numpy==1.26.4 \\",
    f"    --hash=sha256:{'a' * 64} \\",
    f"    --hash=sha256:{'b' * 64}",
    "ruamel.yaml[jinja2]==0.18.6 ; python_version < '4' \\",
    f"    --hash=sha256:{'c' * 64}",
)
ENDPOINT = "https://store.example/path?X-Signature=hunter3"


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    """A model with requirements, in a folder of its own."""
    (tmp_path / "clarifai.yaml").write_text(
        "model: {id: words, type: text-to-text}\n"
        "storage: {bucket: models, endpoint_url: '${env:ENDPOINT}'}\n"
    )
    (tmp_path / "inference.py").write_text("class InferenceModel:\n    def predict(self): ...\n")
    (tmp_path / "requirements.txt").write_text("-r base.txt\nnumpy<2\n")
    (tmp_path / "base.txt").write_text("ruamel.yaml\n")
    loaded = load(tmp_path, {"ENDPOINT": ENDPOINT.partition("?")[0]})
    assert loaded.storage
    # A query is refused there; records would not show it either.
    return replace(loaded, storage=replace(loaded.storage, endpoint_url=ENDPOINT))


@pytest.fixture
def lock(manifest: Manifest) -> Lock:
    """A lock of that model, whose pins were made up here."""
    source = manifest.code.requirements
    assert source
    pins = Requirements(requirements.digest(source), "3.11", requirements.PLATFORM, PINS)
    return Lock(**current_toolchain(), weights={}, requirements=pins)


def test_a_lock_comes_back_as_it_was(lock: Lock, manifest: Manifest) -> None:
    """What is written is what is read, and nothing has moved."""
    path = locks.path_of(manifest)
    locks.write(lock, path)
    assert path.name == "clarifai.lock"
    assert locks.read(path) == lock
    check_lock(manifest)
    text = locks.requirements_of(manifest)
    assert text == "".join(f"{pin}\n" for pin in PINS).encode()


def test_without_a_lock_requirements_are_the_users(manifest: Manifest) -> None:
    """A model without a lock is built from its own requirements, and is refused by --locked."""
    assert locks.requirements_of(manifest) == b"-r base.txt\nnumpy<2\n"
    with pytest.raises(LockError, match="no lock"):
        check_lock(manifest)


def test_an_edited_lock_is_refused(lock: Lock, manifest: Manifest) -> None:
    """A version changed by hand is noticed: the digest in the lock is not its content's."""
    path = locks.path_of(manifest)
    locks.write(lock, path)
    path.write_text(path.read_text().replace("1.26.4", "1.26.3"))
    with pytest.raises(LockError, match="edited by hand"):
        locks.requirements_of(manifest)


@pytest.mark.parametrize("content", ["", "[]", "{}", "<<<<<<< HEAD", '{"format": 9, "digest": 1}'])
def test_a_broken_lock_is_refused(content: str, manifest: Manifest) -> None:
    """Cut files, merge conflicts and formats to come are told apart from a missing lock."""
    path = locks.path_of(manifest)
    path.write_text(content)
    with pytest.raises(LockError):
        locks.read(path)


@pytest.mark.parametrize("name", ["requirements.txt", "base.txt"])
def test_changed_requirements_are_named(name: str, lock: Lock, manifest: Manifest) -> None:
    """A build does not silently drop or keep pins when what they came from has changed."""
    locks.write(lock, locks.path_of(manifest))
    (manifest.path.parent / name).write_text("scipy\n")
    with pytest.raises(LockError, match=r"requirements\.txt has changed"):
        locks.requirements_of(manifest)


def test_drift_of_the_tool_names_the_version_to_use(lock: Lock, manifest: Manifest) -> None:
    """A lock made with another runtime says which version of the tool gives the same bytes."""
    other = {**current_toolchain(), "tool": "0.0.9", "runtime_sha256": "0" * 64}
    locks.write(
        Lock(**other, weights={"w": "1" * 64}, requirements=lock.requirements),
        locks.path_of(manifest),
    )
    with pytest.raises(LockError) as caught:
        check_lock(manifest)
    runtime, weights = caught.value.problems
    assert "clarifai-build==0.0.9" in (runtime.hint or "")
    assert "weight w" in weights.message


def cyclonedx_validator() -> Draft7Validator:
    """Return a validator of the CycloneDX 1.6 schema, which cyclonedx-python-lib carries."""
    folder = resources.files("cyclonedx.schema") / "_res"
    schemas = {
        name: json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text())
        for name in ("bom-1.6", "spdx", "jsf-0.82")
    }
    known = [Resource.from_contents(schema) for schema in schemas.values()]
    return Draft7Validator(schemas["bom-1.6"], registry=known @ Registry())


def test_sbom_is_valid_and_the_same_each_time(lock: Lock, manifest: Manifest) -> None:
    """The SBOM holds each pin with its hashes, fits CycloneDX's own schema, and has no clock."""
    made = sbom_of(manifest, lock)
    assert made == sbom_of(manifest, lock)
    cyclonedx_validator().validate(json.loads(made))
    components = {item["name"]: item for item in json.loads(made)["components"]}
    assert components["numpy"]["version"] == "1.26.4"
    assert len(components["numpy"]["hashes"]) == 2
    assert components["ruamel-yaml"]["purl"] == "pkg:pypi/ruamel-yaml@0.18.6"


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
    body = provenance.statement_of(manifest, artifact, "f" * 64, lock, b"{}")
    assert body == provenance.statement_of(manifest, artifact, "f" * 64, lock, b"{}")
    assert b"hunter" not in body
    assert str(folder).encode() not in body
    statement = provenance.read_statement(body, "here")
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
    dirty = provenance.read_statement(
        provenance.statement_of(manifest, artifact, "f" * 64, None, None), "here"
    )
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
    statement = provenance.read_statement(
        provenance.statement_of(manifest, artifact_of(BUILT), "f" * 64, None, None), "here"
    )
    assert statement["predicate"]["buildDefinition"]["resolvedDependencies"][0]["uri"] == uri


@pytest.mark.parametrize("text", ["Docs: https://h/p?q=1#f. More text", "http://[foo"])
def test_provenance_leaves_prose_as_it_is(text: str, manifest: Manifest) -> None:
    """Only addresses lose their queries; a description with an address in it is none."""
    described = replace(manifest, model=replace(manifest.model, description=text))
    plain = provenance.resolved(described)
    assert plain["model"]["description"] == text
    assert plain["storage"]["endpoint_url"] == "https://store.example/path"


KEY = "models/tree/words.zip"


def test_records_are_written_once(manifest: Manifest) -> None:
    """A second publication of the same zip, from another commit say, refers to the same records."""
    artifact, store = artifact_of(BUILT), MemoryStore()
    first = publish_records(store, KEY, manifest, artifact)
    other = replace(manifest, model=replace(manifest.model, description="other"))
    assert publish_records(store, KEY, other, artifact) == first
    body = store.objects[provenance_key(KEY)][0]
    zip_sha256 = hashlib.sha256(artifact.read(0, artifact.size)).hexdigest()
    assert first.add_to(VersionMetadata(by="me")) == VersionMetadata(
        by="me", sha256=zip_sha256, provenance=hashlib.sha256(body).hexdigest(), sbom=""
    )


@pytest.mark.parametrize("found", [b"", b"[]", b"{}", b"not json"])
def test_what_is_no_provenance_is_replaced(found: bytes, manifest: Manifest) -> None:
    """Something else in the place of a zip's provenance does not stay there."""
    artifact, store = artifact_of(BUILT), MemoryStore()
    expected = publish_records(MemoryStore(), KEY, manifest, artifact)
    store.put(provenance_key(KEY), found, {})
    assert publish_records(store, KEY, manifest, artifact) == expected


class PlainStore(MemoryStore):
    """A store that knows no conditional writes."""

    def put_if(self, key: str, body: bytes, replaces: str | None) -> str | None:
        raise ConditionalWritesUnsupportedError.of("no-conditional-writes", "no")


def test_a_store_without_conditions_gets_records_too(manifest: Manifest) -> None:
    """Where nothing can be written on a condition, it is written without."""
    store = PlainStore()
    made = publish_records(store, KEY, manifest, artifact_of(BUILT))
    assert made.provenance
    assert provenance_key(KEY) in store.objects


def test_records_of_a_url_keep_its_query() -> None:
    """A record lies beside the zip, not beside its signature; a key may hold anything."""
    assert provenance_key("https://b/k.zip?X=s") == "https://b/k.zip.provenance.json?X=s"
    assert sbom_key("https://b/k.zip") == "https://b/k.zip.sbom.json"
    assert sbom_key("a?b.zip") == "a?b.zip.sbom.json"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"[" * 100_000, b"\xff", b'{"components": 1}'])
def test_hostile_records_are_refused(body: bytes) -> None:
    """Whatever lies where a record should be is an error that names the record."""
    with pytest.raises(ArtifactError, match="the SBOM"):
        read_sbom(body)
    with pytest.raises(ArtifactError, match="here"):
        provenance.read_statement(body, "here")


@pytest.mark.parametrize("rest", [{}, {"predicate": []}, {"predicate": {"buildDefinition": "x"}}])
def test_a_statement_that_lacks_parts_is_refused(rest: dict[str, object]) -> None:
    """A statement of the right type that says nothing is no statement of ours."""
    with pytest.raises(ArtifactError, match="the provenance"):
        provenance.summary_of(rest)


@pytest.mark.parametrize("include", ["-r base.txt", "-r\tbase.txt", "-r=base.txt", "-c  base.txt"])
def test_what_requirements_include_is_a_part_of_them(tmp_path: Path, include: str) -> None:
    """However the include is written."""
    (tmp_path / "base.txt").write_text("numpy\n")
    (tmp_path / "requirements.txt").write_text(f"{include}\n")
    before = requirements.digest(tmp_path / "requirements.txt")
    (tmp_path / "base.txt").write_text("numpy<3\n")
    assert requirements.digest(tmp_path / "requirements.txt") != before
