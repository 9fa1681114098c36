"""Connecting manifests in the sandbox."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clarifai_build.connection import connect, in_sandbox
from clarifai_build.errors import (
    ManifestError,
)
from clarifai_build.manifest.types import Deployment, Runner, Storage
from clarifai_build.registry.clarifai import ClarifaiRegistry
from support.connections import ENDPOINTS, MANIFEST, environ_of, model_in
from support.fakes import manifest_of


def test_in_the_sandbox_nothing_leads_to_the_cloud(tmp_path: Path) -> None:
    """Bucket, account and token are the sandbox's, whatever manifest and environment say."""
    environ = {**environ_of(tmp_path), "AWS_PROFILE": "work", "AWS_ACCESS_KEY_ID": "cloud"}
    connection = connect(model_in(tmp_path), environ, sandbox=ENDPOINTS)
    assert connection.registry.scope == "sandbox/local"
    assert connection.store().url("mine/x") == "http://127.0.0.1:1/public/mine/x"
    assert connection.store_environ["AWS_ACCESS_KEY_ID"] == "key"
    assert "AWS_PROFILE" not in connection.store_environ
    assert connection.store_environ["CLARIFAI_PAT"] == "local-token"
    assert isinstance(connection.registry, ClarifaiRegistry)


def test_in_the_sandbox_the_manifest_stays_what_it_is() -> None:
    """Only where it is published and registered changes: weights come from where it says."""
    manifest = manifest_of()
    there = in_sandbox(manifest, ENDPOINTS)
    assert there.storage == manifest.storage
    assert there.destination.prefix == manifest.destination.prefix
    assert there.clarifai.visibility == manifest.clarifai.visibility
    prefixed = in_sandbox(replace(manifest, storage=Storage("cloud", "deep")), ENDPOINTS)
    assert (prefixed.destination.bucket, prefixed.destination.prefix) == ("public", "deep")
    assert (there.model, there.code, there.weights) == (
        manifest.model,
        manifest.code,
        manifest.weights,
    )


def test_references_may_be_open_in_the_sandbox(tmp_path: Path) -> None:
    """What only the cloud needs is not asked for."""
    folder = model_in(tmp_path)
    text = MANIFEST.format(model="lines").replace(" models,", " '${env:BUCKET}',")
    (folder / "clarifai.yaml").write_text(text)
    with pytest.raises(ManifestError, match="BUCKET"):
        connect(folder, environ_of(tmp_path))
    assert connect(folder, environ_of(tmp_path), sandbox=ENDPOINTS).manifest.model.id == "lines"


def test_what_is_not_to_be_reused_is_not_in_the_sandbox_either(tmp_path: Path) -> None:
    """What is tried there is what goes to the cloud."""
    manifest = connect(model_in(tmp_path), environ_of(tmp_path)).manifest
    never = replace(manifest, storage=replace(manifest.destination, reuse="never"))
    assert in_sandbox(never, ENDPOINTS).destination.reuse == "never"
    assert in_sandbox(replace(manifest, storage=None), ENDPOINTS).destination.reuse == "auto"


def test_a_runner_is_deployed_in_the_one_nodepool_of_the_sandbox() -> None:
    """Whatever it asks for; what goes to the platform alone does so there."""
    wanted = Deployment("pool", "cluster", max_replicas=3, create=True)
    runner = Runner(instance="a10g", num_threads=4, deployment=wanted)
    manifest = replace(manifest_of(), target="runner", runner=runner, storage=None)
    there = in_sandbox(manifest, ENDPOINTS)
    assert not there.is_kept
    here = replace(wanted, nodepool="sandbox", compute_cluster="sandbox", create=False)
    assert there.runner == replace(runner, instance=None, deployment=here)
    none = in_sandbox(replace(manifest, runner=Runner(), storage=Storage("b")), ENDPOINTS)
    assert none.is_kept
    assert none.runner == Runner(deployment=Deployment("sandbox", "sandbox"))
