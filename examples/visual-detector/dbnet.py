"""PP-OCRv4's text detection network (DBNet): where in a picture is text, by pixel and by line."""

from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from scipy import ndimage

TEXT_PROBABILITY = 0.3  # a pixel above this belongs to text
GROWTH = 2.0  # the network marks the core of a line; by this it is grown back to its edges
SMALLEST_SIDE = 5  # pixels of the network's map; anything smaller is noise
LONGEST_SIDE = 2048  # bounds time and memory for very long pictures


class TextDetector:
    """The network, loaded once."""

    def __init__(self, weights: Path) -> None:
        self.network = onnxruntime.InferenceSession(
            str(weights), providers=["CPUExecutionProvider"]
        )

    def text_map(self, image: np.ndarray, resolution: float = 736) -> np.ndarray:
        """Return the probability that a pixel is text, on the network's own grid."""
        pixels = Image.fromarray(image).resize(network_size(image, resolution), Image.BILINEAR)
        bgr = np.asarray(pixels, np.float32)[:, :, ::-1] / 127.5 - 1
        (maps,) = self.network.run(None, {"x": np.ascontiguousarray(bgr.transpose(2, 0, 1)[None])})
        return maps[0, 0]

    def find_lines(self, image: np.ndarray, resolution: float = 736) -> tuple:
        """Return boxes as [top, left, bottom, right] between 0 and 1, and scores, best first."""
        return lines_of(self.text_map(image, resolution))


def network_size(image: np.ndarray, resolution: float) -> tuple:
    """Return (width, height): the short side at `resolution`, both multiples of 32."""
    height, width = image.shape[:2]
    scale = min(resolution / min(height, width), LONGEST_SIDE / max(height, width))
    return tuple(max(32, round(side * scale / 32) * 32) for side in (width, height))


def lines_of(text_map: np.ndarray) -> tuple:
    """Make a box of each island of text pixels."""
    height, width = text_map.shape
    islands, _ = ndimage.label(text_map > TEXT_PROBABILITY, np.ones((3, 3)))
    boxes, scores = [], []
    for number, (rows, columns) in enumerate(ndimage.find_objects(islands), start=1):
        island = islands[rows, columns] == number
        if min(island.shape) < SMALLEST_SIDE:
            continue
        grow = growth(island)
        boxes.append(
            (
                (rows.start - grow) / height,
                (columns.start - grow) / width,
                (rows.stop + grow) / height,
                (columns.stop + grow) / width,
            )
        )
        scores.append(text_map[rows, columns][island].mean())
    order = np.argsort(scores)[::-1]
    found = np.array(boxes, np.float32).reshape(-1, 4)[order]
    return found.clip(0, 1), np.array(scores, np.float32)[order]


def growth(island: np.ndarray) -> float:
    """Return by how much to grow the box of a line: its area over its perimeter, times GROWTH.

    The line may run at a slant, so its thickness is its area over its length, not its box's side.
    """
    length = max(island.shape)
    area = island.sum()
    return GROWTH * area / (2 * (length + area / length))
