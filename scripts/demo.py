"""A real model, from its clarifai.yaml to answered predictions, on this machine.

    scripts/demo.py [PHOTO]

Fetches the weights of examples/visual-detector, applies it into the local sandbox, asks it through
the Clarifai API where text is in a photo, draws the answer, and applies again. What an earlier run
left is used, so it can be run twice, and after it was interrupted anywhere.
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
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "visual-detector"
SAMPLE = ROOT / "examples" / "samples" / "page.png"
OUTPUT = ROOT / "demo-output"
MODEL_ID = "text-detector"
SENT_AT_MOST = (1600, 1600)
DRAWN_WIDTH = 1100
MARGIN = 40  # on the right, for the numbers of lines that reach the edge
GREEN = "#00a040"

sys.path.insert(0, str(ROOT / "examples"))
from client import PredictionError, predict  # noqa: E402 - the client lies with the examples


class Line(NamedTuple):
    """A line of text that was found; the edges are between 0 and 1."""

    score: float
    top: float
    left: float
    bottom: float
    right: float


def main() -> int:
    photo = Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE
    picture = read(photo)
    with step("1/5  Weights: PP-OCRv4's text detection network, pinned by digest"):
        run(sys.executable, "examples/fetch.py", EXAMPLE.name)
    with step("2/5  Apply the manifest into a sandbox: S3, Clarifai API and Triton, all local"):
        print("     (the first time it installs them and what the model requires: a minute or two)")
        apply()
    with step(f"3/5  Ask the model through the Clarifai API: where is text in {shown(photo)}?"):
        lines = ask(picture)
        print_table(lines, picture)
    with step("4/5  Draw what was found"):
        drawn = draw(picture, lines, OUTPUT / f"{photo.stem}-text.png")
        print(f"wrote {shown(drawn)}")
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


def read(photo: Path) -> Image.Image:
    """Open a photo, upright, and no larger than needs be sent."""
    try:
        with Image.open(photo) as image:
            picture = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        sys.exit(f"{photo} can't be read as an image: {error}")
    picture.thumbnail(SENT_AT_MOST)
    return picture


def ask(picture: Image.Image) -> list[Line]:
    """Send the picture, and return the lines in the order in which one reads them."""
    from clarifai_build import sandbox

    data = io.BytesIO()
    picture.save(data, "PNG")
    try:
        answer = predict(
            MODEL_ID,
            image=data.getvalue(),
            environ={**os.environ, **sandbox.ensure().environ()},
        )
    except PredictionError as error:
        sys.exit(f"the model did not answer: {error}")
    lines = []
    for region in answer.regions:
        box = region.region_info.bounding_box
        score = region.data.concepts[0].value
        lines.append(Line(score, box.top_row, box.left_col, box.bottom_row, box.right_col))
    return sorted(lines, key=lambda line: line.top)


def print_table(lines: list[Line], picture: Image.Image) -> None:
    print(f"lines of text: {len(lines)}, in pixels of the {picture.width} x {picture.height} photo")
    print("  line  score    top   left  bottom  right")
    for number, line in enumerate(lines, start=1):
        top, bottom = (round(edge * picture.height) for edge in (line.top, line.bottom))
        left, right = (round(edge * picture.width) for edge in (line.left, line.right))
        print(f"  {number:4}  {line.score:5.3f}  {top:5}  {left:5}  {bottom:6}  {right:5}")


def draw(picture: Image.Image, lines: list[Line], target: Path) -> Path:
    """Write the photo with a numbered box around each line."""
    width, height = DRAWN_WIDTH, round(picture.height * DRAWN_WIDTH / picture.width)
    canvas = Image.new("RGB", (width + MARGIN, height), "white")
    canvas.paste(picture.resize((width, height), Image.Resampling.LANCZOS))
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(size=18)
    for number, line in enumerate(lines, start=1):
        left, top, right = line.left * width, line.top * height, line.right * width
        pen.rectangle((left, top, right, line.bottom * height), outline=GREEN, width=3)
        pen.rectangle(pen.textbbox((right, top), f" {number} ", font=font), fill=GREEN)
        pen.text((right, top), f" {number} ", font=font, fill="white")
    target.parent.mkdir(exist_ok=True)
    part = target.with_suffix(".part")
    canvas.save(part, "PNG")
    part.replace(target)
    return target


def print_ending(drawn: Path) -> None:
    print(f"""
Look at    {shown(drawn)}
           examples/visual-detector/clarifai.yaml and inference.py: all that there is to the model
Try next   .venv/bin/python scripts/demo.py my-photo.jpg      (a photo of yours)
           .venv/bin/clarifai-build plan examples/visual-detector --sandbox
                                                        (after changing something in that folder)
           examples/README.md                                 (a model of each other type)
The sandbox is still running. Stop it with   .venv/bin/clarifai-build sandbox down""")


if __name__ == "__main__":
    sys.exit(main())
