"""The sandbox in place of bucket and platform."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from clarifai_build.manifest.types import Clarifai, Deployment, Manifest, Runner, Storage
from clarifai_build.progress import ProgressCallback

if TYPE_CHECKING:
    from clarifai_build.sandbox.endpoints import Endpoints


NODEPOOL = "sandbox"
"""The one nodepool of the sandbox, and the compute cluster that it is in."""


def in_sandbox(manifest: Manifest, endpoints: Endpoints) -> Manifest:
    """Return the same manifest, to be published and registered in the sandbox."""
    # `storage` stays: weights are still fetched with its endpoint and credentials.
    return replace(
        manifest,
        # What goes to the platform alone does so here.
        published_to=_bucket(manifest, endpoints) if manifest.is_kept else None,
        runner=manifest.runner and _deployed_here(manifest.runner),
        clarifai=Clarifai(
            user_id=endpoints.user_id,
            app_id=endpoints.app_id,
            api_base=endpoints.api_base,
            visibility=manifest.clarifai.visibility,
        ),
    )


def _bucket(manifest: Manifest, endpoints: Endpoints) -> Storage:
    return Storage(
        bucket=endpoints.bucket,
        prefix=manifest.storage.prefix if manifest.storage else "",
        endpoint_url=endpoints.s3_endpoint,
        region=endpoints.region,
        reuse=manifest.storage.reuse if manifest.storage else "auto",
    )


def _deployed_here(runner: Runner) -> Runner:
    """Return a runner that the one nodepool of the sandbox serves, so that it can be tried.

    The sandbox has no instance types but its own, and this machine has what it has.
    """
    wanted = runner.deployment or Deployment(NODEPOOL, NODEPOOL)
    here = replace(wanted, nodepool=NODEPOOL, compute_cluster=NODEPOOL, create=False)
    return replace(runner, instance=None, deployment=here)


def start(environ: Mapping[str, str], progress: ProgressCallback) -> Endpoints:
    """Start the sandbox if need be, and return where it is.

    The one place that writes to this process's environment: gRPC and urllib look nowhere else for
    the addresses that no proxy is asked for.
    """
    from clarifai_build.sandbox import lifecycle
    from clarifai_build.sandbox.engines.processes import past_proxies

    os.environ.update(past_proxies())
    return lifecycle.ensure(lifecycle.default_state_dir(environ), progress)
