"""The estimate of shared memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from clarifai_build.manifest.types import Code, InstanceGroup, Manifest, Model, Shapes, Triton
from clarifai_build.targets.triton.shared_memory import shared_memory


@pytest.mark.parametrize(
    ("model_type", "image", "batch", "instances", "needed"),
    [
        ("visual-classifier", (480, 640), 8, 1, 2 * 8 * 480 * 640 * 3),
        ("visual-classifier", (-1, -1), 8, 2, 2 * 2 * 8 * 1024 * 1024 * 3),
        ("visual-segmenter", (100, 200), 4, 1, 2 * 4 * 100 * 200 * (3 + 8)),
        ("text-to-image", (-1, 512), 1, 1, 2 * 1024 * 512 * 3),
        ("text-embedder", (-1, -1), 64, 4, None),
    ],
)
def test_images_make_up_the_estimate(
    model_type: str, image: tuple[int, int], batch: int, instances: int, needed: int | None
) -> None:
    """Instances x 2 x batch x bytes of an item's images and mask."""
    manifest = Manifest(
        path=Path("clarifai.yaml"),
        model=Model("m", model_type),
        code=Code(Path()),
        triton=Triton(batch, ragged=False, instance_group=InstanceGroup(count=instances)),
        shapes=Shapes(image=image),
    )
    assert shared_memory(manifest) == needed
