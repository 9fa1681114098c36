"""Every setting as it is resolved: where each came from, and that nothing secret is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clarifai_build.manifest.schema import manifest_schema
from clarifai_build.util.tokens.variables import CREDENTIALS
from clarifai_build.validation.load import Examined, examine
from clarifai_build.validation.resolved_settings import MASK, settings
from support.trees import write_files

INFERENCE = b"class InferenceModel:\n    def get_predictions(self, input_data, **kwargs): ...\n"
MANIFEST = f"""\
model: {{id: m, type: visual-detector, labels: [x, y]}}
weights: [{{to: w, from: "https://h/w?token=hush", sha256: {"0f" * 32}}}]
triton:
  parameters: {{endpoint_url: "https://h/?a=hush", b: c}}
params: [{{name: n, type: number, default: 0.5}}]
storage: {{bucket: models, endpoint_url: "https://h"}}
clarifai: {{app_id: mine}}
"""


@pytest.fixture
def examined(tmp_path: Path) -> Examined:
    """A manifest without errors."""
    write_files(tmp_path, {"inference.py": INFERENCE, "clarifai.yaml": MANIFEST.encode()})
    found = examine(tmp_path, {})
    assert found.problems == ()
    return found


def shown(examined: Examined, **environ: str) -> dict[tuple[str | int, ...], tuple[Any, str]]:
    """Return value and origin of each setting; none is told twice."""
    found = list(settings(examined, environ))
    by_path = {one.path: (one.value, one.origin) for one in found}
    assert len(by_path) == len(found)
    return by_path


def test_settings_have_places_or_defaults(examined: Examined, tmp_path: Path) -> None:
    """Lists of plain values are one; sections and items are told by what is in them."""
    found, name = shown(examined), str(tmp_path / "clarifai.yaml")
    assert found["model", "labels"] == (["x", "y"], f"{name}:1")
    assert found["weights", 0, "to"] == ("w", f"{name}:2")
    assert found["triton", "parameters", "b"] == ("c", f"{name}:4")
    assert found["params", 0, "default"] == (0.5, f"{name}:5")
    assert found["params", 0, "description"] == ("", "default")
    assert found["code", "path"] == (str(tmp_path), "default")
    assert found["code", "exclude"] == ([], "default")
    assert found["storage", "prefix"] == ("", "default")
    assert ("storage",) not in found
    assert ("weights", 0, "source") not in found


def test_they_come_in_the_order_of_the_schema(examined: Examined) -> None:
    """As the reference lists them."""
    sections = list(dict.fromkeys(path[0] for path in shown(examined)))
    assert sections == [name for name in manifest_schema()["properties"] if name in sections]
    assert len(sections) == len(manifest_schema()["properties"])


def test_an_account_comes_from_where_it_is_set(examined: Examined, tmp_path: Path) -> None:
    """The manifest wins over the environment; what nobody sets is nothing."""
    found = shown(examined, CLARIFAI_USER_ID="me", CLARIFAI_APP_ID="other")
    assert found["clarifai", "user_id"] == ("me", "environment variable CLARIFAI_USER_ID")
    assert found["clarifai", "app_id"] == ("mine", f"{tmp_path / 'clarifai.yaml'}:7")
    assert found["clarifai", "api_base"] == (None, "default")


def test_secrets_are_masked(examined: Examined) -> None:
    """Only that they are set, and by what."""
    found = shown(examined, **dict.fromkeys(CREDENTIALS, "hush"))
    assert {path: value for path, (value, _) in found.items() if path[0] in CREDENTIALS} == {
        (name,): MASK for name in CREDENTIALS
    }
    assert found[("AWS_SESSION_TOKEN",)][1] == "environment variable AWS_SESSION_TOKEN"
    assert not {path[0] for path in shown(examined)} & set(CREDENTIALS)


def test_addresses_lose_what_is_secret_in_them(examined: Examined) -> None:
    """A parameter of Triton's is none, whatever it is called: it is in the artifact as it is."""
    found = shown(examined)
    assert "hush" not in str(found["weights", 0, "from"])
    assert found["triton", "parameters", "endpoint_url"][0] == "https://h/?a=hush"
    assert found["storage", "endpoint_url"][0] == "https://h"


def test_a_manifest_with_errors_has_no_settings(tmp_path: Path) -> None:
    """Nor has one that is not there."""
    assert list(settings(examine(tmp_path, {}), {})) == []
    write_files(tmp_path, {"clarifai.yaml": b"model: {id: m}\n"})
    assert list(settings(examine(tmp_path, {}), {"CLARIFAI_PAT": "x"})) == []
