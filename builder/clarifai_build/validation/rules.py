"""Rules that the schema can't express, checked on the document alone."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from clarifai_build.errors import Problem
from clarifai_build.manifest.document import Document
from clarifai_build.manifest.labels import OWN_NAME, unwritable
from clarifai_build.manifest.yaml_reader import Steps, Value
from clarifai_build.model_types import (
    MODEL_TYPES,
    ModelType,
    default_max_batch_size,
    streaming_types,
    traits_of,
)
from clarifai_build.repository_layout import RESERVED_TARGETS
from clarifai_build.source.portable_names import is_portable
from clarifai_build.util.urls import is_plain
from clarifai_build.validation import texts

# Of a path below `1/`: file systems take more, but not all of them.
_LONGEST_TARGET = 1024
_DEEPEST_TARGET = 32

# Parameters are passed by name to get_predictions(self, input_data, **kwargs).
RESERVED_PARAMS = ("self", "input_data")

# Amazon's rules: no '..', '.-' or '-.', and (below) no IPv4 address.
_BUCKET = re.compile(r"(?=.{3,63}\Z)[a-z0-9](?:[a-z0-9-]|\.(?![.-])|-(?!\.))*[a-z0-9]\Z")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+\Z")
_HTTP = re.compile(r"https?://[^\s/?#]\S*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
# '@' before the first slash would follow a user name; in hf:// it precedes the revision.
_SOURCES = {
    "s3": (re.compile(r"[^/@]+/.+"), "s3://bucket/key"),
    "https": (re.compile(r"[^/@]+/.+"), "https://host/path, without a user name"),
    "http": (re.compile(r"[^/@]+/.+"), "http://host/path, without a user name"),
    "hf": (re.compile(r"[^@]+@[^/@]+/.+"), "hf://repo@revision/file"),
}


def problems(document: Document) -> Iterator[Problem]:
    """Yield every problem that shows in the document itself."""
    model_type = _model_type(document)
    if model_type:
        yield from _shapes(document, model_type)
        yield from _triton_for_type(document, model_type)
    yield from _labels(document)
    yield from _triton(document)
    yield from _params(document)
    yield from _weights(document)
    yield from _storage(document)
    yield from _addresses(document)
    yield from texts.secrets(document)


def _model_type(document: Document) -> ModelType | None:
    name = document.get("model", "type")
    return MODEL_TYPES.get(name) if isinstance(name, str) else None


def _shapes(document: Document, model_type: ModelType) -> Iterator[Problem]:
    gives_embeddings = any(tensor.name == "embeddings" for tensor in model_type.outputs)
    for name, used in (("image", model_type.has_image_input), ("embeddings", gives_embeddings)):
        if document.get("shapes", name) is not None and not used:
            message = f"a {model_type.name} has no {name} shape"
            path = ("shapes", name)
            yield document.problem("shape-unused", message, path, key=True, hint="remove it")


def _labels(document: Document) -> Iterator[Problem]:
    labels = document.get("model", "labels")
    first: dict[str, int] = {}
    for index, label in enumerate(labels if isinstance(labels, list) else ()):
        if not isinstance(label, str):
            continue
        path = ("model", "labels", index)
        if why := unwritable(label):
            hint = "put a space in its place: labels.txt has a label a line"
            yield document.problem("label-characters", why, path, hint=hint)
        elif label in first:
            message = f"label '{label}' is already label {first[label] + 1}"
            yield document.problem("duplicate-label", message, path, hint=OWN_NAME)
        first.setdefault(label, index)


def _triton_for_type(document: Document, model_type: ModelType) -> Iterator[Problem]:
    if document.get("triton", "streaming") is True and not traits_of(model_type).streams:
        message = f"a {model_type.name} can't stream; only {' and '.join(streaming_types())} can"
        yield document.problem("streaming-type", message, ("triton", "streaming"))
    if document.get("triton", "ragged") is True and not model_type.has_image_input:
        message = f"a {model_type.name} takes no images that could differ in size"
        yield document.problem("ragged-unused", message, ("triton", "ragged"), hint="remove it")


def _triton(document: Document) -> Iterator[Problem]:
    largest = document.get("triton", "max_batch_size")
    if largest is None:
        model_type = _model_type(document)
        largest = default_max_batch_size(model_type) if model_type else None
    path: Steps = ("triton", "dynamic_batching", "preferred_batch_size")
    sizes = document.get(*path)
    for index, size in enumerate(sizes if isinstance(sizes, list) else ()):
        if _is_int(size) and _is_int(largest) and size > largest:
            message = f"{size} is more than the largest batch, {largest}"
            hint = "raise 'max_batch_size', or leave it out; Triton does not load such a model"
            yield document.problem("preferred-over-max", message, (*path, index), hint=hint)
    if document.get("triton", "streaming") is True and document.get(*path[:2]):
        message = "a streaming model gets its requests one by one: this would have no effect"
        yield document.problem("streaming-batching", message, path[:2], key=True, hint="remove it")
    if document.get("triton", "streaming") is True and document.get("code", "per_item") is True:
        message = "a streaming model is called with a list, of the one text of its request"
        path = ("code", "per_item")
        yield document.problem("streaming-per-item", message, path, hint="remove it")
    if document.get("triton", "warmup") is True and (name := _required_param(document)):
        message = f"the made-up request sends no parameter '{name}', which has no default"
        hint = "set it to false, or give the parameter a default; Triton does not load such a model"
        yield document.problem("warmup-params", message, ("triton", "warmup"), hint=hint)
    if document.get("triton", "response_cache") is not True:
        return
    for section, why in (
        (document.get("params"), "the cache ignores parameters, and would answer with wrong ones"),
        (document.get("triton", "streaming"), "Triton caches no streams"),
    ):
        if section:
            path = ("triton", "response_cache")
            yield document.problem("response-cache", why, path, hint="set it to false")


def _required_param(document: Document) -> str | None:
    params = document.get("params")
    for param in params if isinstance(params, list) else ():
        if isinstance(param, dict) and param.get("default") is None:
            return str(param.get("name"))
    return None


def _params(document: Document) -> Iterator[Problem]:
    params = document.get("params")
    first: dict[str, int] = {}
    for index in range(len(params) if isinstance(params, list) else 0):
        path: Steps = ("params", index, "name")
        name = document.get(*path)
        if not isinstance(name, str):
            continue
        if keyword.iskeyword(name):
            message = f"'{name}' is a keyword of Python"
            yield document.problem("param-name", message, path, hint="choose another name")
        elif name in RESERVED_PARAMS:
            message = f"'{name}' is an argument of get_predictions already"
            yield document.problem("param-name", message, path, hint="choose another name")
        elif name in first:
            message = f"parameter '{name}' is already number {first[name] + 1}"
            yield document.problem("duplicate-param", message, path)
        first.setdefault(name, index)


def _weights(document: Document) -> Iterator[Problem]:
    weights = document.get("weights")
    first: dict[str, int] = {}
    for index in range(len(weights) if isinstance(weights, list) else 0):
        to, source = document.get("weights", index, "to"), document.get("weights", index, "from")
        path: Steps = ("weights", index, "to")
        if isinstance(to, str) and to:
            if wrong := target_problem(to):
                yield document.problem(wrong.code, wrong.message, path, hint=wrong.hint)
            if to in first:
                message = f"'{to}' is already the target of weight {first[to] + 1}"
                yield document.problem("duplicate-target", message, path)
            first.setdefault(to, index)
        if isinstance(source, str) and (match := _SCHEME.match(source)):
            yield from _source(document, match[1].lower(), match[2], ("weights", index, "from"))
        elif isinstance(source, str) and "\0" in source:
            message = "a path can't hold a null character"
            yield document.problem("weight-source", message, ("weights", index, "from"))


def target_problem(to: str) -> Problem | None:
    """Return why no weight may be laid at `to`, or None where one may."""
    if len(to) > _LONGEST_TARGET or to.count("/") > _DEEPEST_TARGET:
        hint = f"use at most {_LONGEST_TARGET:,} characters and {_DEEPEST_TARGET} folders"
        return Problem("path-outside", "the path is longer than file systems take", hint=hint)
    parts = PurePosixPath(to).parts
    # `./a` and `a//b` would be other names of a file than `a` and `a/b`, and clash with nothing.
    is_plain_path = bool(parts) and "/".join(parts) == to and ".." not in parts
    if to.startswith("/") or not is_plain_path or {"\\", "\0"} & set(to):
        message = f"'{to}' is not a file path inside the artifact"
        hint = "use a relative path with '/', without '.' and '..'"
        return Problem("path-outside", message, hint=hint)
    if parts[0] in RESERVED_TARGETS:
        message = f"'{parts[0]}' is written by the build or by you, not fetched"
        return Problem("reserved-target", message, hint="choose another name")
    if not to.isascii():
        return Problem("file-name", f"Triton's Python can't open '{to}': the name is not ASCII")
    if not is_portable(to):
        return Problem("file-name", f"names can't hold control characters everywhere: {to!r}")
    return None


def _source(document: Document, scheme: str, rest: str, path: Steps) -> Iterator[Problem]:
    if scheme not in _SOURCES:
        hint = "use s3://, https://, hf:// or a path"
        yield document.problem(
            "weight-source", f"unsupported URL scheme: {scheme}://", path, hint=hint
        )
    elif "${env:" not in rest and not _SOURCES[scheme][0].match(rest):
        message = "an address that can't be read"
        yield document.problem("weight-source", message, path, hint=f"use {_SOURCES[scheme][1]}")


def _storage(document: Document) -> Iterator[Problem]:
    bucket, prefix = document.get("storage", "bucket"), document.get("storage", "prefix")
    if isinstance(bucket, str) and bucket and "${env:" not in bucket and not is_bucket(bucket):
        message = f"'{bucket}' is not a valid S3 bucket name"
        hint = "use 3 to 63 lower-case letters, digits, '-' and single '.'"
        yield document.problem("bucket-name", message, ("storage", "bucket"), hint=hint)
    if isinstance(prefix, str) and ({".", ".."} & set(prefix.split("/")) or "\\" in prefix):
        message = f"'{prefix}' is not a plain prefix"
        hint = "use folder names with '/' between them"
        yield document.problem("storage-prefix", message, ("storage", "prefix"), hint=hint)


def _addresses(document: Document) -> Iterator[Problem]:
    for path, takes_keys in (
        (("storage", "endpoint_url"), True),
        (("storage", "public_base_url"), True),
        (("clarifai", "api_base"), False),
    ):
        address = document.get(*path)
        if not isinstance(address, str) or "${env:" in address:
            continue
        whole = address if "://" in address else f"https://{address}"
        # What does not look like an address is refused by the schema.
        if ("@" in address or _HTTP.fullmatch(whole)) and not is_plain(whole):
            message = "an address that can't be read, or holds a user or a password"
            hint = "write https://host; credentials belong in the environment"
            yield document.problem("address-credentials", message, path, hint=hint)
        elif takes_keys and _HTTP.fullmatch(whole) and {"?", "#"} & set(address):
            message = "keys are appended to this address: it can't end with a query or a fragment"
            hint = "leave out '?' or '#' and what follows"
            yield document.problem("address-query", message, path, hint=hint)


def is_bucket(name: str) -> bool:
    """Return whether S3 takes `name` for a bucket."""
    return bool(_BUCKET.match(name)) and not _ADDRESS.match(name) and not name.startswith("xn--")


def _is_int(value: Value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
