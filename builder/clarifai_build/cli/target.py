"""What several commands take: a manifest, and whether the cloud or the sandbox is meant."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_build.manifest import Clarifai, Manifest, Storage, load
from clarifai_build.progress import Listener

if TYPE_CHECKING:
    from clarifai_build.registry import ModelRegistry
    from clarifai_build.sandbox import Endpoints
    from clarifai_build.storage import ObjectStore

DEFAULT_MANIFEST = Path("clarifai.yaml")


@dataclass(frozen=True, slots=True)
class Target:
    """A manifest and the environment it is applied in."""

    manifest: Manifest
    environ: Mapping[str, str] = field(repr=False)

    def store(self) -> ObjectStore:
        """Open the manifest's bucket."""
        from clarifai_build.pipeline import storage_of
        from clarifai_build.storage.s3 import open_store

        return open_store(storage_of(self.manifest), self.environ)

    def registry(self) -> ModelRegistry:
        """Connect to the manifest's Clarifai app."""
        from clarifai_build.registry.clarifai import open_registry

        return open_registry(self.manifest.clarifai, self.environ)


def add_manifest(parser: ArgumentParser) -> None:
    """Add the manifest argument."""
    parser.add_argument(
        "manifest",
        nargs="?",
        type=Path,
        default=DEFAULT_MANIFEST,
        metavar="MANIFEST",
        help="the manifest (default: clarifai.yaml)",
    )


def add_sandbox(parser: ArgumentParser) -> None:
    """Add the option that swaps the cloud for engines on this machine."""
    parser.add_argument(
        "--sandbox",
        action="store_true",
        help="use the local sandbox (S3, Clarifai API, Triton), starting it if need be",
    )


def resolve(args: Namespace, listen: Listener) -> Target:
    """Load the manifest, and point it at the sandbox when that is asked for."""
    if not args.sandbox:
        return Target(load(args.manifest, os.environ), dict(os.environ))
    from clarifai_build import sandbox

    manifest = load(args.manifest, os.environ, offline=True)
    endpoints = sandbox.ensure(listen=listen)
    return Target(in_sandbox(manifest, endpoints), {**os.environ, **endpoints.environ()})


def in_sandbox(manifest: Manifest, endpoints: Endpoints) -> Manifest:
    """Return the same manifest with the sandbox as its storage and platform."""
    return replace(
        manifest,
        storage=Storage(
            bucket=endpoints.bucket,
            prefix=manifest.storage.prefix if manifest.storage else "",
            endpoint_url=endpoints.s3_endpoint,
            region="us-east-1",
        ),
        clarifai=Clarifai(
            user_id=endpoints.user_id,
            app_id=endpoints.app_id,
            api_base=endpoints.api_base,
            visibility=manifest.clarifai.visibility,
        ),
    )
