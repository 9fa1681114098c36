"""The template as it is rendered here: the files that cookiecutter itself writes, for any model."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.generate import generate_files
from hypothesis import given, settings
from hypothesis import strategies as st

from clarifai_build.manifest.types import Model, Param, Triton
from clarifai_build.model_types import MODEL_TYPES
from clarifai_build.resources import files_below, template_dir
from clarifai_build.targets import template
from clarifai_build.targets.rendering import context_of
from clarifai_build.targets.template import render_template
from support.trees import manifest_of, write_files

MANIFEST = manifest_of(Path("/models"))
# No lone surrogates, which no file in UTF-8 holds.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PARAMS = st.builds(
    Param, st.text("abc", min_size=1), st.just("string"), st.none() | TEXT, description=TEXT
)
TRITONS = st.builds(
    Triton,
    max_batch_size=st.integers(0, 64),
    ragged=st.booleans(),
    streaming=st.booleans(),
    warmup=st.booleans(),
    version_policy=st.sampled_from(["latest", "all"]),
    response_cache=st.booleans(),
    parameters=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
)


def by_cookiecutter(variables: dict[str, Any], folder: Path | None = None) -> dict[str, bytes]:
    """Return what cookiecutter writes for a template."""
    with tempfile.TemporaryDirectory() as output:
        context = {"cookiecutter": dict(variables)}
        project = generate_files(
            folder or template_dir(), context, output_dir=output, accept_hooks=False
        )
        return files_below(Path(project))


@settings(max_examples=40)
@given(st.sampled_from(sorted(MODEL_TYPES)), TRITONS, st.lists(TEXT, max_size=3), st.lists(PARAMS))
def test_the_files_are_those_of_cookiecutter(
    model_type: str, triton: Triton, labels: list[str], params: list[Param]
) -> None:
    """Of every type, whatever its settings, labels and parameters are."""
    made = replace(MANIFEST, model=Model("lines", model_type), triton=triton, params=tuple(params))
    variables = context_of(made, tuple(labels)).variables
    assert render_template(variables) == by_cookiecutter(variables)


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A template in the place of ours."""
    monkeypatch.setattr(template, "template_dir", lambda: tmp_path)
    template._files.cache_clear()
    yield tmp_path
    template._files.cache_clear()


def test_an_edited_template_is_rendered_as_cookiecutter_does(edited: Path) -> None:
    """Line ends, names that come out empty, cookiecutter's filters, and what is not text."""
    files = {
        "crlf.txt": b"{{ cookiecutter.name }}\r\nsecond\r\n",
        "no-end.txt": b"{{ cookiecutter.name | slugify }}",
        "{{ cookiecutter.name }}.json": b"{{ {'b': 1, 'a': [2]} | jsonify }}\n",
        "{% if cookiecutter.left_out %}left-out.txt{% endif %}": b"x",
        "sub/{% if cookiecutter.left_out %}left-out.txt{% endif %}": b"x",
        "sub/pixels.png": b"\x89PNG\x00\xff{{ nothing }}",
        "sub/empty": b"",
    }
    write_files(edited / "{{cookiecutter.name}}", files)
    variables = {"name": "Näme", "left_out": ""}
    rendered = render_template(variables)
    assert rendered == by_cookiecutter(variables, edited)
    assert sorted(rendered) == [
        "Näme.json",
        "crlf.txt",
        "no-end.txt",
        "sub/empty",
        "sub/pixels.png",
    ]


def test_models_may_be_rendered_side_by_side() -> None:
    """Nothing of one reaches another, and the process stays where it works."""
    before = Path.cwd()
    contexts = [
        context_of(replace(MANIFEST, model=Model(f"m{number}", "text-to-text")), ())
        for number in range(40)
    ]
    with ThreadPoolExecutor(8) as pool:
        rendered = list(pool.map(lambda context: render_template(context.variables), contexts))
    names = [files["config.pbtxt"].split(b'"')[1].decode() for files in rendered]
    assert names == [f"m{number}" for number in range(40)]
    assert Path.cwd() == before


def test_a_template_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many models are rendered from it."""
    variables = context_of(MANIFEST, ()).variables
    render_template(variables)

    def read_again(_folder: Path) -> dict[str, bytes]:
        raise AssertionError("the template is read again")

    monkeypatch.setattr(template, "files_below", read_again)
    assert "config.pbtxt" in render_template(variables)
