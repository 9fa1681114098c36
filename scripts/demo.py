"""A real model, from its clarifai.yaml to answered predictions, on this machine.

    scripts/demo.py [PHOTO [NAME=VALUE ...]]

Fetches the weights of examples/visual-detector, applies it into the local sandbox, asks it through
the Clarifai API where text is in two photos, or in yours, draws the answers, and applies again.
What an earlier run left is used, so it can be run twice, and after it was interrupted anywhere.
"""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "examples" / "samples"
OUTPUT = ROOT / "demo-output"
MODEL_ID = "text-detector"
SENT_AT_MOST = (1600, 1600)
DRAWN_WIDTH = 1100
MARGIN = 40  # on the right, for the numbers of lines that reach the edge
GREEN = "#00a040"

sys.path.insert(0, str(ROOT / "examples"))
from client import PredictionError, parameter, predict  # noqa: E402 - it lies with the examples


class Photo(NamedTuple):
    """A file to send, and the inference parameters to send with it."""

    path: Path
    params: dict[str, Any]


class Line(NamedTuple):
    """A line of text that was found; the edges are between 0 and 1."""

    score: float
    top: float
    left: float
    bottom: float
    right: float


# A page, and a garage in which writing is small: there the network has to look closer.
PHOTOS = (
    Photo(SAMPLES / "page.png", {}),
    Photo(SAMPLES / "motorcycle_left.png", {"resolution": 1536}),
)


def main() -> int:
    path, *params = sys.argv[1:] or [None]
    photos = (Photo(Path(path), dict(map(parameter, params))),) if path else PHOTOS
    with step("1/5  Get the weights, PP-OCRv4's text detection network, and a photo"):
        run(sys.executable, "examples/fetch.py", "visual-detector", "--photo")
    pictures = [read(photo.path) for photo in photos]
    with step("2/5  Apply the manifest into a sandbox: S3, Clarifai API and Triton, all local"):
        print("     (the first time it installs them and what the model requires: a minute or two)")
        apply()
    with step("3/5  Ask the model through the Clarifai API: where is text?"):
        answers = [ask(*question) for question in zip(photos, pictures, strict=True)]
    with step("4/5  Draw what was found"):
        drawn = [draw(*found) for found in zip(photos, pictures, answers, strict=True)]
    with step("5/5  Apply again: nothing has changed, so nothing is done"):
        apply()
    print_ending(drawn)
    return 0


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what begins, and how long it took."""
    print(f"\n{title}", flush=True)
    started = time.monotonic()
    yield
    print(f"     {time.monotonic() - started:.1f} s", flush=True)


def apply() -> None:
    tool = Path(sys.executable).with_name("clarifai-build")
    run(str(tool), "apply", "examples/visual-detector", "--sandbox")


def run(*command: str) -> None:
    """Show the command as a person would type it, and run it; the demo ends where it fails."""
    print("$ " + shlex.join(shown(Path(word)) for word in command), flush=True)
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode:
        print("\nThe demo stopped here. `make demo` goes on from this point.", file=sys.stderr)
        sys.exit(done.returncode)


def shown(path: Path) -> str:
    """Return a path as seen from the project's folder."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def read(path: Path) -> Image.Image:
    """Open a photo, upright, and no larger than needs be sent."""
    try:
        with Image.open(path) as image:
            picture = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        sys.exit(f"{path} can't be read as an image: {error}")
    picture.thumbnail(SENT_AT_MOST)
    return picture


def ask(photo: Photo, picture: Image.Image) -> list[Line]:
    """Send the picture; print and return the lines, in the order in which one reads them."""
    from clarifai_build.sandbox import lifecycle

    settings = "".join(f" {name}={value}" for name, value in photo.params.items())
    print(shown(photo.path) + settings, flush=True)
    data = io.BytesIO()
    picture.save(data, "PNG")
    environ = {**os.environ, **lifecycle.ensure().environ()}
    try:
        answer = predict(MODEL_ID, image=data.getvalue(), params=photo.params, environ=environ)
    except PredictionError as error:
        sys.exit(f"the model did not answer: {error}")
    lines = []
    for region in answer.regions:
        box = region.region_info.bounding_box
        score = region.data.concepts[0].value
        lines.append(Line(score, box.top_row, box.left_col, box.bottom_row, box.right_col))
    lines.sort(key=lambda line: line.top)
    print_table(lines, picture)
    return lines


def print_table(lines: list[Line], picture: Image.Image) -> None:
    print(f"lines of text: {len(lines)}, in pixels of the {picture.width} x {picture.height} photo")
    print("  line  score    top   left  bottom  right")
    for number, line in enumerate(lines, start=1):
        top, bottom = (round(edge * picture.height) for edge in (line.top, line.bottom))
        left, right = (round(edge * picture.width) for edge in (line.left, line.right))
        print(f"  {number:4}  {line.score:5.3f}  {top:5}  {left:5}  {bottom:6}  {right:5}")


def draw(photo: Photo, picture: Image.Image, lines: list[Line]) -> Path:
    """Write the photo with a numbered box around each line."""
    width, height = DRAWN_WIDTH, round(picture.height * DRAWN_WIDTH / picture.width)
    canvas = Image.new("RGB", (width + MARGIN, height), "white")
    canvas.paste(picture.resize((width, height), Image.Resampling.LANCZOS))
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(size=15)
    for number, line in enumerate(lines, start=1):
        left, top, right = line.left * width, line.top * height, line.right * width
        pen.rectangle((left, top, right, line.bottom * height), outline=GREEN, width=2)
        pen.rectangle(pen.textbbox((right, top), f" {number} ", font=font), fill=GREEN)
        pen.text((right, top), f" {number} ", font=font, fill="white")
    OUTPUT.mkdir(exist_ok=True)
    target = OUTPUT / f"{photo.path.stem}-text.png"
    part = target.with_suffix(f".{os.getpid()}.part")
    canvas.save(part, "PNG")
    part.replace(target)
    print(f"wrote {shown(target)}")
    return target


def print_ending(drawn: list[Path]) -> None:
    print(f"""
Look at    {" and ".join(map(shown, drawn))}
           examples/visual-detector/clarifai.yaml and inference.py: all that there is to the model
Try next   .venv/bin/python scripts/demo.py my-photo.jpg resolution=1536     (a photo of yours)
           .venv/bin/clarifai-build plan examples/visual-detector --sandbox
                                                        (after changing something in that folder)
           examples/README.md                                 (a model of each other type)
The sandbox is still running. Stop it with   .venv/bin/clarifai-build sandbox down""")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nInterrupted. `make demo` goes on from this point.", file=sys.stderr)
        sys.exit(130)
