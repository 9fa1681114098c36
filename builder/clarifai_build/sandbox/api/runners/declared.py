"""What a runner version declares when it is uploaded, beside its files."""

from __future__ import annotations

import re
from collections.abc import Iterable

from clarifai_grpc.grpc.api import resources_pb2

from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.sandbox.api.errors import invalid

# Kubernetes' quantities, as far as processors and memory are counted in them.
_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|K|[KMGTPE]i|[MGTPE])?")
_QUANTITIES = (
    *("cpu_limit", "cpu_memory", "cpu_requests", "cpu_memory_requests"),
    "accelerator_memory",
)


def is_runner(version: resources_pb2.ModelVersion) -> bool:
    """Return whether a version is one of a runner model: those of Triton have field maps."""
    config = version.pretrained_model_config
    return not (config.model_zip_url or config.input_fields_map.fields)


def check_runner_version(model: resources_pb2.Model, version: resources_pb2.ModelVersion) -> None:
    """Refuse a declaration that the platform could not schedule, or no client could call."""
    if version.pretrained_model_config.ByteSize():
        raise invalid("pretrained_model_config is for a zip; a runner version has none")
    if not version.HasField("inference_compute_info"):
        raise invalid("inference_compute_info is missing: what should the runner run on?")
    _check_compute(version.inference_compute_info)
    if version.num_threads < 0:
        raise invalid(f"num_threads is {version.num_threads}")
    _check_signatures(version.method_signatures)
    _check_concepts(model, version.output_info.data.concepts)


def _check_compute(compute: resources_pb2.ComputeInfo) -> None:
    for name in _QUANTITIES:
        value = getattr(compute, name)
        if value and _QUANTITY.fullmatch(value) is None:
            raise invalid(f"inference_compute_info.{name} '{value}' is not a quantity")
    for name in ("cpu_limit", "cpu_memory"):
        if not getattr(compute, name):
            raise invalid(f"inference_compute_info.{name} is missing")


def _check_signatures(signatures: Iterable[resources_pb2.MethodSignature]) -> None:
    names = [signature.name for signature in signatures]
    if not names:
        raise invalid("method_signatures is empty: the model has no method")
    for name in names:
        if not name.isidentifier() or names.count(name) > 1:
            raise invalid(f"method_signatures: '{name}' is not an identifier or comes twice")


def _check_concepts(model: resources_pb2.Model, concepts: Iterable[resources_pb2.Concept]) -> None:
    ids = [concept.id for concept in concepts]
    known = MODEL_TYPES.get(model.model_type_id)
    if known is not None and known.has_labels and not ids:
        raise invalid(f"output_info.data.concepts is empty; a {known.name} has concepts")
    if len(set(ids)) < len(ids) or "" in ids:
        raise invalid("output_info.data.concepts: an id is empty or comes twice")
