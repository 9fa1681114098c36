"""Locks of runner models: the SDK is resolved with the rest, and a lock knows its target."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clarifai_build.errors import SourceError
from clarifai_build.manifest.types import Manifest, Runner
from clarifai_build.provenance import lock as locks
from clarifai_build.provenance import requirements as resolving
from clarifai_build.provenance.lock_drift import drift, requirements_of
from clarifai_build.targets.runner.sdk import CLARIFAI, CLARIFAI_FOR_NUMPY_1
from support.trees import manifest_of

PINS = "clarifai=={} \\\n    --hash=sha256:aa\nnumpy==2.2.6 \\\n    --hash=sha256:bb\n"


def runner(folder: Path, requirements: str | None = None) -> Manifest:
    """Return a manifest whose target is runner, over a requirements file or none."""
    file = folder / "requirements.txt"
    if requirements is not None:
        file.write_text(requirements)
    made = manifest_of(folder, python="3.12", requirements=file if requirements else None)
    return replace(made, target="runner", runner=Runner())


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Answer in place of uv; what is asked for beside the file is noted."""
    asked: list[tuple[str, ...]] = []

    def pins(_file: Path, _python: str, _previous: str, *further: str, empty: bool = False) -> str:
        asked.append((*further, *(("empty",) if empty else ())))
        return PINS.format(further[0].partition("==")[2])

    monkeypatch.setattr(resolving, "compile_pins", pins)
    return asked


def test_the_sdk_is_pinned_with_all_else(tmp_path: Path, resolved: list[tuple[str, ...]]) -> None:
    """In the artifact the pins are a flat list, without their hashes."""
    made = runner(tmp_path, "numpy\n")
    locks.write(locks.make(made), locks.path_of(made))
    assert resolved == [(f"clarifai=={CLARIFAI}",)]
    assert drift(locks.read(locks.path_of(made)), made) == ()
    assert requirements_of(made) == f"clarifai=={CLARIFAI}\nnumpy==2.2.6\n".encode()


def test_a_model_without_requirements_has_a_lock_too(
    tmp_path: Path, resolved: list[tuple[str, ...]]
) -> None:
    """The SDK has requirements of its own."""
    made = runner(tmp_path)
    assert requirements_of(made) == f"clarifai=={CLARIFAI}\n".encode()
    locks.write(locks.make(made), locks.path_of(made))
    assert resolved == [(f"clarifai=={CLARIFAI}", "empty")]
    assert drift(locks.read(locks.path_of(made)), made) == ()


@pytest.mark.usefixtures("resolved")
@pytest.mark.parametrize("requirements", ["numpy\n", None])
def test_a_lock_is_made_for_one_target(tmp_path: Path, requirements: str | None) -> None:
    """For the other one, it is out of date; what is wrong is the target, and not the file."""
    made = runner(tmp_path, requirements)
    moved = replace(made, target="triton", runner=None)
    problems = drift(locks.make(made), moved)
    assert [problem.code for problem in problems] == ["lock-target"]
    if requirements:
        before = locks.make(made)
        assert before.requirements is not None
        older = replace(before.requirements, source=resolving.digest(tmp_path / "requirements.txt"))
        (problem,) = drift(replace(before, requirements=older), made)
        assert problem.code == "lock-target"


@pytest.mark.usefixtures("resolved")
def test_other_requirements_are_noticed(tmp_path: Path) -> None:
    """As with the other target."""
    made = runner(tmp_path, "numpy\n")
    lock = locks.make(made)
    runner(tmp_path, "scipy\n")
    assert [problem.code for problem in drift(lock, made)] == ["lock-requirements"]


def test_an_older_sdk_is_tried_where_the_newest_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What packages need themselves may be a numpy that the newest one does not go with."""
    asked: list[str] = []

    def pins(_file: Path, _python: str, _previous: str, sdk: str, **_: bool) -> str:
        asked.append(sdk)
        if sdk == f"clarifai=={CLARIFAI}":
            raise SourceError.of("requirements-unresolved", "they can't be resolved")
        return f"{sdk}\n"

    monkeypatch.setattr(resolving, "compile_pins", pins)
    made = runner(tmp_path, "old-package\n")
    lock = locks.make(made)
    assert lock.requirements is not None
    assert lock.requirements.pins == (f"clarifai=={CLARIFAI_FOR_NUMPY_1}",)
    assert asked == [f"clarifai=={CLARIFAI}", f"clarifai=={CLARIFAI_FOR_NUMPY_1}"]
