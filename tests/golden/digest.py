"""Print the digests of known trees as JSON. Needs no package but this one."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from types import SimpleNamespace

from clarifai_build.artifact.artifact import Artifact
from clarifai_build.artifact.packing.zip_writer import write_zip
from clarifai_build.artifact.tree import make_tree

TREES = {
    "empty": {},
    "one": {"inference.py": b"class InferenceModel: ...\n"},
    "folders": {"b/z.txt": b"z", "b/a/x.bin": bytes(range(256)) * 40, "B2/y": b"", "a.py": b"1"},
    "large": {"weights.bin": hashlib.sha256(b"seed").digest() * (1 << 18)},
}


def digests_of(name: str, files: dict[str, bytes], folder: Path) -> dict[str, object]:
    """Lay a tree out on disk, pack it, and return what identifies the result."""
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        if path.endswith("x.bin"):
            file.chmod(0o755)
    manifest = SimpleNamespace(
        path=folder / "clarifai.yaml",
        model=SimpleNamespace(id="m", type="t", labels=None),
        code=SimpleNamespace(path=folder, requirements=None, exclude=(), allow_secrets=()),
        weights=(),
    )
    generated = {"config.pbtxt": name.encode(), "1/serving.json": b"{}"}
    artifact = Artifact(make_tree(generated, manifest))  # type: ignore[arg-type]
    written = write_zip(artifact, folder / "dist" / "out.zip")
    return {"tree": written.artifact_digest, "sha256": written.sha256, "size": written.size}


def main() -> None:
    """Print all of them."""
    found = {}
    for name, files in TREES.items():
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / name
            root.mkdir()
            found[name] = digests_of(name, files, root)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
