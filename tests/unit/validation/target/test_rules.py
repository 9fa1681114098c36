"""What each target knows: the other's keys are refused at their places, what is shared is not."""

from __future__ import annotations

import pytest

from clarifai_build.manifest.document import parse
from clarifai_build.validation.target.rules import SHARED, problems

RUNNER = "target: runner\nmodel: {id: m, type: text-to-text}\n"


def found(text: str) -> list[tuple[str, int | None, int | None]]:
    """Return code and place of each problem; each says what may be done."""
    document = parse(text)
    assert document.problems == ()
    told = list(problems(document))
    assert all(problem.hint for problem in told)
    return [(problem.code, problem.line, problem.column) for problem in told]


REFUSED = [
    ("runner: {}", [("target-key", 1, 1)]),
    ("target: triton\nrunner: {}", [("target-key", 2, 1)]),
    (RUNNER + "triton: {warmup: false, ragged: true}", [("target-key", 3, 10)]),
    (RUNNER + "artifact: {compression: deflate}", [("target-key", 3, 25)]),
    (RUNNER + "code: {python: '3.13'}", [("runner-python", 3, 16)]),
    (RUNNER + "runner: {instance: a, compute: {}}", [("compute-twice", 3, 10)]),
    (
        RUNNER + "runner: {compute: {num_accelerators: 0, accelerator_memory: 8Gi}}",
        [("compute-unused", 3, 41)],
    ),
    (RUNNER + "runner: {secrets: [{id: a, env_var: PATH}]}", [("secret-variable", 3, 37)]),
    (RUNNER + "runner: {secrets: [{id: a, env_var: clarifai_x}]}", [("secret-variable", 3, 37)]),
    (RUNNER + "params: [{name: with_proto}]", [("param-name", 3, 17)]),
    (RUNNER + "params: [{name: text}]", [("param-name", 3, 17)]),
    (RUNNER + "params: [{name: k, type: secret}]", [("secret-param", 3, 17)]),
    (RUNNER + "runner: {deployment: {min_replicas: 2}}", [("replicas", 3, 37)]),
    (RUNNER + "runner: {deployment: {create: true}}", [("deployment-instance", 3, 31)]),
]
TAKEN = [
    "",
    "target: triton\ntriton: {warmup: true}\nartifact: {compression: deflate}",
    "target: nonsense\nrunner: {}",
    RUNNER + "triton: {" + ", ".join(f"{name}: 1" for name in SHARED) + "}",
    RUNNER + "triton: {unknown: 1}\nartifact: {compression: stored}",
    RUNNER + "code: {python: '3.12'}",
    RUNNER + "runner: {compute: {num_accelerators: 1, accelerator_memory: 8Gi}}",
    RUNNER + "params: [{name: image}, {name: Image}, {name: _x}]",
    RUNNER + "params: [{name: k, type: secret}]\nrunner: {secrets: [{id: a, env_var: k}]}",
    RUNNER + "runner: {deployment: {min_replicas: 2, max_replicas: 2}}",
    RUNNER + "runner: {instance: a, deployment: {create: true}}",
    RUNNER + "runner: 1\ntriton: []\nparams: {}\ncode: x",
    RUNNER + "runner: {secrets: {}, compute: [], deployment: 1}\nparams: [1, {name: 2}]",
]


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_refused(text: str, expected: list[tuple[str, int, int]]) -> None:
    """Where it stands."""
    assert found(text) == expected


@pytest.mark.parametrize("text", TAKEN)
def test_taken(text: str) -> None:
    """What a target knows; what has another form is the schema's to refuse."""
    assert found(text) == []
