"""Rules of the target that a manifest names: what it does not know, and what only a runner has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from clarifai_build.errors import Problem
from clarifai_build.manifest.document import Document
from clarifai_build.manifest.types import RunnerPython
from clarifai_build.manifest.yaml_reader import Steps, Value
from clarifai_build.model_types import MODEL_TYPES

# Of the section `triton`, what the runtime does itself, without Triton.
SHARED = ("max_batch_size", "dynamic_batching", "ragged", "streaming", "isolate")

PYTHONS: tuple[str, ...] = get_args(RunnerPython)
"""The Pythons that the platform builds images with."""

# The SDK's own word for an argument of a method.
_TAKEN = ("with_proto",)
# What a process of the image has in its environment, which the platform mixes into what it hands
# to the model as parameters, over those of the caller.
_OF_THE_IMAGE = ("HOME", "HOSTNAME", "LANG", "PATH", "PWD", "SHELL", "TMPDIR", "USER")
# The platform tells the runner's process by these who it is.
_OF_THE_RUNNER = "CLARIFAI_"


def problems(document: Document) -> Iterator[Problem]:
    """Yield what the manifest's target does not know, or takes in another form."""
    target = document.get("target")
    if target in (None, "triton"):
        yield from _of_triton(document)
    elif target == "runner":
        yield from _of_runner(document)


def _of_triton(document: Document) -> Iterator[Problem]:
    if _has(document.data, "runner"):
        hint = "write `target: runner`, or remove it"
        yield _unknown(document, "triton", ("runner",), hint)


def _of_runner(document: Document) -> Iterator[Problem]:
    triton = document.get("triton")
    for name in triton if isinstance(triton, dict) else ():
        # What no target knows, the schema refuses.
        if name in _ONLY_TRITON:
            yield _unknown(document, "runner", ("triton", name), _ONLY_TRITON[name])
    if document.get("artifact", "compression") == "deflate":
        message = "target runner stores files as they are: it knows no deflate"
        path: Steps = ("artifact", "compression")
        yield document.problem("target-key", message, path, hint="remove it")
    yield from _python(document)
    yield from _compute(document)
    yield from _secrets(document)
    yield from _params(document)
    yield from _deployment(document)


_ONLY_TRITON = {
    "instance_group": "remove it; replicas are `runner.deployment.max_replicas`",
    "warmup": "remove it",
    "response_cache": "remove it",
    "version_policy": "remove it",
    "parameters": "remove it",
}


def _unknown(document: Document, target: str, path: Steps, hint: str) -> Problem:
    name = ".".join(str(step) for step in path)
    message = f"target {target} does not know '{name}'"
    return document.problem("target-key", message, path, key=True, hint=hint)


def _python(document: Document) -> Iterator[Problem]:
    path: Steps = ("code", "python")
    version = document.get(*path)
    if isinstance(version, str) and version not in PYTHONS:
        message = f"target runner has no Python {version}"
        hint = f"write {' or '.join(repr(one) for one in PYTHONS)}"
        yield document.problem("runner-python", message, path, hint=hint)


def _compute(document: Document) -> Iterator[Problem]:
    runner = document.get("runner")
    if _has(runner, "compute") and _has(runner, "instance"):
        message = "an instance type says what 'compute' would say"
        path: Steps = ("runner", "instance")
        yield document.problem(
            "compute-twice", message, path, key=True, hint="remove it, or remove 'compute'"
        )
    compute = document.get("runner", "compute")
    if isinstance(compute, dict) and not compute.get("num_accelerators"):
        for name in ("accelerator_type", "accelerator_memory"):
            if compute.get(name):
                path = ("runner", "compute", name)
                message = f"'{name}' without a GPU: 'num_accelerators' is 0"
                hint = "say how many, or remove it"
                yield document.problem("compute-unused", message, path, key=True, hint=hint)


def _secrets(document: Document) -> Iterator[Problem]:
    secrets = document.get("runner", "secrets")
    first: dict[str, int] = {}
    for index in range(len(secrets) if isinstance(secrets, list) else 0):
        path: Steps = ("runner", "secrets", index, "env_var")
        name = document.get(*path)
        if not isinstance(name, str):
            continue
        if name.upper().startswith(_OF_THE_RUNNER) or name in _OF_THE_IMAGE:
            message = f"the platform sets {name} itself"
            yield document.problem("secret-variable", message, path, hint="choose another name")
        elif name in first:
            message = f"{name} is already the variable of secret {first[name] + 1}"
            yield document.problem("secret-variable", message, path, hint="choose another name")
        first.setdefault(name, index)


def _params(document: Document) -> Iterator[Problem]:
    params = document.get("params")
    inputs = _inputs(document)
    variables = _variables(document)
    for index in range(len(params) if isinstance(params, list) else 0):
        path: Steps = ("params", index, "name")
        name = document.get(*path)
        if not isinstance(name, str):
            continue
        is_secret = document.get("params", index, "type") == "secret"
        taken = set(_OF_THE_IMAGE) | (set() if is_secret else variables)
        if why := _taken(name, inputs, taken):
            yield document.problem("param-name", why, path, hint="choose another name")
        elif is_secret and name not in variables:
            message = (
                f"secret '{name}' has no variable: a runner takes secrets from its environment"
            )
            hint = f"name the secret in 'runner.secrets', with `env_var: {name}`"
            yield document.problem("secret-param", message, path, hint=hint)


def _taken(name: str, inputs: tuple[str, ...], variables: set[str]) -> str | None:
    """Return why no argument of the model's methods can have this name, or None where one can."""
    if name in inputs:
        return f"'{name}' is what the model is asked with"
    if name in _TAKEN:
        return f"'{name}' is an argument of Clarifai's own"
    if name in variables:
        return f"the platform puts the variable {name} in its place"
    if name.startswith("__"):
        return f"Python renames '{name}' in a class"
    return None


def _inputs(document: Document) -> tuple[str, ...]:
    model_type = MODEL_TYPES.get(str(document.get("model", "type")))
    return tuple(tensor.name for tensor in model_type.inputs) if model_type else ()


def _variables(document: Document) -> set[str]:
    secrets = document.get("runner", "secrets")
    entries = secrets if isinstance(secrets, list) else []
    return {str(one.get("env_var")) for one in entries if isinstance(one, dict)}


def _deployment(document: Document) -> Iterator[Problem]:
    path: Steps = ("runner", "deployment")
    fewest, most = (document.get(*path, name) for name in ("min_replicas", "max_replicas"))
    # The default; a manifest that names the fewest alone means at least as many.
    most = 1 if most is None else most
    if _is_int(fewest) and _is_int(most) and fewest > most:
        message = f"{fewest} is more than the most replicas, {most}"
        hint = "raise 'max_replicas', or lower it"
        yield document.problem("replicas", message, (*path, "min_replicas"), hint=hint)
    if document.get(*path, "create") is True and not document.get("runner", "instance"):
        message = "a nodepool is made of an instance type, and none is named"
        hint = "name one in 'runner.instance', or remove it"
        yield document.problem("deployment-instance", message, (*path, "create"), hint=hint)


def _has(section: Value, name: str) -> bool:
    return isinstance(section, dict) and name in section


def _is_int(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
