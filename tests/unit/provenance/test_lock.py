"""The lock: what of it counts, and what has moved since."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from clarifai_build._version import __version__
from clarifai_build.digests.known import KnownContent
from clarifai_build.manifest.types import Manifest
from clarifai_build.provenance import lock as locks
from clarifai_build.provenance import requirements
from clarifai_build.provenance.lock import Lock, LockError, Requirements
from clarifai_build.provenance.lock_drift import check_lock, drift, requirements_of
from clarifai_build.targets.toolchain import current_toolchain
from clarifai_build.util.canonical_json import json_sha256
from support.trees import manifest_of, weight_of


@pytest.fixture
def weighted(tmp_path: Path) -> Manifest:
    """A model with requirements and a weight."""
    source = tmp_path / "requirements.txt"
    source.write_text("numpy\n")
    weight = weight_of("w.bin", "w.bin", b"weights")
    return manifest_of(tmp_path, (weight,), requirements=source, python="3.11")


@pytest.fixture
def weighted_lock(weighted: Manifest) -> Lock:
    """A lock of it that is up to date."""
    source = weighted.code.requirements
    assert source
    pins = Requirements(requirements.digest(source), "3.11", requirements.PLATFORM, ("numpy==1",))
    weights = {weight.to: weight.sha256 for weight in weighted.weights}
    return Lock(**current_toolchain(), weights=weights, requirements=pins)


def codes(lock: Lock | None, manifest: Manifest) -> list[str]:
    """Return the codes of what has moved."""
    return [problem.code for problem in drift(lock, manifest)]


def test_what_is_as_it_was_has_not_moved(weighted_lock: Lock, weighted: Manifest) -> None:
    """And without a lock that alone is said."""
    assert codes(weighted_lock, weighted) == []
    assert codes(None, weighted) == ["lock-missing"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"template_sha256": "0" * 64}, "lock-tool"),
        ({"runtime_sha256": "0" * 64}, "lock-tool"),
        ({"weights": {}}, "lock-weights"),
        ({"weights": {"w.bin": "0" * 64}}, "lock-weights"),
        ({"requirements": None}, "lock-requirements"),
    ],
)
def test_whatever_moved_is_told(
    weighted_lock: Lock, weighted: Manifest, change: dict[str, object], code: str
) -> None:
    """One thing at a time, with the lock it is about."""
    (problem,) = drift(replace(weighted_lock, **change), weighted)  # type: ignore[arg-type]
    assert (problem.code, problem.file) == (code, str(locks.path_of(weighted)))


def test_another_version_of_the_tool_alone_moves_nothing(
    weighted_lock: Lock, weighted: Manifest
) -> None:
    """Where template and runtime are the same, so are the bytes."""
    assert codes(replace(weighted_lock, tool="0.0.1"), weighted) == []


def test_the_python_counts(weighted_lock: Lock, weighted: Manifest) -> None:
    """Pins for another one may not even exist; both are named."""
    other = replace(weighted, code=replace(weighted.code, python="3.12"))
    (problem,) = drift(weighted_lock, other)
    assert problem.code == "lock-python"
    assert "Python 3.11" in problem.message
    assert "3.12" in problem.message


def test_requirements_that_come_and_go(weighted_lock: Lock, weighted: Manifest) -> None:
    """Which of the two is said; a build refuses either."""
    without = replace(weighted, code=replace(weighted.code, requirements=None))
    (gone,) = drift(weighted_lock, without)
    assert gone.message == "the model no longer has requirements"
    (new,) = drift(replace(weighted_lock, requirements=None), weighted)
    assert new.message == "the model has requirements now"
    assert codes(replace(weighted_lock, requirements=None), without) == []
    for pinned, of in (
        (weighted_lock, without),
        (replace(weighted_lock, requirements=None), weighted),
    ):
        locks.write(pinned, locks.path_of(weighted))
        with pytest.raises(LockError):
            requirements_of(of)


def test_without_requirements_there_is_none_to_lay(weighted_lock: Lock, weighted: Manifest) -> None:
    """With a lock and without."""
    without = replace(weighted, code=replace(weighted.code, requirements=None))
    assert requirements_of(without) is None
    locks.write(replace(weighted_lock, requirements=None), locks.path_of(weighted))
    assert requirements_of(without) is None


def test_everything_that_is_pinned_is_in_the_digest(weighted_lock: Lock) -> None:
    """No two locks that differ have one digest."""
    pins = weighted_lock.requirements
    assert pins
    others = [
        replace(weighted_lock, tool="x"),
        replace(weighted_lock, template=99),
        replace(weighted_lock, template_sha256="x"),
        replace(weighted_lock, runtime_sha256="x"),
        replace(weighted_lock, weights={}),
        replace(weighted_lock, requirements=None),
        *(
            replace(weighted_lock, requirements=replace(pins, **{name: "x"}))  # type: ignore[arg-type]
            for name in ("source", "python", "platform")
        ),
        replace(weighted_lock, requirements=replace(pins, pins=("numpy==2",))),
    ]
    assert len({one.digest for one in (weighted_lock, *others)}) == 11


def test_a_format_to_come_is_told_with_the_tool_that_made_it(
    weighted_lock: Lock, weighted: Manifest
) -> None:
    """It is not taken for one that was edited."""
    path = locks.path_of(weighted)
    locks.write(weighted_lock, path)
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "format": 3, "tool": "9.0"}))
    with pytest.raises(LockError, match=f"{__version__} knows formats up to 2") as raised:
        locks.read(path)
    (problem,) = raised.value.problems
    assert problem.code == "lock-format"
    assert "clarifai-build 9.0" in str(problem.hint)


CONTENT = KnownContent("ab" * 32, 70, (1,))


def test_contents_are_read_back_and_are_in_the_digest(
    weighted_lock: Lock, weighted: Manifest
) -> None:
    """Size and sums of a weight, whatever they are."""
    path = locks.path_of(weighted)
    made = replace(weighted_lock, contents={CONTENT.sha256: CONTENT})
    locks.write(made, path)
    assert locks.read(path) == made
    other = replace(made, contents={CONTENT.sha256: CONTENT._replace(size=71)})
    assert len({weighted_lock.digest, made.digest, other.digest}) == 3
    assert drift(made, weighted) == ()


@pytest.mark.parametrize(
    "contents",
    [
        5,
        {"ab": {"size": 1, "chunks": ["00000000"]}},
        {CONTENT.sha256: {"size": -1, "chunks": []}},
        {CONTENT.sha256: {"size": 70, "chunks": []}},
        {CONTENT.sha256: {"size": 70}},
        {CONTENT.sha256: 70},
        [CONTENT.sha256],
    ],
)
def test_contents_that_are_none_make_a_lock_unreadable(
    weighted_lock: Lock, weighted: Manifest, contents: object
) -> None:
    """Though somebody made its digest anew after the edit."""
    path = locks.path_of(weighted)
    locks.write(weighted_lock, path)
    data = {**json.loads(path.read_text()), "contents": contents}
    body = {key: value for key, value in data.items() if key not in ("format", "digest")}
    path.write_text(json.dumps({**data, "digest": json_sha256(body, spaced=True)}))
    with pytest.raises(LockError) as raised:
        locks.read(path)
    assert raised.value.problems[0].code == "lock-unreadable"


@pytest.mark.parametrize("missing", ["format", "digest"])
def test_a_lock_that_lacks_a_part_is_unreadable(
    weighted_lock: Lock, weighted: Manifest, missing: str
) -> None:
    """That is another thing than no lock."""
    path = locks.path_of(weighted)
    locks.write(weighted_lock, path)
    data = json.loads(path.read_text())
    del data[missing]
    path.write_text(json.dumps(data))
    with pytest.raises(LockError) as raised:
        locks.read(path)
    assert raised.value.problems[0].code == "lock-unreadable"
    path.unlink()
    path.mkdir()
    with pytest.raises(LockError, match="can't be read"):
        locks.read(path)


def test_a_lock_that_can_not_be_written_is_told(weighted_lock: Lock, tmp_path: Path) -> None:
    """With the place."""
    with pytest.raises(LockError, match="can't be written") as raised:
        locks.write(weighted_lock, tmp_path / "none" / "clarifai.lock")
    assert raised.value.problems[0].code == "unwritable"


def test_a_model_without_requirements_is_locked_without_a_resolver(weighted: Manifest) -> None:
    """Weights and the tool are pinned all the same."""
    without = replace(weighted, code=replace(weighted.code, requirements=None))
    made = locks.make(without)
    assert made.requirements is None
    assert dict(made.weights) == {"w.bin": weighted.weights[0].sha256}
    assert codes(made, without) == []


def test_a_lock_comes_back_as_it_was(lock: Lock, manifest: Manifest) -> None:
    """What is written is what is read, and nothing has moved."""
    path = locks.path_of(manifest)
    locks.write(lock, path)
    assert path.name == "clarifai.lock"
    assert locks.read(path) == lock
    check_lock(manifest)
    text = requirements_of(manifest)
    assert lock.requirements
    assert text == "".join(f"{pin}\n" for pin in lock.requirements.pins).encode()


def test_without_a_lock_requirements_are_the_users(manifest: Manifest) -> None:
    """A model without a lock is built from its own requirements, and is refused by --locked."""
    assert requirements_of(manifest) == b"# base.txt\nruamel.yaml\n# requirements.txt\nnumpy<2\n"
    with pytest.raises(LockError, match="no lock") as raised:
        check_lock(manifest)
    assert raised.value.exit_code == 3


def test_an_edited_lock_is_refused(lock: Lock, manifest: Manifest) -> None:
    """A version changed by hand is noticed: the digest in the lock is not its content's."""
    path = locks.path_of(manifest)
    locks.write(lock, path)
    path.write_text(path.read_text().replace("1.26.4", "1.26.3"))
    with pytest.raises(LockError, match="edited by hand"):
        requirements_of(manifest)


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
        requirements_of(manifest)


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


def test_the_digest_of_a_lock_is_what_it_always_was() -> None:
    """By another one, every lock that was committed would count as edited."""
    pins = Requirements("s" * 64, "3.11", "linux", ("numpy==1",))
    lock = Lock("1.0", 2, "t" * 64, "r" * 64, {"w.bin": "w" * 64}, pins)
    assert lock.digest == "d1ec28ed2f5662316959ef4b6af055397a9d5edec82603a4e7913d8c4e8d683d"


def test_digests_of_weights_are_shortened(weighted_lock: Lock, weighted: Manifest) -> None:
    """As everywhere; of a weight that the lock lacks there is none."""
    (weight,) = weighted.weights
    now = f"the manifest {weight.sha256[:12]}"
    for weights, before in (({"w.bin": "0" * 64}, "0" * 12), ({}, "none")):
        (problem,) = drift(replace(weighted_lock, weights=weights), weighted)
        assert problem.message == f"weight w.bin: the lock has {before}, {now}"
