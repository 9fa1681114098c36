"""What a plan says of a runner, as text and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from jsonschema import Draft7Validator

from clarifai_build import resources
from clarifai_build.deploy.planning import Observed, make_plan
from clarifai_build.deploy.registration import Registration
from clarifai_build.deploy.runner.compute import ObservedCompute
from clarifai_build.deploy.runner.kept_nowhere import KEPT_NOWHERE
from clarifai_build.manifest.types import Checkpoints, Compute, Deployment, Manifest, Runner
from clarifai_build.reports.plan import Planned, as_json, plans_text
from support.fakes import manifest_of

DEPLOYMENT = Deployment("pool", "cluster", 1, 4)
GPU = Compute("4", "16Gi", 1, ("NVIDIA-A10G", "NVIDIA-L40S"), "20Gi")


def runner(**settings: object) -> Manifest:
    """Make the manifest of a runner."""
    made = Runner(**settings)  # type: ignore[arg-type]
    return replace(manifest_of(), target="runner", runner=made)


def planned(manifest: Manifest, *, is_kept: bool = False) -> Planned:
    """Plan a first version, where the nodepool is there."""
    registration = Registration.of(manifest, "a" * 64, 1)
    compute = ObservedCompute(True, True, None) if registration.deployment else None
    observed = Observed(None, (), None, is_kept, compute)
    return Planned("clarifai.yaml", make_plan(registration, observed), (), "b" * 64)


def test_what_it_runs_on_and_how_often() -> None:
    """And what becomes of its deployment."""
    text = plans_text([planned(runner(deployment=DEPLOYMENT))])
    assert text.splitlines() == [
        "lines (text-to-text)",
        "  runs on 1 CPU, 2Gi, up to 16 requests at once",
        "  1 to 4 replicas on nodepool pool of cluster cluster, one less after 300 s without work",
        "  + create model: there is no model 'lines'",
        "  + create version: no version of ours is registered",
        f"      {KEPT_NOWHERE}",
        "  + create deployment: nothing serves the model",
        "Plan: 3 to add, 0 to change, 0 to destroy.",
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"compute": GPU}, "4 CPU, 16Gi, 1 of NVIDIA-A10G or NVIDIA-L40S with 20Gi"),
        ({"compute": Compute(num_accelerators=2)}, "1 CPU, 2Gi, 2 of any accelerator"),
        ({"instance": "g5.xlarge", "num_threads": 4}, "instance type g5.xlarge, up to 4"),
        ({}, "not deployed: the manifest asks for no deployment"),
        (
            {"checkpoints": Checkpoints("org/model", "build")},
            "not pinned: the platform fetches org/model from huggingface at build",
        ),
    ],
)
def test_what_else_is_said(settings: dict[str, object], said: str) -> None:
    """Where it is so."""
    text = plans_text([planned(runner(**settings), is_kept=True)])
    assert said in text
    assert KEPT_NOWHERE not in text


def test_the_document_is_as_its_schema_says() -> None:
    """For either target."""
    plans = [
        planned(runner(deployment=DEPLOYMENT, compute=GPU)),
        planned(runner(instance="g5", checkpoints=Checkpoints("org/model"))),
        planned(manifest_of(), is_kept=True),
    ]
    document = as_json(plans, id="x", sandbox=False, adopt=False)
    Draft7Validator(json.loads(resources.plan_schema_text())).validate(document)
    first, second, triton = document["models"]
    assert first["runner"]["deployment"]["max_replicas"] == 4
    assert first["runner"]["compute"]["accelerator_type"] == ["NVIDIA-A10G", "NVIDIA-L40S"]
    assert (second["runner"]["compute"], second["runner"]["deployment"]) == (None, None)
    assert second["runner"]["unpinned"] == ["huggingface:org/model"]
    assert (first["target"], first["kept"]) == ("runner", False)
    assert (triton["target"], triton["kept"], triton["runner"]) == ("triton", True, None)
