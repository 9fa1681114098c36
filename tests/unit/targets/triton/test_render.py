"""Rendering: nine types into a config.pbtxt that Triton's own message takes; text stays text."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st
from tritonclient.grpc.model_config_pb2 import ModelConfig

from clarifai_build.manifest.types import (
    Code,
    DynamicBatching,
    InstanceGroup,
    Manifest,
    Model,
    Param,
    Shapes,
    Triton,
)
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.repository_layout import RUNTIME
from clarifai_build.targets.render_cache import render_once
from clarifai_build.targets.template import TEMPLATE_VERSION
from clarifai_build.targets.toolchain import current_toolchain
from clarifai_build.targets.triton.render import (
    RenderError,
    check_config,
    context_of,
    pbtxt_escape,
    render,
)

GOLDEN = Path(__file__).parents[3] / "golden" / "templates.json"


def manifest(model_type: str = "visual-detector", **fields: object) -> Manifest:
    """Make a manifest of a type, other fields as given."""
    made = Manifest(
        path=Path("clarifai.yaml"),
        model=Model("lines", model_type),
        code=Code(Path()),
        triton=Triton(max_batch_size=8, ragged=False),
    )
    return replace(made, **fields)  # type: ignore[arg-type]  # fields of Manifest by name


def rendered(made: Manifest, labels: tuple[str, ...] = ("cat", "dog")) -> dict[str, bytes]:
    """Render with labels where the type has them."""
    has_labels = MODEL_TYPES[made.model.type].has_labels
    return render(context_of(made, labels if has_labels else ()))


def config_of(files: dict[str, bytes]) -> ModelConfig:
    """Parse the rendered config.pbtxt."""
    return text_format.Parse(files["config.pbtxt"].decode(), ModelConfig())


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_tensors_are_the_tables(name: str) -> None:
    """Names, dtypes and dims in config.pbtxt are those of the model type."""
    model_type = MODEL_TYPES[name]
    files = rendered(manifest(name))
    config = config_of(files)
    for tensors, declared in (
        (model_type.inputs, config.input),
        (model_type.outputs, config.output),
    ):
        assert [tensor.name for tensor in tensors] == [field.name for field in declared]
        assert [tensor.dims for tensor in tensors] == [tuple(field.dims) for field in declared]
    assert [tensor.optional for tensor in model_type.inputs] == [f.optional for f in config.input]
    assert [tensor.labels for tensor in model_type.outputs] == [
        field.label_filename == "labels.txt" for field in config.output
    ]
    assert ("labels.txt" in files) == model_type.has_labels
    assert (config.backend, config.max_batch_size) == ("python", 8)


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_layout_is_the_old_systems(name: str) -> None:
    """Everything that the old way generated is there, with the runtime beside it."""
    files = rendered(manifest(name))
    assert {
        "config.pbtxt",
        "requirements.txt",
        "1/__init__.py",
        "1/inference.py",
        "1/model.py",
        "1/test.py",
        "1/serving.json",
        "1/clarifai_runtime/__init__.py",
    } <= files.keys()
    for path, content in files.items():
        if path.endswith(".py"):
            compile(content, path, "exec")


def test_triton_settings_arrive() -> None:
    """Each field under `triton:` and `shapes:` ends in its place."""
    config = config_of(
        rendered(
            manifest(
                "visual-embedder",
                shapes=Shapes(image=(480, 640), embeddings=(384,)),
                triton=Triton(
                    max_batch_size=4,
                    ragged=True,
                    dynamic_batching=DynamicBatching(500, (2, 4)),
                    instance_group=InstanceGroup(2, "cpu"),
                    warmup=True,
                    response_cache=True,
                    version_policy="all",
                    parameters=(("EXECUTION_ENV_PATH", "/opt/env"),),
                ),
            )
        )
    )
    assert list(config.input[0].dims) == [480, 640, 3]
    assert config.input[0].allow_ragged_batch
    assert list(config.output[0].dims) == [384]
    assert config.dynamic_batching.max_queue_delay_microseconds == 500
    assert list(config.dynamic_batching.preferred_batch_size) == [2, 4]
    assert (config.instance_group[0].count, config.instance_group[0].kind) == (2, 2)
    assert config.model_warmup[0].batch_size == 1
    assert config.response_cache.enable
    assert config.version_policy.HasField("all")
    assert config.parameters["EXECUTION_ENV_PATH"].string_value == "/opt/env"


def test_streaming_is_decoupled() -> None:
    """A streaming model is decoupled and not batched by Triton."""
    config = config_of(
        rendered(
            manifest("text-to-text", triton=Triton(max_batch_size=1, ragged=False, streaming=True))
        )
    )
    assert config.model_transaction_policy.decoupled
    assert not config.HasField("dynamic_batching")


HOSTILE = [
    "{{ cookiecutter }}",
    "{% raw %}",
    "{# c #}",
    '"quoted"',
    "back\\slash",
    "naïve 猫",
    "${x}",
]


def test_user_text_arrives_as_text() -> None:
    """What looks like Jinja, quotes or another language reaches the files unchanged."""
    files = rendered(
        manifest(
            params=(Param("p", "string", "{{ 7 * 7 }}", "line\nbreak {% if %}"),),
            triton=Triton(max_batch_size=8, ragged=False, parameters=(("k", '"}{{ x }}\n猫\\'),)),
        ),
        labels=tuple(HOSTILE),
    )
    assert files["labels.txt"].decode() == "".join(f"{label}\n" for label in HOSTILE)
    assert config_of(files).parameters["k"].string_value == '"}{{ x }}\n猫\\'
    serving = json.loads(files["1/serving.json"])
    assert serving["labels"] == HOSTILE
    assert serving["params"][0]["name"] == "p"
    assert serving["params"][0]["default"] == "{{ 7 * 7 }}"
    assert serving["params"][0]["description"] == "line\nbreak {% if %}"


LABEL = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1)


@settings(max_examples=25, deadline=None)
@given(st.lists(LABEL, min_size=1, max_size=4))
def test_any_label_arrives(labels: list[str]) -> None:
    """No label that fits on a line is changed by the template."""
    files = rendered(manifest(), labels=tuple(labels))
    assert files["labels.txt"].decode() == "".join(f"{label}\n" for label in labels)
    assert json.loads(files["1/serving.json"])["labels"] == labels


def test_description_is_no_part_of_the_artifact() -> None:
    """Describing the model differently gives the same files."""
    other = manifest(model=Model("lines", "visual-detector", "Another description."))
    assert rendered(other) == rendered(manifest())


def test_config_that_does_not_parse_is_refused() -> None:
    """An edited template that gives nonsense is caught here, not by Triton."""
    with pytest.raises(RenderError, match=r"config\.pbtxt does not parse") as caught:
        check_config(b'name: "x" nonsense { ')
    assert [problem.code for problem in caught.value.problems] == ["config-pbtxt"]


def test_printable_text_is_not_escaped() -> None:
    """From the space to the tilde, but for what would end the string; all else is octal."""
    assert pbtxt_escape("a b~") == "a b~"
    assert pbtxt_escape('"\\\x1f\x7fé') == r"\042\134\037\177\303\251"


def digests() -> dict[str, str]:
    """Return one digest of what all types are rendered to, and one of the runtime."""
    whole = hashlib.sha256()
    for name in sorted(MODEL_TYPES):
        for path, content in sorted(rendered(manifest(name)).items()):
            if not path.startswith(RUNTIME):
                whole.update(f"{name} {path} {len(content)}\n".encode() + content)
    return {"rendered": whole.hexdigest(), "runtime": current_toolchain()["runtime_sha256"]}


def test_a_version_of_the_template_gives_these_bytes() -> None:
    """Where they change, the version is raised: verify, plan and provenance name it.

    What earlier versions gave stays on record: no two versions give the same.
    """
    golden = json.loads(GOLDEN.read_text())
    assert list(golden) == [str(version) for version in range(2, TEMPLATE_VERSION + 1)]
    assert digests() == golden[str(TEMPLATE_VERSION)]
    assert len({json.dumps(given) for given in golden.values()}) == len(golden)


@pytest.mark.parametrize("damage", [b"", b"{}", b"x" * 64 + b'\n{"config.pbtxt": "another"}'])
def test_a_damaged_rendering_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    """What a disk has lost or changed does not reach an artifact."""
    context = context_of(manifest(), ("cat", "dog"))
    expected = render_once(context, tmp_path, render)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(damage or whole.replace(b"max_batch_size", b"min_batch_size"))
    assert render_once(context, tmp_path, render) == expected
    assert kept.read_bytes() == whole
