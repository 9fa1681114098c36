"""What a runner's version was declared as, read back from the platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clarifai_grpc.grpc.api import resources_pb2
from google.protobuf.json_format import MessageToDict


@dataclass(frozen=True, slots=True)
class RemoteDeclaration:
    """As it was declared; its instance type, if it named one, is expanded already."""

    compute: Mapping[str, Any]
    concepts: tuple[str, ...]
    signatures: tuple[Mapping[str, Any], ...]
    num_threads: int
    platform: str
    secrets: tuple[Mapping[str, str], ...]
    instance: str | None = None


def declaration_of(version: resources_pb2.ModelVersion) -> RemoteDeclaration | None:
    """Return what a version was declared as; None of one that is no runner's."""
    if not version.HasField("inference_compute_info"):
        return None
    params = MessageToDict(version.output_info.params)
    secrets = params.get("secrets")
    return RemoteDeclaration(
        compute=_mapping(version.inference_compute_info),
        concepts=tuple(concept.id for concept in version.output_info.data.concepts),
        signatures=tuple(map(_mapping, version.method_signatures)),
        num_threads=version.num_threads,
        platform=version.build_info.platform,
        secrets=tuple(one for one in secrets if isinstance(one, dict))
        if isinstance(secrets, list)
        else (),
    )


def _mapping(message: Any) -> dict[str, Any]:
    return dict(MessageToDict(message, preserving_proto_field_name=True))
