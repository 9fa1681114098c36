"""Triton's own description of config.pbtxt, walked: each field of it has been judged."""

from __future__ import annotations

from typing import Any

import pytest

from clarifai_build.legacy.config_fields import FIELDS, fields_of, noted


def descriptor() -> Any:
    """Return Triton's own description of a config."""
    from tritonclient.grpc.model_config_pb2 import ModelConfig

    return ModelConfig.DESCRIPTOR


def test_each_field_of_triton_is_judged() -> None:
    """A field that a newer Triton adds has no judgement yet, and fails here."""
    assert sorted(fields_of(descriptor())) == sorted(FIELDS)


def filled(message: Any, depth: int = 0) -> None:
    """Set every field of a message, each to something that is not its default."""
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if oneof and message.WhichOneof(oneof.name):
            continue
        value = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            key = 1 if field.message_type.fields_by_name["key"].cpp_type != 9 else "k"
            part = field.message_type.fields_by_name["value"]
            if part.message_type is None:
                value[key] = "v" if part.cpp_type == 9 else 1
            elif depth < 4:
                filled(value[key], depth + 1)
        elif field.message_type:
            part = value.add() if hasattr(value, "add") else value
            part.SetInParent()
            if depth < 4:
                filled(part, depth + 1)
        elif hasattr(value, "append"):
            value.append("v" if field.cpp_type == 9 else 1)
        else:
            setattr(message, field.name, "v" if field.cpp_type == 9 else 1)


def test_whatever_is_set_is_told_unless_it_is_carried_or_checked() -> None:
    """A config with every field set has a note for each that is left out."""
    from tritonclient.grpc.model_config_pb2 import ModelConfig

    config = ModelConfig()
    filled(config)
    told = set(noted(config))
    assert told == {path for path, judgement in FIELDS.items() if judgement == "noted"}


def test_a_field_without_judgement_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a newer Triton adds is named by the import, not dropped."""
    from tritonclient.grpc.model_config_pb2 import ModelConfig

    from clarifai_build.legacy import config_fields

    monkeypatch.setattr(
        config_fields, "FIELDS", {name: why for name, why in FIELDS.items() if name != "name"}
    )
    assert list(noted(ModelConfig(name="m"))) == ["name"]
