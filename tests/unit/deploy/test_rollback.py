"""Going back to an earlier version: what is said where there is none any more."""

from __future__ import annotations

import pytest

from clarifai_build.deploy.rollback import RollbackContext, roll_back
from clarifai_build.errors import RegistryError
from clarifai_build.registry import RemoteVersion
from clarifai_build.registry.version_metadata import VersionMetadata
from support.fakes import MemoryRegistry, MemoryStore


def test_rollback_of_a_model_that_goes_meanwhile() -> None:
    """When the versions vanish after they were listed, that is said."""
    target = RemoteVersion("v1", 21100, "", metadata=VersionMetadata(artifact_digest="a" * 64))
    with pytest.raises(RegistryError, match="any more"):
        roll_back(RollbackContext("lines", MemoryStore(), MemoryRegistry()), target, "key")
