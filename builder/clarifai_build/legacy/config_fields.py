"""What an import does with each field of Triton's config.pbtxt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

# `carried`: into the manifest, or it is what the artifact has anyway; a difference is a note.
# `checked`: another value than the artifact's is refused, since another model would be served.
# `noted`: left out, and told. `parts`: each field of the message has its own entry.
Judgement = Literal["carried", "checked", "noted", "parts"]

FIELDS: Mapping[str, Judgement] = {
    "name": "carried",
    "platform": "checked",
    "backend": "checked",
    "runtime": "noted",
    "version_policy": "carried",
    "max_batch_size": "carried",
    "input": "parts",
    "input.name": "checked",
    "input.data_type": "checked",
    "input.format": "noted",
    "input.dims": "checked",
    "input.reshape": "noted",
    "input.is_shape_tensor": "noted",
    "input.allow_ragged_batch": "carried",
    "input.optional": "carried",
    "input.is_non_linear_format_io": "noted",
    "output": "parts",
    "output.name": "checked",
    "output.data_type": "checked",
    "output.dims": "checked",
    "output.reshape": "noted",
    "output.label_filename": "carried",
    "output.is_shape_tensor": "noted",
    "output.is_non_linear_format_io": "noted",
    "batch_input": "noted",
    "batch_output": "noted",
    "optimization": "noted",
    "dynamic_batching": "parts",
    "dynamic_batching.preferred_batch_size": "carried",
    "dynamic_batching.max_queue_delay_microseconds": "carried",
    "dynamic_batching.preserve_ordering": "noted",
    "dynamic_batching.priority_levels": "noted",
    "dynamic_batching.default_priority_level": "noted",
    "dynamic_batching.default_queue_policy": "noted",
    "dynamic_batching.priority_queue_policy": "noted",
    "sequence_batching": "checked",
    "ensemble_scheduling": "checked",
    "instance_group": "parts",
    "instance_group.name": "noted",
    "instance_group.kind": "carried",
    "instance_group.count": "carried",
    "instance_group.rate_limiter": "noted",
    "instance_group.gpus": "noted",
    "instance_group.secondary_devices": "noted",
    "instance_group.profile": "noted",
    "instance_group.passive": "noted",
    "instance_group.host_policy": "noted",
    "default_model_filename": "checked",
    "cc_model_filenames": "noted",
    "metric_tags": "noted",
    "parameters": "parts",
    "parameters.string_value": "carried",
    "model_warmup": "noted",
    "model_operations": "noted",
    "model_transaction_policy": "parts",
    "model_transaction_policy.decoupled": "carried",
    "model_repository_agents": "noted",
    "response_cache": "parts",
    "response_cache.enable": "carried",
    "model_metrics": "noted",
}


def fields_of(descriptor: Any, prefix: str = "") -> Iterator[str]:
    """Yield every field of a message that needs an entry, by its path."""
    for field in descriptor.fields:
        path = prefix + field.name
        yield path
        if FIELDS.get(path) == "parts":
            yield from fields_of(_message_type(field), f"{path}.")


def noted(message: Any, prefix: str = "") -> Iterator[str]:
    """Yield the paths of fields that are set and can't be carried over.

    A field without an entry is one of them: what is not known is told, never dropped in silence.
    """
    for field, value in message.ListFields():
        path = prefix + field.name
        judgement = FIELDS.get(path, "noted")
        if judgement == "noted":
            yield path
        elif judgement == "parts":
            for part in _parts(value):
                yield from noted(part, f"{path}.")


def _parts(value: Any) -> Iterator[Any]:
    """Yield the messages that a field holds: one, a list of them, or the values of a map."""
    if hasattr(value, "ListFields"):
        yield value
    else:
        yield from value.values() if hasattr(value, "values") else value


def _message_type(field: Any) -> Any:
    if field.message_type.GetOptions().map_entry:
        return field.message_type.fields_by_name["value"].message_type
    return field.message_type
