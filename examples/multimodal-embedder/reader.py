"""Reads the text in a picture: PP-OCRv4 finds the lines, then recognises each."""

from pathlib import Path

import numpy as np
import onnxruntime
from dbnet import TextDetector
from PIL import Image

HEIGHT = 48  # what the recognition network takes; the width is free
NARROWEST = 320
BLANK = 0  # the network's word for "no new character here"


class Reader:
    """Both networks, loaded once."""

    def __init__(self, detection: Path, recognition: Path) -> None:
        self.detector = TextDetector(detection)
        self.network = onnxruntime.InferenceSession(
            str(recognition), providers=["CPUExecutionProvider"]
        )
        known = self.network.get_modelmeta().custom_metadata_map["character"].splitlines()
        self.characters = ["", *known, " "]

    def read(self, image: np.ndarray) -> str:
        """Return the lines of text from top to bottom, joined by spaces."""
        height, width = image.shape[:2]
        boxes, _ = self.detector.find_lines(image)
        corners = np.round(boxes * [height, width, height, width]).astype(int)
        lines = [image[t:b, left:r] for t, left, b, r in corners[np.argsort(corners[:, 0])]]
        return " ".join(self.read_line(line) for line in lines)

    def read_line(self, line: np.ndarray) -> str:
        """Return the text of a picture of one line."""
        height, width = line.shape[:2]
        scaled = max(1, round(width * HEIGHT / height))
        pixels = Image.fromarray(line).resize((scaled, HEIGHT), Image.BILINEAR)
        prepared = np.zeros((1, 3, HEIGHT, max(NARROWEST, scaled)), np.float32)
        bgr = np.asarray(pixels, np.float32)[:, :, ::-1] / 127.5 - 1
        prepared[0, :, :, :scaled] = bgr.transpose(2, 0, 1)
        (scores,) = self.network.run(None, {"x": prepared})
        return self.decode(scores[0].argmax(axis=1))

    def decode(self, steps: np.ndarray) -> str:
        """Drop repeats, then blanks (CTC): a doubled letter has a blank between."""
        changes = steps[np.insert(steps[1:] != steps[:-1], 0, True)]
        return "".join(self.characters[step] for step in changes if step != BLANK)
